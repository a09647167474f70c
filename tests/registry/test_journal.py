"""The projection of facts: arrivals are counted once, revisions change what was kept."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest

from deploy.local.stack import LocalStack
from services.registry.journal.projection import FactProjection
from services.registry.journal.restated import learn
from services.registry.journal.store import standing
from services.registry.tasks.evidence import load
from shared import progress
from shared.contracts.record import Content, LogRecord
from shared.db import connect_pool
from shared.problems import Problem
from tests.conftest import migrated_database

DAY = date(2026, 6, 30)


@pytest.fixture
async def pool(infrastructure: LocalStack) -> AsyncIterator[asyncpg.Pool]:
    url = await migrated_database(infrastructure, "registry")
    found = await connect_pool(url, "registry")
    yield found
    await found.close()


def row(position: int, type: str, data: dict[str, Any], **more: Any) -> LogRecord:
    fields: dict[str, Any] = {
        "id": f"e{position}", "source": "https://a.example", "type": f"vn.hocvuso.{type}",
        "subject": "24133", "time": "2026-06-30T09:00:00+07:00", "epoch": "e1",
        "position": position, "prev": 0, "lane": 3, "recorded": DAY, "occurred": DAY,
        "unitid": "24133@2025", "origin": position, "keykind": "event", "key": b"k", "data": data,
    }  # fmt: skip
    return LogRecord(**(fields | more))


async def project(pool: asyncpg.Pool, *rows: LogRecord) -> None:
    held = await progress.claim(pool, "tester", frozenset(range(65)))
    projection = FactProjection(pool, held)
    lane = held.lanes[3]
    lanes = {3: type(lane)(rows[-1].position, rows[-1].position)}
    await projection.apply(list(rows), lanes)


async def kept(pool: asyncpg.Pool, **more: Any) -> list[dict[str, Any]]:
    return [f.data for f in await standing(pool, ["review.held"], ["24133@2025"], **more)]


async def test_a_corrected_review_says_the_new_and_a_revoked_one_is_gone(
    pool: asyncpg.Pool,
) -> None:
    first = row(1, "review.held", {"kind": "weekly"})
    await project(pool, first)
    assert await kept(pool) == [{"kind": "weekly"}]
    content = Content(
        type="review.held",
        unitid="24133@2025",
        occurred=DAY,
        time=first.time,
        data={"kind": "monthly"},
    )
    later = {"origin": 1, "data": {}, "recorded": date(2026, 7, 2)}
    await project(pool, row(2, "event.corrected", **later, revision=1, effective=content))
    assert await kept(pool) == [{"kind": "monthly"}]
    assert await kept(pool, known_at=date(2026, 7, 1)) == [{"kind": "weekly"}]
    await project(pool, row(3, "event.revoked", **later, revision=2, void=True))
    assert await kept(pool) == []
    assert await kept(pool, known_at=date(2026, 7, 1)) == [{"kind": "weekly"}]


async def test_a_moved_event_stands_although_its_old_key_is_void(pool: asyncpg.Pool) -> None:
    first = row(1, "review.held", {"kind": "weekly"})
    content = Content(
        type="review.held",
        unitid="24133@2025",
        occurred=DAY,
        time=first.time,
        data={"kind": "yearly"},
    )
    more = {"origin": 1, "data": {}, "revision": 1}
    await project(
        pool,
        first,
        row(2, "event.corrected", **more, effective=content, key=b"n"),
        row(3, "event.corrected", **more, void=True),
    )
    assert await kept(pool) == [{"kind": "yearly"}]


async def test_arrivals_are_counted_per_source_and_day_and_say_what_was_late_or_zero(
    pool: asyncpg.Pool,
) -> None:
    pupils = "programme.completed"
    await project(
        pool,
        row(1, pupils, {"pupils_completed": 30}),
        row(2, pupils, {"pupils_completed": 0}),
        row(
            3, pupils, {"pupils_completed": 5}, keyindex=1, origin=2
        ),  # the same event, another key
        row(4, pupils, {"pupils_completed": 5}, recorded=date(2026, 7, 20)),
        row(5, pupils, {"pupils_completed": 5, "opening": True}, recorded=date(2026, 7, 20)),
        row(6, "event.revoked", {}, origin=1, revision=1, void=True),
        row(7, pupils, {"pupils_completed": 1}, source="https://b.example"),
    )
    rows = await pool.fetch("SELECT source, n, late, zero, last_position FROM arrival ORDER BY 1")
    assert [tuple(r) for r in rows] == [
        ("https://a.example", 4, 1, 1, 5),
        ("https://b.example", 1, 0, 0, 7),
    ]
    # Single events of a type that names nobody are kept too, reduced to what a filter may name.
    kept = await pool.fetch("SELECT position, content->'data' AS data FROM journal ORDER BY 1")
    assert [r["position"] for r in kept] == [1, 2, 4, 5, 6, 7]
    assert kept[0]["data"] == {"pupils_completed": 30} and kept[4]["data"] is None
    assert await pool.fetchval("SELECT max(last_position) FROM reported") == 7


async def proofs(pool: asyncpg.Pool, kind: str, *rows: LogRecord) -> dict[str, int]:
    """Standing events of a type per day, after looking up in a log of these rows."""

    def answer(request: httpx.Request) -> httpx.Response:
        asked = msgspec.json.decode(request.content)
        found = [
            r for r in rows if r.origin in asked["positions"] and r.position <= asked["through"]
        ]
        return httpx.Response(200, content=b"\n".join(msgspec.json.encode(r) for r in found))

    async with httpx.AsyncClient(
        transport=httpx.MockTransport(answer), base_url="http://activities"
    ) as client:
        await learn(pool, client)
    units = ["24133@2025", "24121@2025"]
    found = await load(pool, {kind}, units, date(2026, 12, 31), None)
    return {one.occurred.isoformat(): one.n for one in found.get(kind, [])}


KINDS = pytest.mark.parametrize("kind", ["class.held", "citizen.certified"])
"""Kept event by event; counted only, since it names people."""


def held(kind: str, unit: str, day: date) -> Content:
    return Content(type=kind, unitid=unit, occurred=day, time="", data={})


@KINDS
async def test_what_was_revoked_stands_no_more_and_what_was_corrected_stands_where_it_says(
    pool: asyncpg.Pool, kind: str
) -> None:
    sent = [row(n, kind, {}) for n in (1, 2, 3, 4)]
    await project(pool, *sent)
    assert await proofs(pool, kind, *sent) == {"2026-06-30": 4}
    later, elsewhere = date(2026, 7, 3), held(kind, "75@2025", DAY)
    change = {"data": {}, "recorded": date(2026, 7, 9), "revision": 1}
    said = [
        row(5, "event.revoked", origin=1, void=True, **change),
        row(6, "event.corrected", origin=2, effective=held(kind, "24121@2025", later), **change),
        row(7, "event.corrected", origin=2, void=True, **change),  # its former key, after it
        row(8, "event.corrected", origin=3, effective=elsewhere, **change),
        row(9, "event.corrected", origin=4, void=True, keyindex=1, **change),  # not what counts it
    ]
    await project(pool, *said)
    assert await proofs(pool, kind, *sent, *said) == {"2026-06-30": 1, "2026-07-03": 1}
    assert await pool.fetchval("SELECT sum(n) FROM arrival") == 4  # sent is sent
    again = {"data": {}, "recorded": date(2026, 7, 10), "revision": 2, "origin": 1}
    back = row(10, "event.revoked", **again, effective=held(kind, "24133@2025", DAY))
    await project(pool, back)  # the revocation was revoked
    await project(pool, row(11, "event.corrected", origin=1, void=True, **change))  # late, older
    assert await proofs(pool, kind, *sent, *said, back) == {"2026-06-30": 2, "2026-07-03": 1}


@KINDS
async def test_an_event_that_came_void_proves_nothing_until_what_it_names_stands(
    pool: asyncpg.Pool, kind: str
) -> None:
    born = row(1, kind, {}, void=True)
    await project(pool, born)
    assert await proofs(pool, kind, born) == {}
    risen = {"data": {}, "revision": 1, "origin": 1, "effective": held(kind, "24133@2025", DAY)}
    await project(pool, row(2, "event.corrected", **risen))
    assert await proofs(pool, kind) == {"2026-06-30": 1}


async def test_without_the_log_nothing_is_said_of_what_was_revoked(pool: asyncpg.Pool) -> None:
    first = row(1, "class.held", {})
    await project(pool, first, row(2, "event.revoked", {}, origin=1, revision=1, void=True))
    for answer in (httpx.Response(500), httpx.Response(200, content=b"")):
        transport = httpx.MockTransport(lambda _, answer=answer: answer)
        async with httpx.AsyncClient(transport=transport, base_url="http://a") as client:
            with pytest.raises(Problem, match="corrected or revoked"):
                await learn(pool, client)
