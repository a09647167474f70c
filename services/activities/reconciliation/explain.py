"""Asking metrics what became of events: for which objectives they count, or why they do not."""

from collections.abc import Sequence
from typing import Literal

import httpx
import msgspec

from shared.peers import READ, peer

PAGE = 1_000
DOWN = "metrics does not answer, so it is not known now whether this counts; ask again later."

State = Literal[
    "counted",
    "counted_by_another_event",
    "not_counted",
    "parked",
    "dismissed",
    "definition",
    "not_yet",
]


class Objective(msgspec.Struct):
    """A cell that an event changed, or would have changed (`counts` false)."""

    plan: str
    objective: str
    unit_id: str
    counts: bool


class Explanation(msgspec.Struct):
    """What became of the event at a position; `code` is stable, `reason` its text."""

    position: int
    state: State
    code: str | None = None
    reason: str | None = None
    objectives: list[Objective] = []


def coarse(found: Explanation) -> Explanation:
    """What a partner is told: that the event was accepted into counting, and for which objectives.

    Whether it was the one that counted somebody is not told: whoever posts a person again would learn
    that this person is counted already.
    """
    if found.state not in ("counted", "counted_by_another_event"):
        return found
    objectives = [Objective(o.plan, o.objective, o.unit_id, True) for o in found.objectives]
    return Explanation(found.position, "counted", objectives=objectives)


class Explained(msgspec.Struct):
    """`results` in the order of the positions; all up to `watermark` is decided."""

    watermark: int
    results: list[Explanation]


class MetricsDown(Exception):
    """metrics cannot be asked; what it knows is not known now."""


class Explanations:
    """A client of `POST /v1/explanations` on metrics."""

    def __init__(
        self,
        url: str,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        credential: httpx.Auth | None = None,
    ) -> None:
        timeout = httpx.Timeout(20, connect=2)
        self._client = peer(url, credential, transport=transport, timeout=timeout)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def ask(self, positions: Sequence[int], timeout_s: float = 20) -> Explained:
        """What became of the events at up to `PAGE` positions. Raises MetricsDown."""
        try:
            answer = await self._client.post(
                "/v1/explanations",
                json={"positions": list(positions)},
                timeout=timeout_s,
                extensions=READ,
            )
            answer.raise_for_status()
            found = msgspec.json.decode(answer.content, type=Explained)
        except (httpx.HTTPError, msgspec.MsgspecError) as error:
            raise MetricsDown(type(error).__name__) from error
        if [r.position for r in found.results] != list(positions):
            raise MetricsDown("it answered other positions than were asked")
        return found
