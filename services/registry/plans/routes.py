"""Plans: what they demand, what is counted of it, who does what until when."""

from datetime import date
from functools import lru_cache
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response

from services.registry.access import CurrentPrincipal
from services.registry.answers import Cursor, Limit, TaggedRoute, page
from services.registry.disclosure import is_public
from services.registry.plans.compare import differences
from services.registry.plans.load import content_digest
from services.registry.state import Registry, State
from shared.domain.deadlines import deadline_day, due_days
from shared.domain.plan_files.document import SCHEMA_FILE
from shared.domain.plan_history import PlanVersion
from shared.problems import Problem

router = APIRouter(prefix="/v1/plans", tags=["plans"], route_class=TaggedRoute)
published = APIRouter(tags=["plans"])
"""What needs no key."""

_SUMMARY = (
    "parent_plan",
    "title_vi",
    "title_en",
    "issuer",
    "unit",
    "unit_level",
    "period",
    "issued",
)


def plan_json(state: State, plan: PlanVersion) -> dict[str, Any]:
    """A plan in one row; the digest is that of the version as published, without amendments."""
    document = plan.document
    unit = state.tree.unit(document["unit"])
    return {
        "id": plan.plan,
        "version": plan.version,
        "digest": content_digest(plan.as_published()),
        **{name: document.get(name) for name in _SUMMARY},
        "unit_name_vi": unit.name(date.fromisoformat(document["period"]["start"]))
        if unit
        else None,
        "objectives": len(document["objectives"]),
        "tasks": len(document["tasks"]),
        "obligations": len(document["reporting"]),
        "position": plan.position,
        "recorded": plan.recorded,
    }


@published.get("/plans/plan.schema.json", response_class=Response)
async def show_schema() -> Response:
    """The JSON Schema (2020-12) of a plan file, at the path of its `$id`."""
    return Response(
        _schema(), media_type="application/schema+json", headers={"Cache-Control": "max-age=3600"}
    )


@lru_cache(maxsize=1)
def _schema() -> bytes:
    return SCHEMA_FILE.read_bytes()


@router.get("")
async def list_plans(
    state: Registry, principal: CurrentPrincipal, cursor: Cursor = None, limit: Limit = 1000
) -> dict[str, Any]:
    """Every plan, in its newest version; without a key those that are public."""
    plans = [
        plan
        for plan in state.definitions.newest_versions()
        if principal.kind != "anonymous" or is_public(state, plan.plan)
    ]
    shown, following = page(plans, lambda plan: [plan.plan], cursor, limit)
    answer = {
        "total": len(plans),
        "next": following,
        "plans": [plan_json(state, plan) for plan in shown],
        "position": state.definitions.position,
    }
    return open_json(answer) if principal.kind == "anonymous" else answer


def open_json(value: Any) -> Any:
    """What everybody may see of an answer: without positions of the log. The difference of two of
    them is the exact number of events in between, which rounded tables keep to themselves."""
    if isinstance(value, dict):
        return {name: open_json(held) for name, held in value.items() if name != "position"}
    return [open_json(held) for held in value] if isinstance(value, list) else value


@router.get("/{plan}")
async def show_plan(state: Registry, principal: CurrentPrincipal, plan: str) -> dict[str, Any]:
    """One plan, whole, as amended by today, with the versions and amendments it has had."""
    found = state.plan(plan)
    versions = [
        {"version": v.version, "position": v.position, "recorded": v.recorded}
        for v in state.definitions.versions(plan)
    ]
    amendments = [
        s.data | {"position": s.position, "recorded": s.recorded}
        for s in state.definitions.amendments(plan)
    ]
    answer = plan_json(state, found) | {
        "versions": versions,
        "amendments": amendments,
        "child_plans": [
            p.plan
            for p in state.definitions.newest_versions()
            if p.document.get("parent_plan") == plan
        ],
    }
    shown = open_json(answer) if principal.kind == "anonymous" else answer
    return shown | {"document": found.document}


@router.get("/{plan}/published")
async def show_published(
    state: Registry,
    plan: str,
    version: Annotated[int | None, Query(ge=1, description="default the newest")] = None,
) -> dict[str, Any]:
    """A version as it was published, without amendments."""
    found = _version(state, plan, version)
    return {"plan": plan, "version": found.version, "document": found.document}


@router.get("/{plan}/difference")
async def show_difference(
    state: Registry,
    plan: str,
    against: Annotated[str | None, Query(description="a plan; default its parent plan")] = None,
    version: Annotated[int | None, Query(ge=1, description="or: a version of this plan")] = None,
) -> dict[str, Any]:
    """What the plan says otherwise than its parent plan, another plan, or a version of its own; in
    lines. A plan without a parent is compared with its version before. Amendments are counted in,
    except between versions."""
    found = state.plan(plan)
    parent = None if version is not None else against or found.document.get("parent_plan")
    if parent is not None:
        old: PlanVersion = state.plan(parent)
        other = parent
        now: PlanVersion = found
    else:
        before = state.definitions.versions(plan)[-2:][0].version
        old, other, now = (
            _version(state, plan, version or before),
            plan,
            _version(state, plan, None),
        )
    lines = differences({**old.document, "version": None}, {**now.document, "version": None})
    return {
        "plan": plan,
        "version": now.version,
        "against": {"plan": other, "version": old.version},
        "total": len(lines),
        "lines": lines,
    }


def _version(state: State, plan: str, version: int | None) -> PlanVersion:
    state.plan(plan)
    versions = state.definitions.versions(plan)
    found = next((v for v in versions if v.version == version), None)
    if version is None:
        return versions[-1]
    if found is None:
        raise Problem(
            "version-unknown",
            "The plan never had this version.",
            status=404,
            pointer="/version",
            hint=f"Versions: {', '.join(str(v.version) for v in versions)}.",
        )
    return found


async def objective_states(state: State, plan: str) -> dict[str, tuple[str, str | None]]:
    """Whether metrics counts each objective of a plan, and why not."""
    rows = await state.pool.fetch(
        "SELECT objective, state, reason FROM indicators.objectives_state WHERE plan = $1", plan
    )
    return {r["objective"]: (r["state"], r["reason"]) for r in rows}


def objective_json(
    objective: dict[str, Any], states: dict[str, tuple[str, str | None]]
) -> dict[str, Any]:
    """An objective with its state and how it is read."""
    state, reason = states.get(
        objective["id"], ("building", "metrics has not evaluated this version of the plan yet")
    )
    if objective["id"] not in states and objective.get("not_counted"):
        state, reason = "not_counted", str(objective["not_counted"])
    last_day = deadline_day(objective)
    return {
        "id": objective["id"],
        "state": state,
        "reason": reason,
        "text_vi": objective["text_vi"],
        "text_en": objective.get("text_en"),
        "short_vi": objective.get("short_vi"),
        "section": objective.get("section"),
        "target": objective["target"],
        "population": objective.get("population"),
        "denominator": objective.get("denominator"),
        "deadline": last_day,
        "deadline_as_written": objective.get("deadline"),
        "deadline_vi": objective.get("deadline_vi"),
        "lead": objective.get("lead"),
        "coordinate": objective.get("coordinate"),
        "reading": {
            "counts_from": objective.get("counts_from"),
            "from_date": objective.get("from_date"),
            "last_day": objective.get("last_day"),
            "period": objective.get("period"),
            "measure": objective.get("measure"),
            "note": objective.get("reading_note"),
            "beside": {one["id"]: one["name_vi"] for one in objective.get("beside", [])},
            "rhythm_note": _rhythm_note(objective),
        },
        "source_line": objective.get("source_line"),
    }


def _rhythm_note(objective: dict[str, Any]) -> str | None:
    """How weeks or months that the period cuts are read; None for what does not recur."""
    bucket = (objective.get("measure") or {}).get("bucket")
    if bucket is None:
        return None
    period = objective["period"]
    return (
        f"The number is that of the {bucket} of the day, the status that of the last whole {bucket} that is"
        f" over. A {bucket} that does not lie wholly in {period['start']} to {period['end']} is shown and not"
        " judged."
    )


@router.get("/{plan}/objectives")
async def list_objectives(
    state: Registry, plan: str, cursor: Cursor = None, limit: Limit = 1000
) -> dict[str, Any]:
    """Every objective: counted, building, or not counted with the reason."""
    found = state.plan(plan)
    states = await objective_states(state, plan)
    objectives = [objective_json(o, states) for o in found.document["objectives"]]
    tally = dict.fromkeys(("counted", "building", "not_counted"), 0)
    for objective in objectives:
        tally[objective["state"]] += 1
    order = {objective["id"]: [n] for n, objective in enumerate(objectives)}
    shown, following = page(objectives, lambda o: order[o["id"]], cursor, limit)
    return {
        "plan": plan,
        "version": found.version,
        "states": tally,
        "next": following,
        "objectives": shown,
    }


def obligation_json(obligation: dict[str, Any], day: date) -> dict[str, Any]:
    """An obligation; a due day that is excluded ends the day before."""
    days = due_days(obligation)
    coming = [due for due in days if due.last_day >= day]
    return {
        **{
            name: obligation.get(name)
            for name in (
                "id", "kind", "section", "who", "to", "via", "cadence", "due", "text_vi",
                "text_en", "event", "note", "source_line",
            )
        },
        "due_exclusive": bool(obligation.get("due_exclusive")),
        "due_days": [{"written": due.written, "last_day": due.last_day} for due in days],
        "next_due": coming[0].written if coming else None,
        "next_last_day": coming[0].last_day if coming else None,
        "days_left": (coming[0].last_day - day).days if coming else None,
    }  # fmt: skip
