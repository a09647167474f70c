"""One append transaction: lock, classify, resolve, insert (design, section 4).

Everything that decides a number happens here, under the counter's lock: duplicate or new, which
unit, which position, which lane, which day it was recorded, what a correction makes of an event.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from services.activities.log import amend, store
from services.activities.log.books import Books, Limits
from services.activities.log.content import ContentComparison
from services.activities.log.links import Links
from services.activities.log.model import (
    Answers,
    Candidate,
    GiveUp,
    InDoubt,
    Outcome,
    Status,
    Submission,
)
from services.activities.log.own_units import check_own
from services.activities.log.plans import check_plan_event
from services.activities.log.refusals import conflict, undone, unit_problem
from services.activities.log.restate import Restater
from services.activities.log.rows import Row
from services.activities.log.subjects import Subject, subjects_of
from services.activities.log.things import Things
from services.activities.log.units import UnitCache
from shared.clock import Clock, vietnam_day
from shared.contracts.definitions import Catalogue
from shared.contracts.live import LiveCatalogue
from shared.contracts.record import DEFINITION_LANE, Content
from shared.db import Connection
from shared.domain.definitions import Definitions
from shared.domain.territory import may_write
from shared.domain.tree import UnitTree
from shared.domain.units import UnknownUnit
from shared.problems import Problem


@dataclass
class Context:
    """What outlives a transaction."""

    catalogue: Catalogue
    things: Things
    units: UnitCache
    clock: Clock
    limits: Limits = field(default_factory=Limits)
    contents: ContentComparison = field(init=False)

    def __post_init__(self) -> None:
        self.contents = ContentComparison(self.catalogue)

    def follow(self, definitions: Definitions) -> None:
        """Tell the process what a transaction that was committed has defined."""
        if isinstance(self.catalogue, LiveCatalogue):
            self.catalogue.follow(definitions.catalogue, definitions.position)


class RolledBack(Exception):
    """Leaves a nested transaction without keeping its writes."""


class Append:
    """The state of one transaction. Use `run`."""

    def __init__(self, connection: Connection, context: Context, counter: store.Counter) -> None:
        self.connection = connection
        self.context = context
        self.counter = counter
        self.definitions = Definitions(context.catalogue)
        now = context.clock.now()
        self.recorded_at: datetime = now
        counter.recorded = max(counter.recorded, vietnam_day(now))
        self._rows: list[Row] = []
        self._new_things: list[tuple[store.Thing, int]] = []
        self._new_references: list[tuple[store.Thing, int]] = []
        self._known: dict[tuple[str, str], store.Known] = {}
        self._stored: dict[int, store.StoredContent] = {}
        self._new: dict[int, Candidate] = {}
        self._void_things: set[store.Thing] = set()
        self.links = Links(connection)

    @property
    def tree(self) -> UnitTree:
        """The units, as known up to the last definition appended."""
        return self.definitions.tree

    @property
    def catalogue(self) -> Catalogue:
        """The event types and lists, with what the instance has added up to there."""
        return self.definitions.catalogue

    @classmethod
    async def run(
        cls, connection: Connection, context: Context, submissions: Sequence[Submission]
    ) -> Answers:
        """Append the submissions in order; answers in the same shape, or why one was given up.

        Commits or raises as a whole: when it raises, nothing was written; unless it is InDoubt.
        """
        books = Books(connection, context.limits)
        in_doubt: InDoubt | None = None
        try:
            async with connection.transaction():
                counter = await store.lock(connection)
                before = counter.position
                append = cls(connection, context, counter)
                await append._prepare([c for s in submissions for c in s.candidates])
                outcomes: Answers = []
                for submission in submissions:
                    try:
                        if submission.also is not None:
                            await submission.also(connection)
                    except (GiveUp, Problem) as given_up:
                        outcomes.append(given_up)
                        continue
                    answers = await append._submit(submission)
                    outcomes.append(answers)
                    books.note(submission, answers)
                    if submission.told is not None:
                        # At once: what it writes may be what the next one's `also` asks for.
                        await append.flush()
                        await submission.told(connection, answers)
                await append.flush()
                await books.keep_refused(append.recorded_at, counter, before)
                await store.save(connection, counter, books.columns(counter.recorded))
                in_doubt = InDoubt(counter.xid, outcomes)
        except BaseException as error:
            context.units.forget()
            if in_doubt is not None and isinstance(error, Exception):
                raise in_doubt from error
            raise
        context.follow(append.definitions)
        return outcomes

    async def _prepare(self, candidates: list[Candidate]) -> None:
        self.definitions = await self.context.units.up_to(
            self.connection, self.counter.units_position
        )
        self._known = await store.classify(self.connection, [(c.source, c.id) for c in candidates])
        spelled_otherwise = [
            known.position
            for c in candidates
            if (known := self._known.get((c.source, c.id))) and known.content_mac != c.content_mac
        ]
        if spelled_otherwise:
            self._stored = await store.contents(self.connection, spelled_otherwise)
        wanted: set[store.Thing] = set()
        for c in candidates:
            if c.refusal is not None:
                continue
            event_type = self.catalogue[c.type]
            if event_type.references:
                wanted.update(self.context.things.referred(event_type, c.source, c.data))
        if wanted:
            self._void_things = await store.void_things(self.connection, sorted(wanted))
        former = {ref: olds for c in candidates for ref, olds in c.former.items()}
        await self.links.prepare(
            [c.data for c in candidates],
            former if self.counter.respelling else {},
            self.counter.links_position,
        )

    async def _submit(self, submission: Submission) -> list[Outcome]:
        if not (submission.atomic or submission.dry_run):
            return [await self._one(c) for c in submission.candidates]
        await self.flush()
        kept, defined = self.counter.copy(), self.definitions.copy()
        known, void = dict(self._known), set(self._void_things)
        outcomes: list[Outcome] = []
        try:
            async with self.connection.transaction():
                outcomes = [await self._one(c) for c in submission.candidates]
                await self.flush()
                refused = any(o.status is Status.REJECTED for o in outcomes)
                if submission.dry_run or refused or submission.lost:
                    raise RolledBack
        except RolledBack:
            self.counter.restore(kept)
            self._known, self._void_things = known, void
            await self.links.roll_back()
            self.context.units.forget(defined)
            self.definitions = defined
            outcomes = [undone(o, dry_run=submission.dry_run) for o in outcomes]
        return outcomes

    async def _one(self, c: Candidate) -> Outcome:
        """Append one event or say why not; a refused event leaves nothing behind."""
        known = self._known.get((c.source, c.id))
        if known is not None:
            if known.content_mac == c.content_mac or self._same(known, c):
                return Outcome(Status.DUPLICATE, known.position, warnings=c.warnings)
            if c.refusal is None:
                return Outcome(Status.REJECTED, known.position, conflict())
        refusal = c.refusal or c.problem_if_new
        if refusal is not None:
            return Outcome(Status.REJECTED, None, refusal)
        try:
            respelt = self.links.unlinked(c.former)
            position = await (self._united(c, respelt) if respelt else self._append(c))
        except Problem as problem:
            return Outcome(Status.REJECTED, None, problem)
        except UnknownUnit as unknown:
            return Outcome(Status.REJECTED, None, unit_problem(unknown))
        self._known[c.source, c.id] = store.Known(position, c.content_mac)
        self._new[position] = c
        return Outcome(Status.ACCEPTED, position, warnings=c.warnings)

    async def _append(self, c: Candidate) -> int:
        """Append an event that is not in the log; its first position. Raises Problem."""
        if c.type in amend.AMENDMENTS:
            await self.flush()
            return await Restater(self).amend(c)
        if c.type == "person.linked":
            await self.flush()
            return await Restater(self).link(c)
        return self._plain(c)

    async def _united(self, c: Candidate, respelt: list[tuple[str, str]]) -> int:
        """The same for an event whose persons the log knows by former spellings of their numbers:
        those count for one person from now on."""
        await self.flush()
        position = self.counter.position + 1
        try:
            async with self.connection.transaction():
                former = await self.links.unite(position, respelt)
                await self._append(c)
                await self.flush()
                await Restater(self, self.counter.position + 1 - position).relink(c, former)
        except (Problem, UnknownUnit):
            await self.links.roll_back()
            raise
        self.counter.links_position = self.counter.position
        return position

    def _same(self, known: store.Known, c: Candidate) -> bool:
        """Whether the known one says the same in another spelling."""
        new = self._new.get(known.position)
        first = new or self._stored.get(known.position)
        if first is None or first.type != c.type or c.refusal is not None:
            return False
        if first.subject != c.subject:
            unit_id = self._unit_or_none(new) if new else self._stored[known.position].unit_id
            if unit_id is None or unit_id != self._unit_or_none(c):
                return False
        today = {old: ref for ref, olds in c.former.items() for old in olds}
        canonical = self.context.contents.canonical
        said = canonical(c.type, first.time, first.data, today)
        return said == canonical(c.type, c.time, c.data, today)

    def _unit_or_none(self, c: Candidate) -> str | None:
        try:
            return self.context.units.unit_of(self.tree, c)
        except (Problem, UnknownUnit):
            return None

    def _plain(self, c: Candidate) -> int:
        things = self.context.things
        event_type = self.catalogue[c.type]
        unit_id = self.context.units.unit_of(self.tree, c)
        check_own(event_type, c, self.tree, c.data)
        check_plan_event(c, self.definitions, self.counter.position + 1, self.counter.recorded)
        new = c.type == "unit.established"
        self.check_subtree(c.data.get("parent", unit_id) if new else unit_id, c)
        if event_type.lane == "definition" and "plan" in c.data:
            for version in self.definitions.versions(c.data["plan"])[-1:]:
                self.check_subtree(version.document["unit"], c, "/data/plan")
        content = Content(
            type=c.type, unitid=unit_id, occurred=c.occurred, time=c.time, data=c.data
        )
        subjects = self.subjects(content, c.source, c.id)
        origin = self.counter.position + 1
        void = False
        if event_type.references:
            referred = things.referred(event_type, c.source, c.data)
            void = any(thing in self._void_things for thing in referred)
            self._new_references += [(thing, origin) for thing in referred]
        if things.is_thing(event_type):
            own = things.itself(event_type, c.source, c.data)
            if own is not None:
                self._new_things.append((own, origin))
        data = msgspec.json.encode(c.data).decode()
        for ordinal, subject in enumerate(subjects):
            self.add_row(c, content, subject, origin, ordinal, 0, data, void, None)
        self.note_definition(subjects[0])
        return origin

    def subjects(self, content: Content, source: str, id: str) -> list[Subject]:
        """The count keys of a content, with linked persons brought together."""
        event_type = self.catalogue[content.type]
        return subjects_of(event_type, content, source, id, self.links.canonical)

    def check_subtree(self, unit_id: str, c: Candidate, pointer: str = "/subject") -> None:
        """Refuse a unit outside the key's reach."""
        if c.subtree is not None and not may_write(self.tree, unit_id, c.subtree):
            raise Problem(
                "unit-outside-key",
                f"The key may post for {c.subtree} and the units below it only.",
                status=403,
                pointer=pointer,
                hint="Use the key of the unit's own province or commune, or ask the administrator"
                " to widen this key.",
            )

    def add_row(
        self,
        c: Candidate,
        content: Content,
        subject: Subject,
        origin: int,
        ordinal: int,
        revision: int,
        data: str,
        void: bool,
        effective: str | None,
    ) -> int:
        """Give the next position to a row; it is written at the next flush."""
        counter = self.counter
        position = counter.position + 1
        self._rows.append(
            Row(
                position, counter.lane_last[subject.lane], subject.lane, ordinal,
                counter.recorded, self.recorded_at, c.source, c.id, c.type, c.subject,
                content.unitid, c.time, content.occurred, origin, revision, subject.index,
                subject.kind, subject.key, c.content_mac, c.partner, c.traceparent, data, void, effective,
            )
        )  # fmt: skip
        counter.position = position
        counter.lane_last[subject.lane] = position
        return position

    def note_definition(self, subject: Subject) -> None:
        """Bring the tree of units up to the row just added, if it is one of definitions."""
        if subject.lane == DEFINITION_LANE:
            self.context.units.took(self.definitions, self._rows[-1], self.counter)

    async def flush(self) -> None:
        """Write what has positions, so that later statements of this transaction see it."""
        rows, self._rows = self._rows, []
        await store.insert(self.connection, rows)
        things, self._new_things = self._new_things, []
        references, self._new_references = self._new_references, []
        await store.add_things(self.connection, [(*t, origin, False) for t, origin in things])
        await store.add_references(self.connection, [(*t, origin) for t, origin in references])

    def note_void(self, things: list[store.Thing], void: set[store.Thing]) -> None:
        """Remember for the rest of this transaction which of these things are void now."""
        self._void_things.difference_update(things)
        self._void_things.update(void)
