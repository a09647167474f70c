"""`.../comparison`: a report as it was known on a day against today's numbers, with reasons."""

import asyncio
import hashlib
from dataclasses import replace
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
    """What the report said, by what was known at the end of a day (that on which it was handed in, else
    yesterday), against what is known of the same days now: every cell that differs, and why. `figures_sha256` is the same for ever."""
    day = state.clock.today()
    not_future(known_at, "known_at", day)
    address = await address_of(state, principal, plan, obligation, period, unit, organisation)
    known_at = known_at or min(address.handed_in or day, day - timedelta(days=1))
    unjoined = replace(state, view=None, known_at=None)
    today = await unjoined.joined(None, plan)
    then = await draft_of(await unjoined.joined(known_at, plan), address, known_at)
    now = await draft_of(today, address, None)
    changed = await asyncio.to_thread(compare, appendix_of(then), appendix_of(now))
    cells = [_cell(address, one, then.material.as_of, known_at) for one in changed]
    for one, cell in list(zip(changed, cells, strict=True))[:EXPLAINED]:
        cell["reasons"] = await _reasons(today, address, one, then.material.as_of, known_at)
    return json_answer(
        address.key
        | {
            "as_of": then.material.as_of,
            "known_at": known_at,
            "figures_sha256": figures_hash(then),
            "changed": cells,
            "same": len(changed) == 0,
        },
        if_none_match,
    )


def _cell(address: Address, one: Changed, as_of: date, known_at: date) -> dict[str, Any]:
    asked = {
        "objective": one.objective,
        "unit": one.unit,
        "from_as_of": as_of.isoformat(),
        "from_known_at": known_at.isoformat(),
        "to_as_of": as_of.isoformat(),
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


async def _reasons(
    state: State, address: Address, one: Changed, as_of: date, known_at: date
) -> dict[str, Any]:
    """How much of a change comes from definitions, and how much from events of each kind: recorded
    late, corrected, revoked. Counts only: single events are for staff, at `changes`."""
    place = state.unit(one.unit, as_of).unit_id
    days = {
        "from_as_of": as_of, "from_known_at": known_at, "to_as_of": as_of, "to_known_at": None,
    }  # fmt: skip
    part = "value" if (one.then and one.then.value) != (one.now and one.now.value) else "denominator"  # fmt: skip
    found = await differences(state, address.plan.plan, one.objective, place, days, part=part)
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
