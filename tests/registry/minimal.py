"""Plans stripped to what their schema requires."""

from typing import Any

Json = dict[str, Any]

TOP = ("version", "title_vi", "issuer", "unit", "period")

ITEMS = {
    "organisations": ("id", "name_vi", "kind", "group"),
    "objectives": ("id", "text_vi", "target", "lead", "deadline", "period", "counts_from",
                   "last_day", "measure", "not_counted", "recurrence", "from_date",
                   "cumulative_from"),
    "tasks": ("id", "kind", "title_vi", "lead", "deadline"),
    "reporting": ("id", "kind", "who", "cadence", "event", "text_vi"),
}  # fmt: skip


def stripped(document: Json) -> Json:
    """What the schema requires, and what that needs to be consistent."""
    found: Json = {name: document[name] for name in TOP} | {"id": f"bare-{document['id']}"}
    for section, names in ITEMS.items():
        items = [{n: item[n] for n in names if n in item} for item in document[section]]
        found[section] = items
    for objective in found["objectives"]:
        if isinstance(objective["deadline"], str):
            objective["deadline"] = objective["last_day"]
    return found
