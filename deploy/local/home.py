"""The directory that holds the state of one instance, and its lock."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

from deploy.local.errors import StackError
from deploy.local.state_files import read_object, write_whole

_LOW_DISK_BYTES = 200 * 1024 * 1024


def default_home() -> Path:
    """Return the home named by HOCVUSO_HOME, or `.hocvuso` in the current directory."""
    return Path(os.environ.get("HOCVUSO_HOME") or ".hocvuso").absolute()


class Home:
    """Paths of one instance. At most one supervisor works in it at a time."""

    def __init__(self, path: Path) -> None:
        # Not resolve(): a home behind a symbolic link keeps the name its owner gave it.
        self.path = path.absolute()
        self.postgres = self.path / "postgres"
        self.kafka = self.path / "kafka"
        self.logs = self.path / "logs"
        self.secrets = self.path / "secrets"
        self.run = self.path / "run"
        self.instance = self.path / "instance.json"
        self.loaded = self.path / "loaded.json"
        self.restoring = self.path / "restoring.json"
        self._environment = self.path / "environment.json"
        self.admin_key = self.path / "admin.key"
        self.service_keys = self.path / "services"
        self.pseudonym_key = self.path / "pseudonym.key"
        self.ports = self.run / "ports.json"
        self.children = self.run / "children.json"
        self._lock_file = self.run / "supervisor.lock"
        self._lock: int | None = None

    def keep_environment(self, added: Mapping[str, str], warn: Callable[[str], None]) -> None:
        """Note where this instance's parts are, for the commands that speak to it."""
        try:
            write_whole(self._environment, json.dumps(dict(added), indent=1))
        except OSError as error:
            warn(
                f"warning: {self._environment} cannot be written ({error.strerror}): commands may"
                " look for this instance where it was before"
            )

    def environment(self) -> dict[str, str]:
        """Where the parts of this instance are (as of its last start); empty before the first.

        Raises StackError for a file that is not what `keep_environment` wrote.
        """
        try:
            noted = read_object(self._environment)
            if not all(isinstance(value, str) for value in noted.values()):
                raise ValueError(f"{self._environment} holds values that are no strings")
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise StackError(
                str(error), where=str(self._environment),
                fix="remove it, then `hocvuso up`: every start writes it anew",
            ) from error  # fmt: skip
        return noted

    def prepare(self, warn: Callable[[str], None]) -> None:
        """Make the directories, and refuse a home that cannot be written."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path.chmod(0o700)
            for directory in (self.logs, self.secrets, self.run):
                directory.mkdir(mode=0o700, exist_ok=True)
            for directory in (self.path, self.run, self.logs, self.secrets):
                probe = directory / "write-probe"
                probe.write_text("")
                probe.unlink()
        except OSError as error:
            raise StackError(
                f"the state directory cannot be written: {error.strerror}",
                where=str(error.filename or self.path),
                fix="give this user the right to write it, or name another directory in "
                "HOCVUSO_HOME",
            ) from error
        free = shutil.disk_usage(self.path).free
        if free < _LOW_DISK_BYTES:
            warn(
                f"warning: only {free // 1024 // 1024} MB are free on the disk of {self.path}; "
                "PostgreSQL stops when it is full"
            )

    def lock(self) -> None:
        """Become the one supervisor of this home.

        The kernel drops the lock with its holder, so a stale lock cannot exist; the pid in the
        file is for people and for `stop_supervisor`.
        """
        descriptor = os.open(self._lock_file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            holder = self.supervisor_pid()
            raise StackError(
                f"another supervisor (pid {holder}) is running in this home",
                where=str(self.path),
                fix="use that one, or stop it first (Ctrl-C, or "
                f"`kill {holder}`), or start a second instance with another HOCVUSO_HOME "
                "and --port",
            ) from error
        with contextlib.suppress(OSError):  # the lock holds, whether or not there is room for it
            os.ftruncate(descriptor, 0)
            os.write(descriptor, str(os.getpid()).encode())
        self._lock = descriptor

    def unlock(self) -> None:
        """Let another supervisor work here."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def supervisor_pid(self) -> int | None:
        """Return the pid that last held the lock."""
        try:
            return int(self._lock_file.read_text())
        except (OSError, ValueError):
            return None

    def stop_supervisor(self, timeout: float = 60) -> bool:
        """Stop the supervisor that runs in this home; False when there is none."""
        try:
            descriptor = os.open(self._lock_file, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            if _try_lock(descriptor):
                return False
            pid = self.supervisor_pid()
            if pid is not None and psutil.pid_exists(pid):
                os.kill(pid, signal.SIGTERM)
            deadline = time.monotonic() + timeout
            while not _try_lock(descriptor):
                if time.monotonic() > deadline:
                    raise StackError(
                        f"the supervisor (pid {pid}) did not stop within {timeout:.0f} s",
                        where=str(self.path),
                        fix=f"look into {self.logs}, then `kill -9 {pid}`; nothing is lost",
                    )
                time.sleep(0.05)
        finally:
            os.close(descriptor)
        return True


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
