"""Valid data of any event type, made from its published schema: every field, or only what must be."""

from typing import Any

from shared.contracts import schemas
from shared.contracts.definitions import Catalogue

CATALOGUE = Catalogue.load()
SOURCE = "https://buon-ma-thuot.daklak.example/so-tay"
_SCHEME_VALUES = {
    "cccd": "001099000123",
    "phone": "0905000001",
    "tax": "0100109106",
    "unit": "24133",
}
_BY_PATTERN = {
    "^https?://": "https://daklak.example/tin/0001",
    "^[0-9a-f]{64}$": "0a" * 32,
}
SUBJECTS = {
    "unit.established": "24136@2025",
    "plan.published": "66",
    "plan.amended": "66",
}
"""Where the subject is not just any commune."""

WHOLE: dict[str, dict[str, Any]] = {
    "unit.established": {
        "unit_id": "24136@2025",
        "code": "24136",
        "era": "2025",
        "name_vi": "Phường Tân An",
        "kind": "ward",
        "parent": "66@2025",
        "from": "2025-07-01",
    },
    "plan.published": {
        "plan": "007",
        "version": 7,
        "document": CATALOGUE["plan.published"].examples[0]["document"]
        | {"id": "007", "version": 7},
    },
    "plan.amended": {
        "plan": "007",
        "objective": "adults-certified-vneid",
        "action": "change",
        "for_unit": "66@2025",
        "changes": {"note": "0905"},
    },
    "list.extended": {
        "list_name": "app",
        "entries": [{"value": "ung-dung-moi", "title_vi": "Ứng dụng mới"}],
    },
    "unit.dissolved": {"successors": [{"unit_id": "66@2025", "part": "part"}]},
    "person.linked": {"same_as": {"scheme": "phone", "value": "0905000001"}},
    "event.corrected": {
        "corrects": {"source": SOURCE, "id": "0001-goc"},
        "changes": {"data": {"age": 40}},
    },
    "event.revoked": {"revokes": {"source": SOURCE, "id": "0001-goc"}},
}
"""What the log checks beyond the schema."""


ONE_OF = {"plan.amended": ("task", "obligation", "organisation")}
"""An amendment names one item of a plan."""


def full(name: str) -> dict[str, Any]:
    """Data with every field of the type's newest version."""
    body = CATALOGUE.data_schema(name)
    defs = body.get("$defs", {})
    made = {field: value(prop, defs, field) for field, prop in body["properties"].items()}
    whole = {**made, **WHOLE.get(name, {})}
    return {field: held for field, held in whole.items() if field not in ONE_OF.get(name, ())}


def value(prop: Any, defs: Any, field: str) -> Any:
    """A valid value of one property; codes and texts begin with a zero where they may."""
    merged = schemas.resolve(prop, defs)
    if "enum" in merged:
        return merged["enum"][-1]
    match merged.get("type"):
        case "array":
            items = schemas.resolve(merged["items"], defs)
            if "enum" in items:
                return items["enum"][:5]
            first = value(merged["items"], defs, field)
            return [first, f"{first}-b"] if isinstance(first, str) and "@" not in first else [first]
        case "object":
            if "x-reference" in merged:
                scheme = merged["properties"]["scheme"]["enum"][0]
                return {"scheme": scheme, "value": _SCHEME_VALUES.get(scheme, "0001234")}
            inner = merged.get("properties", {})
            return {k: value(p, defs, k) for k, p in inner.items()} or {"a": 1}
        case "boolean":
            return True
        case "integer":
            return int(max(merged.get("minimum", 0), 7))
        case "number":
            return 82.5
    if merged.get("format") == "date":
        return "2030-01-02" if field == "turns_16_on" else "2026-06-30"
    if merged.get("format") == "date-time":
        return "2026-06-30T09:12:00+07:00"
    pattern = merged.get("pattern", "")
    if "@(2004|2025)" in pattern:
        return "24133@2025"
    return _BY_PATTERN.get(pattern, "007" if pattern else f"0 {field}, có dấu")
