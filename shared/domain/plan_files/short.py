"""The short way to write a plan: named measures and defaults, written out to the full language. Pure.

An objective may say its words, target, deadline and the name of a measure, and no more; what is
written out is what is checked, posted and shown. An objective that says all itself stays as it is.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

Json = dict[str, Any]

_LEARNT = ["training.attended", "course.completed", "assessment.passed", "skill.confirmed"]
_NOT_FAILED = {"course.completed": {"none": [{"result": "failed"}]}}
_SECONDARY = {"target_group": ["pupil", "student"], "none": [{"school_level": "primary"}]}


def _skilled(group: Any, population: str) -> Json:
    filter = {"target_group": group, "by_type": _NOT_FAILED}
    return _over(population, "distinct_persons", _LEARNT, filter)


def _over(population: str, count: str, types: list[str], filter: Json) -> Json:
    part: Json = {"types": types, "filter": filter} if filter else {"types": types}
    return {"count": count, "of": [part], "over": {"population": population}}


def _each(level: str, types: list[str], threshold: Any, filter: Json | None = None) -> Json:
    part: Json = {"types": types, "filter": filter} if filter else {"types": types}
    within: Json = {"per": level, "threshold": threshold}
    if filter == {"kind": "plan"}:
        within["own"] = True
    return {"count": "events", "of": [part], "within_unit": within, "over": {"units": level}}


NAMED: Mapping[str, Json] = {
    "người lớn được xác nhận trên VNeID": _over(
        "adults",
        "distinct_persons",
        ["citizen.certified"],
        {"target_group": "adult", "if_given": {"platform": "vneid"}},
    ),
    "người lớn có kỹ năng số": _skilled("adult", "adults"),
    "cán bộ, công chức, viên chức có kỹ năng số": _skilled(
        ["civil_servant", "agency_employee"], "civil_servants_and_employees"
    ),
    "người lao động có kỹ năng số": _skilled("worker", "workers_enterprises_coops"),
    "học sinh trung học, sinh viên có kỹ năng số": _over(
        "secondary_pupils_and_students", "sum", ["programme.completed"], _SECONDARY
    ),
    "số lớp học": {"count": "events", "of": [{"types": ["class.held"]}]},
    "số lớp mỗi xã": _each("commune", ["class.held"], "target"),
    "số buổi hướng dẫn mỗi thôn": _each("hamlet", ["guidance_session.held"], "target"),
    "tỷ lệ tỉnh ban hành kế hoạch": _each("province", ["document.issued"], 1, {"kind": "plan"}),
    "tỷ lệ xã ban hành kế hoạch": _each("commune", ["document.issued"], 1, {"kind": "plan"}),
    "tỷ lệ xã dự lễ phát động": _each("commune", ["launch.attended"], 1),
    "số do cơ quan báo cáo": {"count": "reported"},
}
"""What a measure may be called instead of being written out."""


def written_out(plan: Any) -> Any:
    """The plan with its short objectives in the full language; what is none stays as it is."""
    if not isinstance(plan, dict) or not isinstance(plan.get("objectives"), list):
        return plan
    if not any(_is_short(one) for one in plan["objectives"]):
        return plan
    full = {"version": 1, "tasks": [], "reporting": [], **plan}
    return {**full, "objectives": [_objective(one, plan) for one in plan["objectives"]]}


def _is_short(one: Any) -> bool:
    return isinstance(one, dict) and isinstance(one.get("measure"), str)


def _objective(one: Any, plan: Json) -> Any:
    target = one.get("target") if _is_short(one) else None
    if not isinstance(target, dict):
        return one
    name = one["measure"]
    measure = NAMED.get(name, {"count": "distinct_persons", "over": {}})
    within = measure.get("within_unit")
    per = within["per"] if within and within["threshold"] == "target" else None
    unit = "count" if per or "over" not in measure else "percent"
    target = {"unit": "percent_of_units" if within and not per else unit} | target
    target = {"comparator": ">="} | target
    if per:
        target = {"per": per, "units_required_percent": 100} | target
    if target["unit"] == "count" and not per:
        measure = {name: said for name, said in measure.items() if name != "over"}
    period = plan.get("period")
    end = period.get("end") if isinstance(period, dict) else None
    deadline = one.get("deadline", end)
    counted = "ever" if measure["count"] in ("distinct_persons", "sum") else "period"
    given = {"lead": [], "deadline": deadline, "period": period, "counts_from": counted}
    last = _last_day(deadline, bool(one.get("deadline_exclusive")))
    return {
        **given,
        "last_day": last,
        **one,
        "target": target,
        "measure": measure if name in NAMED else name,
    }


def _last_day(deadline: Any, exclusive: bool) -> Any:
    try:
        return (date.fromisoformat(deadline) - timedelta(days=exclusive)).isoformat()
    except (TypeError, ValueError):
        return None
