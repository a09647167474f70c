"""Trying again what was kept and not counted, after the mapping or a platform's setting changed."""

import uuid
from collections import Counter
from collections.abc import Sequence
from typing import Any

from services.activities.ingest.answers import Result
from services.activities.ingest.door import Path
from services.activities.keys.model import Key
from services.activities.log.model import GiveUp
from services.activities.xapi import become, store
from services.activities.xapi.statements import Changed, Platforms, Statements, encoded
from shared.db import Connection

Json = dict[str, Any]
PAGE = 500
_Settled = tuple[uuid.UUID, str | None, str | None, str | None, str | None]


async def replay(statements: Statements, key: Key, traceparent: str | None) -> Json:
    """Try every statement of the partner that waits; how many are counted now, and why not the rest.

    Safe to repeat and to run beside new statements: what somebody else has settled is left alone.
    """
    counted, waiting = 0, Counter[str]()
    after, pairs = 0, statements.mapping.pairs
    while True:
        async with statements.pool.acquire() as connection:
            rows = await store.waiting(connection, key.name, after, PAGE, pairs)
            platforms = Platforms(connection, key.name)
            tries = []
            for row in rows:
                home = row["statement"]["actor"].get("account", {}).get("homePage", "")
                found = _try(statements, row, await platforms.of(home), key)
                if isinstance(found, str) and found == row["reason"]:
                    waiting[found] += 1
                else:
                    tries.append((row["id"], found))
        if not rows:
            break
        after = rows[-1]["seq"]
        for _, _, reason, _, _ in await _page(statements, tries, key, traceparent):
            if reason is None:
                counted += 1
            else:
                waiting[reason] += 1
    async with statements.pool.acquire() as connection:
        waiting["no-mapping"] = await store.without_mapping(connection, key.name)
    return {"counted": counted, "waiting": dict(sorted((+waiting).items()))}


def _try(
    statements: Statements, row: Any, platform: become.Platform, key: Key
) -> become.Becomes | str:
    """What a waiting row becomes now, or the reason why it still waits."""
    reference: str | None = row["person"]
    person = None
    if reference is not None:
        scheme = reference.partition(":")[0]
        person = {"scheme": scheme, "value": statements.pseudonyms.token(reference)}
    elif row["reason"] == "reference-unusable":
        return str(row["reason"])
    try:
        return become.become(row["statement"], person, statements.mapping, platform, key)
    except become.NotCounted as why:
        return why.reason


async def _page(
    statements: Statements,
    tries: Sequence[tuple[uuid.UUID, become.Becomes | str]],
    key: Key,
    traceparent: str | None,
) -> list[_Settled]:
    """Hand the events of a page in and write what became of its statements."""
    if not tries:
        return []
    events = [(id, found) for id, found in tries if isinstance(found, become.Becomes)]
    settled: list[_Settled] = [
        (id, None, why, None, None) for id, why in tries if isinstance(why, str)
    ]

    ids = {id for id, _ in tries}

    async def still(connection: Connection) -> None:
        if await store.lock_waiting(connection, key.name, ids) != ids:
            raise GiveUp

    async def keep(connection: Connection, results: Sequence[Result]) -> None:
        if await store.lock_waiting(connection, key.name, ids) != ids:
            raise Changed
        for (id, found), result in zip(events, results, strict=True):
            if result.problem is not None and result.problem.code != "event-conflict":
                settled.append((id, None, result.problem.code, None, None))
            else:
                event = found.event
                settled.append((id, found.entry, None, event["source"], event["id"]))
        await store.settle(connection, key.name, settled)

    try:
        await statements.door.take(
            [encoded(found.event) for _, found in events],
            key,
            Path.XAPI,
            traceparent=traceparent,
            also=still,
            told=keep,
        )
    except GiveUp:
        return [(id, None, "changed-meanwhile", None, None) for id, _ in tries]
    return settled
