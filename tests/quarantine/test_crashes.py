"""Books, quarantine, log and answers agree when connections to PostgreSQL are lost at any point."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from services.activities.ingest.answers import Result
from services.activities.ingest.door import Door, Path
from services.activities.keys.model import Key
from services.activities.log.log import Log
from services.activities.log.model import Status
from shared.contracts.definitions import Catalogue
from shared.db import connect_pool
from shared.problems import Problem
from tests.activities.fake import event

KEY = Key("p", "partner-a", frozenset({"administrator"}))


def raw(id: str, **changes: Any) -> bytes:
    return json.dumps(event(id=id, **changes)).encode()


async def booked(app: Any) -> Counter[str]:
    row = await app.state.pool.fetchrow(
        "SELECT coalesce(sum(accepted), 0)::int AS accepted, coalesce(sum(duplicate), 0)::int AS"
        " duplicate, coalesce(sum(rejected), 0)::int AS rejected FROM book"
        " WHERE partner = 'partner-a'"
    )
    return +Counter(dict(row))


async def test_a_commit_that_was_not_answered_is_looked_up(
    service: Any, admin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Committed, but the connection is lost before the answer: accepted, once, in one book."""
    app, _ = service
    commit = asyncpg.transaction.Transaction.commit
    lost = 0

    async def lossy(self: Any) -> None:
        nonlocal lost
        nested = self._nested
        await commit(self)
        if not nested and lost == 0:
            lost += 1
            raise asyncpg.ConnectionDoesNotExistError("lost at commit")

    monkeypatch.setattr(asyncpg.transaction.Transaction, "__aexit__", _aexit(lossy))
    results = await app.state.door.take(
        [raw("1"), raw("2", subject="99999")], KEY, Path.REST, traceparent=None
    )
    assert lost == 1
    assert [r.status.value for r in results] == ["accepted", "rejected"]
    assert await booked(app) == {"accepted": 1, "rejected": 1}
    assert await app.state.pool.fetchval("SELECT sum(times) FROM quarantine") == 1


def _aexit(commit: Any) -> Any:
    async def leave(self: Any, kind: Any, *_: Any) -> None:
        self._managed = False
        if kind is not None:
            await asyncpg.transaction.Transaction._Transaction__rollback(self)
        else:
            await commit(self)

    return leave


@pytest.fixture
async def own(service: Any, admin: str, intake: Any, clock: Any) -> AsyncIterator[tuple[Door, Any]]:
    """A door and a log with a pool of their own, beside the service that made the units."""
    url = service[0].state.pool._connect_args[0]
    pool = await connect_pool(url, "activities", low=1, high=2)
    log = Log(pool, Catalogue.load(), clock)
    await log.start()
    yield Door(intake, log), pool
    await log.stop()
    pool.terminate()


async def test_backends_killed_all_the_time(service: Any, own: tuple[Door, Any]) -> None:
    """Senders retry as told, until every event has its answer; then all four must agree."""
    app, _ = service
    door, pool = own
    stop = asyncio.Event()
    killer = await asyncpg.connect(app.state.pool._connect_args[0])
    rng = random.Random(7)
    unanswered = killed = 0

    async def kill() -> None:
        nonlocal killed
        while not stop.is_set():
            rows = await killer.fetch(
                "SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS pid",
                [h._con.get_server_pid() for h in pool._holders if h._con],
            )
            killed += len(rows)
            await asyncio.sleep(rng.uniform(0.02, 0.3))

    async def post(n: int) -> list[Result]:
        nonlocal unanswered
        elements = [raw(f"{n}-{i}", **({"subject": "99999"} if i == 3 else {})) for i in range(4)]
        while True:
            try:
                return list(await door.take(elements, KEY, Path.REST, traceparent=None))
            except Problem as problem:
                assert problem.code == "log-unavailable"
                unanswered += 1
                await asyncio.sleep(0)

    killing = asyncio.create_task(kill())
    answers: list[Result] = []
    for first in range(0, 150, 10):
        found = await asyncio.gather(*(post(n) for n in range(first, first + 10)))
        answers += [r for results in found for r in results]
    stop.set()
    await killing
    await killer.close()
    assert killed
    told = Counter(r.status for r in answers)
    assert told[Status.REJECTED] == 150
    assert told[Status.ACCEPTED] + told[Status.DUPLICATE] == 450
    in_log = await app.state.pool.fetchval("SELECT count(*) FROM log WHERE partner = 'partner-a'")
    books = await booked(app)
    assert books["accepted"] == in_log == 450
    assert books["rejected"] == await app.state.pool.fetchval("SELECT sum(times) FROM quarantine")
    assert await app.state.pool.fetchval("SELECT count(*) FROM quarantine") == 150
    # Only what nobody could answer may have been sent, and so booked, once more.
    assert 600 <= sum(books.values()) <= 600 + 4 * unanswered
