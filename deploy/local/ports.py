"""Loopback ports: finding free ones, remembering them, naming who holds a taken one."""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from deploy.local.errors import StackError
from deploy.local.state_files import read_object, write_whole

LOOPBACK = "127.0.0.1"
# Below the range from which the system numbers outgoing connections: a port remembered here
# cannot be taken by a passing connection while the stack is down.
_FIRST, _LAST = 20000, 31999


def is_free(port: int) -> bool:
    """Tell whether a server could listen on `port` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port(consecutive: int = 1) -> int:
    """Return the first of `consecutive` free ports, chosen at random."""
    for _ in range(1000):
        port = random.randint(_FIRST, _LAST - consecutive)  # noqa: S311
        if all(is_free(port + i) for i in range(consecutive)):
            return port
    raise StackError(
        "no free port found",
        where=f"{LOOPBACK}, ports {_FIRST}-{_LAST}",
        fix="stop some of the programs that listen there",
    )


def holder(port: int) -> str:
    """Name the program that listens on `port`, as far as this user may see."""
    try:
        for connection in psutil.net_connections(kind="tcp"):
            listens = connection.status == psutil.CONN_LISTEN
            if listens and connection.laddr and connection.laddr.port == port and connection.pid:
                process = psutil.Process(connection.pid)
                return f"{process.name()} (pid {process.pid})"
    except (psutil.Error, OSError):
        pass
    return "another program"


def require_free(port: int, name: str, first: int) -> None:
    """Refuse with a clear message when the port of a service is taken."""
    if not is_free(port):
        raise StackError(
            f"port {port}, wanted for {name}, is in use by {holder(port)}",
            where=f"{LOOPBACK}:{port}",
            fix=f"stop that program, or start with other ports: --port {first + 100}",
        )


class PortBook:
    """Ports kept across restarts: chosen once, changed only when somebody else has taken one."""

    def __init__(self, path: Path, report: Callable[[str], None] = lambda _: None) -> None:
        self._path = path
        self._report = report
        self._book: dict[str, Any] | None = None

    def port(self, name: str) -> int:
        """Return the remembered port of `name`, or a new one where it is taken or unknown."""
        if self._book is None:
            self._book = self._read()
        known = self._book.get(name)
        if type(known) is int and 0 < known < 2**16 and is_free(known):
            return known
        port = self._book[name] = free_port()
        try:
            write_whole(self._path, json.dumps(self._book))
        except OSError as error:
            self._report(f"warning: {self._path} cannot be written ({error.strerror}): the next"
                         " start chooses other ports")  # fmt: skip
        return port

    def _read(self) -> dict[str, Any]:
        try:
            return read_object(self._path)
        except FileNotFoundError:
            return {}
        except ValueError as error:  # it costs nothing but new numbers
            self._report(f"warning: {error}; new ports are chosen")
            return {}
