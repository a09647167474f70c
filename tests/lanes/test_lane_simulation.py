"""Lanes against a hostile bus: lost, doubled, reordered, cut batches, crashes, late markers.

The real `LaneConsumer._take` and the real lane rules run over a bus that may do anything and a log
that is complete. After every step: nothing counted twice, nothing out of order in its lane, and a
watermark W means that every row up to W was counted. At the end everything was counted once.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.contracts.record import LogRecord, Through
from shared.lane_consumer import LaneConsumer
from shared.lanes import Lane, watermark

LANES = 4
DAY = date(2026, 6, 30)


def a_log(lanes: list[int]) -> list[LogRecord]:
    last = dict.fromkeys(range(LANES), 0)
    rows = []
    for position, lane in enumerate(lanes, start=1):
        rows.append(
            LogRecord(
                id=str(position), source="s", type="vn.hocvuso.x", subject="1", time="t",
                epoch="e", position=position, prev=last[lane], lane=lane, recorded=DAY,
                occurred=DAY, unitid="1@2025", origin=position, keykind="event", key=b"k", data={},
            )
        )  # fmt: skip
        last[lane] = position
    return rows


def marker(rows: list[LogRecord], through: int, lanes: list[int]) -> Through:
    last = {
        n: max((r.position for r in rows if r.lane == n and r.position <= through), default=0)
        for n in lanes
    }
    return Through(epoch="e", through=through, last=last)


class Crash(Exception):
    """The worker dies here."""


class Store:
    """What survives a crash: committed rows and committed progress."""

    def __init__(self) -> None:
        self.lanes = {n: Lane() for n in range(LANES)}
        self.counted: list[int] = []


class FakeProjection:
    def __init__(self, store: Store, chance: random.Random, crash_rate: float) -> None:
        self._store, self._chance, self._crash_rate = store, chance, crash_rate
        self.lanes = {n: Lane(x.last, x.through) for n, x in store.lanes.items()}

    async def bind(self, epoch: str) -> None:
        assert epoch == "e"

    async def apply(self, records: list[LogRecord], lanes: dict[int, Lane]) -> None:
        if self._chance.random() < self._crash_rate:
            raise Crash  # before the commit
        self._store.counted += [r.position for r in records]
        for n, lane in lanes.items():
            assert lane.last >= self._store.lanes[n].last
            self._store.lanes[n] = Lane(lane.last, lane.through)
        if self._chance.random() < self._crash_rate:
            raise Crash  # after the commit, before anyone knows
        self.lanes.update({n: Lane(x.last, x.through) for n, x in lanes.items()})

    async def settle(self) -> None:
        """Nothing to wait for."""


class FakeReader:
    """The log: complete, in small pages, growing like the real one."""

    def __init__(self, rows: list[LogRecord]) -> None:
        self.rows, self.end = rows, 0

    async def read(
        self, after: int, lanes: list[int]
    ) -> AsyncIterator[tuple[list[LogRecord], Through]]:
        while True:
            found = [r for r in self.rows if after < r.position <= self.end and r.lane in lanes]
            page = found[:3]
            through = page[-1].position if len(page) == 3 else max(self.end, after)
            yield page, marker(self.rows, through, lanes)
            if len(page) < 3:
                return
            after = through


def check(store: Store, rows: list[LogRecord]) -> None:
    assert len(store.counted) == len(set(store.counted)), "counted twice"
    lane_of = {r.position: r.lane for r in rows}
    for n in range(LANES):
        own = [p for p in store.counted if lane_of[p] == n]
        assert own == sorted(own), "out of order within a lane"
    complete = watermark(store.lanes)
    assert set(range(1, complete + 1)) <= set(store.counted), "the watermark promises too much"


async def simulate(lanes: list[int], seed: int, crash_rate: float) -> None:
    chance = random.Random(seed)
    rows, store = a_log(lanes), Store()
    reader = FakeReader(rows)

    def worker() -> LaneConsumer:
        return LaneConsumer(FakeProjection(store, chance, crash_rate), reader, "", "test")  # type: ignore[arg-type]

    consumer = worker()
    sent = 0
    in_flight: list[LogRecord | Through] = []
    while sent < len(rows) or in_flight:
        if sent < len(rows):
            count = chance.randint(1, 5)
            batch = rows[sent : sent + count]
            sent += len(batch)
            reader.end = sent
            if chance.random() < 0.2:
                batch = rows[max(0, sent - 8) : sent]  # a relay sends again
            in_flight += [r for r in batch if chance.random() > 0.25]  # the bus loses
            if chance.random() < 0.8:
                in_flight.append(marker(rows, sent, list(range(LANES))))
            if chance.random() < 0.3:
                chance.shuffle(in_flight)  # partitions mixed, messages reordered
        taken = chance.randint(0, len(in_flight))
        now, in_flight = in_flight[:taken], in_flight[taken:]
        if chance.random() < 0.2:
            in_flight = now + in_flight  # delivered again later
        try:
            await consumer._take(
                [m for m in now if isinstance(m, LogRecord)],
                [m for m in now if isinstance(m, Through)],
                from_log=False,
            )
        except Crash:
            consumer = worker()
        check(store, rows)
        if sent >= len(rows) and chance.random() < 0.2:
            in_flight = []
    calm = LaneConsumer(FakeProjection(store, chance, 0), reader, "", "test")  # type: ignore[arg-type]
    await calm._take([], [marker(rows, len(rows), list(range(LANES)))], from_log=False)
    check(store, rows)
    assert sorted(store.counted) == [r.position for r in rows], "something was lost"
    assert watermark(store.lanes) == len(rows)


@settings(max_examples=1500, deadline=None)
@given(
    st.lists(st.integers(0, LANES - 1), max_size=40),
    st.integers(0, 2**32),
    st.sampled_from([0.0, 0.1, 0.3]),
)
def test_any_bus_gives_the_log(lanes: list[int], seed: int, crash_rate: float) -> None:
    asyncio.run(simulate(lanes, seed, crash_rate))


def test_a_marker_never_moves_last() -> None:
    lane = Lane(5, 5)
    assert lane.mark(9, 5)
    assert (lane.last, lane.through) == (5, 9)
    assert not lane.mark(12, 11)
    assert (lane.last, lane.through) == (5, 9)
