"""From the POST of an event to the changed number in the table, at half of full load.

The whole system runs as `make up` starts it, with the country's units and the five plans. Full load
is measured first: single POSTs on 64 connections, each sent when the one before is answered. Then
half of that rate is posted open-loop (at fixed times, whether the one before was answered or not),
and every 200 ms one event of its own commune is followed: posted, and then its table asked
for with `after_position`, until its cell shows exactly as many as were posted there. Time counts
from when the event was due, so a generator that falls behind hides nothing.

    python -m bench visible --seconds 45
"""

import asyncio
import bisect
import contextlib
import itertools
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec

from bench import load
from bench.ingest import CONNECTIONS, SINGLE, event
from bench.report import Row
from deploy.local import apache_kafka
from deploy.local.errors import StackError
from deploy.local.stack import LocalStack

FULL_SECONDS = 8.0
SECONDS = 30.0
EVERY_SECONDS = 0.2
GOAL_SECONDS = 1.0
PLAN, OBJECTIVE, COMMUNE = "dak-lak-2026", "adults-certified-vneid", "22015"
"""Followed events belong to a commune that the load does not touch, so its number is known."""


@dataclass
class Seen:
    """Seconds from when an event was due to its number in the table; what the load did."""

    visible: list[float] = field(default_factory=list)
    posted: load.Result = field(default_factory=load.Result)
    full: float = 0.0

    def percentile(self, share: float) -> float:
        """In seconds."""
        ordered = sorted(self.visible)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def measure(_: LocalStack | None, seconds: float = SECONDS) -> list[Row]:
    """A row per broker: the embedded one, and Apache Kafka where it was fetched before."""
    rows = [seen_row(await follow(None, seconds), "the embedded broker")]
    try:
        kafka = apache_kafka.fetched()
    except StackError as error:
        print(f"visible on Apache Kafka: NOT RUN. {error}", file=sys.stderr)
        return rows
    return [*rows, seen_row(await follow(kafka, seconds), "Apache Kafka")]


def seen_row(seen: Seen, broker: str) -> Row:
    """The figure is the 99th percentile."""
    text = (
        f"p50 {1000 * seen.percentile(0.5):,.0f} ms, {len(seen.visible)} followed,"
        f" half of {seen.full:,.0f}/s"
    )
    figure = 1000 * seen.percentile(0.99)
    path = f"POST to visible, p99, {broker}"
    return Row(path, figure, "ms", text, None, 1000 * GOAL_SECONDS, at_most=True)


@contextlib.asynccontextmanager
async def system(kafka: Path | None) -> AsyncIterator[LocalStack]:
    """The whole system on the embedded broker, or on an unpacked Apache Kafka."""
    outer = os.environ.pop("HOCVUSO_KAFKA_HOME", None)
    if kafka is not None:
        os.environ["HOCVUSO_KAFKA_HOME"] = str(kafka)
    try:
        with tempfile.TemporaryDirectory(prefix="hocvuso-visible-") as folder:
            async with LocalStack(Path(folder) / "home", report=lambda _: None) as stack:
                yield stack
    finally:
        os.environ.pop("HOCVUSO_KAFKA_HOME", None)
        if outer is not None:
            os.environ["HOCVUSO_KAFKA_HOME"] = outer


async def follow(kafka: Path | None, seconds: float) -> Seen:
    """Start a system, find its full load, and follow events at half of it."""
    async with system(kafka) as stack:
        return await at_half_load(stack, seconds)


async def at_half_load(stack: LocalStack, seconds: float) -> Seen:
    """On a system that runs and is well."""
    key = stack.home.admin_key.read_text().strip()
    port, numbers = stack.addresses.ports["activities"], itertools.count()

    def bodies() -> Iterator[bytes]:
        for n in numbers:
            yield load.request("/v1/events", msgspec.json.encode(event(n)), SINGLE, key)

    seen = Seen()
    follower = Follower(stack, key, seen)
    async with follower.client:
        await follower.settled(120)
        full = await load.run(port, bodies, CONNECTIONS, FULL_SECONDS)
        seen.full = full.rate
        await follower.settled(300)
        following = asyncio.create_task(follower.run(seconds))
        seen.posted = await load.paced(port, bodies, CONNECTIONS, seen.full / 2, seconds)
        await following
    return seen


class Follower:
    """Posts events of one commune and waits for each to be seen in its table."""

    def __init__(self, stack: LocalStack, key: str, seen: Seen) -> None:
        self._urls, self._seen = stack.urls, seen
        self._sent = 0
        self._positions: list[int] = []
        self.client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {key}"}, timeout=60, trust_env=False
        )

    async def run(self, seconds: float) -> None:
        """Follow events that are due at fixed times, each by itself: slow ones hold up no other."""
        start = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for turn in range(int(seconds / EVERY_SECONDS)):
                due = start + turn * EVERY_SECONDS
                await asyncio.sleep(max(due - time.perf_counter(), 0))
                group.create_task(self._follow(due))

    async def _follow(self, due: float) -> None:
        await self.shown(await self.post(), 60)
        self._seen.visible.append(time.perf_counter() - due)

    async def settled(self, seconds: float) -> None:
        """Post one and wait until it is seen: with it, all that was posted before."""
        await self.shown(await self.post(), seconds)

    async def post(self) -> int:
        """One event of the commune; its position."""
        self._sent += 1
        made: dict[str, Any] = {**event(0), "id": f"followed-{self._sent}", "subject": COMMUNE}
        made["data"]["person"]["value"] = f"followed-person-{self._sent}"
        answer = await self.client.post(
            f"{self._urls['activities']}/v1/events",
            content=msgspec.json.encode(made),
            headers={"Content-Type": SINGLE},
        )
        answer.raise_for_status()
        position = int(answer.json()["position"])
        bisect.insort(self._positions, position)
        return position

    async def shown(self, position: int, seconds: float) -> None:
        """Return when the table counts the event at `position`. Raises when it shows too few."""
        until = time.perf_counter() + seconds
        while True:
            answer = await self.client.get(
                f"{self._urls['registry']}/v1/plans/{PLAN}/table",
                params={"unit": COMMUNE, "after_position": position, "wait": 20},
            )
            if answer.status_code == 200:
                break
            if time.perf_counter() > until:
                answer.raise_for_status()
        [row] = answer.json()["rows"]
        value = row["cells"][OBJECTIVE]["value"]
        least = bisect.bisect_right(self._positions, position)
        if not least <= value <= self._sent:
            raise RuntimeError(f"the table shows {value}, not {least} to {self._sent}")
