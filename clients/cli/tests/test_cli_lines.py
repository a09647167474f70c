"""NDJSON as any program writes it: marks taken off, bad lines refused alone, the rest sent."""

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from activities import POISON, Activities, running
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from hocvuso_cli.app import app
from hocvuso_cli.send.lines import count_lines, read_lines
from hocvuso_client.envelope import MAX_EVENT_BYTES

BOM = "\ufeff"


def event(number: int, **more: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0", "id": f"n-{number}", "source": "https://xa.example/so",
        "type": "vn.hocvuso.class.held", "subject": "24133", "time": "2026-06-30T08:00:00+07:00",
        "data": {"note": "Lớp học"}, **more,
    }  # fmt: skip


@pytest.fixture
def service() -> Iterator[Activities]:
    with running() as state:
        yield state


def send(service: Activities, tmp_path: Path, content: bytes, *more: str) -> tuple[Any, list[Any]]:
    file, key = tmp_path / "a.ndjson", tmp_path / "key"
    file.write_bytes(content)
    key.write_text("hv_a_b")
    words = ["send", str(file), "--url", service.url, "--key-file", str(key), *more]
    done = CliRunner().invoke(app, words)
    results = (tmp_path / "a.ndjson.results.ndjson").read_text(encoding="utf-8").splitlines()
    return done, [json.loads(line) for line in results]


def text(*events: Any) -> str:
    return "".join(json.dumps(e, ensure_ascii=False) + "\n" for e in events)


@pytest.mark.parametrize(
    "content",
    [
        (BOM + text(event(1), event(2), event(3))).encode(),
        (text(event(1)) + BOM + text(event(2), event(3))).encode(),
        (BOM + text(event(1), event(2), event(3))).encode("utf-16-le"),
        (BOM + text(event(1), event(2), event(3))).encode("utf-16-be"),
        text(event(1), event(2), event(3)).replace("\n", "\r\n").encode(),
        text(event(1), event(2), event(3)).rstrip().encode(),
    ],
    ids=["mark", "mark later", "utf-16-le", "utf-16-be", "crlf", "no last line end"],
)
def test_every_writer_is_understood(service: Activities, tmp_path: Path, content: bytes) -> None:
    done, results = send(service, tmp_path, content)
    assert done.exit_code == 0, done.output
    assert [e["data"]["note"] for e in service.log.values()] == ["Lớp học"] * 3
    assert [r["line"] for r in results] == [1, 2, 3]


BAD = {
    "over 10 MB": b'{"data": "' + b"x" * (11 * 1024 * 1024) + b'"}',
    "over an event": json.dumps(event(9, data={"note": "x" * MAX_EVENT_BYTES})).encode(),
    "no json": b"no json",
    "half": b'{"id": "x"',
    "windows-1258": '{"data": "Lớp"}'.encode().replace("ớ".encode(), b"\xf5"),
    "a number that is none": b'{"data": NaN}',
    "deep": b"[" * 20_000 + b"]" * 20_000,
    "poison": json.dumps(event(9, subject=POISON)).encode(),
    "zero bytes": b"\0\0\0",
}


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_bad_line_is_refused_alone(
    service: Activities, tmp_path: Path, kind: str, at: int
) -> None:
    lines = [json.dumps(event(n)).encode() for n in range(2)]
    lines.insert(at, BAD[kind])
    done, results = send(service, tmp_path, b"\n".join(lines) + b"\n")
    assert done.exit_code == 2, done.output
    assert [id for _, id in service.log] == ["n-0", "n-1"]
    assert [r["line"] for r in results if r["status"] == "rejected"] == [at + 1]
    assert "bị từ chối 1" in done.output and "đã nhận 2" in done.output


def test_one_json_text_over_many_lines_is_named(service: Activities, tmp_path: Path) -> None:
    content = json.dumps([event(1)], indent=1).encode()
    done, results = send(service, tmp_path, content)
    assert done.exit_code == 2 and not service.log
    assert "NDJSON" in results[0]["problem"]["hint"]


def test_json_for_programs(service: Activities, tmp_path: Path) -> None:
    done, _ = send(service, tmp_path, text(event(1), event(2, subject="99999")).encode(), "--json")
    said = json.loads(done.stdout)
    assert (said["accepted"], said["rejected"], said["complete"]) == (1, 1, True)


@given(st.binary(max_size=3_000))
def test_any_bytes_have_numbered_lines(content: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "a"
        file.write_bytes(content)
        lines = list(read_lines(file))
        assert [line.number for line in lines] == list(range(1, len(lines) + 1))
        if not content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            assert len(lines) == count_lines(file)
        for line in lines:
            if line.raw:
                json.loads(line.raw)
