"""The composition: one home, PostgreSQL, a broker and the services above them."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.local import broker as brokers
from deploy.local import environment, services
from deploy.local.component import Component, RestartPolicy
from deploy.local.errors import StackError
from deploy.local.home import Home
from deploy.local.instance import open_instance
from deploy.local.ledger import Ledger
from deploy.local.ports import PortBook, free_port, require_free
from deploy.local.postgres import SUPERUSER, Postgres, database_url
from deploy.local.postmaster import clear as clear_postmaster
from deploy.local.services import Addresses
from deploy.local.supervise import Supervisor, harmless

Stages = Callable[[Mapping[str, str], Addresses], Sequence[Sequence[Component]]]
_OLDEST_PYTHON = (3, 11)


def _say(line: str) -> None:
    """Print a line; one that ends with a carriage return is written over by the next, if it can be."""
    passing, text = line.endswith("\r"), line.rstrip("\r")
    if sys.stdout.isatty():
        print(f"\x1b[K{text}", end="\r" if passing else "\n", flush=True)
    else:
        print(text, flush=True)


def infrastructure_only(_env: Mapping[str, str], _addresses: Addresses) -> list[list[Component]]:
    """PostgreSQL and the broker, and nothing above them: for tests of a single service."""
    return []


class LocalStack:
    """The embedded stack of one home, supervised by this process.

    It may be started again after a stop, a kill or a failed start. `port` 0 takes any free ones.
    `stages` replaces the services by other components; `restoring`: to fill the home from a backup.
    """

    def __init__(
        self,
        home: Path,
        *,
        port: int = 0,
        sandbox: bool = False,
        restoring: bool = False,
        stages: Stages = services.stages,
        report: Callable[[str], None] = _say,
        policy: RestartPolicy | None = None,
    ) -> None:
        self.home = Home(home)
        self.sandbox = sandbox
        self._restoring = restoring
        self.addresses = Addresses(port)
        self.added_env: dict[str, str] = {}
        self._stages = stages
        self._report = harmless(report)
        self._policy = policy
        self._interrupted = False
        self._supervisor: Supervisor | None = None

    @property
    def env(self) -> dict[str, str]:
        """The environment of the services: the outer one and what the stack adds."""
        return {**os.environ, **self.added_env}

    @property
    def urls(self) -> dict[str, str]:
        """The address of each service: `registry`, `activities`, `metrics`."""
        return self.addresses.urls

    @property
    def bootstrap_servers(self) -> str:
        """The address of the broker."""
        return self.added_env["HOCVUSO_KAFKA_BOOTSTRAP_SERVERS"]

    @property
    def database_urls(self) -> dict[str, str]:
        """The address of the database for each service, with the role of that service."""
        return {
            service: self.added_env[f"HOCVUSO_{service.upper()}_DATABASE_URL"]
            for service in environment.SERVICES
        }

    @property
    def superuser_url(self) -> str:
        """The address of the embedded database for its superuser: for tests and backups."""
        return database_url(self.home, self.port_of("postgres"), SUPERUSER)

    def start(self) -> None:
        """Bring everything up, or raise `StackError` with nothing left running."""
        check_python(sys.version_info[:2])
        self.home.prepare(self._report)
        self.home.lock()
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        ledger = Ledger(self.home.children)
        ledger.stop_leftovers(self._report)
        outer = dict(os.environ)
        databases = environment.own_databases(outer)
        bootstrap = environment.own_broker(outer)
        self.sandbox = open_instance(
            self.home,
            sandbox=self.sandbox,
            own_key=environment.own_pseudonym_key(outer) is None,
            restoring=self._restoring,
        )
        self._supervisor = Supervisor(
            log_directory=self.home.logs, ledger=ledger, report=self._report, policy=self._policy
        )
        if self._interrupted:
            return
        base: list[Component] = []
        ports = PortBook(self.home.ports, self._report)
        if databases is None:
            clear_postmaster(self.home.postgres)  # before its port is asked for
            postgres = Postgres(self.home, ports.port("postgres"), environment.ROLES)
            databases = environment.database_variables(
                {role: database_url(self.home, postgres.port, role) for role in environment.ROLES}
            )
            base.append(postgres.component())
        if bootstrap is None:
            component = brokers.component(self.home, ports)
            bootstrap = component.address
            base.append(component)
        self._choose_addresses()
        self.added_env = environment.for_services(
            outer,
            home=self.home,
            addresses=self.addresses,
            databases=databases,
            broker=bootstrap,
            sandbox=self.sandbox,
            long_poll=brokers.long_polls(outer),
            metrics_ports={name: ports.port(f"{name}-metrics") for name in environment.QUIET},
        )
        self.home.keep_environment(self.added_env, self._report)
        for stage in [base, *self._stages(self.env, self.addresses)]:
            if not self._supervisor.interrupted:
                self._supervisor.start_stage(stage)

    def _choose_addresses(self) -> None:
        if self.addresses.port == 0:
            self.addresses = Addresses(free_port(consecutive=3))
        elif self._stages is not infrastructure_only:
            for name, port in self.addresses.ports.items():
                require_free(port, name, self.addresses.port)

    def stop(self) -> None:
        """Stop everything cleanly, the last started first. Does nothing when nothing runs."""
        if self._supervisor is not None:
            self._supervisor.stop()
        self._supervisor = None
        self._interrupted = False
        self.home.unlock()

    def kill_all(self) -> None:
        """Kill every process of the stack with -9, PostgreSQL's backends included."""
        if self._supervisor is not None:
            self._supervisor.kill_all()
        self._supervisor = None
        self.home.unlock()

    def kill(self, name: str) -> None:
        """Kill one component with -9; it is started again by itself."""
        self._running().keeper(name).kill()

    def pid(self, name: str) -> int | None:
        """Return the pid of a component, None while it is not running."""
        return self._running().keeper(name).pid

    def states(self) -> dict[str, str]:
        """Return the state of every component: starting, ready, done, failed or stopped."""
        return {k.component.name: k.state.value for k in self._running().keepers}

    def interrupt(self) -> None:
        """End a start that is under way; called again, stop without waiting. For handlers."""
        self._interrupted = True
        if self._supervisor is not None:
            self._supervisor.interrupt()

    def port_of(self, name: str) -> int:
        """Return the port of `postgres` or `broker`."""
        address = next(
            k.component.address for k in self._running().keepers if k.component.name == name
        )
        return int(address.rpartition(":")[2])

    def _running(self) -> Supervisor:
        if self._supervisor is None:
            raise RuntimeError("the stack is not running")
        return self._supervisor

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self.stop)


def check_python(version: tuple[int, ...]) -> None:
    """Refuse an interpreter that is too old with a sentence instead of a syntax error."""
    if tuple(version) < _OLDEST_PYTHON:
        raise StackError(
            f"Python {'.'.join(map(str, version))} is too old",
            where=sys.executable,
            fix="run with Python 3.11 or newer",
        )


def up(home: Path, port: int, sandbox: bool, *, detach: bool = False) -> int:
    """Run the whole system until Ctrl-C; with `detach`, leave it running in the background."""
    from deploy.local import foreground  # it needs this module

    run = foreground.run_detached if detach else foreground.run
    return run(home, port, sandbox)
