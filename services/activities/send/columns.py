"""The columns of a spreadsheet for one event type, made from its definition."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from shared.contracts import schemas
from shared.contracts.definitions import Catalogue

Json = dict[str, Any]
Kind = Literal[
    "text", "unit", "enum", "enum_list", "text_list", "boolean", "integer", "number", "date",
    "moment", "json", "mark",
]  # fmt: skip

MARK, ID, SUBJECT, TIME, SOURCE = "#", "id", "subject", "time", "source"
LIST_COLUMNS = 3
"""So many columns a template offers for a list of values, each with a drop-down."""

_PARTS = {
    "scheme": "loại mã",
    "value": "mã số",
    "source": "nguồn",
    "id": "mã sự kiện",
    "subject": "mã đơn vị",
    "time": "thời điểm",
    "data": "dữ liệu (JSON)",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `path` is where its value goes: () for the envelope, else into `data`."""

    name: str
    path: tuple[str, ...]
    kind: Kind
    title_vi: str
    title: str
    required: bool = False
    words: dict[str, str] = field(default_factory=dict)
    identity: bool = False
    """Whether it holds what names a person: nothing about its value may be said."""


@dataclass(frozen=True, slots=True)
class Layout:
    """All columns of a type, by name. `shorthands`: FIELD.SCHEME -> (FIELD, SCHEME)."""

    type: str
    title_vi: str
    title: str
    columns: dict[str, Column]
    shorthands: dict[str, tuple[str, str]]
    needs_subject: bool


def layout(catalogue: Catalogue, type_name: str) -> Layout:
    """The columns of a type's newest version."""
    kind, body = catalogue[type_name], catalogue.data_schema(type_name)
    defs = body.get("$defs", {})
    # A correction and a revocation name another event; that one has the place.
    needs_subject = type_name not in ("event.corrected", "event.revoked")
    columns = {one.name: one for one in _envelope(needs_subject)}
    shorthands: dict[str, tuple[str, str]] = {}
    required = set(body.get("required", ()))
    for name, prop in body["properties"].items():
        for column in _columns(name, prop, defs, required=name in required):
            if column.name in columns:
                column = Column(
                    f"data.{column.name}", column.path, column.kind, column.title_vi,
                    column.title, column.required, column.words, column.identity,
                )  # fmt: skip
            columns[column.name] = column
            if column.identity and column.path[-1] == "scheme":
                shorthands |= {f"{name}.{scheme}": (name, scheme) for scheme in column.words}
    return Layout(kind.type, kind.title_vi, kind.title, columns, shorthands, needs_subject)


def _envelope(needs_subject: bool) -> Iterator[Column]:
    yield Column(MARK, (), "mark", "Ghi chú dòng", "Mark of the row; an example row is not sent")
    yield Column(ID, (), "text", "Mã dòng", "Your own id of the event; empty: made from the row")
    yield Column(
        SUBJECT, (), "unit", "Mã đơn vị", "Code of the unit (5 digits for a commune)", needs_subject
    )
    yield Column(TIME, (), "moment", "Thời điểm", "When it happened", True)
    yield Column(SOURCE, (), "text", "Nguồn", "Source URI, if not the same for the whole file")


def _columns(name: str, prop: Json, defs: Json, *, required: bool) -> Iterator[Column]:
    merged = schemas.resolve(prop, defs)
    title_vi, title = merged["x-title-vi"], merged["title"]
    identity = "x-reference" in merged
    if merged.get("type") != "object" or "properties" not in merged:
        kind, words = _kind(merged, defs)
        yield Column(name, (name,), kind, title_vi, title, required, words)
        return
    needed = set(merged.get("required", ()))
    for part, inner in merged["properties"].items():
        kind, words = _kind(schemas.resolve(inner, defs), defs)
        yield Column(
            f"{name}.{part}", (name, part), kind, f"{title_vi} - {_PARTS.get(part, part)}",
            f"{title}: {part}", required and part in needed, words, identity,
        )  # fmt: skip


def _kind(merged: Json, defs: Json) -> tuple[Kind, dict[str, str]]:
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
    formats: dict[str, Kind] = {"date": "date", "date-time": "moment"}
    return formats.get(merged.get("format", ""), "text"), {}


def _words(schema: Json) -> dict[str, str]:
    titles = schema.get("x-titles-vi", {})
    return {value: titles.get(value, value) for value in schema.get("enum", ())}


def put(data: Json, path: tuple[str, ...], value: Any) -> None:
    """Set a value at a path, making the objects on the way."""
    for part in path[:-1]:
        data = data.setdefault(part, {})
    data[path[-1]] = value


def flatten(columns: dict[str, Column], data: Json) -> dict[str, Any]:
    """The JSON value of each column that an event's data has one for."""
    found = {}
    for column in columns.values():
        node: Any = data
        for part in column.path:
            node = node.get(part) if isinstance(node, dict) else None
        if column.path and node is not None:
            found[column.name] = node
    return found
