"""`GET /v1/plans/{plan}/tasks`: who leads what, what it costs, what proves it, what is late."""

from datetime import date
from typing import Annotated, Any

import asyncpg
from fastapi import APIRouter, Query
from fastapi.responses import Response

from services.registry.access import CurrentPrincipal
from services.registry.answers import Cursor, IfNoneMatch, Limit, json_answer, page
from services.registry.definitions import PlanVersion
from services.registry.journal.restated import STANDING, learn
from services.registry.journal.store import complete_to
from services.registry.plans.territory import area_of
from services.registry.reach import see_plan
from services.registry.state import Registry, State
from services.registry.tasks.standing import STATES, Proof, Standing, last_day, standing
from shared.problems import Problem

router = APIRouter(prefix="/v1/plans/{plan}/tasks", tags=["tasks"])

# Of a rhythm, as its status says: the last week or month that is over.
_MET = """
SELECT objective, CASE WHEN bucket IS NULL THEN met ELSE (status_bucket->>'met')::boolean END AS met
FROM indicators.cells WHERE plan = $1 AND unit_id = $2
"""

Arrived = dict[str, list[tuple[date, int]]]


async def standings(state: State, plan: PlanVersion) -> list[tuple[dict[str, Any], Standing]]:
    """Every task of a plan with where it stands today."""
    document = plan.document
    today = state.clock.today()
    start = date.fromisoformat(document["period"]["start"])
    types = sorted({name for task in document["tasks"] for name in task.get("events", [])})
    await learn(state.pool, state.activities)
    arrived = await _arrived(state.pool, types, sorted(area_of(state, plan)), start, today)
    rows = await state.pool.fetch(_MET, plan.plan, document["unit"])
    met = {row["objective"]: row["met"] for row in rows}
    issued = state.definitions.statements("central_document.issued")
    found = []
    for task in document["tasks"]:
        due = last_day(task, plan.plan, issued)
        proofs = [_proof(name, task, arrived) for name in task.get("events", [])]
        found.append((task, standing(task, due, proofs, met, today)))
    return found


async def _arrived(
    pool: asyncpg.Pool, types: list[str], units: list[str], start: date, end: date
) -> Arrived:
    found: Arrived = {}
    for row in await pool.fetch(STANDING, types, units, start, end):
        found.setdefault(row["type"], []).append((row["occurred"], row["n"]))
    return found


def _proof(type: str, task: dict[str, Any], arrived: Arrived) -> Proof:
    """What came in of a type since the task began; coming after its deadline still proves it."""
    period = task.get("period") or {}
    start = date.fromisoformat(period["start"]) if period.get("start") else date.min
    days = [(day, n) for day, n in arrived.get(type, []) if day >= start]
    return Proof(
        type, sum(n for _, n in days), days[0][0] if days else None, days[-1][0] if days else None
    )


def task_json(task: dict[str, Any], stands: Standing) -> dict[str, Any]:
    """A task as the plan words it, with where it stands."""
    return task | {
        "state": stands.state,
        "late": stands.late,
        "last_day": stands.last_day,
        "proofs": [
            {"type": p.type, "reported": p.reported, "first": p.first, "last": p.last}
            for p in stands.proofs
        ],
        "objective_states": stands.objectives,
    }


@router.get("", response_class=Response)
async def list_tasks(
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    organisation: Annotated[str | None, Query(description="id: has any part in it")] = None,
    lead: Annotated[str | None, Query(description="id: leads it")] = None,
    wanted: Annotated[str | None, Query(alias="state", description=", ".join(STATES))] = None,
    late: Annotated[bool | None, Query(description="past its last day and not proven")] = None,
    cursor: Cursor = None,
    limit: Limit = 500,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """The plan's tasks and duties: state, budget, proofs, who leads and what is late. Proofs are
    events that stand: a revoked one proves nothing, a corrected one what it says now. Which of them
    count for an objective is the table's business."""
    found = state.plan(plan)
    see_plan(principal, state, found)
    names = {o["id"]: o["name_vi"] for o in found.document["organisations"]}
    for name, value in (("organisation", organisation), ("lead", lead)):
        if value is not None and value not in names:
            raise Problem(
                "organisation-unknown",
                "The plan names no such organisation.",
                status=404,
                pointer=f"/{name}",
                hint=f"GET /v1/plans/{plan} lists `organisations`.",
            )
    if wanted is not None and wanted not in STATES:
        raise Problem(
            "state-unknown",
            "There is no such state of a task.",
            pointer="/state",
            hint=f"States: {', '.join(STATES)}.",
        )
    rows = [
        (number, task, stands)
        for number, (task, stands) in enumerate(await standings(state, found))
        if (organisation is None or organisation in _parts(task))
        and (lead is None or lead in (task.get("lead") or []))
        and wanted in (None, stands.state)
        and late in (None, stands.late)
    ]
    shown, following = page(rows, lambda row: [row[0]], cursor, limit)
    tally = dict.fromkeys(STATES, 0)
    for _, _, stands in rows:
        tally[stands.state] += 1
    budget = sum(task["budget_million_vnd"] or 0 for _, task, _ in rows)
    return json_answer(
        {
            "plan": plan,
            "version": found.version,
            "on": state.clock.today(),
            "position": await complete_to(state.pool),
            "total": len(rows),
            "states": tally,
            "late": sum(stands.late for _, _, stands in rows),
            "budget_million_vnd": budget,
            "next": following,
            "organisations": names,
            "tasks": [task_json(task, stands) for _, task, stands in shown],
        },
        if_none_match,
    )


def _parts(task: dict[str, Any]) -> list[str]:
    return [
        name
        for role in ("lead", "coordinate", "direct", "implement")
        for name in task.get(role) or []
    ]
