"""`.../comparison`: a report as it was known on a day against today's numbers, with reasons."""

import asyncio
import hashlib
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter
from fastapi.responses import Response

from services.registry.access import CurrentPrincipal
from services.registry.answers import IfNoneMatch, json_answer
from services.registry.documents.address import Address, address_of
from services.registry.documents.appendix import Shown, appendix_of
from services.registry.documents.comparison import Changed, compare
from services.registry.documents.compose import Draft
from services.registry.documents.routes import Organisation, Unit, draft_of
from services.registry.documents.snapshots import appendix_then, figures_of
from services.registry.documents.steps import life_of
from services.registry.parameters import KnownAt
from services.registry.progress.why import differences
from services.registry.state import JoinedRoute, Registry, State, not_future

router = APIRouter(prefix="/v1/plans/{plan}", tags=["documents"], route_class=JoinedRoute)

EXPLAINED = 20
"""Cells whose reasons are told in the answer; of the others the address of their reasons."""


def figures_hash(draft: Draft) -> str:
    """SHA-256 of a report's counts by unit and objective: no new wording of sentences changes it."""
    appendix = appendix_of(draft)
    rows = appendix.rows if appendix is not None else []
    counts = {unit: {name: (c.value, c.denominator) for name, c in cells.items()} for unit, _, cells in rows}  # fmt: skip
    said = msgspec.json.encode(
        {"as_of": draft.material.as_of, "counts": counts}, order="deterministic"
    )
    return hashlib.sha256(said).hexdigest()


@router.get("/documents/{obligation}/{period}/comparison", response_class=Response)
async def show_comparison(
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    obligation: str,
    period: str,
    unit: Unit = None,
    organisation: Organisation = None,
    known_at: KnownAt = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """What the report said against what is known of the same days now: every cell that differs, and why.

    What was confirmed is compared as it was stored (`stored`), to the row of the log. A report that was
    handed in from elsewhere, or `known_at`: as it was known at the end of that day, else yesterday."""
    not_future(known_at, "known_at", state.clock.today())
    address = await address_of(state, principal, plan, obligation, period, unit, organisation)
    return json_answer(await comparison(state, address, known_at), if_none_match)


async def comparison(state: State, address: Address, known_at: date | None) -> dict[str, Any]:
    """Cell by cell, with reasons for the first `EXPLAINED` cells."""
    plan, day = address.plan.plan, state.clock.today()
    unjoined = replace(state, view=None, known_at=None)
    today = await unjoined.joined(None, plan)
    life = await life_of(state, address)
    confirmed = (life.standing or life.now).confirmed
    stored = await figures_of(state, confirmed) if confirmed and known_at is None else None
    if confirmed is not None and stored is not None:
        before = Before(
            date.fromisoformat(stored["as_of"]),
            date.fromisoformat(stored["known_at"]),
            confirmed.data.get("known_to"),
        )
        then, digest = appendix_then(stored), str(confirmed.data["figures_sha256"])
    else:
        known_at = known_at or min(address.handed_in or day, day - timedelta(days=1))
        draft = await draft_of(await unjoined.joined(known_at, plan), address, known_at)
        before = Before(draft.material.as_of, known_at, None)
        then, digest = appendix_of(draft), figures_hash(draft)
    now = await draft_of(today, address, None)
    changed = await asyncio.to_thread(compare, then, appendix_of(now))
    cells = [_cell(address, one, before) for one in changed]
    for one, cell in list(zip(changed, cells, strict=True))[:EXPLAINED]:
        cell["reasons"] = await _reasons(today, address, one, before)
    return address.key | {
        "as_of": before.as_of,
        "known_at": before.known_at,
        "known_to": before.position,
        "stored": stored is not None,
        "figures_sha256": digest,
        "changed": cells,
        "same": len(changed) == 0,
    }


@dataclass(frozen=True)
class Before:
    """The days of the figures that are compared; `position`: the row of the log they were known up to."""

    as_of: date
    known_at: date
    position: int | None


def _cell(address: Address, one: Changed, before: Before) -> dict[str, Any]:
    asked = {
        "objective": one.objective,
        "unit": one.unit,
        "from_as_of": before.as_of.isoformat(),
        **(
            {"from_known_at": before.known_at.isoformat()}
            if before.position is None
            else {"from_position": str(before.position)}
        ),
        "to_as_of": before.as_of.isoformat(),
    }
    return {
        "unit": one.unit,
        "name_vi": one.name_vi,
        "objective": one.objective,
        "then": _shown(one.then),
        "now": _shown(one.now),
        "changes": f"/v1/plans/{address.plan.plan}/changes?{urlencode(asked)}",
    }


def _shown(shown: Shown | None) -> dict[str, Any] | None:
    return None if shown is None else {"value": shown.value, "denominator": shown.denominator}


async def _reasons(state: State, address: Address, one: Changed, before: Before) -> dict[str, Any]:
    """How much of a change comes from definitions, and how much from events of each kind: recorded
    late, corrected, revoked. Counts only: single events are for staff, at `changes`."""
    place = state.unit(one.unit, before.as_of).unit_id
    known = before.known_at if before.position is None else None
    days = {
        "from_as_of": before.as_of, "from_known_at": known, "to_as_of": before.as_of,
        "to_known_at": None,
    }  # fmt: skip
    part = "value" if (one.then and one.then.value) != (one.now and one.now.value) else "denominator"  # fmt: skip
    found = await differences(state, address.plan.plan, one.objective, place, days, positions=(before.position, None), part=part)  # fmt: skip
    by_how: dict[str, int] = {}
    for event in found["events"]:
        by_how[event["how"]] = by_how.get(event["how"], 0) + event["effect"]
    return {
        "part": part,
        "change": found["change"],
        "by_definitions": found["by_definitions"],
        "by_events": found["by_events"],
        "events": by_how,
        "events_in_all": found["total_events"],
    }
