"""`.../completeness`: reported, zero, nil or missing per unit and event type; `.../nil` confirms."""

from collections import defaultdict
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from services.registry.access import CurrentPrincipal, Writing
from services.registry.answers import Cursor, IfNoneMatch, Limit, json_answer, page
from services.registry.journal.store import Fact, complete_to, standing
from services.registry.plans.territory import in_plan
from services.registry.posting import content_id, event, post
from services.registry.progress.reasons import types_of
from services.registry.reach import authorize_unit
from services.registry.state import Registry, State, not_future
from services.registry.tables.build import Question, place_of
from shared.days import FullDate
from shared.domain.plan_history import PlanVersion
from shared.problems import Problem

router = APIRouter(prefix="/v1/plans/{plan}", tags=["completeness"])

_ARRIVED = """
SELECT v.place, a.type, sum(a.n)::bigint AS n, sum(a.late)::bigint AS late,
       sum(a.zero)::bigint AS zero, max(a.occurred) AS last, max(a.last_recorded) AS recorded,
       array_agg(DISTINCT a.source ORDER BY a.source) AS sources
FROM unnest($1::text[], $2::text[]) AS v (place, unit_id)
JOIN arrival a ON a.unit_id = v.unit_id
WHERE a.type = ANY($3) AND a.occurred BETWEEN $4 AND $5
  AND ($6::date IS NULL OR a.first_recorded <= $6)
GROUP BY v.place, a.type
"""
_PARTNERS = """
SELECT source, type, sum(n)::bigint AS n, sum(late)::bigint AS late,
       count(DISTINCT unit_id) AS units, min(occurred) AS first, max(occurred) AS last,
       max(last_recorded) AS recorded, max(last_position) AS position
FROM arrival
WHERE unit_id = ANY($1) AND type = ANY($2) AND occurred BETWEEN $3 AND $4
GROUP BY source, type ORDER BY source, type
"""


def counted_types(plan: PlanVersion) -> list[str]:
    """Every event type that some objective of the plan counts."""
    return sorted({name for o in plan.document["objectives"] for name in types_of(o)})


@router.get("/completeness", response_class=Response)
async def show_completeness(
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    unit: Annotated[str | None, Query(description="code or code@era; default the plan's")] = None,
    level: Annotated[str | None, Query(description="level of the units")] = None,
    since: Annotated[
        FullDate | None, Query(alias="from", description="default: last week's")
    ] = None,
    until: Annotated[FullDate | None, Query(alias="to", description="Monday to Sunday")] = None,
    type: Annotated[str | None, Query(description="only this event type")] = None,
    cursor: Cursor = None,
    limit: Limit = 200,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Per unit and event type of the plan: `reported`, `zero` (only reports of 0), `nil` (the unit
    confirmed that there was nothing) or `missing`; and per partner what it sent and when."""
    found = state.plan(plan)
    first, last = span(state, since, until)
    types = counted_types(found) if type is None else [checked_type(found, type)]
    unit = authorize_unit(principal, state, found, unit, last)
    place = place_of(state, Question(plan, unit, level), last)
    shown, following = page(place.units, lambda u: [u[1]], cursor, limit)
    below = {u[1]: [u[1], *(d.unit_id for d in state.tree.descendants(u[1]))] for u in shown}
    come, nil = await reported(state, below, types, first, last)
    area = [u.unit_id for u in state.tree.descendants(place.top.unit_id)] + [place.top.unit_id]
    partners = await state.pool.fetch(_PARTNERS, area, types, first, last)
    return json_answer(
        {
            "plan": plan,
            "unit_id": place.top.unit_id,
            "level": place.level,
            "from": first,
            "to": last,
            "types": types,
            "position": await complete_to(state.pool),
            "total": len(place.units),
            "next": following,
            "units": [
                {
                    "unit": code,
                    "unit_id": unit_id,
                    "name_vi": name,
                    "types": {t: entry(come.get((unit_id, t)), nil[unit_id, t]) for t in types},
                }
                for code, unit_id, name in shown
            ],
            "partners": [dict(row) for row in partners],
        },
        if_none_match,
    )


def span(state: State, since: date | None, until: date | None) -> tuple[date, date]:
    """The days asked for; by default the last complete week."""
    today = state.clock.today()
    not_future(since, "from", today)
    sunday = today - timedelta(days=today.isoweekday() % 7)
    last = until or (sunday if since is None else today)
    first = since or last - timedelta(days=6)
    if first > last:
        raise Problem(
            "span-invalid",
            "The span ends before it begins.",
            pointer="/to",
            hint="Give ?from= and ?to= as days, from not after to.",
        )
    return first, last


def checked_type(plan: PlanVersion, type: str) -> str:
    """An event type that the plan counts."""
    known = counted_types(plan)
    if type not in known:
        raise Problem(
            "type-not-counted",
            "The plan counts no events of this type.",
            pointer="/type",
            hint=f"Types: {', '.join(known)}.",
        )
    return type


Come = dict[tuple[str, str], Any]
Nil = dict[tuple[str, str], list[Fact]]


async def reported(
    state: State, below: dict[str, list[str]], types: list[str], first: date, last: date
) -> tuple[Come, Nil]:
    """What came in per place and type, and the nil reports whose span touches the one asked for."""
    pairs = [(place, unit_id) for place, units in below.items() for unit_id in units]
    places, units = [p for p, _ in pairs], [u for _, u in pairs]
    rows = await state.pool.fetch(_ARRIVED, places, units, types, first, last, None)
    of = defaultdict(list)
    for place, unit_id in pairs:
        of[unit_id].append(place)
    nil: Nil = defaultdict(list)
    for fact in await standing(state.pool, ["nil.reported"], sorted(of)):
        data = fact.data
        if date.fromisoformat(data["from"]) <= last and date.fromisoformat(data["to"]) >= first:
            for place in of[fact.unit_id]:
                nil[place, data["event_type"]].append(fact)
    return {(row["place"], row["type"]): row for row in rows}, nil


def entry(row: Any, nil: list[Fact]) -> dict[str, Any]:
    """One unit and type. What came in wins over a nil report, which it contradicts (`nil` shows)."""
    said = [
        {"from": f.data["from"], "to": f.data["to"], "recorded": f.recorded, "source": f.source}
        for f in nil
    ]
    if row is None:
        return {"state": "nil" if nil else "missing", "events": 0} | ({"nil": said} if nil else {})
    return {
        "state": "zero" if row["zero"] == row["n"] else "reported",
        "events": row["n"],
        "late": row["late"],
        "last_event": row["last"],
        "last_recorded": row["recorded"],
        "sources": row["sources"],
    } | ({"nil": said} if nil else {})


class Nothing(BaseModel):
    """A unit confirms that nothing of some types happened in a span of days."""

    model_config = ConfigDict(extra="forbid")

    unit: str = Field(max_length=80, description="code or code@era")
    types: Annotated[list[str], Field(min_length=1, max_length=100)]
    since: FullDate = Field(alias="from")
    until: FullDate = Field(alias="to")
    source: str | None = Field(None, description="CloudEvents source; default the key's first")


@router.post("/nil", response_class=Response)
async def confirm_nothing(
    state: Registry,
    plan: str,
    nothing: Nothing,
    caller: Writing,
    dry_run: Annotated[bool, Query(description="judge only, write nothing")] = False,
) -> Response:
    """Confirm "nothing happened": one nil.reported per type, under the caller's own key."""
    found = state.plan(plan)
    unit = in_plan(state, found, nothing.unit, nothing.until)
    not_future(nothing.until, "to", state.clock.today())
    span(state, nothing.since, nothing.until)
    events = []
    for type in nothing.types:
        data = {
            "event_type": checked_type(found, type),
            "from": nothing.since.isoformat(),
            "to": nothing.until.isoformat(),
            "plan": plan,
        }
        id = content_id("nil", unit.unit_id, type, data=data)
        time = f"{nothing.until.isoformat()}T00:00:00+07:00"
        source = caller.source(nothing.source)
        events.append(event("nil.reported", source, id, unit.unit_id, time, data))
    answer = await post(state.activities, caller.authorization, events, dry_run=dry_run)
    return json_answer({"dry_run": dry_run, "events": events, "results": answer["results"]})
