"""Whether data passes a plan's filter, read naively from docs/indicators.md. Part of the oracle."""

import operator
from typing import Any

Json = dict[str, Any]
IMPLY_ADULT = {"civil_servant", "agency_employee", "worker", "elderly", "cnscd_member"}
COMPARE = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
}


def passes(wanted: Json, kind: str, data: Json) -> bool:
    """Everything in one mapping must hold."""
    return all(_one(name, value, kind, data) for name, value in wanted.items())


def _one(name: str, value: Any, kind: str, data: Json) -> bool:
    if name == "all":
        return all(passes(part, kind, data) for part in value)
    if name == "any":
        return any(passes(part, kind, data) for part in value)
    if name == "none":
        return not any(passes(part, kind, data) for part in value)
    if name == "if_given":
        return all(
            ("target_groups" if field == "target_group" else field) not in data
            or _one(field, asked, kind, data)
            for field, asked in value.items()
        )
    if name == "by_type":
        return passes(value.get(kind, {}), kind, data)
    values = value if isinstance(value, list) else [value]
    if name == "target_group":
        groups = set(data.get("target_groups", []))
        return bool(groups & set(values)) or ("adult" in values and bool(groups & IMPLY_ADULT))
    if name == "min_age":
        later = {"turns_16_on", "birth_year"} & data.keys()
        return bool(later) or ("age" in data and data["age"] >= int(value))
    if name == "max_age":
        return "age" in data and data["age"] <= int(value)
    if name not in data:
        return False
    if isinstance(value, dict):
        return all(COMPARE[sign](data[name], bound) for sign, bound in value.items())
    if isinstance(data[name], list):
        return any(item in values for item in data[name])
    return data[name] in values
