"""Asks a broker for its metadata, the smallest question that only a working broker answers.

Twenty lines of the protocol instead of a client: a client needs an event loop, retries on its own
terms and floods the log while the broker is not there yet.
"""

from __future__ import annotations

import socket
import struct

_METADATA, _VERSION, _CORRELATION = 3, 5, 7
_CLIENT = b"hocvuso-probe"
_HEADER = struct.pack(">hhih", _METADATA, _VERSION, _CORRELATION, len(_CLIENT)) + _CLIENT
_BODY = struct.pack(">ib", 0, 0)  # no topics; do not create any
REQUEST = struct.pack(">i", len(_HEADER + _BODY)) + _HEADER + _BODY


def answers_metadata(host: str, port: int, timeout: float = 2.0) -> bool:
    """Tell whether the broker answers with at least one node."""
    try:
        with socket.create_connection((host, port), timeout) as connection:
            connection.settimeout(timeout)
            connection.sendall(REQUEST)
            (size,) = struct.unpack(">i", _read(connection, 4))
            correlation, _throttle, nodes = struct.unpack(">iii", _read(connection, size)[:12])
    except (OSError, struct.error):
        return False
    return bool(correlation == _CORRELATION and nodes > 0)


def _read(connection: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size:
        part = connection.recv(size - len(received))
        if not part:
            raise ConnectionResetError("closed by the broker")
        received += part
    return received
