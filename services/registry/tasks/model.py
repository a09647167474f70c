"""The shapes of tasks: as listed, with every lead body, and what is posted about them."""

from collections import Counter
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.registry.plans.bodies import Body
from services.registry.tasks.fold import TaskStanding
from services.registry.tasks.standing import (
    BodyStanding,
    Condition,
    OccurrenceStanding,
    state_of_all,
)
from services.registry.tasks.statements import Statement
from shared.days import FullDate
from shared.json_types import Whole

Json = dict[str, Any]
_SAID = (
    "percent", "done", "product", "document_ref", "document_date", "file_sha256", "difficulties",
)  # fmt: skip


class NewStatement(BaseModel):
    """What a lead body states about a task. Say either `unit` or `organisation`."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "organisation": "so-gddt",
                    "status": "done",
                    "percent": 100,
                    "done": "Đã tập huấn cho 120 trường",
                    "document_ref": "215/KH-SGDĐT",
                    "document_date": "2026-05-04",
                }
            ]
        },
    )

    unit: str | None = Field(None, max_length=80, description="code or code@era of the lead unit")
    organisation: str | None = Field(None, max_length=100, description="or: id of the lead")
    occurrence: str | None = Field(
        None, max_length=20, description="2026-W27, 2026-06, 2026-Q2, 2026; default that of the day"
    )
    status: Literal["not_started", "in_progress", "blocked", "done"]
    percent: Annotated[Whole, Field(ge=0, le=100)] | None = None
    done: Annotated[str, Field(min_length=1, max_length=4000)] | None = None
    product: Annotated[str, Field(min_length=1, max_length=300)] | None = None
    document_ref: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    document_date: FullDate | None = None
    file_sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$")
    difficulties: Annotated[str, Field(min_length=1, max_length=4000)] | None = None
    after: Whole | None = Field(
        None,
        ge=0,
        description="position of the statement that this one replaces; without one it is the first",
    )
    source: str | None = Field(None, description="CloudEvents source; default the key's first")


class NewReturn(BaseModel):
    """Why a supervisor sends the newest statement of a lead body back."""

    model_config = ConfigDict(extra="forbid")

    unit: str | None = Field(None, max_length=80)
    organisation: str | None = Field(None, max_length=100)
    occurrence: str | None = Field(None, max_length=20)
    reason: str = Field(min_length=1, max_length=4000)
    source: str | None = None


def task_json(found: TaskStanding, bodies: dict[str, BodyStanding] | None = None) -> Json:
    """A task as the plan words it, with where it stands; `bodies`: those the reader may see."""
    shown = found.standings if bodies is None else bodies
    task = {name: value for name, value in found.task.items() if name != "closing"}
    return task | {
        "state": state_of_all([b.state for b in shown.values()]),
        "late": any(b.state == "overdue" for b in shown.values()),
        "last_day": found.last_day,
        "proofs": [
            {"type": r.type, "reported": r.n, "first": r.first, "last": r.last}
            for r in found.reported
        ],
        "objective_states": [{"id": name, "met": met} for name, met in found.objectives],
        "closed_by": closing_json(found),
        "bodies": len(shown),
        "body_states": dict(Counter(b.state for b in shown.values())),
        "not_by_a_lead": len(found.ignored),
    }


def closing_json(found: TaskStanding) -> Json:
    """What closes a task: see docs/tasks.md."""
    closing = found.closing
    return {
        "objectives": list(found.task.get("objectives") or ()) if closing.objectives else [],
        "tasks_led": closing.tasks_led,
        "judged": closing.judged,
        "proofs": [
            {
                "types": list(p.types),
                "filter": p.filter,
                "sum": p.sum,
                "at_least": None if p.as_many_as else p.at_least,
                "as_many_as": list(p.as_many_as),
                "where": p.where,
                "percent_of_communes": p.percent_of_communes,
                "once": p.once,
            }
            for p in closing.proofs
        ],
        "statement_vi": closing.statement_vi,
    }


def body_json(body: Body, stands: BodyStanding, *, whole: bool) -> Json:
    """A lead body with its current occurrence; with all that have begun if `whole`."""
    found = body.json() | {
        "state": stands.state,
        "occurrences": stands.counts(),
        "current": occurrence_json(stands.current),
    }
    if whole:
        found["history"] = [occurrence_json(o) for o in stands.occurrences]
    return found


def occurrence_json(found: OccurrenceStanding) -> Json:
    """One occurrence: its days, its state, what holds and what is lacking."""
    time = found.occurrence
    return {
        "occurrence": time.id,
        "start": time.start,
        "end": time.end,
        "last_day": time.last_day,
        "judged": time.judged,
        "state": found.state,
        "done_on": found.done_on,
        "conditions": [condition_json(c) for c in found.conditions],
        "statement": statement_json(found.statement) if found.statement else None,
    }


def condition_json(found: Condition) -> Json:
    """One condition of a closing."""
    return {
        "kind": found.kind,
        "name": found.name,
        "holds": found.holds,
        "since": found.since,
        "have": found.have,
        "need": found.need,
    }


def statement_json(found: Statement) -> Json:
    """A statement as it stands in the log; `event` leads to its receipt."""
    return {
        "organisation": found.organisation,
        "unit_id": found.unit_id,
        "status": found.status,
        "occurrence": found.occurrence,
        "on": found.on,
        "recorded": found.recorded,
        **{name: found.data[name] for name in _SAID if name in found.data},
        "returned": (
            None
            if found.returned is None
            else {"reason": found.returned.reason, "on": found.returned.on}
        ),
        "event": {
            "type": found.fact.type,
            "source": found.fact.source,
            "id": found.fact.id,
            "position": found.position,
        },
    }
