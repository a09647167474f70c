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
    TimeoutError(),
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


ROUTES = [_post, _receipt, _stream]


@pytest.fixture(params=ROUTES, ids=lambda route: route.__name__)
def route(request: pytest.FixtureRequest) -> Callable[[Door], Awaitable[httpx.Response]]:
    found: Callable[[Door], Awaitable[httpx.Response]] = request.param
    return found


def fails(door: Door, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    async def authenticate(*_: object) -> None:
        raise error

    monkeypatch.setattr(door.app.state.keys, "authenticate", authenticate)


@pytest.mark.parametrize("error", AWAY, ids=repr)
async def test_a_database_that_is_away_is_said(
    door: Door,
    monkeypatch: pytest.MonkeyPatch,
    route: Callable[[Door], Awaitable[httpx.Response]],
    error: Exception,
) -> None:
    fails(door, monkeypatch, error)
    answer = await route(door)
    said = answer.json()
    assert (answer.status_code, said["code"]) == (503, "database-unavailable"), said
    assert said["retryable"] and answer.headers["Retry-After"] == "5"


@pytest.mark.parametrize("error", OURS, ids=repr)
async def test_a_fault_of_ours_is_not_laid_on_the_database(
    door: Door,
    monkeypatch: pytest.MonkeyPatch,
    route: Callable[[Door], Awaitable[httpx.Response]],
    error: Exception,
) -> None:
    fails(door, monkeypatch, error)
    answer = await route(door)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal-error")
    assert str(error) not in answer.text
