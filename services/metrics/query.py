"""Cells of any day, as known on any day, computed from the tallies when asked."""

from collections import OrderedDict
from datetime import date
from typing import Any

import asyncpg
import msgspec

from services.metrics import store, sums
from services.metrics.cell import Cell
from services.metrics.compile import Objective
from services.metrics.definitions import Definitions
from services.metrics.evaluate import Evaluator
from services.metrics.places import Places
from services.metrics.sums import Known
from shared.clock import Clock
from shared.contracts.definitions import Catalogue
from shared.contracts.record import record_decoder
from shared.contracts.tree import UnknownUnit
from shared.db import Connection
from shared.problems import Problem

KEPT = 8


class Answer(msgspec.Struct, kw_only=True):
    """What `GET /v1/cells` says. `position`: complete up to here; `tree`: the tree of this day."""

    plan: str
    plan_version: int
    unit_id: str
    level: str | None
    as_of: date
    known_at: date | None
    tree: date
    position: int
    epoch: str | None
    not_in_operation: bool = False
    objectives: list[dict[str, Any]]
    cells: list[Cell]


class DefinitionsStore:
    """Definitions as known now or on earlier days; the last few states of knowledge are kept."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._kept: OrderedDict[date | None, tuple[Definitions, int]] = OrderedDict()

    async def get(self, connection: Connection, known_at: date | None) -> Definitions:
        """What the rows recorded until `known_at` (None: all) define."""
        definitions, _ = self._kept.get(known_at) or (Definitions(self.catalogue), 0)
        rows = await connection.fetch(
            "SELECT record FROM definition WHERE position > $1"
            " AND ($2::date IS NULL OR recorded <= $2) ORDER BY position",
            definitions.position,
            known_at,
        )
        for row in rows:
            definitions.apply(record_decoder.decode(row["record"]))
        self._kept[known_at] = (definitions, definitions.position)
        self._kept.move_to_end(known_at)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return definitions


class Cells:
    """Answers questions about cells."""

    def __init__(self, pool: asyncpg.Pool, definitions: DefinitionsStore, clock: Clock) -> None:
        self._pool = pool
        self._definitions = definitions
        self._clock = clock

    async def ask(
        self,
        plan: str,
        unit: str | None,
        level: str | None,
        as_of: date | None,
        known_at: date | None,
        tree: str,
    ) -> Answer:
        """The cells of `unit` (default: the plan's) and of the units of `level` (default: all
        that the plan shows) in it."""
        day = as_of or self._clock.today()
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            state = await connection.fetchrow(
                "SELECT log_epoch, (SELECT min(through) FROM progress) AS position,"
                " (SELECT recorded FROM first_day) AS first FROM projection"
            )
            assert state is not None  # noqa: S101 - the migration made the row
            early = known_at is not None and (state["first"] is None or known_at < state["first"])
            definitions = await self._definitions.get(connection, None if early else known_at)
            found = definitions.plan(plan, day)
            if found is None:
                raise Problem(
                    "plan-unknown",
                    f"No plan {plan!r} is known.",
                    status=404,
                    hint=f"Known: {', '.join(definitions.plan_ids()) or 'none yet'}.",
                    pointer="/plan",
                )
            document, objectives = found
            places = Places(definitions.tree, self._tree_day(tree, day))
            root: str = document["unit"]
            unit_id = root if unit is None else self._resolve(places, unit, root)
            units = _units(places, root, unit_id, level)
            answer = Answer(
                plan=plan,
                plan_version=int(document["version"]),
                unit_id=unit_id,
                level=level,
                as_of=day,
                known_at=known_at,
                tree=places.day,
                position=state["position"],
                epoch=state["log_epoch"],
                not_in_operation=early,
                objectives=[
                    {
                        "id": o.id,
                        "state": "not_counted" if o.reason is not None else "counted",
                        "reason": o.reason,
                    }
                    for o in objectives
                ],
                cells=[],
            )
            if early:
                answer.cells = [
                    Cell(
                        plan=plan,
                        plan_version=answer.plan_version,
                        objective=objective.id,
                        unit_id=name,
                        status="not_in_operation",
                        basis=objective.basis,
                        flags=["not_in_operation"],
                        as_of=day,
                    )
                    for objective in objectives
                    for name in units
                ]
                return answer
            answer.cells = await self._evaluate(
                connection, definitions, places, objectives, root, units, day, known_at
            )
        return answer

    async def _evaluate(
        self,
        connection: Connection,
        definitions: Definitions,
        places: Places,
        objectives: list[Objective],
        root: str,
        units: list[str],
        day: date,
        known_at: date | None,
    ) -> list[Cell]:
        live, building = await store.load_measures(connection)
        numbers = {measure.fingerprint(): number for number, measure in live.items()}
        needed = {m.fingerprint() for o in objectives for m in o.measures()}
        waiting = (needed - numbers.keys()) | {m.fingerprint() for m in building.values()}
        rows = await connection.fetch("SELECT DISTINCT unit_id, type FROM parked")
        parked = {
            (measure.fingerprint(), row["unit_id"])
            for row in rows
            for measure in live.values()
            if row["type"] in measure.types()
        }

        def evaluator(known: Known) -> Evaluator:
            return Evaluator(
                definitions, places, known, day, building=frozenset(waiting), parked=parked
            )

        empty = evaluator(Known({}, {}))
        slots = {
            (numbers[measure.fingerprint()], window)
            for objective in objectives
            for measure, window in empty.needed(objective)
            if measure.fingerprint() in numbers
        }
        loaded = await sums.load(connection, slots, known_at=known_at)
        ready = evaluator(Known(numbers, loaded))
        others = {objective.id: objective for objective in objectives}
        return [cell for o in objectives for cell in ready.cells(o, root, units, others)]

    def _tree_day(self, tree: str, as_of: date) -> date:
        if tree == "as_of":
            return as_of
        if tree == "today":
            return self._clock.today()
        try:
            return date.fromisoformat(tree)
        except ValueError:
            raise Problem(
                "tree-invalid",
                "tree is neither `as_of`, `today` nor a day.",
                hint="Write tree=as_of, tree=today or tree=2026-06-30.",
                pointer="/tree",
            ) from None

    def _resolve(self, places: Places, unit: str, root: str) -> str:
        if unit in (root, root.partition("@")[0]):
            return root
        if "@" in unit and places.tree.unit(unit) is not None:
            return unit
        try:
            return places.tree.resolve(unit, places.day).unit_id
        except UnknownUnit as error:
            raise Problem(error.code, error.detail, hint=error.hint, pointer="/unit") from error


def _units(places: Places, root: str, unit_id: str, level: str | None) -> list[str]:
    if unit_id != root and unit_id not in places.within(root):
        raise Problem(
            "unit-not-in-plan",
            f"{unit_id} does not belong to the plan's unit {root}.",
            hint="Ask for the plan's own unit or one below it.",
            pointer="/unit",
        )
    if level is None:
        below = [unit.unit_id for unit in places.scope(unit_id)][1:]
    else:
        below = places.units_below(unit_id, level)
    return [unit_id, *(name for name in below if name != unit_id)]
