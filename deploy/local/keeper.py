"""Keeps one component alive: start, wait until ready, wait for its death, start again."""

from __future__ import annotations

import random
import subprocess
import threading
import time
from collections.abc import Callable
from enum import Enum
from pathlib import Path

import psutil

from deploy.local import logs
from deploy.local.component import Component, RestartPolicy
from deploy.local.errors import StackError
from deploy.local.ledger import Ledger
from deploy.local.processes import kill_group, kill_tree
from deploy.local.spawn import spawn
from deploy.local.vitals import Vitals, bar

_POLL_SECONDS = 0.03
_ALIVE_SECONDS = 1.0
_PATIENCE_SECONDS = 15.0


class State(Enum):
    """Where a component is in its life."""

    STARTING = "starting"
    READY = "ready"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


class Keeper:
    """The thread that looks after one component.

    It ends only when it is told to, or when the component gives up before it was ever ready: nothing
    that goes wrong beside the component (a record or a line that cannot be written) ends it.
    """

    def __init__(
        self,
        component: Component,
        *,
        log_directory: Path,
        ledger: Ledger,
        report: Callable[[str], None],
        policy: RestartPolicy,
    ) -> None:
        self.component = component
        self.log = log_directory / f"{component.name}.log"
        self.state = State.STARTING
        self.failure: str | None = None
        self.settled = threading.Event()
        self._ledger = ledger
        self._report = report
        self._policy = policy
        self._stopping = threading.Event()
        self._mutex = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._was_ready = False
        self._thread = threading.Thread(target=self._keep, name=component.name, daemon=True)

    @property
    def pid(self) -> int | None:
        """The pid of the running process, if there is one."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def start(self) -> None:
        """Begin; `settled` is set once the component is ready, done or given up."""
        self._thread.start()

    # The keeping thread --------------------------------------------------------------------

    def _keep(self) -> None:
        fast_deaths = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            died = self._survive(began)
            if died is None:  # a one-shot that is done, or a stop
                break
            lived = time.monotonic() - began
            fast_deaths = fast_deaths + 1 if lived < self._policy.fast else 1
            ends = self.component.one_shot or not self._was_ready
            if ends and (self.component.one_shot or fast_deaths >= self._policy.tries_before_ready):
                self._fail(died, fast_deaths)
                break
            pause = min(
                self._policy.longest_pause, self._policy.first_pause * 2 ** min(fast_deaths - 1, 30)
            ) * random.uniform(0.7, 1.3)  # noqa: S311
            self.state = State.STARTING
            self._say(f"{died}; starting it again in {pause:.1f} s")
            self._stopping.wait(pause)
        self.settled.set()

    def _survive(self, began: float) -> str | None:
        """Go through one life, whatever goes wrong in looking after it; see `_live`."""
        try:
            return self._live(began)
        except Exception as error:
            process = self._process
            if process is not None and process.poll() is None:  # never two of one component
                kill_group(process.pid)
                process.wait()
            return f"could not be looked after: {type(error).__name__}: {error}"

    def _live(self, began: float) -> str | None:
        """Go through one life; return how it died, or None when that was meant to be."""
        try:
            if self.component.prepare is not None:
                self.component.prepare()
            process = self._spawn()
        except (StackError, OSError, subprocess.SubprocessError) as error:
            return f"could not be started: {error}"
        if process is None:
            return None
        problem = self._await_ready(process, began)
        if problem is None and self.state is State.READY:
            process.wait()
            problem = f"died ({_exit(process)})"
        self._ledger.remove(self.component.name)
        return None if self._stopping.is_set() else problem

    def _spawn(self) -> subprocess.Popen[bytes] | None:
        component = self.component
        with self._mutex:  # a stop comes either before, or finds the process
            if self._stopping.is_set():
                return None
            self._process = spawn(
                component.argv() if callable(component.argv) else component.argv,
                log=self.log,
                env=component.env,
                cwd=component.cwd,
                run_as=component.run_as,
                death_signal=component.death_signal,
            )
            self._ledger.add(component.name, self._process.pid)
        return self._process

    def _await_ready(self, process: subprocess.Popen[bytes], began: float) -> str | None:
        component = self.component
        vitals = Vitals(process.pid, self.log, component.says)
        patience = _PATIENCE_SECONDS
        while True:
            code = process.poll()
            took = time.monotonic() - began
            if component.one_shot and code == 0:
                self._settle(State.DONE, took)
                return None
            if code is not None:
                return f"ended ({_exit(process)}) before it was ready"
            if not component.one_shot and self._serves(took):
                self._settle(State.READY, took)
                return None
            if vitals.look() and component.one_shot and (step := vitals.step()):
                self._say(f"{bar(*step[1:])} {step[0]}\r")
            if vitals.silent() > component.stalls_after:
                kill_group(process.pid)
                process.wait()
                return f"did nothing for {component.stalls_after:.0f} s and was not ready"
            if took > patience:
                patience += _PATIENCE_SECONDS
                said = f": {vitals.said}" if vitals.said else ""
                self._say(f"still starting ({took:.0f} s){said}, see {self.log}")
            self._stopping.wait(_POLL_SECONDS)
            if self._stopping.is_set():
                process.wait()
                return None

    def _serves(self, took: float) -> bool:
        ready = self.component.ready
        return ready() if ready is not None else took >= _ALIVE_SECONDS

    def _settle(self, state: State, took: float) -> None:
        self.state = state
        self._was_ready = True
        self._say(f"{state.value:<6} {self.component.address} ({took:.1f} s)".replace("  (", " ("))
        self.settled.set()

    def _fail(self, died: str, deaths: int) -> None:
        self.state = State.FAILED
        times = f", {deaths} times in a row" if deaths > 1 else ""
        self.failure = f"{died}{times}; its log {self.log} ends with:{logs.tail(self.log)}"
        self._say(f"GIVEN UP: {self.failure}")

    def _say(self, text: str) -> None:
        if not self._stopping.is_set():
            self._report(f"{self.component.name:<12}{text}")

    # Called by the supervisor's thread -----------------------------------------------------

    def ask_to_stop(self) -> None:
        """Ask the process to end; it is not started again."""
        self._stopping.set()
        with self._mutex:
            if self._process is not None and self._process.poll() is None:
                self._process.send_signal(self.component.stop_signal)

    def await_stop(self, hurry: threading.Event) -> None:
        """Wait until the process has ended, with force when it takes too long or `hurry` is set."""
        deadline = time.monotonic() + self.component.stop_within
        process = self._process
        while process is not None and process.poll() is None:
            if hurry.is_set() or time.monotonic() > deadline:
                self.kill()
                process.wait()
            else:
                hurry.wait(_POLL_SECONDS)
        if process is not None and not psutil.pid_exists(process.pid):
            kill_group(process.pid)  # what it has started and left behind
        if self._thread.ident is not None:
            self._thread.join()
        self._ledger.remove(self.component.name)
        if self.state is not State.FAILED:
            self.state = State.STOPPED

    def forbid_restart(self) -> None:
        """Let the process live, but not be started again: the first half of a kill of all."""
        self._stopping.set()

    def kill(self) -> None:
        """Kill the process and all it has started, as `kill -9` of each would."""
        if (pid := self.pid) is not None:
            kill_tree(pid)


def _exit(process: subprocess.Popen[bytes]) -> str:
    code = process.returncode
    return f"killed by signal {-code}" if code is not None and code < 0 else f"exit code {code}"
