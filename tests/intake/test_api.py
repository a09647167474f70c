"""`/v1/intake`, the commands over it, and the process as it is started in production."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import uvicorn
from fastapi import FastAPI
from typer.testing import CliRunner

from deploy.local.stack import LocalStack
from services.activities.app import create_app
from services.activities.intake import store
from services.activities.intake.cli import intake as commands
from services.activities.intake.model import Kind, Trouble
from services.activities.keys.store import KeyStore, ensure_admin_key
from services.activities.settings import ActivitiesSettings
from tests.intake.conftest import System, attended, close, make_system

pytestmark = pytest.mark.stack
ORDER = {"roles": ["telecom"], "sources": ["https://telecom.example/"], "acks": "all"}


@dataclass
class Service:
    system: System
    client: httpx.AsyncClient
    app: FastAPI
    url: str
    admin_key: Path

    async def ask(self, method: str, path: str, body: Any = None, key: str = "") -> httpx.Response:
        header = {"Authorization": f"Bearer {key or self.admin_key.read_text().strip()}"}
        return await self.client.request(method, path, json=body, headers=header)

    async def command(self, *arguments: str) -> str:
        names = ["--url", self.url, "--key-file", str(self.admin_key)]
        done = await asyncio.to_thread(CliRunner().invoke, commands, [*arguments, *names])
        assert done.exit_code == 0, done.output
        return done.output


@pytest_asyncio.fixture
async def service(infrastructure: LocalStack, tmp_path: Path) -> AsyncIterator[Service]:
    system = await make_system(infrastructure, infrastructure.bootstrap_servers)
    key = tmp_path / "pseudonym.key"
    key.write_text(bytes(range(32)).hex())
    settings = ActivitiesSettings(activities_database_url=system.url, pseudonym_key_file=key)
    app = create_app(settings, system.clock)
    async with app.router.lifespan_context(app):
        admin_key = tmp_path / "admin.key"
        async with system.pool.acquire() as connection:
            await ensure_admin_key(connection, admin_key)
        server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="off", log_config=None))
        task = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            yield Service(system, client, app, url, admin_key)
        server.should_exit = True
        await task
    await close(system)


async def test_only_administrators_let_partners_in(service: Service) -> None:
    partner, system = service.system.partner, service.system
    keys: KeyStore = service.app.state.keys
    own = await keys.create(partner, roles=["telecom"], scopes=["events:write"])
    other = await keys.create("other", roles=["telecom"], scopes=["events:write"])
    path = f"/v1/intake/{partner}"
    for method, where in (("PUT", path), ("DELETE", path), ("GET", "/v1/intake")):
        answer = await service.ask(method, where, ORDER if method == "PUT" else None, own)
        assert (answer.status_code, answer.json()["code"]) == (403, "administrator-only")
    assert (await service.ask("GET", path, key=own)).json()["code"] == "intake-unknown"
    made = (await service.ask("PUT", path, {**ORDER, "types": ["training.*"]})).json()
    assert made["intake"] == system.topic
    rules = "\n".join(made["acls"])
    assert f"User:{partner} --operation Write --operation Describe --topic {system.topic}" in rules
    assert "--operation Read" not in made["acls"][0]
    # Its own keys may look, no others.
    assert (await service.ask("GET", path, key=own)).json()["state"] == "unattended"
    assert (await service.ask("GET", path, key=other)).status_code == 404
    row = await store.partner(system.pool, partner)
    assert row is not None and row.types == ("training.*",) and row.version == 1
    assert (await service.ask("PUT", path, ORDER)).status_code == 200
    row = await store.partner(system.pool, partner)
    assert row is not None and row.types is None and row.version == 2
    assert (await service.ask("DELETE", path)).status_code == 204
    assert (await service.ask("GET", path)).json()["state"] == "disabled"
    assert (await service.ask("DELETE", "/v1/intake/nobody")).status_code == 404


@pytest.mark.parametrize(
    ("partner", "change", "code"),
    [
        ("Big", {}, "intake-name-malformed"),
        ("under_score", {}, "intake-name-malformed"),
        ("good", {"roles": ["wizard"]}, "role-unknown"),
        ("good", {"roles": ["administrator"]}, "role-unknown"),
        ("good", {"types": ["training.attended", "no.such"]}, "type-unknown"),
        ("good", {"acks": "some"}, "invalid-parameter"),
        ("good", {"principal": "User:x; rm"}, "invalid-parameter"),
        ("good", {"unknown": 1}, "invalid-parameter"),
    ],
)
async def test_orders_that_make_no_sense(
    service: Service, partner: str, change: dict[str, Any], code: str
) -> None:
    answer = await service.ask("PUT", f"/v1/intake/{partner}", {**ORDER, **change})
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert (await service.ask("GET", "/v1/intake")).json() == []


async def test_the_process_and_the_commands(service: Service, tmp_path: Path) -> None:
    system, partner = service.system, service.system.partner
    environment = {
        **os.environ,
        "HOCVUSO_ACTIVITIES_DATABASE_URL": system.url,
        "HOCVUSO_PSEUDONYM_KEY_FILE": str(tmp_path / "pseudonym.key"),
        "HOCVUSO_KAFKA_BOOTSTRAP_SERVERS": str(system.broker),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.activities.intake", env=environment,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        said = await service.command(
            "enable", partner, "--role", "telecom", "--source", "https://telecom.example/",
            "--acks", "all",
        )  # fmt: skip
        assert system.topic in said and "kafka-acls" in said
        await system.topic_there()
        await system.events(attended("one"), attended("two", subject="0"))
        await system.read_to_end()
        assert await system.accepted() == ["one"]
        assert {a["id"]: a["status"] for a in await system.answers()} == {
            "one": "accepted",
            "two": "rejected",
        }

        async def reading() -> bool:
            return (await service.ask("GET", f"/v1/intake/{partner}")).json()["state"] == "reading"

        await system.until(reading)
        said = await service.command("list", "--details")
        assert f"{partner:<26}reading" in said and "accepted 1" in said and "rejected 1" in said
        async with system.pool.acquire() as connection:
            trouble = Trouble(Kind.LOST, "gone before it was read", 0, 5, 9)
            await store.note(connection, partner, None, [trouble], system.clock.now())
        said = await service.command("list", "--details")
        assert "attention" in said and "lost partition 0 offsets 5 to 9" in said
        assert "1 acknowledged" in await service.command("acknowledge", partner)
        assert "seen by" in await service.command("list", "--details")
        await service.command("disable", partner)
        assert "disabled" in await service.command("list")
    finally:
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
