"""The refresher: evaluates what changed and publishes it with its watermark, in one transaction.

It reads progress, dirty marks and tallies in one snapshot, so the watermark never promises more
than the cells show. Dirty marks are append-only; it deletes exactly those its snapshot saw. Its
memory (sums, definitions, cells) is a cache: started anew, it evaluates everything once.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import asyncpg
from opentelemetry import trace
from opentelemetry.trace import Span, SpanContext, SpanKind, Status, StatusCode

from services.metrics.evaluating import sums
from services.metrics.evaluating.cell import Cell
from services.metrics.evaluating.evaluate import Evaluator
from services.metrics.evaluating.joined import Joined, load_joined
from services.metrics.evaluating.sums import Known, Slot
from services.metrics.projecting import store
from services.metrics.tables import cells_store
from shared import telemetry
from shared.clock import Clock
from shared.contracts.definitions import Catalogue
from shared.contracts.record import record_decoder
from shared.db import Connection
from shared.domain.compile import Objective
from shared.domain.definitions import Definitions
from shared.domain.measures import Measure
from shared.domain.places import Places

EVERYTHING = (0, "")
"""The dirty mark of changed definitions."""

TRACED = 64
"""So many traced refreshes are remembered for the query that first shows them."""

tracer = trace.get_tracer("hocvuso.metrics", schema_url=telemetry.SCHEMA_URL)


@dataclass(frozen=True)
class Refreshed:
    """What a refresh has made visible: complete up to `watermark` of the log `epoch`."""

    epoch: str | None
    watermark: int
    cells: int
    everything: bool
    span: SpanContext | None


@dataclass
class _Memory:
    """`waits_for`: position of the first definition behind the watermark."""

    generation: int = -1
    day: date = date.min
    numbers: dict[str, int] = field(default_factory=dict)
    building: frozenset[str] = frozenset()
    parked: frozenset[tuple[str, str]] = frozenset()
    sums: dict[Slot, dict[str, tuple[int, int]]] = field(default_factory=dict)
    cells: dict[tuple[str, str, str], Cell] = field(default_factory=dict)
    watermark: int = -1
    waits_for: int | None = None
    plans: dict[str, tuple[str, Sequence[Objective]]] = field(default_factory=dict)
    placed: dict[int, Measure] = field(default_factory=dict)
    joined: dict[str, Joined] = field(default_factory=dict)


@dataclass(frozen=True)
class Look:
    """What there is to do: up to where is counted, by which measures; `building`: some wait."""

    watermark: int
    generation: int
    dirty: bool
    building: bool


async def look(connection: Connection) -> Look:
    """One short question, asked all the time."""
    row = await connection.fetchrow(_LOOK)
    assert row is not None  # noqa: S101 - a SELECT without FROM
    return Look(row["watermark"] or 0, row["generation"] or 0, row["dirty"], row["building"])


_LOOK = """
SELECT (SELECT min(through) FROM progress) AS watermark,
  (SELECT generation FROM projection WHERE one) AS generation,
  EXISTS (SELECT FROM dirty) AS dirty,
  EXISTS (SELECT FROM measure WHERE state = 'building') AS building
"""


class Refresher:
    """Keeps the tables `indicators.*` current. Only one may run: hold the advisory lock."""

    def __init__(self, pool: asyncpg.Pool, catalogue: Catalogue, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._definitions = Definitions(catalogue)
        self._places = Places(self._definitions.tree, date.min)
        self._memory = _Memory()
        self._started = 0
        self._span: Span | None = None

    def behind(self, state: Look) -> bool:
        """Whether a refresh would find something to do; what changes after the look, the next finds."""
        memory = self._memory
        return (
            state.dirty
            or memory.watermark != state.watermark
            or memory.generation != state.generation
            or memory.day != self._clock.today()
        )

    async def refresh(self) -> Refreshed | None:
        """Publish what changed since the last time; None if nothing did."""
        today = self._clock.today()
        self._started, self._span = time.time_ns(), None
        try:
            async with (
                self._pool.acquire() as connection,
                connection.transaction(isolation="repeatable_read"),
            ):
                return await self._refresh(connection, today)
        except BaseException as error:
            self._memory.generation = -1  # half of it may be in memory: evaluate everything again
            if isinstance(error, Exception):  # being told to stop is none
                self._span = self._span or self._begin([])
                self._span.set_attribute("error.type", type(error).__qualname__)
                self._span.set_status(Status(StatusCode.ERROR))
            raise
        finally:
            if self._span is not None:
                self._span.end()

    def _begin(self, traceparents: list[str]) -> Span:
        """Its span, begun when it was: a look that finds nothing to do leaves none."""
        return tracer.start_span(
            "refresh indicators",
            telemetry.root_context(),
            kind=SpanKind.INTERNAL,
            start_time=self._started,
            links=telemetry.links(traceparents),
        )

    async def _refresh(self, connection: Connection, today: date) -> Refreshed | None:
        memory = self._memory
        dirty = {
            (row["measure"], row["unit_id"])
            for row in await connection.fetch("DELETE FROM dirty RETURNING measure, unit_id")
        }
        state = await connection.fetchrow(
            "SELECT generation, log_epoch, (SELECT min(through) FROM progress) AS watermark"
            " FROM projection WHERE one"
        )
        assert state is not None  # noqa: S101 - the migration made the row
        everything = (
            EVERYTHING in dirty
            or memory.day != today
            or memory.generation != state["generation"]
            or (memory.waits_for is not None and memory.waits_for <= state["watermark"])
        )
        if not everything and not dirty and memory.watermark == state["watermark"]:
            return None
        changed: list[Cell] = []
        if everything:
            changed = await self._everything(connection, today, state["watermark"])
        elif dirty:
            changed = await self._some(connection, today, dirty)
        await cells_store.write_cells(connection, changed, replace_all=everything)
        unseen = await connection.fetch("DELETE FROM unseen RETURNING traceparent")
        context = None
        if unseen:
            self._span = self._begin([row["traceparent"] for row in unseen])
            self._span.set_attribute("hocvuso.watermark", state["watermark"])
            self._span.set_attribute("hocvuso.cells", len(changed))
            self._span.set_attribute("hocvuso.everything", everything)
            context = self._span.get_span_context()
        await connection.execute(
            "UPDATE shown SET position = $1, refreshed_at = $2, as_of = $3, log_epoch = $4,"
            f" traced = CASE WHEN $5::text = '' THEN traced ELSE (ARRAY[$5::text] || traced)[1:{TRACED}] END,"
            " definitions = $6 WHERE one",
            state["watermark"],
            self._clock.now(),
            today,
            state["log_epoch"],
            telemetry.sampled_header(context),
            self._definitions.position,
        )
        memory.generation, memory.day = state["generation"], today
        memory.watermark = state["watermark"]
        return Refreshed(state["log_epoch"], memory.watermark, len(changed), everything, context)

    # -- everything --------------------------------------------------------------------------

    async def _everything(self, connection: Connection, today: date, watermark: int) -> list[Cell]:
        memory = self._memory
        memory.waits_for = None
        for row in await connection.fetch(
            "SELECT position, record FROM definition WHERE position > $1 ORDER BY position",
            self._definitions.position,
        ):
            if row["position"] > watermark:
                # Facts before it are still to be counted: the tables stay as of one position.
                memory.waits_for = row["position"]
                break
            self._definitions.apply(record_decoder.decode(row["record"]))
        self._places = Places(self._definitions.tree, today)
        live, building = await store.load_measures(connection)
        memory.numbers = {measure.fingerprint(): number for number, measure in live.items()}
        rows = await connection.fetch("SELECT DISTINCT unit_id, type FROM parked")
        memory.parked = frozenset(
            (measure.fingerprint(), row["unit_id"])
            for row in rows
            for measure in live.values()
            if row["type"] in measure.types()
        )
        memory.plans = {}
        for plan in self._definitions.plan_ids():
            found = self._definitions.plan(plan, today)
            if found is not None:
                memory.plans[plan] = (found.document["unit"], found.objectives)
        objectives = [o for _, found in memory.plans.values() for o in found]
        memory.building = frozenset(
            {m.fingerprint() for o in objectives for m in o.all_measures()} - memory.numbers.keys()
        ) | frozenset(m.fingerprint() for m in building.values())
        evaluator = self._evaluator(today)
        memory.sums = await sums.load(connection, self._slots(evaluator, objectives))
        needed = {m.fingerprint() for o in objectives for m in o.all_measures() if m.placed}
        memory.placed = {n: m for n, m in live.items() if m.fingerprint() in needed}
        await self._join(connection)
        evaluator = self._evaluator(today)
        cells = []
        for root, found_objectives in memory.plans.values():
            units = [unit.unit_id for unit in self._places.scope(root)]
            others = {objective.id: objective for objective in found_objectives}
            for objective in found_objectives:
                cells += evaluator.cells(objective, root, units, others)
        memory.cells = {(c.plan, c.objective, c.unit_id): c for c in cells}
        await cells_store.write_states(connection, objectives, memory.building)
        return cells

    async def _join(self, connection: Connection) -> None:
        """Learn anew what merged units have in common."""
        memory = self._memory
        memory.joined = {
            root: await load_joined(connection, memory.placed, self._places, root, None)
            for root in sorted({root for root, _ in memory.plans.values()})
        }

    def _evaluator(self, today: date) -> Evaluator:
        memory = self._memory
        return Evaluator(
            self._definitions,
            self._places,
            Known(memory.numbers, memory.sums, memory.joined),
            today,
            building=memory.building,
            parked=memory.parked,
        )

    def _slots(self, evaluator: Evaluator, objectives: list[Objective]) -> set[Slot]:
        numbers = self._memory.numbers
        return {
            (numbers[measure.fingerprint()], window)
            for objective in objectives
            for measure, window in evaluator.needed(objective)
            if measure.fingerprint() in numbers
        }

    # -- what is dirty -----------------------------------------------------------------------

    async def _some(
        self, connection: Connection, today: date, dirty: set[tuple[int, str]]
    ) -> list[Cell]:
        memory = self._memory
        units: dict[int, list[str]] = {}
        for measure_number, unit_id in dirty:
            units.setdefault(measure_number, []).append(unit_id)
        slots = [slot for slot in memory.sums if slot[0] in units]
        await connection.execute("SET LOCAL enable_seqscan = off")
        fresh = await sums.load(connection, slots, units=units)
        for slot in slots:
            known = memory.sums[slot]
            for unit_id in units[slot[0]]:
                if unit_id in fresh[slot]:
                    known[unit_id] = fresh[slot][unit_id]
                else:
                    known.pop(unit_id, None)
        if any(
            joined.concerns(name)
            for number, name in dirty
            if number in memory.placed
            for joined in memory.joined.values()
        ):
            await self._join(connection)
        evaluator = self._evaluator(today)
        changed = []
        for root, objectives in memory.plans.values():
            shown = {unit.unit_id for unit in self._places.scope(root)}
            others = {objective.id: objective for objective in objectives}
            for objective in objectives:
                touched: set[str] = set()
                for measure in objective.all_measures():
                    number = memory.numbers.get(measure.fingerprint())
                    for unit_id in units.get(number, ()) if number is not None else ():
                        touched |= self._touched(root, unit_id)
                for cell in evaluator.cells(objective, root, sorted(touched & shown), others):
                    key = (cell.plan, cell.objective, cell.unit_id)
                    if memory.cells.get(key) != cell:
                        memory.cells[key] = cell
                        changed.append(cell)
        return changed

    def _touched(self, root: str, unit_id: str) -> set[str]:
        """The units whose cells may change with the facts of a unit."""
        home = self._places.home(unit_id).unit_id
        found = set(self._places.chain(home)) if home is not None else set()
        if not self._places.exists(root) and unit_id in self._places.within(root):
            found.add(root)
        return found
