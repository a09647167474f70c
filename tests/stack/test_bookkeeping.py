"""Records, logs and lines are bookkeeping: none of them decides whether something lives."""

from __future__ import annotations

import errno
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from deploy.local import ledger as ledgers
from deploy.local import loading, logs, ports, postmaster
from deploy.local.component import RestartPolicy
from deploy.local.errors import StackError
from deploy.local.home import Home
from deploy.local.instance import open_instance
from deploy.local.ledger import Ledger
from deploy.local.secrets import secret
from deploy.local.state_files import write_whole
from deploy.local.supervise import Supervisor
from services.activities.privacy import PseudonymKeyError, read_key
from shared.settings import key_in
from tests.stack.components import SLEEP, python
from tests.stack.conftest import eventually

QUICK = RestartPolicy(first_pause=0.01, longest_pause=0.05)
FOREIGN = {
    "cut": b'{"HOCVUSO_HOME": "/ho',
    "empty": b"",
    "null": b"null",
    "list": b"[1, 2]",
    "number": b"7",
    "other values": b'{"broker": {"a": 1}, "postgres": null, "sandbox": "yes"}',
    "bytes": b"\xff\xfe\x00\x80",
    "deep": b"[" * 50_000,
}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 kB; where none can be mounted the test is left out."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path) -> Path:
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError as error:
            assert error.errno == errno.ENOSPC
    return ballast


def processes(mark: str) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["cmdline", "status"])
        if any(mark in argument for argument in process.info["cmdline"] or ())
        and process.info["status"] != psutil.STATUS_ZOMBIE
    ]


def test_a_full_disk_ends_nothing_and_all_is_well_once_there_is_room(small_disk: Path) -> None:
    with (small_disk / "said").open("w") as said:

        def report(line: str) -> None:
            print(line, file=said, flush=True)

        book = small_disk / "children.json"
        supervisor = Supervisor(
            log_directory=small_disk, ledger=Ledger(book), report=report, policy=QUICK
        )
        mark = f"mark-{os.getpid()}-{id(said)}"
        code = f"{SLEEP}  # {mark}"
        try:
            supervisor.start_stage([python("service", code, os.environ, ready=lambda: True)])
            keeper = supervisor.keeper("service")
            ballast = fill(small_disk)
            for _ in range(4):
                before = eventually(lambda: keeper.pid, "a process")
                keeper.kill()
                eventually(lambda b=before: keeper.pid not in (None, b), "the next process")
            assert len(processes(mark)) == 1, "one component is one process"
            ballast.unlink()
            eventually(
                lambda: json.loads(book.read_text())["service"][0] == keeper.pid,
                "the record is right again, without a death",
            )
            before = keeper.pid
            keeper.kill()
            eventually(lambda: keeper.pid not in (None, before), "looked after as ever")
        finally:
            supervisor.kill_all()
        assert not processes(mark)


def test_nothing_that_goes_wrong_beside_a_component_ends_its_keeper(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Foul(Ledger):
        def add(self, name: str, pid: int) -> None:
            raise RuntimeError("a fault of ours")

    said: list[str] = []
    mark = f"mark-{os.getpid()}-foul"
    supervisor = Supervisor(
        log_directory=tmp_path, ledger=Foul(tmp_path / "c.json"), report=said.append, policy=QUICK
    )
    sound = Ledger(tmp_path / "c.json")
    component = python("service", f"{SLEEP}  # {mark}", os.environ, ready=lambda: True)
    try:
        with pytest.raises(StackError, match="a fault of ours"):
            supervisor.start_stage([component])
        assert not processes(mark), "what could not be looked after does not run"
        monkeypatch.setattr(Foul, "add", sound.add)
        supervisor.start_stage([component])
        monkeypatch.setattr(Foul, "add", lambda *_: 1 / 0)
        keeper = supervisor.keepers[-1]
        keeper.kill()
        eventually(lambda: sum("could not be looked after" in s for s in said) > 8, "tries on")
        monkeypatch.setattr(Foul, "add", sound.add)
        eventually(lambda: keeper.state.value == "ready" and keeper.pid, "it runs again")
        assert len(processes(mark)) == 1
    finally:
        supervisor.kill_all()


def test_logs_are_bounded_on_a_full_disk_too(small_disk: Path) -> None:
    with (small_disk / "service.log").open("ab", buffering=0) as log:
        log.write(b"x" * 100_000)
        fill(small_disk)
        logs.bound(small_disk, limit=1000)
        log.write(b"y")
    assert (small_disk / "service.log").read_bytes() == b"y"
    assert not (small_disk / "service.log.1").exists()
    logs.bound(small_disk / "nowhere")


def test_a_log_that_cannot_be_opened_keeps_nothing_from_running(tmp_path: Path) -> None:
    supervisor = Supervisor(
        log_directory=tmp_path / "logs",
        ledger=Ledger(tmp_path / "c.json"),
        report=lambda _: None,
        policy=QUICK,
    )
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "service.log").mkdir()
    try:
        supervisor.start_stage([python("service", SLEEP, os.environ, ready=lambda: True)])
        assert supervisor.keeper("service").pid
    finally:
        supervisor.kill_all()


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_records_that_are_no_records_cost_a_sentence_at_most(
    content: bytes, tmp_path: Path
) -> None:
    said: list[str] = []
    for name in ("ports.json", "children.json", "postmaster.pid"):
        (tmp_path / name).write_bytes(content)
    Ledger(tmp_path / "children.json").stop_leftovers(said.append)
    assert 0 < ports.PortBook(tmp_path / "ports.json", said.append).port("broker") < 2**16
    json.loads((tmp_path / "ports.json").read_text())
    assert postmaster.running(tmp_path) is None and postmaster.status(tmp_path) is None
    assert all(str(tmp_path) in line for line in said)
    assert len(said) == (0 if b"postgres" in content else 2)


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_files_that_matter_are_refused_with_a_sentence(content: bytes, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.prepare(lambda _: None)
    (home.path / "environment.json").write_bytes(content)
    with pytest.raises(StackError, match=r"environment\.json(.|\n)*fix:   remove it"):
        home.environment()
    home.instance.write_bytes(content)
    with pytest.raises(StackError, match="description of the instance cannot be read"):
        open_instance(home, sandbox=False, own_key=False)
    home.pseudonym_key.write_bytes(content)
    with pytest.raises(PseudonymKeyError, match=r"64 hex digits|holds 0 bytes"):
        read_key(home.pseudonym_key)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"two words", b"\x00"])
def test_key_files_of_other_bytes(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_bytes(content)
    with pytest.raises(StackError, match="does not hold what it should"):
        secret(file)
    with pytest.raises(SystemExit, match=r"holds no key\. Fix:"):
        key_in(file)
    with pytest.raises(SystemExit, match="cannot be read"):
        key_in(tmp_path)


def test_a_state_file_is_whole_or_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "state.json"
    write_whole(file, "before")

    def fails(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(OSError, match="no space"):
        write_whole(file, "after")
    assert file.read_text() == "before" and file.stat().st_mode & 0o777 == 0o600


def test_a_read_only_directory_of_logs_is_refused_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "home")
    home.prepare(lambda _: None)
    real: Callable[..., int] = Path.write_text

    def write_text(path: Path, *arguments: str) -> int:
        if path.parent == home.logs:
            raise OSError(errno.EROFS, "Read-only file system", str(path))
        return real(path, *arguments)

    monkeypatch.setattr(Path, "write_text", write_text)
    with pytest.raises(StackError, match="Read-only file system") as refused:
        home.prepare(lambda _: None)
    assert str(home.logs) in refused.value.where


def test_a_record_that_could_not_be_written_is_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = tmp_path / "children.json"
    ledger = Ledger(book)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(ledgers, "write_whole", full)
    ledger.add("service", os.getpid())
    ledger.catch_up()
    monkeypatch.undo()
    assert not book.exists()
    ledger.catch_up()
    assert json.loads(book.read_text())["service"][0] == os.getpid()


def test_loading_is_left_out_only_when_nothing_has_changed(tmp_path: Path) -> None:
    root, record = tmp_path / "root", tmp_path / "loaded.json"
    for folder in ("units", "plans"):
        (root / folder).mkdir(parents=True)
    (root / "units" / "a.csv").write_text("code\n1\n")
    now = loading.digest(root)
    assert not loading.loaded_before(record, "epoch", now)
    loading.remember(record, "epoch", now)
    assert loading.loaded_before(record, "epoch", loading.digest(root))
    assert not loading.loaded_before(record, "another log", now)
    assert not loading.loaded_before(record, None, now)
    (root / "plans" / "new.yaml").write_text("id: new\n")
    assert not loading.loaded_before(record, "epoch", loading.digest(root))
    for content in FOREIGN.values():
        record.write_bytes(content)
        assert not loading.loaded_before(record, "epoch", now)
    assert loading.epoch_of("http://127.0.0.1:1", None) is None
