"""Plans of tests, completed by what every plan must say."""

from typing import Any

Json = dict[str, Any]


def whole(document: Json) -> Json:
    """The document with the required fields that it leaves out, where they say nothing."""
    period = document["period"]
    return {
        "title_vi": document["id"],
        "issuer": "UBND",
        **document,
        "organisations": document.get("organisations") or [BODY],
        "objectives": [_objective(one, period) for one in document["objectives"]] or [UNCOUNTED],
        "tasks": document.get("tasks", []),
        "reporting": document.get("reporting", []),
    }


BODY: Json = {"id": "ubnd", "name_vi": "UBND", "kind": "steering_committee"}
UNCOUNTED: Json = {
    "id": "words",
    "text_vi": "words",
    "target": {"value": 1, "unit": "count", "comparator": ">="},
    "lead": [],
    "deadline": None,
    "last_day": None,
    "period": {"start": "2026-01-01", "end": "2026-12-31"},
    "counts_from": "period",
    "not_counted": "words",
}


def _objective(one: Json, period: Json) -> Json:
    measure = one.get("measure")
    bucket = measure.get("bucket") if isinstance(measure, dict) else None
    last = one.get("last_day")
    rhythm = {"week": "weekly", "month": "monthly"}.get(str(bucket))
    more: Json = {"recurrence": rhythm} if rhythm else {}
    one = dict(one)
    if one.get("counts_from") == "date":
        more["cumulative_from"] = one["from_date"]
    else:
        one.pop("from_date", None)
    if "per" in one["target"]:
        one["target"] = {"units_required_percent": 100, **one["target"]}
    return {
        "text_vi": one["id"],
        "lead": [],
        "deadline": {"recurring": rhythm} if rhythm else last,
        "last_day": None,
        "period": period,
        **more,
        **one,
    }
