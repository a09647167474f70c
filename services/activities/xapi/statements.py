"""Taking statements in: all of a request or nothing, and their events in the same transaction."""

import asyncio
import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import rfc8785

from services.activities.ingest.answers import Result
from services.activities.ingest.door import Door, Path
from services.activities.keys.model import Key
from services.activities.log.model import GiveUp
from services.activities.privacy import Pseudonyms
from services.activities.xapi import become, formats, store
from services.activities.xapi.drafts import Draft, Drafts, new
from services.activities.xapi.index import index
from services.activities.xapi.mapping import Mapping
from services.activities.xapi.masking import Masking
from services.activities.xapi.people import HOME, Masks, person, shown_home
from shared.clock import Clock
from shared.contracts.definitions import Catalogue
from shared.db import Connection
from shared.problems import Problem

Json = dict[str, Any]
TRIES = 12
"""Somebody else was first each time; with the waits between, all but endless crowds get through."""

FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.005, 0.2

_LATEST = "1.0.0"
"""The version of a statement that says none (part 2, section 2.4.10)."""


@dataclass(slots=True)
class Fresh:
    """A statement that is not kept yet, as it will be; and its event, if it becomes one."""

    row: store.Row
    event: Json | None = None


class Changed(Exception):
    """Another request of the same transaction has kept what this one did not know of.

    Requests are judged one after the other before any of them writes; so the transaction is given
    up, each is written alone, and this one then sees what has changed.
    """


class Platforms:
    """What a partner has said of its platforms, each asked for once."""

    def __init__(self, connection: Connection, partner: str) -> None:
        self._connection, self._partner = connection, partner
        self._known: dict[str, become.Platform] = {}

    async def of(self, home_page: str) -> become.Platform:
        """The setting of a home page."""
        found = self._known.get(home_page)
        if found is None:
            found = await store.platform(self._connection, self._partner, home_page)
            self._known[home_page] = found
        return found


class Statements:
    """Takes, keeps and finds the statements of partners."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        door: Door,
        catalogue: Catalogue,
        pseudonyms: Pseudonyms,
        clock: Clock,
    ) -> None:
        self.pool = pool
        self.door = door
        self.clock = clock
        self.pseudonyms = pseudonyms
        self.mapping = Mapping.load(catalogue)
        self.masks = Masks(pseudonyms)
        self._masking = Masking(self.mapping, self.masks)
        self._revoked = catalogue["event.revoked"]

    async def take(
        self, raws: Sequence[bytes], key: Key, traceparent: str | None, id: uuid.UUID | None = None
    ) -> list[str]:
        """The ids of the statements, in order, once all are kept.

        `id`: what the one statement must be called (PUT). Raises Problem: 400 with the index and
        the rule, 403 when the key may not void, 409 when one is kept already with other content.
        Then nothing of the request was kept.
        """
        drafts = Drafts(self.pseudonyms, key.name).all(raws, id)
        for number in range(TRIES):
            try:
                await self._try(drafts, key, traceparent)
                return [str(d.id) for d in drafts]
            except GiveUp:
                # Those who met once would meet again, if each waited as long.
                wait = min(FIRST_WAIT_SECONDS * 2**number, LONGEST_WAIT_SECONDS)
                await asyncio.sleep(random.uniform(0, wait))  # noqa: S311 - jitter, not a secret
        raise Problem(
            "xapi-contention",
            "Other requests kept changing the same statements.",
            status=503,
            hint="Send the same request again: what is kept already is known again.",
            retryable=True,
            retry_after=1,
        )

    async def _try(self, drafts: Sequence[Draft], key: Key, traceparent: str | None) -> None:
        ids = [d.id for d in drafts]
        targets = [d.voids for d in drafts if d.voids is not None]
        async with self.pool.acquire() as connection:
            seen = await store.view(connection, key.name, ids, targets)
            unknown = new(drafts, seen)
            if not unknown:
                return
            fresh = await self._fresh(connection, unknown, seen, key)
        events = [f for f in fresh if f.event is not None]

        async def unchanged(connection: Connection) -> None:
            if await store.view(connection, key.name, ids, targets) != seen:
                raise GiveUp
            stored = self.clock.now()
            for one in fresh:
                one.row.stored = stored
                one.row.statement["stored"] = formats.written(stored)

        async def keep(connection: Connection, results: Sequence[Result]) -> None:
            if await store.view(connection, key.name, ids, targets) != seen:
                raise Changed
            for one, result in zip(events, results, strict=True):
                note(one.row, one.event, result)
            await store.insert(connection, [f.row for f in fresh])

        await self.door.take(
            [encoded(f.event) for f in events],
            key,
            Path.XAPI,
            traceparent=traceparent,
            also=unchanged,
            told=keep,
        )

    async def _fresh(
        self, connection: Connection, drafts: Sequence[Draft], seen: store.View, key: Key
    ) -> list[Fresh]:
        """The new statements as they will be kept, with their events."""
        voided_here = {d.voids for d in drafts if d.voids is not None}
        fresh: dict[uuid.UUID, Fresh] = {}
        platforms = Platforms(connection, key.name)
        for draft in drafts:
            row = self._row(draft, key)
            one = fresh[draft.id] = Fresh(row)
            if draft.voids is not None:
                continue
            row.voided = draft.id in seen.voided or draft.id in voided_here
            said = await platforms.of(shown_home(draft.statement["actor"]))
            self._become(one, draft, said, key)
        for draft in drafts:
            if draft.voids is not None:
                self._void(fresh[draft.id], draft.voids, fresh, seen, key)
        return list(fresh.values())

    def _become(self, one: Fresh, draft: Draft, platform: become.Platform, key: Key) -> None:
        row = one.row
        who = person(draft.statement["actor"], platform.scheme)
        if who is not None:
            row.person = self.pseudonyms.reference(who["scheme"], who["value"])
        try:
            if who is not None and row.person is None:
                raise become.NotCounted("reference-unusable")
            if row.voided:
                raise become.NotCounted("voided")
            found = become.become(row.statement, who, self.mapping, platform, key)
            row.entry, one.event = found.entry, found.event
        except become.NotCounted as why:
            row.reason = why.reason

    def _void(
        self,
        one: Fresh,
        target: uuid.UUID,
        fresh: dict[uuid.UUID, Fresh],
        seen: store.View,
        key: Key,
    ) -> None:
        """Make a voiding statement take back the event of its target, if that became one."""
        key.check(self._revoked, become.source_of(key))  # part 2, section 2.3.2: 403
        known, here = seen.known.get(target), fresh.get(target)
        if known is None and here is None:
            one.row.reason = "voids-nothing"
            return
        if (known and known.voids) or (here and here.row.voids):
            one.row.reason = "voids-nothing"
            return
        if known is None or known.voided or known.event_id is None:
            return
        found = become.revocation(one.row.statement, str(known.source), known.event_id, key)
        one.row.entry, one.event = found.entry, found.event

    def _row(self, draft: Draft, key: Key) -> store.Row:
        kept = self._masking.statement(draft.statement, key.name)
        now = self.clock.now()
        kept["id"] = str(draft.id)
        kept["stored"] = formats.written(now)
        kept.setdefault("timestamp", formats.written(now))
        kept.setdefault("version", _LATEST)
        kept["authority"] = {
            "objectType": "Agent",
            "account": {"homePage": HOME, "name": key.name},
        }
        found = index(kept)
        return store.Row(
            partner=key.name,
            id=draft.id,
            mac=draft.mac,
            told=draft.told,
            stored=now,
            statement=kept,
            verb=kept["verb"]["id"],
            activity=found.activity,
            activity_type=found.activity_type,
            activities=found.activities,
            agents=found.agents,
            related=found.related,
            registration=found.registration,
            target=found.target,
            voids=draft.voids is not None,
            voided=False,
            person=None,
        )


def encoded(event: Json | None) -> bytes:
    """An event as the front door takes it."""
    return rfc8785.dumps(event)


def note(row: store.Row, event: Json | None, result: Result) -> None:
    """Write into a row what the log said of its event."""
    if event is None:
        return
    if result.problem is not None and result.problem.code != "event-conflict":
        row.reason, row.entry = result.problem.code, None
        return
    row.reason, row.source, row.event_id = None, event["source"], event["id"]
