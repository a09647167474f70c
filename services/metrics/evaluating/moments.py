"""A plan on one day as known on one day, read in one snapshot of the database."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

import asyncpg

from services.metrics.definition_rows import StoredRows
from services.metrics.evaluating import positions, sums
from services.metrics.evaluating.cell import Cell
from services.metrics.evaluating.evaluate import Evaluator, SumsOf
from services.metrics.evaluating.joined import Joined, load_joined
from services.metrics.evaluating.positions import check_position
from services.metrics.evaluating.sums import Known, Slot
from services.metrics.projecting import store
from shared.clock import Clock
from shared.db import Connection
from shared.domain.compile import Objective
from shared.domain.definitions import Definitions
from shared.domain.history import DefinitionHistory
from shared.domain.knowledge import Until
from shared.domain.measures import Measure
from shared.domain.places import Places, Sums
from shared.domain.plan_history import AmendedPlan
from shared.domain.units import UnknownUnit
from shared.problems import Problem

AT_ONCE = 200
"""So many cells are evaluated where they are asked for; more of them beside the event loop."""


@dataclass(frozen=True, kw_only=True)
class Moment:
    """`early`: nothing was known yet. `through`: as known after this row, recorded on the day
    `known_at`; None: at the end of `known_at`. `live`: measures by number; `building`:
    fingerprints of those still to be counted; `position`: everything up to here is counted."""

    plan: str
    as_of: date
    known_at: date | None
    through: int | None = None
    early: bool
    position: int
    epoch: str | None
    definitions: Definitions
    places: Places
    definition: AmendedPlan
    live: Mapping[int, Measure]
    building: frozenset[str]
    parked: frozenset[tuple[str, str]]

    def on(self, day: date, places: Places) -> "Moment":
        """The same state of knowledge of another day, with the tree of `places`."""
        found = self.definitions.plan(self.plan, day)
        assert found is not None  # noqa: S101 - a plan has a first version from ever
        return replace(self, as_of=day, places=places, definition=found)

    @property
    def until(self) -> Until:
        """What is known."""
        return self.known_at if self.through is None else self.through

    @property
    def document(self) -> dict[str, Any]:
        """The plan as amended by the day."""
        return self.definition.document

    @property
    def objectives(self) -> Sequence[Objective]:
        """Its objectives, as amended by the day."""
        return self.definition.objectives

    @property
    def root(self) -> str:
        """The plan's own unit."""
        unit: str = self.document["unit"]
        return unit

    @property
    def version(self) -> int:
        """The plan's version."""
        return self.definition.version

    @cached_property
    def others(self) -> dict[str, Objective]:
        """The plan's objectives by id."""
        return {objective.id: objective for objective in self.objectives}

    @cached_property
    def waiting(self) -> frozenset[str]:
        """Fingerprints of measures that cannot be read yet."""
        needed = {m.fingerprint() for o in self.objectives for m in o.all_measures()}
        return self.building | (needed - self.numbers.keys())

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Numbers of the measures that can be read, by fingerprint."""
        return {measure.fingerprint(): number for number, measure in self.live.items()}

    def objective(self, name: str) -> Objective:
        """One objective; Problem objective-unknown."""
        found = self.others.get(name)
        if found is None:
            raise Problem(
                "objective-unknown",
                f"The plan {self.plan} has no such objective.",
                status=404,
                hint=f"It has: {', '.join(self.others)}.",
                pointer="/objective",
            )
        return found

    def resolve(self, unit: str | None) -> str:
        """The unit_id that is meant; Problem if it is not the plan's unit or below it."""
        if unit is None or unit in (self.root, self.root.partition("@")[0]):
            return self.root
        if "@" in unit and self.places.tree.unit(unit) is not None:
            unit_id = unit
        else:
            try:
                unit_id = self.places.tree.resolve(unit, self.places.day).unit_id
            except UnknownUnit as error:
                raise Problem(error.code, error.detail, hint=error.hint, pointer="/unit") from error
        if unit_id != self.root and unit_id not in self.places.within(self.root):
            raise Problem(
                "unit-not-in-plan",
                f"{unit_id} does not belong to the plan's unit {self.root}.",
                hint="Ask for the plan's own unit or one below it.",
                pointer="/unit",
            )
        return unit_id

    def units(self, unit_id: str, level: str | None) -> list[str]:
        """A unit and those of a level in it (None: all that the plan shows)."""
        if level is None:
            below = [unit.unit_id for unit in self.places.scope(unit_id)][1:]
        else:
            below = self.places.units_below(unit_id, level)
        return [unit_id, *(name for name in below if name != unit_id)]

    def evaluator(self, known: SumsOf) -> Evaluator:
        """Evaluates on this day, over these sums."""
        return Evaluator(
            self.definitions,
            self.places,
            known,
            self.as_of,
            building=self.waiting,
            parked=self.parked,
        )

    async def cells(
        self, connection: Connection, objectives: Iterable[Objective], units: list[str]
    ) -> list[Cell]:
        """The cells of objectives and units; all `not_in_operation` before anything was known."""
        chosen = list(objectives)
        if self.early:
            return self.not_yet(chosen, units)
        numbers = self.numbers
        empty = self.evaluator(Known({}, {}))
        slots = {
            (numbers[measure.fingerprint()], window)
            for objective in chosen
            for measure, window in empty.needed(objective)
            if measure.fingerprint() in numbers
        }
        loaded = await self.sums(connection, slots)
        ready = self.evaluator(Known(numbers, loaded))
        others = self.others

        def evaluate() -> list[Cell]:
            return [cell for o in chosen for cell in ready.cells(o, self.root, units, others)]

        if len(chosen) * len(units) < AT_ONCE:
            return evaluate()
        return await asyncio.to_thread(evaluate)  # others are answered meanwhile

    async def sums(
        self, connection: Connection, slots: Iterable[Slot], joined: Joined | None = None
    ) -> dict[Slot, Sums]:
        """n and total per unit, as known at this moment; `joined`: what another tree than its own
        joins (see `joins`)."""
        wanted = list(slots)
        found: dict[Slot, Sums]
        if self.through is None or self.known_at is None:
            found = {**await sums.load(connection, wanted, known_at=self.known_at)}
        else:
            asked = positions.load(connection, wanted, self.live, self.known_at, self.through)
            found = {**await asked}
        if joined is None:
            joined = await self.joins(connection, {number for number, _ in wanted})
        return {slot: joined.add_to(pairs, *slot) for slot, pairs in found.items()}

    async def joins(
        self, connection: Connection, numbers: Iterable[int], places: Places | None = None
    ) -> Joined:
        """What the tree (or `places`) joins of these measures, as known at this moment."""
        measures = {number: self.live[number] for number in numbers}
        tree = places or self.places
        return await load_joined(connection, measures, tree, self.root, self.until)

    def not_yet(self, objectives: Iterable[Objective], units: Iterable[str]) -> list[Cell]:
        """Cells of a day on which nothing was known."""
        return [
            Cell(
                plan=self.plan,
                plan_version=self.version,
                objective=objective.id,
                unit_id=unit_id,
                status="not_in_operation",
                basis=objective.basis,
                flags=["not_in_operation"],
                as_of=self.as_of,
            )
            for objective in objectives
            for unit_id in units
        ]


class Moments:
    """Opens snapshots and finds plans in them."""

    def __init__(self, pool: asyncpg.Pool, definitions: DefinitionHistory, clock: Clock) -> None:
        self._pool = pool
        self._definitions = definitions
        self._clock = clock

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Connection]:
        """A connection that sees one state of the database."""
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield connection

    async def at(
        self,
        connection: Connection,
        plan: str,
        as_of: date | None,
        known_at: date | None,
        tree: str = "as_of",
        through: int | None = None,
    ) -> Moment:
        """The plan on a day (default: today) as known on a day (default: now), or, with `through`,
        after this row of the log, which was recorded on `known_at`; `tree` is `as_of`, `today` or a
        day. Problems: plan-unknown, tree-invalid, position-not-counted, position-too-early."""
        day = as_of or self._clock.today()
        state = await connection.fetchrow(
            "SELECT log_epoch, whole_from, (SELECT min(through) FROM progress) AS position,"
            " (SELECT recorded FROM first_day) AS first FROM projection WHERE one"
        )
        assert state is not None  # noqa: S101 - the migration made the row
        early = known_at is not None and (state["first"] is None or known_at < state["first"])
        if through is not None:
            check_position(through, state["whole_from"], state["position"])
            early = through == 0
        until: Until = known_at if through is None else through
        # Numbers are complete up to the position, so nothing that was defined behind it holds yet.
        stored = StoredRows(connection)
        definitions = await self._definitions.get(
            stored, None if early else until, limit=state["position"]
        )
        found = definitions.plan(plan, day)
        if found is None:
            raise Problem(
                "plan-unknown",
                f"No plan {plan!r} is known.",
                status=404,
                hint=f"Known: {', '.join(definitions.plan_ids()) or 'none yet'}.",
                pointer="/plan",
            )
        live, building = await store.load_measures(connection)
        rows = await connection.fetch("SELECT DISTINCT unit_id, type FROM parked")
        return Moment(
            plan=plan,
            as_of=day,
            known_at=known_at,
            through=through,
            early=early,
            position=state["position"],
            epoch=state["log_epoch"],
            definitions=definitions,
            places=Places(definitions.tree, self._tree_day(tree, day)),
            definition=found,
            live=live,
            building=frozenset(measure.fingerprint() for measure in building.values()),
            parked=frozenset(
                (measure.fingerprint(), row["unit_id"])
                for row in rows
                for measure in live.values()
                if row["type"] in measure.types()
            ),
        )

    def _tree_day(self, tree: str, as_of: date) -> date:
        special: dict[str, Callable[[], date]] = {
            "as_of": lambda: as_of,
            "today": self._clock.today,
        }
        try:
            return special[tree]() if tree in special else date.fromisoformat(tree)
        except ValueError:
            raise Problem(
                "tree-invalid",
                "tree is neither `as_of`, `today` nor a day.",
                hint="Write tree=as_of, tree=today or tree=2026-06-30.",
                pointer="/tree",
            ) from None
