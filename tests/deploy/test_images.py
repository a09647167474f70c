"""What runs inside the containers: settings from secrets, and health checks that tell the truth."""

import json
import os
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import asyncpg
import pytest

from deploy.docker import entrypoint, healthcheck
from deploy.local.stack import LocalStack
from deploy.migrate import run as migrate
from shared import progress
from tests.conftest import new_database

# -- entrypoint ---------------------------------------------------------------------------------


def test_database_addresses_come_from_secret_files(tmp_path: Path) -> None:
    (tmp_path / "metrics_database_password").write_text("p@ss/word:1\n")
    (tmp_path / "pseudonym_key").write_text("00" * 32)
    found = entrypoint.settings({"HOCVUSO_DATABASE": "db:5433/x"}, tmp_path)
    assert found == {
        "HOCVUSO_METRICS_DATABASE_URL": "postgresql://hocvuso_metrics:p%40ss%2Fword%3A1@db:5433/x",
        "HOCVUSO_PSEUDONYM_KEY_FILE": str(tmp_path / "pseudonym_key"),
    }


def test_what_the_operator_sets_wins(tmp_path: Path) -> None:
    (tmp_path / "registry_database_password").write_text("x")
    own = {"HOCVUSO_REGISTRY_DATABASE_URL": "postgresql://elsewhere/y"}
    assert entrypoint.settings(own, tmp_path) == {}


def test_the_command_replaces_the_entrypoint(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    child = os.fork()
    if child == 0:
        try:
            entrypoint.main(["sh", "-c", f"printf %s $$ > {seen}"])
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    assert int(seen.read_text()) == child


# -- health over HTTP ------------------------------------------------------------------------------


class _Answer(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        assert self.path == "/health/ready"
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(json.dumps({"detail": "the reason"}).encode())

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def server() -> Iterator[int]:
    _Answer.status = 200
    listening = HTTPServer(("127.0.0.1", 0), _Answer)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    yield listening.server_address[1]
    listening.shutdown()


def test_a_ready_service_is_healthy_and_another_says_why_not(server: int) -> None:
    assert healthcheck.check(["http", str(server)]) is None
    _Answer.status = 503
    reason = healthcheck.check(["http", str(server)])
    assert reason is not None and "503" in reason and "the reason" in reason


def test_nothing_listening_is_not_healthy() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        assert healthcheck.http(probe.getsockname()[1]) is not None


# -- health of what serves no HTTP -------------------------------------------------------------


@pytest.fixture
async def database(
    infrastructure: LocalStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    """One migrated database for all three services, as in the containers; activities' address."""
    url = await new_database(infrastructure, "activities")
    name = url.rpartition("/")[2]
    admin = await asyncpg.connect(infrastructure.superuser_url)
    for service in entrypoint.SERVICES:
        await admin.execute(f'GRANT CREATE ON DATABASE "{name}" TO hocvuso_{service}')
        address = infrastructure.database_urls[service].rpartition("/")[0] + f"/{name}"
        monkeypatch.setenv(f"HOCVUSO_{service.upper()}_DATABASE_URL", address)
    await admin.close()
    monkeypatch.setenv("HOCVUSO_ADMIN_KEY_FILE", str(tmp_path / "admin.key"))
    monkeypatch.setenv("HOCVUSO_SERVICE_KEY_FOLDER", str(tmp_path / "services"))
    thread = threading.Thread(target=migrate)
    thread.start()
    thread.join()
    assert (tmp_path / "admin.key").read_text().startswith("hv_")
    return url


@pytest.mark.stack
async def test_a_relay_is_healthy_while_one_leads_and_rows_go_out(database: str) -> None:
    assert await healthcheck.relay(database) == "no relay leads: none has reached the broker"
    leader = await asyncpg.connect(database, server_settings={"search_path": "activities"})
    try:
        await leader.execute("SELECT pg_advisory_lock($1)", healthcheck.LEADER_LOCK)
        assert await healthcheck.relay(database) is None
        await leader.execute("UPDATE counter SET position = 1")
        await leader.execute(
            "INSERT INTO log VALUES (1, 0, 0, 0, '2026-01-01', now() - interval '2 minutes', 's', 'i',"
            " 't', 'x', 'x@2025', '', '2026-01-01', 1, 0, 0, 'event', '', '', 'p', NULL, '{}', false)"
        )
        reason = await healthcheck.relay(database)
        assert reason is not None and "1 rows wait" in reason
        await leader.execute("UPDATE relay SET position = 1")
        assert await healthcheck.relay(database) is None
    finally:
        await leader.close()


@pytest.mark.stack
async def test_an_intake_is_healthy_while_it_looks(database: str) -> None:
    url = os.environ["HOCVUSO_ACTIVITIES_DATABASE_URL"]
    assert await healthcheck.intake(url, "box") is not None
    connection = await asyncpg.connect(url, server_settings={"search_path": "activities"})
    try:
        await connection.execute("INSERT INTO intake_worker VALUES ('intake-box-7', now())")
        assert await healthcheck.intake(url, "box") is None
        assert await healthcheck.intake(url, "other") is not None
        await connection.execute(
            "INSERT INTO intake (partner, roles, partitions, retention_hours, created_at,"
            " changed_at, checked_at) VALUES ('p', '{telecom}', 1, 1, now(),"
            " now() - interval '2 minutes', now())"
        )
        assert await healthcheck.intake(url, "box") is None
        await connection.execute("UPDATE intake SET checked_at = now() - interval '2 minutes'")
        assert await healthcheck.intake(url, "box") == "nobody looks at the topics of p"
    finally:
        await connection.close()


@pytest.mark.stack
async def test_a_worker_is_healthy_while_it_says_so(database: str) -> None:
    url = os.environ["HOCVUSO_METRICS_DATABASE_URL"]
    assert await healthcheck.worker(url, "box") is not None
    connection = await asyncpg.connect(url, server_settings={"search_path": "metrics"})
    try:
        await progress.heartbeat(connection, "metrics-box-7", frozenset({1}))
        assert await healthcheck.worker(url, "box") is None
        assert await healthcheck.worker(url, "other") is not None
    finally:
        await connection.close()
