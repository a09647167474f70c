"""Corrections, revocations and links: appending what an event says from now on.

Nothing is edited. The amending event is appended as rows that speak of other events (`origin`):
one with the new content for each count key the event now has, a void one for each it no longer has.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

import asyncpg
import jsonschema_rs
import msgspec

from services.activities.log import amend, store
from services.activities.log.amend import Amendment, Statement
from services.activities.log.links import check_link, origins_of
from services.activities.log.model import Candidate
from services.activities.log.own_days import happened_on
from services.activities.log.own_units import check_correction
from services.activities.log.plans import check_restated_plan, check_restated_words
from services.activities.log.subjects import Subject
from shared.clock import vietnam_day
from shared.contracts.record import Content
from shared.contracts.subjects import day_field
from shared.domain.definitions import PLAN_TYPES
from shared.domain.growing import GROWING_TYPES
from shared.domain.territory import may_write
from shared.problems import Problem

if TYPE_CHECKING:
    from services.activities.log.append import Append


class Restater:
    """Appends the rows of one amending event."""

    def __init__(self, append: Append, ordinal: int = 0) -> None:
        """`ordinal`: how many rows the amending event has already."""
        self._append = append
        self._connection = append.connection
        self._context = append.context
        self._ordinal = ordinal
        self._data = ""

    async def amend(self, c: Candidate) -> int:
        """Append event.corrected or event.revoked; its first position.

        Raises Problem: unknown original, no right to change it, or a change that makes it invalid.
        """
        self._data = msgspec.json.encode(c.data).decode()
        field = "corrects" if c.type == amend.CORRECTED else "revokes"
        named = c.data[field]
        target = await store.first_row(self._connection, named["source"], named["id"])
        if target is None:
            raise Problem(
                "original-unknown",
                f"{c.type} names an event that is not in the log.",
                pointer=f"/data/{field}",
                hint="Check source and id. If the event was posted elsewhere and is still on its"
                " way, send this one again later.",
                retryable=True,
            )
        root = target
        if target["type"] in amend.AMENDMENTS:
            root = await store.row_at(
                self._connection, await store.root_of(self._connection, target["position"])
            )
        self._check_right(c, root)
        position = self._append.counter.position + 1
        amendment = Amendment(position, target["position"], c.type, c.data)
        amendments = [*await store.amendments_of(self._connection, root["position"]), amendment]
        content = self._content(c, root, amendments)
        event_type = self._append.catalogue[root["type"]]
        if event_type.posters_of_kind:
            before = msgspec.json.decode(root["data"])
            after = None if content is None else content.data
            check_correction(event_type, c, self._append.tree, before, after)
        if content is not None and content.type.startswith("unit."):
            self._context.units.check_restated(self._append.tree, root["position"], content)
        if root["type"] in GROWING_TYPES:
            before = self._content(c, root, amendments[:-1])
            said = msgspec.json.decode(root["data"]) if before is None else before.data
            check_restated_words(said, content, self._append.definitions)
        if root["type"] in PLAN_TYPES:
            check_restated_plan(
                root["type"],
                msgspec.json.decode(root["data"])["plan"],
                content,
                root["position"],
                self._append.definitions,
                position,
                self._append.counter.recorded,
            )
        if content is not None and content.type == "person.linked":
            check_link(content.data)
        await store.add_amendment(self._connection, amendment, root["position"])
        await self._restate(c, root, content)
        await self._append.flush()
        if root["type"] == "person.linked":
            said = None if content is None else content.data
            former = await self._append.links.restate(root["position"], said)
            await self.relink(c, former)
        return position

    async def link(self, c: Candidate) -> int:
        """Append person.linked and bring the events of both refs under one count key."""
        self._data = msgspec.json.encode(c.data).decode()
        unit_id = self._context.units.unit_of(self._append.tree, c)
        self._append.check_subtree(unit_id, c)
        position = self._append.counter.position + 1
        check_link(c.data)
        ref_a, ref_b = c.data["person_ref"], c.data["same_as_ref"]
        former = await self._append.links.add(position, ref_a, ref_b)
        content = Content(
            type=c.type, unitid=unit_id, occurred=c.occurred, time=c.time, data=c.data
        )
        for subject in self._append.subjects(content, c.source, c.id):
            self._row(c, content, subject, position, 0, void=False, own=True)
        await self._append.flush()
        await self.relink(c, former)
        self._append.counter.links_position = self._append.counter.position
        return position

    async def relink(self, c: Candidate, former: set[str]) -> None:
        """Bring the events that count for any of these (canonical) refs under those of today."""
        self._data = msgspec.json.encode(c.data).decode()
        for origin in await origins_of(self._connection, former):
            root = await store.row_at(self._connection, origin)
            if root["type"] != "person.linked":
                amendments = await store.amendments_of(self._connection, origin)
                await self._restate(c, root, self._content(c, root, amendments), only_moves=True)
        await self._append.flush()

    # -- what the event says now ---------------------------------------------------------------

    def _check_right(self, c: Candidate, root: asyncpg.Record) -> None:
        above = (
            c.subtree is not None
            and may_write(self._append.tree, root["unit_id"], c.subtree)
            and self._append.catalogue[root["type"]].may_be_posted_by(c.roles)
        )
        if not (c.partner == root["partner"] or "administrator" in c.roles or above):
            raise Problem(
                "not-yours-to-change",
                "Only who posted an event, or a body above its unit that may post its type, may"
                " correct or revoke it.",
                status=403,
                pointer=f"/data/{'corrects' if c.type == 'event.corrected' else 'revokes'}",
                hint="Ask the poster of the original.",
            )

    def _content(
        self, c: Candidate, root: asyncpg.Record, amendments: list[Amendment]
    ) -> Content | None:
        original = Statement(root["subject"], root["time"], msgspec.json.decode(root["data"]))
        said = amend.effective(root["position"], original, amendments)
        if said is None:
            return None
        unit_id, occurred = root["unit_id"], root["occurred"]
        kind = self._append.catalogue[root["type"]]
        if said.data != original.data:
            self._check_data(root["type"], said)
        moved = (said.subject, said.time) != (original.subject, original.time)
        if said != original:
            sent, clock = self._day(said.time), self._context.clock
            happened = happened_on(kind, said.data, sent, clock, "/data/changes/data")
            if moved or day_field(kind, said.data) != day_field(kind, original.data):
                occurred = happened
        if moved:
            # The original's era still holds for a bare code that the correction leaves alone.
            era = unit_id.partition("@")[2] if said.subject == original.subject else c.era
            unit_id = self._append.tree.resolve(said.subject, sent, era).unit_id
            self._append.check_subtree(unit_id, c)
        return Content(
            type=root["type"], unitid=unit_id, occurred=occurred, time=said.time, data=said.data
        )

    def _day(self, time: str) -> date:
        try:
            instant = datetime.fromisoformat(time)
            if instant.tzinfo is None:
                raise ValueError
        except (TypeError, ValueError):
            raise Problem(
                "correction-invalid",
                "The corrected time is not an RFC 3339 time with an offset.",
                pointer="/data/changes/time",
                hint="Write it like 2026-06-30T09:12:00+07:00.",
            ) from None
        if instant > self._context.clock.now():
            raise Problem(
                "time-in-future",
                "The corrected time lies in the future.",
                pointer="/data/changes/time",
                hint="Events are posted after they happened.",
            )
        return vietnam_day(instant)

    def _check_data(self, type: str, said: Statement) -> None:
        event_type = self._append.catalogue[type]
        schema = self._append.catalogue.stored_schema(type, event_type.latest)
        error = next(
            jsonschema_rs.validator_for(schema, validate_formats=True).iter_errors(said.data), None
        )
        if error is not None:
            where = "".join(f"/{part}" for part in error.instance_path)
            raise Problem(
                "correction-invalid",
                f"With this correction the event would not be a valid {type}"
                f" (rule {error.schema_path[-1] if error.schema_path else 'schema'}).",
                pointer=f"/data/changes/data{where}",
                hint=f"See GET /v1/schemas/{type}/{event_type.latest}.",
            )

    # -- rows ----------------------------------------------------------------------------------

    async def _restate(
        self,
        c: Candidate,
        root: asyncpg.Record,
        content: Content | None,
        *,
        only_moves: bool = False,
    ) -> None:
        """Append what the event at `root` says now; then what follows for events that refer to it.

        `only_moves`: append nothing when neither its subjects nor its being void has changed.
        """
        event_type = self._append.catalogue[root["type"]]
        origin = root["position"]
        newest = await store.newest_by_key(self._connection, origin)
        revision = max(r["revision"] for r in newest) + 1
        void = content is None
        if content is not None and event_type.references:
            referred = self._context.things.referred(event_type, root["source"], content.data)
            await store.replace_references(self._connection, origin, referred)
            void = bool(await store.void_things(self._connection, referred))
        subjects: list[Subject] = []
        if content is not None and not void:
            # What is corrected, or stands again, may name refs that were linked long before.
            await self._append.links.learn([content.data])
            subjects = self._append.subjects(content, root["source"], root["id"])
        now = {(s.kind, s.key) for s in subjects}
        before = {(r["key_kind"], r["key"]) for r in newest if not r["void"]}
        if only_moves and now == before:
            return
        gone = [r for r in newest if (r["key_kind"], r["key"]) in before - now]
        for subject in subjects:
            if content is not None:
                self._row(c, content, subject, origin, revision, void=False)
        for r in gone or ([] if subjects else newest[:1]):
            former = Content(
                type=root["type"], unitid=r["unit_id"], occurred=r["occurred"], time=c.time, data={}
            )
            subject = Subject(r["key_index"], r["key_kind"], r["key"], r["lane"])
            self._row(c, former, subject, origin, revision, void=True)
        if self._context.things.is_thing(event_type):
            await self._follow(c, root, content)

    async def _follow(self, c: Candidate, root: asyncpg.Record, content: Content | None) -> None:
        """Void or restore the events that refer to a thing just restated."""
        event_type = self._append.catalogue[root["type"]]
        own = None
        if content is not None:
            own = self._context.things.itself(event_type, root["source"], content.data)
        if content is None:
            touched = await store.void_thing(self._connection, root["position"])
        else:
            touched = await store.replace_thing(self._connection, root["position"], own, False)
        if not touched:
            return
        await self._append.flush()
        self._append.note_void(touched, await store.void_things(self._connection, touched))
        for origin in await store.referring(self._connection, touched):
            child = await store.row_at(self._connection, origin)
            amendments = await store.amendments_of(self._connection, origin)
            await self._restate(c, child, self._content(c, child, amendments), only_moves=True)

    def _row(
        self,
        c: Candidate,
        content: Content,
        subject: Subject,
        origin: int,
        revision: int,
        *,
        void: bool,
        own: bool = False,
    ) -> None:
        effective = None if void or own else msgspec.json.encode(content).decode()
        self._append.add_row(
            c, content, subject, origin, self._ordinal, revision, self._data, void, effective
        )
        self._ordinal += 1
        self._append.note_definition(subject)
