"""`hocvuso keys` and `hocvuso send` against the real service."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from services.activities.cli import app
from tests.activities.fake import event


async def test_keys_and_send(
    admin: str,
    port: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOCVUSO_LANG", "en")
    monkeypatch.setattr("hocvuso_cli.language._chosen", [])
    monkeypatch.setenv("HOCVUSO_ACTIVITIES_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("HOCVUSO_ADMIN_KEY_FILE", str(tmp_path / "admin.key"))

    async def run(*arguments: str) -> Any:
        return await asyncio.to_thread(CliRunner().invoke, app, list(arguments))

    key_file = tmp_path / "police.key"
    made = await run("keys", "create", "cong-an", "--role", "police", "--out", str(key_file))
    assert made.exit_code == 0, made.output
    assert key_file.stat().st_mode & 0o777 == 0o600
    prefix = key_file.read_text().split("_")[1]
    assert prefix in (await run("keys", "list")).output
    made_once = key_file.read_bytes()
    for words in (("create", "cong-an", "--role", "police"), ("rotate", prefix)):
        again = await run("keys", *words, "--out", str(key_file))
        assert again.exit_code == 1 and "is there already" in again.output
    # Refused before it was asked for: no key was made that nobody has.
    assert len((await run("keys", "list")).output.splitlines()) == 3
    assert key_file.read_bytes() == made_once
    free = tmp_path / "free.key"
    lost = await run("keys", "create", "x", "--role", "polcie", "--out", str(free))
    assert lost.exit_code == 1 and not free.exists()
    nowhere = await run("keys", "create", "x", "--role", "police", "--out", str(tmp_path / "n/k"))
    assert nowhere.exit_code == 1 and "Fix:" in nowhere.output
    wrong = await run("keys", "create", "cong-an", "--role", "polcie")
    assert wrong.exit_code == 1 and "There is no such role" in wrong.output

    file = tmp_path / "events.ndjson"
    good = [json.dumps(event(id=str(n))) for n in range(1_200)]
    file.write_text("\n".join([*good[:700], "no json", "", *good[700:], good[0]]) + "\n")
    sent = await run("send", str(file), "--key-file", str(key_file))
    assert "accepted 1200, duplicate 1, rejected 1" in sent.output, sent.output
    assert sent.exit_code == 2
    results = [
        json.loads(x) for x in (tmp_path / "events.ndjson.results.ndjson").read_text().splitlines()
    ]
    assert len({r["line"] for r in results}) == len(results) == 1_202
    assert [r["line"] for r in results if r["status"] == "rejected"] == [701]

    again = await run("keys", "rotate", prefix, "--overlap", "0s")
    assert again.output.startswith("hv_"), again.output
    listed = (await run("keys", "list")).output
    assert f"then {again.output.split('_')[1]}" in listed
    shown = (await run("keys", "show", prefix)).output
    assert "accepted" in shown and "cong-an" in shown
    quota = await run("keys", "quota", "cong-an", "--per-day", "5000")
    assert "5,000 events a day" in quota.output, quota.output
    audited = (await run("keys", "audit", "--action", "key")).output
    assert [line.split()[2] for line in audited.splitlines()] == ["key.rotated", "key.created"]
    assert (await run("keys", "revoke", prefix)).exit_code == 0
    refused = await run("send", str(file), "--key-file", str(key_file))
    assert refused.exit_code == 1 and "key-wrong" in refused.output
