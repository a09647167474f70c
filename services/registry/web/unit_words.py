"""Changes of units in Vietnamese: planned events as lines that people read before they are written,
and what they should look at. Pure."""

from typing import Any

from services.registry.units.catalogue import CloudEvent
from services.registry.web.words import day
from shared.contracts.live import of_process
from shared.contracts.topics import EVENT_TYPE_PREFIX
from shared.domain.tree import UnitTree

ENUMS = of_process().words.enums
VERB = {
    "unit.established": ("good", "Thành lập"),
    "unit.renamed": ("warn", "Đổi tên"),
    "unit.attributed": ("warn", "Đặc điểm"),
    "unit.dissolved": ("bad", "Thôi tồn tại"),
}
"""Colour class and words of what happens to a unit."""


def told(tree: UnitTree, events: list[CloudEvent]) -> list[dict[str, Any]]:
    """Each event as {verb, status, unit_id, name, before, after, since}."""
    new = {e["subject"]: e["data"].get("name_vi") for e in events if _type(e) == "unit.established"}

    def name(unit_id: str) -> str:
        unit = tree.unit(unit_id)
        return new.get(unit_id) or (unit.names[-1][1] if unit else unit_id)

    found = []
    for event in events:
        data, type = event["data"], _type(event)
        unit = tree.unit(event["subject"])
        since = data.get("from") or data.get("dissolved_on")
        before, after = "", ""
        if type == "unit.established":
            after = f"{data['name_vi']} ({ENUMS['unit_kind'][data['kind']].lower()})"
            if data.get("parent"):
                after += f", thuộc {name(data['parent'])}"
        elif type == "unit.renamed" and unit is not None:
            _, old, kind = unit.names[-1]
            before = f"{old} ({ENUMS['unit_kind'][kind].lower()})"
            kind = data.get("kind", kind)
            after = f"{data.get('name_vi', old)} ({ENUMS['unit_kind'][kind].lower()})"
        elif type == "unit.dissolved":
            into = [f"{name(s['unit_id'])} ({s['unit_id']})" for s in data["successors"]]
            verb = "chia vào" if len(into) > 1 else "nhập vào"
            after = f"{verb} {'; '.join(into)}" if into else "không có đơn vị thay thế"
        elif type == "unit.attributed":
            value = "có" if data["value"] else "không"
            after = f"{ENUMS['unit_attribute'][data['attribute']]}: {value}"
        status, words = VERB[type]
        found.append(
            {
                "verb": words, "status": status, "unit_id": event["subject"],
                "name": name(event["subject"]), "before": before, "after": after,
                "since": day(since),
            }
        )  # fmt: skip
    return found


def left_below(tree: UnitTree, events: list[CloudEvent]) -> list[str]:
    """Of each unit that ends: how many units still lie below it."""
    found = []
    for event in events:
        if _type(event) != "unit.dissolved":
            continue
        unit = tree.unit(event["subject"])
        below = tree.children(event["subject"])
        if unit is not None and below:
            found.append(
                f"Còn {len(below)} đơn vị trực thuộc {unit.names[-1][1]}: hãy cho các đơn vị đó"
                " thôi tồn tại và ghi lại dưới đơn vị mới."
            )
    return found


def _type(event: CloudEvent) -> str:
    return str(event["type"]).removeprefix(EVENT_TYPE_PREFIX)
