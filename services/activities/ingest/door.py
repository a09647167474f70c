"""The one door into the log: every path (REST, stream, Kafka, xAPI, replay) hands its events in here.

So limits, rights, answers, the books and what is kept of the refused are the same on every path.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from enum import Enum
from typing import Any, Protocol

from services.activities.ingest import answers, tally
from services.activities.ingest.answers import Result
from services.activities.ingest.intake import Intake, Judged
from services.activities.keys.model import Key
from services.activities.keys.rights import Rights
from services.activities.log.growth import Newer
from services.activities.log.model import Also, Candidate, Delivery, Kept, Outcome, Told
from shared.db import Connection
from shared.problems import Problem

YIELD_EVERY = 100
"""Events of a batch after which other requests get their turn."""

Element = bytes | Problem
"""The bytes of one event; or why they were not even taken in (a line too long)."""

Ready = Callable[[], Awaitable[None]]
"""Awaited between judging and submitting: a path's earlier events must be in the log first."""

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
        delivery: Delivery | None = None,
    ) -> list[Outcome]: ...


class Door:
    """Judges events and submits the good ones; the refused ones are counted and kept."""

    def __init__(
        self,
        intake: Intake,
        log: Submits,
        rights: Rights | None = None,
        newer: Newer | None = None,
    ) -> None:
        """`rights`: keeps quotas and books of use; None: nobody has a quota. `newer`: learns what
        other processes have defined; None: there are none."""
        self._newer = newer
        self._intake = intake
        self._log = log
        self._rights = rights

    async def catch_up(self) -> bool:
        """Learn what other processes have defined; whether the catalogue is another one now."""
        return self._newer is not None and await self._newer()

    async def one(
        self,
        raw: bytes,
        key: Key,
        path: Path,
        *,
        traceparent: str | None,
        dry_run: bool = False,
    ) -> Result:
        """The answer for one event, after the commit. Raises Problem when the log is down (503) or
        a quota is used up (429)."""
        rights = self._rights
        if rights is None:
            return await self._one(raw, key, path, traceparent, dry_run)
        rights.spend(key, path.value, 1)
        try:
            result = await self._one(raw, key, path, traceparent, dry_run)
        except BaseException:
            rights.not_taken(key, 1)
            raise
        rights.answered(key, path.value, (result,), dry_run=dry_run)
        return result

    async def _one(
        self, raw: bytes, key: Key, path: Path, traceparent: str | None, dry_run: bool
    ) -> Result:
        judged = self._intake.judge(raw, key, traceparent)
        if _perhaps_defined(judged) and await self.catch_up():
            judged = self._intake.judge(raw, key, traceparent)
        if judged.candidate is None:
            return (await self._submit([raw], [judged], key, path, traceparent, dry_run=dry_run))[0]
        delivery = Delivery(key.name, path.value, traceparent, (), lambda _: self._intake.keep(raw))
        found = await self._log.submit([judged.candidate], dry_run=dry_run, delivery=delivery)
        result = answers.result(judged, found[0])
        if not dry_run:
            tally.count_one(path.value, key.name, judged, result)
        return result

    async def take(
        self,
        elements: Sequence[Element],
        key: Key,
        path: Path,
        *,
        traceparent: str | None,
        atomic: bool = False,
        dry_run: bool = False,
        also: Also | None = None,
        told: TellResults | None = None,
        ready: Ready | None = None,
    ) -> list[Result]:
        """One result per element, in order, after the commit. Raises Problem when the log is down
        (503) or a quota is used up (429); a stream waits for the quota of the minute instead.

        `also` runs in the very transaction that appends (offsets of streams and topics): it holds
        if and only if what was handed in here was dealt with. It runs even when nothing was good,
        and may give everything up (`log.model.Also`); what it raises then is raised here.
        `told` runs there too, given the results: for answers that must not be lost.
        `ready` lets these elements be judged while those before them are still being written.
        """
        async with self._counted(key, path, len(elements), dry_run) as results:
            results += await self._take(
                elements, key, path, traceparent,
                atomic=atomic, dry_run=dry_run, also=also, told=told, ready=ready,
            )  # fmt: skip
        return results

    async def _take(
        self,
        elements: Sequence[Element],
        key: Key,
        path: Path,
        traceparent: str | None,
        *,
        atomic: bool,
        dry_run: bool,
        also: Also | None,
        told: TellResults | None,
        ready: Ready | None,
    ) -> list[Result]:
        judged: list[Judged] = []
        for index, raw in enumerate(elements):
            if index % YIELD_EVERY == YIELD_EVERY - 1:
                await asyncio.sleep(0)
            if isinstance(raw, Problem):
                judged.append(Judged(None, None, None, raw))
            else:
                judged.append(self._intake.judge(raw, key, traceparent))
        if ready is not None:
            await ready()
        if any(map(_perhaps_defined, judged)) and await self.catch_up():
            for index, raw in enumerate(elements):
                if isinstance(raw, bytes) and _perhaps_defined(judged[index]):
                    judged[index] = self._intake.judge(raw, key, traceparent)
        return await self._submit(
            elements, judged, key, path, traceparent,
            atomic=atomic, dry_run=dry_run, also=also, told=told,
        )  # fmt: skip

    async def replay(
        self,
        kept: dict[str, Any],
        mac: bytes | None,
        key: Key,
        *,
        traceparent: str | None,
        dry_run: bool = False,
        also: Also | None = None,
        told: TellResults | None = None,
    ) -> Result:
        """Hand an event of the quarantine in again, mended or not; see `Intake.judge_again`.

        It is counted like any other; refused again it is not kept twice.
        """
        judged = self._intake.judge_again(kept, mac, key, traceparent)
        async with self._counted(key, Path.REPLAY, 1, dry_run) as results:
            results += await self._submit(
                [self._intake.kept_before(kept)],
                [judged],
                key,
                Path.REPLAY,
                traceparent,
                dry_run=dry_run,
                also=also,
                told=told,
            )
        return results[0]

    @contextlib.asynccontextmanager
    async def _counted(
        self, key: Key, path: Path, number: int, dry_run: bool
    ) -> AsyncIterator[list[Result]]:
        """Spend the quota for what the body takes in; note what it answered."""
        rights, results = self._rights, list[Result]()
        if rights is None:
            yield results
            return
        # A stream waits here; an intake waits itself, but cannot make its batches smaller.
        split = path is Path.KAFKA and rights.quotas.too_many(key.quota_account, number)
        if path is Path.STREAM or split:
            await rights.pause(key, path.value, number)
        else:
            rights.spend(key, path.value, number)
        try:
            yield results
        except BaseException:
            rights.not_taken(key, number)
            raise
        rights.answered(key, path.value, results, dry_run=dry_run)

    async def _submit(
        self,
        elements: Sequence[Element | Kept],
        judged: Sequence[Judged],
        key: Key,
        path: Path,
        traceparent: str | None,
        *,
        atomic: bool = False,
        dry_run: bool = False,
        also: Also | None = None,
        told: TellResults | None = None,
    ) -> list[Result]:
        """Submit what was judged; an element kept before is not kept again when it is refused."""
        good = [i for i, j in enumerate(judged) if j.candidate is not None]

        def keep(index: int) -> Kept:
            raw = elements[index]
            if isinstance(raw, Kept):
                return raw
            if isinstance(raw, Problem):
                return self._intake.keep_unread(raw, key)
            return self._intake.keep(raw)

        refused = []
        for index, one in enumerate(judged):
            if one.candidate is None and one.problem is not None:
                refused.append((keep(index), one.problem))
                if len(refused) % YIELD_EVERY == 0:
                    await asyncio.sleep(0)
        delivery = Delivery(
            key.name,
            path.value,
            traceparent,
            refused,
            None if path is Path.REPLAY else lambda place: keep(good[place]),
        )

        async def tell(connection: Connection, outcomes: Sequence[Outcome]) -> None:
            if told is not None:
                await told(connection, _results(judged, outcomes))

        # A batch already lost is still judged to the end, so that all its faults are told at once.
        outcomes = await self._log.submit(
            [j.candidate for j in judged if j.candidate is not None],
            atomic=atomic,
            dry_run=dry_run,
            also=also,
            told=tell if told is not None else None,
            delivery=delivery,
        )
        results = _results(judged, outcomes)
        if not dry_run:
            tally.count(path.value, key.name, judged, results)
        return results


UNDEFINED = frozenset({"type-unknown", "value-not-allowed", "plan-document-invalid"})
"""Refusals that a definition which another process has taken may have made wrong."""


def _perhaps_defined(judged: Judged) -> bool:
    return judged.problem is not None and judged.problem.code in UNDEFINED


def _results(judged: Sequence[Judged], outcomes: Sequence[Outcome]) -> list[Result]:
    """The result of each element: what the log said of the good ones, why the others are not."""
    said = iter(outcomes)
    return [answers.result(j, next(said) if j.candidate is not None else None) for j in judged]
