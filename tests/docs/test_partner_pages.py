"""The commands of the partner pages, run line by line against the service, as a partner would."""

import asyncio
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.activities.conftest import admin, clock, database, port, service, settings
from tests.activities.posting import send, unit

__all__ = ["admin", "clock", "database", "port", "service", "settings"]
PAGES = Path(__file__).parents[2] / "docs" / "partners"
ROLES = {"police": "police", "department": "commune", "telecom": "telecom"}


def commands(page: str) -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```", (PAGES / f"{page}.md").read_text(), re.M | re.S)


@pytest.fixture
async def run(
    service: tuple[FastAPI, httpx.AsyncClient], admin: str, port: int, tmp_path: Path
) -> Any:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    await send(service[1], admin, unit("24121@2025", "Phường Tân Lập", "ward", "66@2025"))

    async def play(page: str) -> list[str]:
        made = await service[1].post(
            "/v1/keys",
            json={
                "name": "partner",
                "roles": [ROLES[page]],
                "scopes": ["events:write", "events:stream"],
            },
            headers={"Authorization": f"Bearer {admin}"},
        )
        env = {
            "URL": f"http://127.0.0.1:{port}",
            "KEY": made.json()["key"],
            "PATH": "/usr/bin:/bin",
        }
        said = []
        for command in commands(page):
            done = await asyncio.to_thread(
                subprocess.run,
                ["bash", "-euo", "pipefail", "-c", command],
                cwd=tmp_path,
                env=env,
                capture_output=True,
                timeout=30,
            )
            assert done.returncode == 0, (command, done.stderr)
            said.append(done.stdout.decode())
        return said

    return play


async def test_police(run: Any) -> None:
    self, dry, posted, receipt, corrected = await run("police")
    assert json.loads(self)["roles"] == ["police"]
    assert json.loads(dry)["status"] == "accepted" and json.loads(dry)["position"] is None
    first, second = (json.loads(line) for line in posted.splitlines())
    assert (first["status"], second["status"]) == ("accepted", "duplicate")
    assert first["position"] == second["position"]
    assert json.loads(receipt)["position"] == first["position"]
    assert json.loads(corrected)["status"] == "accepted"


async def test_department(run: Any) -> None:
    first, mended, revoked = await run("department")
    statuses = [result["status"] for result in json.loads(first)["results"]]
    assert statuses == ["accepted", "accepted", "rejected"]
    assert json.loads(first)["results"][2]["problem"]["code"] == "unit-unknown"
    statuses = [result["status"] for result in json.loads(mended)["results"]]
    assert statuses == ["duplicate", "duplicate", "accepted"]
    assert json.loads(revoked)["status"] == "accepted"


async def test_telecom(run: Any) -> None:
    first, again = await run("telecom")
    closing = json.loads(first.splitlines()[-1])
    assert (closing["done"], closing["committed"], closing["accepted"]) == (True, 5, 5)
    closing = json.loads(again.splitlines()[-1])
    assert (closing["done"], closing["committed"], closing["accepted"]) == (True, 5, 0)
