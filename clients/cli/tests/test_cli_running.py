"""Progress, Ctrl-C, profiles, keys as Windows writes them, consoles of any code page."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from activities import Activities, running
from typer.testing import CliRunner

from hocvuso_cli import language, profiles
from hocvuso_cli.app import app
from hocvuso_cli.language import Language
from hocvuso_cli.progress import PIPED_S, Progress
from hocvuso_cli.server import server


class Stream(io.StringIO):
    def __init__(self, tty: bool) -> None:
        super().__init__()
        self._tty = tty

    def isatty(self) -> bool:
        return self._tty


def test_a_pipe_gets_a_line_every_few_seconds_with_total_and_rate() -> None:
    now, stream = [0.0], Stream(tty=False)
    progress = Progress(10_000, stream, lambda: now[0])
    for step in range(1, 101):
        now[0] = step * 0.25
        progress(step * 100)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 25 / PIPED_S
    assert lines[0] == "2.000 trên 10.000 dòng (20 %), 400 dòng/giây, còn khoảng 21 giây"
    language.choose(Language.EN)
    assert progress.text(2_000, 5) == "2,000 of 10,000 lines (20 %), 400 a second, 21 s left"
    assert Progress(None, stream).text(5, 1) == "5 lines, 5 a second"


def test_a_terminal_gets_one_moving_line() -> None:
    now, stream = [0.0], Stream(tty=True)
    progress = Progress(100, stream, lambda: now[0])
    for done in (10, 100):
        now[0] += 1
        progress(done)
    progress.end()
    assert "\n" not in stream.getvalue() and stream.getvalue().count("\r") == 4


@pytest.fixture
def key(tmp_path: Path) -> Path:
    file = tmp_path / "a.key"
    file.write_text("hv_a_b\n")
    return file


def run(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_profiles_name_servers(key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (
        run(
            "profiles", "add", "tinh", "--url", "https://tinh.example/", "--key-file", key
        ).exit_code
        == 0
    )
    run(
        "profiles",
        "add",
        "thu",
        "--url",
        "http://thu.example",
        "--key-file",
        key,
        "--source",
        "urn:x",
    )
    listed = json.loads(run("profiles", "list", "--json").stdout)
    assert listed["default"] == "tinh" and set(listed["profiles"]) == {"tinh", "thu"}
    assert server(None, None, None).url == "https://tinh.example"
    assert server("thu", None, None).source == "urn:x"
    monkeypatch.setenv("HOCVUSO_PROFILE", "thu")
    assert server(None, None, None).url == "http://thu.example"
    assert server(None, "http://other.example", None).url == "http://other.example"
    monkeypatch.delenv("HOCVUSO_PROFILE")
    # The operator's environment goes before a default, not before a named one.
    monkeypatch.setenv("HOCVUSO_ADMIN_KEY_FILE", str(key))
    monkeypatch.setenv("HOCVUSO_ACTIVITIES_URL", "http://operator.example")
    assert server(None, None, None).url == "http://operator.example"
    assert server("tinh", None, None).url == "https://tinh.example"
    run("profiles", "use", "thu")
    run("profiles", "remove", "thu")
    assert json.loads(run("profiles", "list", "--json").stdout)["default"] == "tinh"
    wrong = run("sample")
    assert wrong.exit_code == 0
    missing = run("trace", "urn:x", "1", "--profile", "nowhere")
    assert missing.exit_code == 1 and "tinh" in missing.output
    assert (
        profiles.config_dir() in (tmp_path / "config").rglob("*") or profiles.config_dir().exists()
    )


def test_without_a_key_it_says_where_to_name_one() -> None:
    done = run("trace", "urn:x", "1")
    assert done.exit_code == 1 and "profiles add" in done.output


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_key_as_notepad_saves_it(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "a.key"
    file.write_bytes(" hv_a_b \r\n".encode(encoding))
    assert server(None, "http://x", file).key == "hv_a_b"


@pytest.mark.parametrize("content", [b"", b"khong phai khoa", "khóa".encode()])
def test_what_is_no_key(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.key"
    file.write_bytes(content)
    done = run("trace", "urn:x", "1", "--key-file", file)
    assert done.exit_code == 1 and "hv_" in done.output


def test_every_command_says_its_version_and_json() -> None:
    assert run("--version").stdout.startswith("hocvuso 0.")
    assert "No key" in run("--lang", "en", "trace", "urn:x", "1").output
    language.choose(Language.VI)
    assert "Chưa có khóa" in run("trace", "urn:x", "1").output
    for command in ("send", "listen", "sample", "trace", "reconcile"):
        said = run(command, "--help").output
        assert "--json" in said and "--lang" in said, command


def events(count: int) -> str:
    about = {"specversion": "1.0", "source": "urn:x", "type": "vn.hocvuso.class.held",
             "subject": "24133", "time": "2026-06-30T08:00:00+07:00", "data": {}}  # fmt: skip
    return "".join(json.dumps({**about, "id": f"n-{n}"}) + "\n" for n in range(count))


@pytest.fixture
def service() -> Iterator[Activities]:
    with running() as state:
        yield state


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def start(*words: object, **more: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "hocvuso_cli", *map(str, words)],
        env={**environment(), **more}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
@pytest.mark.parametrize("end", ["ndjson", "csv"])
def test_ctrl_c_says_what_was_sent_and_that_again_is_safe(
    service: Activities, tmp_path: Path, key: Path, end: str
) -> None:
    file = tmp_path / f"a.{end}"
    if end == "ndjson":
        file.write_text(events(8_000))
    else:
        lines = [f"24133,30/06/2026,{n}" for n in range(8_000)]
        file.write_text("\n".join(["subject,time,note", *lines]))
    kind = () if end == "ndjson" else ("--type", "class.held", "--source", "urn:x")
    words = ("send", file, *kind, "--url", service.url, "--key-file", key)
    running_ = start(*words)
    while service.requests < 3 and running_.poll() is None:
        time.sleep(0.01)
    running_.send_signal(signal.SIGINT)
    out, error = (text.decode() for text in running_.communicate(timeout=120))
    assert running_.returncode == 130, out + error
    assert "Đã dừng" in error and "không tính hai lần" in error and "Traceback" not in error
    kept = len(service.log)
    assert 0 < kept < 8_000 and "đã nhận" in out
    if end == "csv":
        rows = (tmp_path / "a.results.csv").read_text(encoding="utf-8-sig").splitlines()
        assert len(rows) == 8_001 and "chưa gửi" in rows[-1]
    again = start(*words)
    out, error = (text.decode() for text in again.communicate(timeout=200))
    assert again.returncode == 0, out + error
    assert len(service.log) == 8_000


def test_a_console_that_knows_no_vietnamese_stops_nothing(
    service: Activities, tmp_path: Path, key: Path
) -> None:
    file = tmp_path / "a.ndjson"
    file.write_text(events(1))
    for encoding in ("cp1252", "cp437", "ascii"):
        words = ("send", file, "--url", service.url, "--key-file", key)
        done = start(*words, PYTHONIOENCODING=encoding)
        out, error = done.communicate(timeout=120)
        assert done.returncode == 0, error
        assert b"1 d?ng" in out or b"1 d\xf2ng" in out or b"1 d\x95ng" in out
        done = start(*words, "--json", PYTHONIOENCODING=encoding)
        assert json.loads(done.communicate(timeout=120)[0])["lines"] == 1
