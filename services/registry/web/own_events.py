"""What somebody has posted lately, and what it says today.

Which events are theirs says activities, to their own key; the rows are read with the key of
registry. So nobody is shown, or offered to change, the event of another writer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from services.registry.access import Writer
from services.registry.invitations import ask
from services.registry.state import State
from services.registry.web.entry_forms import kinds
from services.registry.web.language import title
from shared import answers
from shared.contracts.live import of_process
from shared.contracts.record import Content, LogRecord, record_decoder
from shared.peers import READ
from shared.problems import Problem


@dataclass(frozen=True)
class OwnEvent:
    """`content` is what it says now, None once it was cancelled. `revision`: how often it has been
    corrected, cancelled or moved; who has seen another number has seen another event."""

    source: str
    id: str
    type: str
    recorded_at: datetime
    content: Content | None
    revision: int


async def own_events(
    state: State, caller: Writer, limit: int, source: str | None = None, id: str | None = None
) -> list[OwnEvent]:
    """The caller's last events, newest first; or the one with this source and id."""
    params: dict[str, Any] = {"source": source or caller.source(), "limit": limit}
    if id is not None:
        params["id"] = id
    address = f"/v1/events/recent?{httpx.QueryParams(params)}"
    told = await ask(state.activities, "GET", address, caller.authorization)
    events = told["events"]
    if not events:
        return []
    rows = await _rows(state, [event["position"] for event in events], told["position"])
    return [_own(event, rows.get(event["position"], [])) for event in events]


async def own_event(state: State, caller: Writer, source: str, id: str) -> OwnEvent:
    """One of the caller's own events; 404 for any other."""
    found = await own_events(state, caller, 1, source, id)
    if not found:
        raise Problem(
            "event-unknown",
            "There is no such event, or somebody else posted it.",
            status=404,
            hint="Only your own entries can be changed here.",
        )
    return found[0]


async def _rows(state: State, positions: list[int], through: int) -> dict[int, list[LogRecord]]:
    """The rows of the primary count keys of events, by origin, oldest first."""
    body = {"positions": positions, "through": through}
    try:
        answer = await state.activities.post("/v1/log/rows", json=body, extensions=READ)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise Problem(
            "activities-not-available",
            f"activities did not show the events ({type(error).__name__}).",
            status=503,
            hint="Ask again in a moment.",
            retryable=True,
            retry_after=2,
        ) from error
    found: dict[int, list[LogRecord]] = {}
    for line in answers.content(answer).splitlines():
        if line:
            row = record_decoder.decode(line)
            found.setdefault(row.origin, []).append(row)
    return found


def _own(event: dict[str, Any], rows: list[LogRecord]) -> OwnEvent:
    revision = max((row.revision for row in rows), default=0)
    newest = [row.effective_content() for row in rows if row.revision == revision]
    return OwnEvent(
        event["source"],
        event["id"],
        event["type"],
        datetime.fromisoformat(event["recorded_at"]),
        next((content for content in newest if content is not None), None),
        revision,
    )


def about_events(state: State, events: Sequence[OwnEvent]) -> dict[str, Any]:
    """What pages need to name events: titles of types, their main figures, names of units."""
    catalogue, today = of_process(), state.clock.today()
    units = {event.content.unitid for event in events if event.content is not None}
    found = filter(None, map(state.tree.unit, units))
    return {
        "titles": {name: title(kind) for name, kind in catalogue.items()},
        "figures": {name: kind.sum_field for name, kind in catalogue.items()},
        "names": {unit.unit_id: unit.name(today) for unit in found},
        "forms": frozenset(kind.type for kind in kinds(None)) - {"nil.reported"},
    }
