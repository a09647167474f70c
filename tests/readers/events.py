"""Every type's example, minimal and maximal event as partners of a real plan post it: what it names
is in the plan, and every word and person of it is its own, so that it is found again by value."""

from collections.abc import Iterator
from itertools import count
from typing import Any

from shared.contracts import schemas
from tests.every_type import CATALOGUE, KINDS, SOURCE, posted
from tests.registry.minimal import stripped

Json = dict[str, Any]

PLAN = "dak-lak-2026"
UNITS = {"example": "24133@2025", "minimal": "24154@2025", "maximal": "24121@2025"}
"""A commune for each kind: none answers for another."""
NAMED: dict[str, Any] = {
    "plan": PLAN, "plan_hint": PLAN, "parent_plan": PLAN, "objective": "adults-certified-vneid",
    "task": "t-10-closing-commune", "occurrence": "once", "event_type": "guidance_session.held",
    "platform": "vneid", "programme": "binh-dan-hoc-vu-so", "age": 40, "birth_year": 1986,
    "from": "2026-06-30", "to": "2026-12-31", "valid_from": "2026-11-02", "who": ["ubnd-xa-phuong"],
}  # fmt: skip
"""What fields say that name something of the plan, or that its objectives ask for."""
REPORTS = {"obligation": "final-report-2026", "period": "once"}
OF_A_DEPARTMENT = {"task": "v-3-integrate", "organisation": "so-gddt"}
"""A duty and who leads it: what names an organisation is posted for the plan's own unit."""
FIRST = ("plan.published", "unit.established", "unit.attributed", "unit.renamed")
"""What others need comes first."""
MADE_UP = {"example": "29901", "minimal": "29902", "maximal": "29903"}

_people = count(1)


def person() -> Json:
    """Somebody who is in no other event."""
    return {"scheme": "cccd", "value": f"0660990{next(_people):05d}"}


def every(plan: Json) -> Iterator[tuple[str, str, Json]]:
    """(type, kind, event) of all in an order in which all are taken. `plan`: the real one."""
    names = [*FIRST, *(n for n in CATALOGUE if n not in FIRST)]
    for name in names:
        for kind in KINDS:
            yield name, kind, _event(name, kind, plan)


def target(name: str, kind: str) -> Json:
    """What a correction or a revocation is about."""
    event = posted("citizen.certified", "example")
    data = event["data"] | {"person": person()}
    return event | {"id": f"target-{name}-{kind}", "subject": UNITS[kind], "data": data}


def _event(name: str, kind: str, plan: Json) -> Json:
    event = posted(name, kind)
    schema = CATALOGUE.data_schema(name)
    said, defs = schema["properties"], schema.get("$defs", {})
    data = {field: _own(name, kind, field, held) for field, held in event["data"].items()}
    data.pop("turns_16_on", None)  # of minors only
    if kind != "example":
        may = {f: schemas.resolve(said[f], defs).get("enum") for f in data}
        data |= {f: v for f, v in NAMED.items() if f in data and v in (may[f] or [v])}
        if name.startswith("report."):
            data |= {f: v for f, v in REPORTS.items() if f in data}
    subject = UNITS[kind]
    if name.startswith("task.") and kind == "maximal":
        subject, data = "66@2025", data | OF_A_DEPARTMENT
    if name.startswith("plan."):
        subject, data = "66@2025", data | _of_plans(name, kind, plan)
    elif name == "list.extended":
        data["entries"] = [{"value": f"tu-{kind}", "title_vi": f"Từ của sự kiện {kind}"}]
    elif name.startswith("unit."):
        subject = f"{MADE_UP[kind]}@2025"
        data |= _of_units(name, kind, subject)
    elif name == "event.corrected":
        data["corrects"] = {"source": SOURCE, "id": f"target-{name}-{kind}"}
    elif name == "event.revoked":
        data["revokes"] = {"source": SOURCE, "id": f"target-{name}-{kind}"}
    return event | {"subject": subject, "data": data}


def _of_plans(name: str, kind: str, plan: Json) -> Json:
    if kind == "example":
        return {}
    bare = stripped(plan) | {"id": f"{kind}-2026"}
    if name == "plan.published":
        return {"plan": bare["id"], "version": bare["version"], "document": bare}
    if kind == "minimal":
        return {"plan": bare["id"], "action": "end"}
    return {"plan": bare["id"], "changes": {"target": {"value": 77}}, "for_unit": UNITS[kind]}


def _of_units(name: str, kind: str, unit: str) -> Json:
    if name == "unit.established":
        return {"unit_id": unit, "code": MADE_UP[kind], "parent": "66@2025", "from": "2026-01-01"} | (
            {"predecessors": [{"unit_id": "24175@2025", "part": "part"}]} if kind == "maximal" else {}
        )  # fmt: skip
    if name == "unit.dissolved":
        return {"unit_id": unit, "dissolved_on": "2026-12-01",
                "successors": [{"unit_id": "24175@2025", "part": "whole"}]}  # fmt: skip
    found: Json = {"unit_id": unit, "from": "2026-06-30"}
    return found | ({"kind": "commune"} if name == "unit.renamed" and kind != "minimal" else {})


def _own(name: str, kind: str, field: str, held: Any) -> Any:
    if isinstance(held, dict) and held.get("scheme") == "cccd":
        return person()
    if isinstance(held, str) and held.startswith("0 "):
        return f"{name} {kind} {field}, có dấu"
    return held
