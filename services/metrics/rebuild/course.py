"""The course of a rebuild: read, count, compare, put in place.

    read      the log up to what live counting has counted      table said
    count     subject after subject                              table sum
    compare   in one snapshot, at the same row of every lane     what differs from live
    put       new measures: lane by lane, before anybody sees them; then, all lanes locked, the few
              rows that were counted since, and what was found to be wrong

Live counting goes on all the time but for the last step, which takes as long as those few rows.
A crash before its commit leaves shadow tables, which the next rebuild drops, and perhaps rows of
measures that are not live, which the next rebuild finds and uses.
"""

import time
from contextlib import aclosing
from dataclasses import dataclass, field

import asyncpg

from services.metrics.counting.contribute import Contributor
from services.metrics.projecting import generations, spans, store
from services.metrics.rebuild import compare, merge, shadow
from services.metrics.rebuild.binary import Rows
from services.metrics.rebuild.compare import Difference
from services.metrics.rebuild.counting import Counting, Effects
from services.metrics.rebuild.meter import Meter
from services.metrics.rebuild.reading import Reading, Unreadable
from services.metrics.rebuild.source import FACTS, Counted, Source, counted
from shared.contracts.definitions import Catalogue
from shared.db import Connection
from shared.domain.measures import Measure
from shared.lane_consumer import LogReader

NEARLY = 5_000
"""So few rows may be left to read when the lanes are locked; while more are, they are read first."""
ROUNDS = 20
"""At most so often: who counts faster than we read is locked out at last."""
SUMS_WAITING = 200_000


@dataclass
class Report:
    """What a rebuild found. `rows`: of the log, read and not parked; `locked`: seconds during which
    live counting had to wait; `steps`: seconds of each step."""

    measures: int
    rows: int = 0
    seconds: float = 0.0
    locked: float = 0.0
    steps: dict[str, float] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    evidence_differences: int = 0
    swapped: bool = False


class Course:
    """One rebuild."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        connection: Connection,
        reader: LogReader,
        catalogue: Catalogue,
        measures: dict[int, Measure],
        live: set[int],
        meter: Meter,
    ) -> None:
        self.pool = pool
        self.connection = connection
        self.measures = measures
        self.numbers = sorted(measures)
        self.live = sorted(live & measures.keys())
        self.building = sorted(measures.keys() - live)
        self.meter = meter
        self.report = Report(len(measures))
        self.reading = Reading(Contributor(measures, catalogue))
        types = sorted({name for m in measures.values() for name in m.types()})
        self.source = Source(reader, self.reading, types)
        self.effects = Effects()
        self.counting = Counting(measures, self.effects)
        self._indexed = False

    async def run(self, *, everything: bool, keep: bool) -> None:
        """All steps; `keep`: the live tables stay as they are."""
        started = time.monotonic()
        await shadow.prepare(self.connection)
        self.meter.step("reading the log")
        await self._read()
        self._stop("read", started)
        counting = time.monotonic()
        self.meter.step("counting")
        await self._count()
        self._stop("count", counting)
        comparing = time.monotonic()
        self.meter.step("comparing", guess=True)
        await self._near()
        await self._compare()
        self._stop("compare", comparing)
        if not keep:
            putting = time.monotonic()
            self.meter.step("putting in place", guess=True)
            await self._put(everything)
            self._stop("put", putting)
        self.report.rows = self.reading.rows
        self.report.seconds = time.monotonic() - started
        self.meter.done()

    def _stop(self, step: str, started: float) -> None:
        self.report.steps[step] = time.monotonic() - started

    # -- read, count --------------------------------------------------------------------------

    async def _read(self) -> None:
        """Read what was counted so far, and again while that was much."""
        for _ in range(ROUNDS):
            aim = await counted(self.connection)
            if self.source.behind(aim) <= (NEARLY if any(self.source.upto.values()) else 0):
                break
            pages = self.source.pages(aim, self.meter.within)
            async with aclosing(pages):  # type: ignore[type-var]
                await shadow.copy_said(self.connection, pages)

    def _learn(self) -> None:
        self.counting.learn(self.reading.combinations, self.reading.units)

    async def _count(self) -> None:
        """Sum up every subject; what is summed up is written as it comes."""
        self._learn()
        hard = self.reading.hard > 0
        await shadow.mark_hard(self.connection, some=hard)
        done = 0
        async with self.pool.acquire() as second:

            async def take(rows: object) -> None:
                nonlocal done
                done += self.counting.rows(rows)  # type: ignore[arg-type]
                if self.counting.waiting() > SUMS_WAITING:
                    await self._give(second)
                self.meter.within(done / self.reading.said)

            rows = Rows(shadow.PLAIN_LAYOUT, take)
            await shadow.plain_rows(self.connection, rows, some_hard=hard)
            self.counting.finish()
            if hard:
                async with self.connection.transaction():
                    done += await self._subjects(second, shadow.HARD_SUBJECTS)
            await self._give(second)

    async def _subjects(self, second: Connection, query: str, table: str = "sum_next") -> int:
        done = 0
        subjects = shadow.subjects(self.connection, query, self.counting)
        async with aclosing(subjects):  # type: ignore[type-var]
            async for rows in subjects:
                done += len(rows)
                try:
                    self.counting.subject(rows)
                except Exception as error:
                    at = next(row.position for row in rows if row.new)
                    raise Unreadable(at, f"{type(error).__name__}: {error}") from error
                if self.counting.waiting() > SUMS_WAITING:
                    await self._give(second, table)
        return done

    async def _give(self, connection: Connection, table: str = "sum_next") -> None:
        await shadow.add_sums(connection, self.counting.take(), table)
        await shadow.add_ended(connection, self.counting.take_ended())

    # -- rows that live counting has counted meanwhile ----------------------------------------

    async def _late(self, aim: Counted, table: str, touched: bool) -> None:
        """Read and count rows up to `aim`, inside the caller's transaction."""
        if not self.source.behind(aim):
            await self._pass(aim)
            return
        if not self._indexed:
            await self.connection.execute("CREATE INDEX ON said_next (subject)")
            self._indexed = True
        pages = self.source.pages(aim)
        async with aclosing(pages):  # type: ignore[type-var]
            await shadow.copy_said(self.connection, pages, "late_next")
        await self.connection.execute("ANALYZE late_next")
        self._learn()
        await self._subjects(self.connection, shadow.LATE_SUBJECTS, table)
        await self._give(self.connection, table)
        await shadow.keep_late(self.connection, touched=touched)

    async def _pass(self, aim: Counted) -> None:
        """Nothing to read; check that what was read still holds."""
        async for _ in self.source.pages(aim):
            pass

    async def _near(self) -> None:
        """Catch up while there is much to catch up with."""
        for _ in range(ROUNDS):
            async with self.connection.transaction():
                aim = await counted(self.connection)
                if self.source.behind(aim) <= NEARLY:
                    return
                await self._late(aim, "sum_next", touched=False)

    # -- compare ------------------------------------------------------------------------------

    async def _compare(self) -> None:
        connection = self.connection
        async with connection.transaction(isolation="repeatable_read"):
            await self._late(await counted(connection), "sum_next", touched=False)
            await shadow.name(connection, self.reading, self.effects)
            await compare.tallies(connection, self.numbers)
            await compare.know_marks(connection, self.reading, set(self.measures))
            differ = await compare.evidence(connection)
            self.report.differences = await compare.tally_differences(connection, self.live)
        if not self.building:
            self.report.evidence_differences = differ

    # -- put in place -------------------------------------------------------------------------

    async def _put(self, everything: bool) -> None:
        connection = self.connection
        evidence = merge.EvidenceDifferences(
            connection, store.Combinations(), self.reading, set(self.measures)
        )
        ahead = not self.live
        if ahead:
            await self._ahead(evidence)
        await self._near_since()
        async with connection.transaction():
            await generations.lock_lanes(connection)
            locked = time.monotonic()
            await self._late(await counted(connection), "sum_late_next", touched=True)
            await shadow.name(connection, self.reading, self.effects)
            await compare.know_marks(connection, self.reading, set(self.measures))
            if self.live and await compare.touched_differ(connection):
                # They were counted on wrong evidence: what differs must be found anew.
                await connection.execute("INSERT INTO sum_next SELECT * FROM sum_late_next")
                await compare.tallies(connection, self.numbers)
                await self._write_tallies(self.numbers)
            else:
                if not ahead:
                    await self._write_tallies(self.numbers)
                await merge.add_late_tallies(connection, self.building)
            if ahead:
                await compare.forget_changes(connection)
            await compare.touched_evidence(connection)
            await evidence.write()
            if everything:
                await connection.execute("UPDATE projection SET whole_from = 0 WHERE one")
            await connection.execute(
                "UPDATE measure SET state = 'live' WHERE id = ANY($1::smallint[])", self.numbers
            )
            await generations.next_generation(connection)
            await connection.execute("INSERT INTO dirty VALUES (0, '')")
        self.report.locked = time.monotonic() - locked
        self.report.swapped = True

    async def _write_tallies(self, measures: list[int]) -> None:
        changed = set(await compare.changed_measures(self.connection)) & set(measures)
        if changed:
            await spans.forget(self.connection, changed)
            await merge.add_tallies(self.connection, sorted(changed))

    async def _ahead(self, evidence: merge.EvidenceDifferences) -> None:
        """Write measures that are not live: nobody reads or counts them. Lane by lane, so that
        live counting waits for a lane only as long as that lane takes."""
        connection = self.connection
        await merge.add_tallies(connection, self.numbers)
        await compare.index_changes(connection)
        for lane in FACTS:
            async with connection.transaction():
                await connection.execute("SELECT FROM progress WHERE lane = $1 FOR UPDATE", lane)
                await evidence.write(lane=lane)
            self.meter.within(0.9 * (lane + 1) / len(FACTS))

    async def _near_since(self) -> None:
        for _ in range(ROUNDS):
            async with self.connection.transaction():
                aim = await counted(self.connection)
                if self.source.behind(aim) <= NEARLY:
                    return
                await self._late(aim, "sum_late_next", touched=True)
