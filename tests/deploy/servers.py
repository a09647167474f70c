"""Servers of one's own, as somebody else runs them: a PostgreSQL with roles, a broker.

And the services on them, started by plain settings as a service manager would, in any order.
"""

import asyncio
import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

import asyncpg
import httpx

from deploy.local.ports import free_port
from deploy.local.stack import LocalStack
from tests.deploy.serving import ROOT

ROLES = ("activities", "metrics", "registry")
PROCESSES = {
    "registry": ["uvicorn", "services.registry.app:create_app", "--factory"],
    "activities": ["uvicorn", "services.activities.app:create_app", "--factory"],
    "metrics": ["uvicorn", "services.metrics.app:create_app", "--factory"],
    "relay": ["services.activities.relay"],
    "intake": ["services.activities.intake"],
    "worker": ["services.metrics.worker"],
}


@dataclass
class Database:
    """An empty database with roles as the documentation says, each with a password of its own."""

    superuser: str
    roles: dict[str, str]
    """Service -> address with its role and password."""


def database(server: LocalStack, *, restarted: bool = False) -> Database:
    """Do what docs/operations.md tells to do on a server of one's own.

    `restarted`: it will be, and then gives its roles the passwords that its home holds.
    """
    passwords = {
        service: str(urlsplit(server.database_urls[service]).password)
        if restarted
        else secrets.token_urlsafe(12) + "/@:%"
        for service in ROLES
    }

    async def make() -> None:
        connection = await asyncpg.connect(server.superuser_url)
        await connection.execute("CREATE DATABASE progress")
        for service, password in passwords.items():
            # The embedded server has made roles of these names; here they are somebody else's.
            await connection.execute(f"ALTER ROLE hocvuso_{service} PASSWORD '{password}'")
        names = ", ".join(f"hocvuso_{service}" for service in ROLES)
        await connection.execute("REVOKE CONNECT, TEMPORARY ON DATABASE progress FROM PUBLIC")
        await connection.execute(
            f"GRANT CONNECT, TEMPORARY, CREATE ON DATABASE progress TO {names}"
        )
        await connection.close()

    asyncio.run(make())
    port = urlsplit(server.superuser_url).port
    end = f"@localhost:{port}/progress"
    own = server.superuser_url.rsplit("@", 1)[0]
    return Database(
        f"{own}{end}",
        {s: f"postgresql://hocvuso_{s}:{quote(p, safe='')}{end}" for s, p in passwords.items()},
    )


@dataclass
class Services:
    """Processes of the product; `env` is all they know. `logs` holds what each wrote."""

    env: dict[str, str]
    logs: Path
    ports: dict[str, int]
    running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    def start(self, names: Iterable[str] = PROCESSES) -> None:
        for name in names:
            command = [sys.executable, "-m", *PROCESSES[name]]
            if name in self.ports:
                command += ["--host", "127.0.0.1", "--port", str(self.ports[name])]
            with (self.logs / f"{name}.log").open("ab") as log:
                self.running[name] = subprocess.Popen(
                    command, cwd=ROOT, env=self.env, stdout=log, stderr=log
                )

    def migrate(self) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "deploy.local", "migrate"],
            cwd=ROOT, env=self.env, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def ready(self, name: str) -> httpx.Response | None:
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{self.url(name)}/health/ready", timeout=20, trust_env=False)
        return None

    def log(self, name: str) -> str:
        return (self.logs / f"{name}.log").read_text(errors="replace")

    def until(self, what: Callable[[], object], seconds: float = 300) -> None:
        deadline = time.monotonic() + seconds
        while not what():
            ended = [n for n, p in self.running.items() if p.poll() is not None]
            assert not ended, [(n, self.log(n)[-1500:]) for n in ended]
            assert time.monotonic() < deadline, [(n, self.log(n)[-600:]) for n in self.running]
            time.sleep(0.1)

    def until_ready(self) -> None:
        for name in self.ports:
            self.until(lambda n=name: (a := self.ready(n)) is not None and a.status_code == 200)  # type: ignore[misc]

    def stop(self) -> dict[str, int]:
        """SIGTERM to all; their exit codes."""
        for process in self.running.values():
            process.send_signal(signal.SIGTERM)
        return {name: process.wait(30) for name, process in self.running.items()}


@contextlib.contextmanager
def on(settings: dict[str, str], folder: Path) -> Iterator[Services]:
    """The services by these settings, not started yet."""
    first = free_port(consecutive=3)
    ports = {name: first + n for n, name in enumerate(("registry", "activities", "metrics"))}
    env = {name: value for name, value in os.environ.items() if not name.startswith("HOCVUSO_")}
    env |= {f"HOCVUSO_{n.upper()}_URL": f"http://127.0.0.1:{p}" for n, p in ports.items()}
    env |= {
        "HOCVUSO_ADMIN_KEY_FILE": str(folder / "admin.key"),
        "HOCVUSO_SERVICE_KEY_FOLDER": str(folder / "services"),
        "HOCVUSO_PSEUDONYM_KEY_FILE": str(folder / "pseudonym.key"),
        "HOCVUSO_REGISTRY_OPEN": "1",
        **settings,
    }
    made = Services(env, folder, ports)
    try:
        yield made
    finally:
        for process in made.running.values():
            if process.poll() is None:
                process.kill()
            process.wait()
