"""Components are started in order, started again, given up loudly, and never left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil
import pytest

from deploy.local import logs
from deploy.local.component import Component, RestartPolicy
from deploy.local.errors import StackError
from deploy.local.ledger import Ledger
from deploy.local.processes import await_end
from deploy.local.services import REPOSITORY, Addresses
from deploy.local.stack import LocalStack
from deploy.local.supervise import Supervisor
from tests.stack.components import SLEEP, python, writes_pid
from tests.stack.conftest import PATIENCE, eventually

QUICK = RestartPolicy(first_pause=0.01, longest_pause=0.05)


@pytest.fixture
def supervisor(tmp_path: Path) -> Supervisor:
    said: list[str] = []
    made = Supervisor(
        log_directory=tmp_path,
        ledger=Ledger(tmp_path / "children.json"),
        report=said.append,
        policy=QUICK,
    )
    made.said = said  # type: ignore[attr-defined]
    yield made
    made.kill_all()


def test_stages_start_in_order_and_stop_in_reverse(supervisor: Supervisor, tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    serve = (
        "import pathlib, signal, sys, time\n"
        "name, diary = {name!r}, open({diary!r}, 'ab', buffering=0)\n"
        "def end(*_): diary.write(b'-' + name.encode()); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "diary.write(b'+' + name.encode())\n"
        "while True: time.sleep(1)\n"
    )
    for name in "abc":
        code = serve.format(name=name, diary=str(diary))
        supervisor.start_stage(
            [python(name, code, os.environ, ready=lambda n=name: "+" + n in diary.read_text())]
            if diary.exists()
            else [python(name, code, os.environ, ready=diary.exists)]
        )
    once = python("once", "print('done')", os.environ, one_shot=True)
    supervisor.start_stage([once])
    assert supervisor.keeper("once").state.value == "done"
    children = [psutil.Process(supervisor.keeper(name).pid) for name in "abc"]
    supervisor.stop()
    assert diary.read_text() == "+a+b+c-c-b-a"
    assert (tmp_path / "once.log").read_text() == "done\n"
    assert not any(child.is_running() for child in children)


def test_a_component_that_dies_is_started_again(supervisor: Supervisor) -> None:
    supervisor.start_stage([python("service", SLEEP, os.environ, ready=lambda: True)])
    keeper = supervisor.keeper("service")
    first = keeper.pid
    keeper.kill()
    eventually(lambda: keeper.pid not in (None, first), "a new process")
    assert any("killed by signal 9" in line for line in supervisor.said)


def test_one_that_keeps_dying_is_tried_for_ever_and_the_others_stay(supervisor: Supervisor) -> None:
    supervisor.start_stage(
        [
            python("sound", SLEEP, os.environ, ready=lambda: True),
            python("frail", SLEEP, os.environ, ready=lambda: True),
        ]
    )
    sound, frail = supervisor.keeper("sound"), supervisor.keeper("frail")
    pid = sound.pid
    for _ in range(8):
        before = eventually(lambda: frail.pid, "it runs")
        frail.kill()
        eventually(lambda b=before: frail.pid not in (None, b), "it is started again")
    assert frail.failure is None and frail.state.value != "failed"
    assert sound.pid == pid and sound.state.value == "ready"


def test_one_that_never_became_ready_ends_the_start(supervisor: Supervisor) -> None:
    dies = python("frail", "raise SystemExit(3)", os.environ, ready=lambda: False)
    with pytest.raises(StackError, match=r"exit code 3(.|\n)*2 times in a row"):
        supervisor.start_stage([dies])


def test_slow_is_not_dead_and_silent_is(supervisor: Supervisor, tmp_path: Path) -> None:
    """What gets on is never killed, however long it takes; what does nothing at all is."""
    born = tmp_path / "slow"
    works = (
        "import pathlib, time\n"
        f"pathlib.Path({str(born)!r}).open('a').write('+')\n"
        "until = time.monotonic() + 6\n"
        "while time.monotonic() < until: print('still reading', flush=True); time.sleep(0.2)\n"
        f"pathlib.Path({str(born)!r}).open('a').write('ready'); time.sleep(600)\n"
    )
    slow = python(
        "slow", works, os.environ, stalls_after=4.0,
        ready=lambda: born.exists() and "ready" in born.read_text(),
    )  # fmt: skip
    supervisor.start_stage([slow])
    assert born.read_text() == "+ready"
    hangs = python("hangs", SLEEP, os.environ, stalls_after=3.0, ready=lambda: False)
    with pytest.raises(StackError, match="did nothing for 3 s"):
        supervisor.start_stage([hangs])


def test_a_long_step_shows_how_far_it_is(supervisor: Supervisor) -> None:
    code = (
        "import time\n"
        "for n in range(1, 5): print(f'units      {n * 1000:>6}/4000  new {n * 1000}', flush=True);"
        " time.sleep(1.2)\n"
    )
    supervisor.start_stage([python("load", code, os.environ, one_shot=True)])
    bars = [
        line for line in supervisor.said if "of 4,000] units" in line or "of 4,000 units" in line
    ]
    assert bars and all(line.endswith("\r") and "#" in line for line in bars)


def test_a_failed_one_shot_ends_the_start_with_its_last_words(supervisor: Supervisor) -> None:
    code = "import sys; print('no such plan'); sys.exit(3)"
    with pytest.raises(StackError, match=r"exit code 3(.|\n)*no such plan"):
        supervisor.start_stage([python("load", code, os.environ, one_shot=True)])


def test_one_that_ignores_the_request_is_killed(supervisor: Supervisor, tmp_path: Path) -> None:
    said = tmp_path / "pid"
    stubborn = python("stubborn", writes_pid(said), os.environ, ready=said.exists, stop_within=0.3)
    supervisor.start_stage([stubborn])
    process = psutil.Process(supervisor.keeper("stubborn").pid)
    supervisor.stop()
    assert not process.is_running()


def test_logs_are_bounded_while_they_are_written(tmp_path: Path) -> None:
    log = tmp_path / "service.log"
    with log.open("ab", buffering=0) as file:
        file.write(b"x" * 2000)
        logs.bound(tmp_path, limit=1000)
        file.write(b"y")
    assert log.read_bytes() == b"y"
    assert (tmp_path / "service.log.1").stat().st_size == 2000


SUPERVISE = """
import os, pathlib, sys, time
from deploy.local.stack import LocalStack
from tests.stack.components import python, writes_pid
def stages(env, _addresses):
    said = pathlib.Path(sys.argv[2])
    return [[python("service", writes_pid(said), env, ready=said.exists, stop_within=0.2)]]
LocalStack(pathlib.Path(sys.argv[1]), stages=stages).start()
print("up", flush=True)
time.sleep(600)
"""


def start_supervisor(home: Path, said: Path) -> subprocess.Popen[str]:
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISE, str(home), str(said)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *sys.path])},
    )
    assert supervisor.stdout is not None
    for line in supervisor.stdout:
        if line == "up\n":
            return supervisor
    raise AssertionError(f"the supervisor ended with {supervisor.wait()}")


def test_a_killed_supervisor_leaves_nobody_behind(home: Path, tmp_path: Path) -> None:
    said = tmp_path / "pid"
    supervisor = start_supervisor(home, said)
    family = psutil.Process(supervisor.pid).children(recursive=True)
    assert len(family) > 5  # the service, the broker, PostgreSQL and its helpers
    with pytest.raises(StackError, match=f"pid {supervisor.pid}"):
        LocalStack(home).start()
    os.kill(supervisor.pid, signal.SIGKILL)
    supervisor.wait()
    if sys.platform == "linux":
        assert await_end(family, PATIENCE) == []
    said.unlink()
    again = start_supervisor(home, said)
    again.kill()
    again.wait()


def test_recorded_leftovers_are_stopped_at_the_next_start(tmp_path: Path) -> None:
    leftover = subprocess.Popen([sys.executable, "-c", SLEEP], start_new_session=True)
    other = subprocess.Popen([sys.executable, "-c", SLEEP])
    try:
        ledger = Ledger(tmp_path / "children.json")
        ledger.add("service", leftover.pid)
        ledger.add("reused", other.pid)
        # Another program has the second pid now: the same number, another start.
        book = tmp_path / "children.json"
        recorded = json.loads(book.read_text())
        recorded["reused"][1] -= 9999
        book.write_text(json.dumps(recorded))
        said: list[str] = []
        Ledger(book).stop_leftovers(said.append)
        leftover.wait(PATIENCE)
        assert other.poll() is None
        assert len(said) == 1 and "service" in said[0]
    finally:
        for process in (leftover, other):
            process.kill()
            process.wait()


def test_children_outlive_the_thread_that_started_the_stack(
    make_stack: Callable[..., LocalStack],
) -> None:
    import threading

    def stages(env: Mapping[str, str], _addresses: Addresses) -> list[list[Component]]:
        return [[python("service", SLEEP, env, ready=lambda: True)]]

    stack = make_stack(stages)
    thread = threading.Thread(target=stack.start)
    thread.start()
    thread.join()
    time.sleep(0.2)  # a death would be signalled at once
    assert all(state == "ready" for state in stack.states().values())
    assert not any("died" in line for line in stack.said)
