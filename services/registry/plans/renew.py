"""A plan for another year, or a unit's own plan, made from one that is there. Pure.

Days move with the year; the words of the old plan stay and are listed wherever they name a year,
since only people can say what the new plan says instead.
"""

import re
from datetime import date
from typing import Any

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_YEAR = re.compile(r"\b20\d\d\b")
WORDS = frozenset(
    {
        "text_vi", "text_en", "short_vi", "title_vi", "title_en", "source_line", "deadline_vi", "note",
        "expected_result_vi", "actions_vi", "reading_note",
    }
)  # fmt: skip

OF_THE_PARENT = ("unit_level", "units_in_scope", "units_note", "covers_successors")


def renewed(
    plan: dict[str, Any], year: int, *, unit: str | None = None, id: str | None = None
) -> tuple[dict[str, Any], list[str]]:
    """The new plan, and the places whose words are those of the old one and must be read again:
    they name a year, or, with `unit`, speak of the other unit.

    With `unit` it is that unit's plan under the old one (`parent_plan`).
    """
    shift = year - int(plan["period"]["start"][:4])
    new: dict[str, Any] = _moved(plan, shift)
    new["id"] = id or _with_year(plan["id"], year, unit)
    new["title_vi"] = _YEAR.sub(lambda m: str(int(m[0]) + shift), plan["title_vi"])
    new |= {"version": 1, "issued": None}
    new.pop("issued_note", None)
    again = _named_years(new)
    if unit is not None:
        new |= {"unit": unit, "parent_plan": plan["id"]}
        for name in OF_THE_PARENT:
            new.pop(name, None)
        again += ["/issuer", "/title_vi", "/organisations"]
    return new, sorted(set(again))


def _with_year(id: str, year: int, unit: str | None) -> str:
    base = re.sub(r"(-20\d\d)+$", "", id)
    place = f"-{unit.partition('@')[0]}" if unit else ""
    return f"{base}{place}-{year}".lower()


def _moved(value: Any, shift: int) -> Any:
    if isinstance(value, dict):
        return {
            k: v if k in WORDS or k.startswith("legal_basis") else _moved(v, shift)
            for k, v in value.items()
        }
    if isinstance(value, list):
        return [_moved(item, shift) for item in value]
    if isinstance(value, str) and _DAY.fullmatch(value):
        return _day(date.fromisoformat(value), shift).isoformat()
    return value


def _day(day: date, shift: int) -> date:
    try:
        return day.replace(year=day.year + shift)
    except ValueError:  # 29 February of a year that has none
        return day.replace(year=day.year + shift, day=28)


def _named_years(value: Any, path: str = "") -> list[str]:
    if isinstance(value, dict):
        return [
            found for name, item in value.items() for found in _named_years(item, f"{path}/{name}")
        ]
    if isinstance(value, list):
        return [
            found
            for n, item in enumerate(value)
            for found in _named_years(
                item, f"{path}/{item['id'] if isinstance(item, dict) and 'id' in item else n}"
            )
        ]
    named = path.rsplit("/", 1)[-1] in WORDS and isinstance(value, str) and _YEAR.search(value)
    return [path] if named else []
