"""`hocvuso trace` of what never came into the log."""

import asyncio
from pathlib import Path

import httpx
import typer
from fastapi import FastAPI
from typer.testing import CliRunner

from hocvuso_cli.trace import trace
from tests.activities.fake import event
from tests.activities.posting import send


async def test_a_refused_event_is_shown_with_its_reason(
    service: tuple[FastAPI, httpx.AsyncClient], admin: str, port: int, tmp_path: Path
) -> None:
    await send(service[1], admin, event(id="refused-1", subject="99999"))
    app = typer.Typer()
    app.command()(trace)
    shown = await asyncio.to_thread(
        CliRunner().invoke, app,
        [event()["source"], "refused-1", "--url", f"http://127.0.0.1:{port}",
         "--key-file", str(tmp_path / "admin.key")],
    )  # fmt: skip
    assert shown.exit_code == 0, shown.output
    assert "REFUSED 1 times" in shown.output and "unit-unknown" in shown.output
    assert "hocvuso quarantine show 1" in shown.output
