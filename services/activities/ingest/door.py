"""The one door into the log: every path (REST, stream, Kafka, xAPI, file) hands its events in here.

So limits, rights, answers and what is kept of the refused are the same on every path.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from enum import Enum
from typing import Protocol

from services.activities.ingest import answers, tally
from services.activities.ingest.answers import Result
from services.activities.ingest.intake import Intake, Judged
from services.activities.keys.model import Key
from services.activities.log.append import Also, Told
from services.activities.log.model import Candidate, Outcome, Status
from shared.db import Connection

YIELD_EVERY = 100
"""Events of a batch after which other requests get their turn."""

TellResults = Callable[[Connection, Sequence[Result]], Awaitable[None]]
"""What a path writes in the append transaction once it knows the result of each element."""


class Path(Enum):
    """The way on which events came in."""

    REST = "rest"
    STREAM = "stream"
    KAFKA = "kafka"
    XAPI = "xapi"
    REPLAY = "replay"


class Submits(Protocol):
    """What the door needs of the log."""

    async def submit(
        self,
        candidates: Sequence[Candidate],
        *,
        atomic: bool = False,
        dry_run: bool = False,
        also: Also | None = None,
        told: Told | None = None,
    ) -> list[Outcome]: ...


class Door:
    """Judges events and submits the good ones."""

    def __init__(self, intake: Intake, log: Submits) -> None:
        self._intake = intake
        self._log = log

    async def one(
        self,
        raw: bytes,
        key: Key,
        path: Path,
        *,
        traceparent: str | None,
        dry_run: bool = False,
    ) -> Result:
        """The answer for one event, after the commit. Raises Problem when the log is down."""
        judged = self._intake.judge(raw, key, traceparent)
        outcome = None
        if judged.candidate is not None:
            outcome = (await self._log.submit([judged.candidate], dry_run=dry_run))[0]
        result = answers.result(judged, outcome)
        if not dry_run:
            tally.count_one(path.value, key.name, judged, result)
        return result

    async def take(
        self,
        elements: Sequence[bytes],
        key: Key,
        path: Path,
        *,
        traceparent: str | None,
        atomic: bool = False,
        dry_run: bool = False,
        also: Also | None = None,
        told: TellResults | None = None,
    ) -> list[Result]:
        """One result per element, in order, after the commit. Raises Problem when the log is down.

        `also` runs in the very transaction that appends (offsets of streams and topics): it holds
        if and only if what was handed in here was dealt with. It runs even when nothing was good. `told` is
        the same, given the results: for answers that must not be lost (not with `atomic`).
        """
        judged: list[Judged] = []
        for index, raw in enumerate(elements):
            if index % YIELD_EVERY == YIELD_EVERY - 1:
                await asyncio.sleep(0)
            judged.append(self._intake.judge(raw, key, traceparent))
        good = [j.candidate for j in judged if j.candidate is not None]
        give_up = atomic and len(good) < len(judged)
        # A batch already lost is still judged to the end, so that all its faults are told at once.

        async def tell(connection: Connection, outcomes: Sequence[Outcome]) -> None:
            if told is not None:
                await told(connection, _results(judged, outcomes))

        outcomes = await self._log.submit(
            good,
            atomic=atomic and not give_up,
            dry_run=dry_run or give_up,
            also=also,
            told=tell if told is not None else None,
        )
        results = _results(judged, outcomes)
        if give_up or (atomic and any(r.status is Status.REJECTED for r in results)):
            results = [answers.undone(r) for r in results]
        if not dry_run:
            tally.count(path.value, key.name, judged, results)
        return results


def _results(judged: Sequence[Judged], outcomes: Sequence[Outcome]) -> list[Result]:
    """The result of each element: what the log said of the good ones, why the others are not."""
    said = iter(outcomes)
    return [answers.result(j, next(said) if j.candidate is not None else None) for j in judged]
