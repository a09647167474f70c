"""Starts components stage by stage, keeps them alive, stops them in reverse order."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from deploy.local import logs
from deploy.local.component import Component, RestartPolicy
from deploy.local.errors import StackError
from deploy.local.keeper import Keeper, State
from deploy.local.ledger import Ledger

_HOUSEKEEPING_SECONDS = 5.0
_POLL_SECONDS = 0.1


class Supervisor:
    """The components of one home. The members of a stage start together."""

    def __init__(
        self,
        *,
        log_directory: Path,
        ledger: Ledger,
        report: Callable[[str], None],
        policy: RestartPolicy | None = None,
    ) -> None:
        self._log_directory = log_directory
        self._ledger = ledger
        self._report = harmless(report)
        self._policy = policy or RestartPolicy()
        self._stages: list[list[Keeper]] = []
        self._stopping = threading.Event()
        self._hurry = threading.Event()
        self._housekeeper = threading.Thread(target=self._keep_house, daemon=True)

    def start_stage(self, components: Sequence[Component]) -> None:
        """Start these components and wait until each is ready, or say which is not and why."""
        keepers = [
            Keeper(
                component,
                log_directory=self._log_directory,
                ledger=self._ledger,
                report=self._report,
                policy=self._policy,
            )
            for component in components
        ]
        self._stages.append(keepers)
        if self._housekeeper.ident is None:
            self._housekeeper.start()
        for keeper in keepers:
            keeper.start()
        for keeper in keepers:
            # In slices: a signal handler must get its turn in the main thread.
            while not keeper.settled.wait(_POLL_SECONDS):
                if self._stopping.is_set():
                    return
            if keeper.state is State.FAILED:
                raise StackError(
                    f"{keeper.component.name} {keeper.failure}",
                    where=str(keeper.log),
                    fix="mend what the log says, then start again; nothing is lost",
                )

    @property
    def keepers(self) -> list[Keeper]:
        """All components in the order of their start."""
        return [keeper for stage in self._stages for keeper in stage]

    def keeper(self, name: str) -> Keeper:
        """Return the keeper of one component."""
        for keeper in self.keepers:
            if keeper.component.name == name:
                return keeper
        raise KeyError(name)

    def interrupt(self) -> None:
        """First call: give up starting. Second: stop waiting for anybody. Safe in a handler."""
        if self._stopping.is_set():
            self._hurry.set()
        self._stopping.set()

    @property
    def interrupted(self) -> bool:
        """Whether `interrupt` has been called."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """Stop all components cleanly, the last started first."""
        self._stopping.set()
        for stage in reversed(self._stages):
            for keeper in stage:
                keeper.ask_to_stop()
            for keeper in stage:
                keeper.await_stop(self._hurry)
        self._end()

    def kill_all(self) -> None:
        """Kill everything at once, as a loss of power to all processes would."""
        self._stopping.set()
        self._hurry.set()
        for keeper in self.keepers:
            keeper.forbid_restart()
        for keeper in self.keepers:
            keeper.kill()
        for keeper in self.keepers:
            keeper.await_stop(self._hurry)
        self._end()

    def _end(self) -> None:
        if self._housekeeper.ident is not None:
            self._housekeeper.join()
        self._stages.clear()

    def _keep_house(self) -> None:
        while not self._stopping.wait(_HOUSEKEEPING_SECONDS):
            logs.bound(self._log_directory)
            self._ledger.catch_up()


def harmless(report: Callable[[str], None]) -> Callable[[str], None]:
    """A report that cannot be made (a full disk, a terminal that is gone) is made to nobody."""

    def say(line: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            report(line)

    return say
