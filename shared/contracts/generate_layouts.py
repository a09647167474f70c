"""The columns of a spreadsheet for every event type, for the command of senders.

It ships them as data, so that it needs nothing of this tree to read and write tables.
"""

import json
from collections.abc import Iterator
from typing import Any

from shared.contracts import schemas
from shared.contracts.definitions import Catalogue

Json = dict[str, Any]

_PARTS = {
    "scheme": "loại mã",
    "value": "mã số",
    "source": "nguồn",
    "id": "mã sự kiện",
    "subject": "mã đơn vị",
    "time": "thời điểm",
    "data": "dữ liệu (JSON)",
}


NAMES_ANOTHER = ("event.corrected", "event.revoked")
"""A correction and a revocation name another event; that one has the place."""


def layouts(catalogue: Catalogue) -> str:
    """The file with all types: titles, columns and an example of each one's newest version."""
    made = {name: _layout(catalogue, name) for name in catalogue}
    return json.dumps(made, ensure_ascii=False, indent=1) + "\n"


def _layout(catalogue: Catalogue, name: str) -> Json:
    kind, body = catalogue[name], catalogue.data_schema(name)
    required = set(body.get("required", ()))
    columns: list[Json] = []
    for field, prop in body["properties"].items():
        columns += _columns(field, prop, body.get("$defs", {}), required=field in required)
    return {
        "title": kind.title,
        "title_vi": kind.title_vi,
        "needs_subject": name not in NAMES_ANOTHER,
        "example": kind.examples[0],
        "columns": columns,
    }


def _columns(name: str, prop: Json, defs: Json, *, required: bool) -> Iterator[Json]:
    merged = schemas.resolve(prop, defs)
    title_vi, title = merged["x-title-vi"], merged["title"]
    if merged.get("type") != "object" or "properties" not in merged:
        yield _column(name, [name], merged, defs, title_vi, title, required=required)
        return
    needed = set(merged.get("required", ()))
    for part, inner in merged["properties"].items():
        column = _column(
            f"{name}.{part}",
            [name, part],
            schemas.resolve(inner, defs),
            defs,
            f"{title_vi} - {_PARTS.get(part, part)}",
            f"{title}: {part}",
            required=required and part in needed,
        )
        yield {**column, "identity": True} if "x-reference" in merged else column


def _column(
    name: str,
    path: list[str],
    merged: Json,
    defs: Json,
    title_vi: str,
    title: str,
    *,
    required: bool,
) -> Json:
    kind, words = _kind(merged, defs)
    column: Json = {"name": name, "path": path, "kind": kind, "title_vi": title_vi, "title": title}
    if required:
        column["required"] = True
    if words:
        column["words"] = words
    return column


def _kind(merged: Json, defs: Json) -> tuple[str, dict[str, str]]:
    """The kind of cell, and for a closed list its values with their Vietnamese titles."""
    words = _words(merged)
    match merged.get("type"):
        case "array":
            items = schemas.resolve(merged["items"], defs)
            if items.get("type") != "string":
                return "json", {}
            words = _words(items)
            return ("enum_list", words) if words else ("text_list", {})
        case "object":
            return "json", {}
        case "boolean":
            return "boolean", {}
        case "integer":
            return "integer", {}
        case "number":
            return "number", {}
    if words:
        return "enum", words
    formats = {"date": "date", "date-time": "moment"}
    return formats.get(merged.get("format", ""), "text"), {}


def _words(schema: Json) -> dict[str, str]:
    titles = schema.get("x-titles-vi", {})
    return {value: titles.get(value, value) for value in schema.get("enum", ())}
