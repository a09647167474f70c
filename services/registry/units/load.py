"""Posts definition events to activities: in batches, stage after stage, safe to repeat."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec

from services.registry.units.catalogue import CloudEvent, Stage

BATCH = 1_000
CONCURRENCY = 3
TRIES = 8
MEDIA_TYPE = "application/cloudevents-batch+json"

_RETRYABLE = frozenset({429, 502, 503, 504})


class LoadFailed(RuntimeError):
    """Activities refused something or does not answer; the message says what and how to mend."""


@dataclass
class Report:
    """What became of the events of one stage."""

    stage: str
    total: int
    done: int = 0
    accepted: int = 0
    duplicates: int = 0
    last_position: int = 0
    refused: list[dict[str, Any]] = field(default_factory=list)

    def take(self, answer: dict[str, Any]) -> None:
        """Add the answer of one batch."""
        self.done += len(answer["results"])
        self.accepted += answer["accepted"]
        self.duplicates += answer["duplicates"]
        for result in answer["results"]:
            if result["status"] == "rejected":
                self.refused.append(result)
            else:
                self.last_position = max(self.last_position, result.get("position") or 0)


async def load(
    client: httpx.AsyncClient,
    stages: Iterable[Stage],
    on_progress: Callable[[Report], None] = lambda _: None,
) -> list[Report]:
    """Post every stage; the next one starts when all of the one before is in the log.

    `client` has activities' address and the administrator's key. Raises LoadFailed with the first
    refusals; what was accepted before stays, and loading again goes on from there.
    """
    reports = []
    for stage in stages:
        report = Report(stage.name, len(stage.events))
        await _post_stage(client, stage.events, report, on_progress)
        if report.refused:
            raise LoadFailed(_explain(report))
        reports.append(report)
    return reports


async def _post_stage(
    client: httpx.AsyncClient,
    events: list[CloudEvent],
    report: Report,
    on_progress: Callable[[Report], None],
) -> None:
    batches = iter([events[i : i + BATCH] for i in range(0, len(events), BATCH)])

    async def worker() -> None:
        for batch in batches:
            report.take(await _post(client, batch))
            on_progress(report)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(CONCURRENCY):
                group.create_task(worker())
    except* LoadFailed as failures:
        failure = failures
    else:
        return
    raise LoadFailed(str(failure.exceptions[0]))


async def _post(client: httpx.AsyncClient, batch: list[CloudEvent]) -> dict[str, Any]:
    """One batch; sent again on overload and broken connections, which (source, id) makes safe."""
    body = msgspec.json.encode(batch)
    reason = ""
    for attempt in range(TRIES):
        wait = min(0.25 * 2**attempt, 5.0)
        try:
            answer = await client.post(
                "/v1/events", content=body, headers={"Content-Type": MEDIA_TYPE}
            )
        except httpx.TransportError as error:
            reason = f"{type(error).__name__}: {error}"
        else:
            if answer.status_code == 200:
                return dict(answer.json())
            reason = f"HTTP {answer.status_code}: {answer.text[:300]}"
            if answer.status_code not in _RETRYABLE:
                break
            wait = float(answer.headers.get("Retry-After", wait))
        await asyncio.sleep(wait)
    raise LoadFailed(
        f"activities did not take a batch of {len(batch)} definitions: {reason}."
        " Fix: check its address (HOCVUSO_ACTIVITIES_URL), its health, and that the key is the"
        " administrator's; then load again (what is in the log stays)."
    )


def _explain(report: Report) -> str:
    lines = [f"{len(report.refused)} of {report.total} events of stage {report.stage} refused:"]
    for result in report.refused[:5]:
        problem = result.get("problem") or {}
        lines.append(f"  {result['id']}: {problem.get('code')}: {problem.get('detail')}")
        if problem.get("hint"):
            lines.append(f"    fix: {problem['hint']}")
    return "\n".join(lines)
