"""`hocvuso quarantine` against the real service."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from services.activities.quarantine.cli import quarantine
from tests.activities.fake import CCCD, event
from tests.activities.posting import send, unit


async def test_commands(
    service: Any, admin: str, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = service[1]
    monkeypatch.setenv("HOCVUSO_ACTIVITIES_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("HOCVUSO_ADMIN_KEY_FILE", str(tmp_path / "admin.key"))

    async def run(*arguments: str) -> Any:
        return await asyncio.to_thread(CliRunner().invoke, quarantine, list(arguments))

    await send(client, admin, [event(id=f"u{n}", subject="24199") for n in range(3)])
    await send(client, admin, event(id="bad", data={**event()["data"], "platform": "x"}))
    await send(client, admin, b"nonsense")
    shown = (await run("list", "--code", "unit-unknown")).output.splitlines()
    assert [line.split()[-1] for line in shown[1:]] == ["u2", "u1", "u0"]
    assert len((await run("list", "--limit", "2")).output.splitlines()) == 3
    number = next(x.split()[0] for x in (await run("list")).output.splitlines() if "bad" in x)
    one = (await run("show", number)).output
    assert json.loads(one)["event"]["data"]["platform"] == "x" and CCCD not in one
    failed = await run("replay", number)
    assert failed.exit_code == 1 and "Allowed:" in failed.output
    changes = tmp_path / "changes.json"
    changes.write_text('{"data": {"platform": "vneid"}}')
    assert '"accepted"' in (await run("replay", number, "--changes", str(changes))).output
    changes.write_text("{")
    assert (await run("replay", number, "--changes", str(changes))).exit_code == 1
    refused = await run("replay", "--code", "unit-unknown")
    assert (refused.exit_code, refused.output.splitlines()) == (
        2, ["accepted 0, duplicates 0, rejected 3", "  rejected 3: unit-unknown"],
    )  # fmt: skip
    misspelt = await run("replay", "--code", "unit-unknwon")
    assert misspelt.exit_code == 0 and "! Nothing was ever refused" in misspelt.output
    changes.write_text("[]")
    assert "no JSON object" in (await run("replay", number, "--changes", str(changes))).output
    changes.write_text('{"id": "x"}')
    many = await run("replay", "--code", "unit-unknown", "--changes", str(changes))
    assert many.exit_code == 1 and "one by one" in many.output
    await send(client, admin, unit("24199@2025", "Phường Mới", "ward", "66@2025"))
    done = await run("replay", "--code", "unit-unknown")
    assert (done.exit_code, done.output.strip()) == (0, "accepted 3, duplicates 0, rejected 0")
    await send(client, admin, [event(id=f"m{n}", subject="99998") for n in range(3)])
    changes.write_text('\ufeff{"subject": "24199"}')
    words = ("replay", "--code", "unit-unknown", "--changes", str(changes))
    judged = await run(*words, "--dry-run")
    assert judged.exit_code == 0 and "accepted 3" in judged.output and "dry run" in judged.output
    done = await run(*words)
    assert (done.exit_code, done.output.strip()) == (0, "accepted 3, duplicates 0, rejected 0")
    assert (await run(*words)).output.strip() == "accepted 0, duplicates 0, rejected 0"
    assert (await run("replay")).exit_code == 1
    assert (await run("replay", "1", "--code", "x")).exit_code == 1
    number = (await run("list")).output.splitlines()[1].split()[0]
    assert (await run("dismiss", number, "--reason", "a test")).output == f"{number} is dismissed\n"
    assert len((await run("list")).output.splitlines()) == 1
