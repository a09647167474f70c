"""NDJSON as a named stream: resumed, answers whole even when the connection was cut."""

import json
from pathlib import Path
from typing import Any

import pytest

from hocvuso_client import answers
from tests.activities.fake import event
from tests.client.conftest import Chaos, chaos
from tests.send.conftest import Run

__all__ = ["chaos"]


def results(file: Path) -> list[dict[str, Any]]:
    beside = file.with_name(file.name + ".results.ndjson")
    return [json.loads(line) for line in beside.read_text().splitlines()]


async def test_a_stream_through_chaos_and_once_more(
    service: Any, run: Run, tmp_path: Path, chaos: Chaos, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers.Backoff, "next", lambda self, wanted=None: _count(self))
    file = tmp_path / "a.ndjson"
    lines = [json.dumps(event(id=f"s{n}", subject="24133")) for n in range(3_000)]
    lines[7] = "no json"
    file.write_text("\n".join(lines[:2_500]) + "\n")
    url = f"http://127.0.0.1:{chaos.port}"
    chaos.calm = True
    # Asks for the offset, sends; the answer is cut off after the commit, then before it.
    chaos.script = ["pass", "cut after", "503", "pass", "cut before", "pass", "half answer"]
    first = await run(file, "--stream", "days", "--url", url)
    assert first.exit_code == 2, first.output
    told = results(file)
    assert sorted(r["line"] for r in told) == list(range(1, 2_501))
    assert [r["line"] for r in told if r["status"] == "rejected"] == [8]
    assert not chaos.script and chaos.done["cut after"] == chaos.done["half answer"] == 1

    file.write_text("\n".join(lines) + "\n")
    second = await run(file, "--stream", "days", "--url", url)
    assert second.exit_code == 0
    assert "500 lines: accepted 500, duplicate 0, rejected 0" in second.output
    assert sorted(r["line"] for r in results(file)) == list(range(1, 3_001))


async def test_a_stream_is_for_lines(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("subject\n")
    answer = await run(file, "--stream", "days")
    assert answer.exit_code == 1 and "NDJSON" in answer.output


def _count(backoff: answers.Backoff) -> float:
    backoff.failures += 1
    return 0.0
