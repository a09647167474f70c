"""While the database is away, every route says so; what else goes wrong is a fault of ours."""

import errno
import socket
from collections.abc import Awaitable, Callable

import asyncpg
import httpx
import pytest

from tests.activities.conftest import Door
from tests.activities.fake import event, headers

AWAY = [
    ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"),
    socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
    OSError(errno.EHOSTUNREACH, "No route to host"),
    OSError("Multiple exceptions: [Errno 111] Connect call failed, [Errno 101] unreachable"),
    TimeoutError("nothing came"),
    asyncpg.CannotConnectNowError("the database system is starting up"),
    asyncpg.QueryCanceledError("canceling statement due to statement timeout"),
    asyncpg.CrashShutdownError("terminating connection because of crash of another server process"),
    asyncpg.TooManyConnectionsError("sorry, too many clients already"),
    asyncpg.ReadOnlySQLTransactionError("cannot execute INSERT in a read-only transaction"),
    asyncpg.InterfaceError("connection is closed"),
    asyncpg.InternalClientError("cannot switch to state 15; another operation is in progress"),
]
OURS = [
    asyncpg.UndefinedTableError('relation "x" does not exist'),
    ValueError("a bug"),
    FileNotFoundError(errno.ENOENT, "no template"),
    OSError("what"),
]


async def _post(door: Door) -> httpx.Response:
    return await door.client.post("/v1/events", json=event(), headers=headers())


async def _receipt(door: Door) -> httpx.Response:
    return await door.client.get("/v1/events", params={"source": "s", "id": "1"}, headers=headers())


async def _stream(door: Door) -> httpx.Response:
    return await door.client.put("/v1/streams/away", content=b"{}\n", headers=headers())


@pytest.mark.parametrize("ask", [_post, _receipt, _stream])
@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        *((error, 503, "database-unavailable") for error in AWAY),
        *((error, 500, "internal-error") for error in OURS),
    ],
    ids=repr,
)
async def test_who_is_to_blame_is_said(
    door: Door,
    monkeypatch: pytest.MonkeyPatch,
    ask: Callable[[Door], Awaitable[httpx.Response]],
    error: Exception,
    status: int,
    code: str,
) -> None:
    async def authenticate(*_: object) -> None:
        raise error

    monkeypatch.setattr(door.app.state.keys, "authenticate", authenticate)
    answer = await ask(door)
    said = answer.json()
    assert (answer.status_code, said["code"], said["retryable"]) == (status, code, True), said
    assert answer.headers.get("Retry-After") == ("5" if status == 503 else None)
    assert str(error) not in answer.text
