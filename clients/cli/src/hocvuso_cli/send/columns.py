"""The columns of a spreadsheet for one event type, made from its definition."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Json = dict[str, Any]
Kind = Literal[
    "text", "unit", "enum", "enum_list", "text_list", "boolean", "integer", "number", "date",
    "moment", "json", "mark",
]  # fmt: skip

MARK, ID, SUBJECT, TIME, SOURCE = "#", "id", "subject", "time", "source"
LIST_COLUMNS = 3
"""So many columns a template offers for a list of values, each with a drop-down."""


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


@cache
def types() -> dict[str, Any]:
    """What is known of every event type, by its short name."""
    text = files("hocvuso_cli").joinpath("data/types.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


@cache
def layout(type_name: str) -> Layout:
    """The columns of a type's newest version. Raises KeyError for a type that there is not."""
    kind = types()[type_name]
    columns = {one.name: one for one in _envelope(kind["needs_subject"])}
    shorthands: dict[str, tuple[str, str]] = {}
    for about in kind["columns"]:
        name = about["name"]
        column = Column(
            f"data.{name}" if name in columns else name,
            tuple(about["path"]),
            about["kind"],
            about["title_vi"],
            about["title"],
            about.get("required", False),
            about.get("words", {}),
            about.get("identity", False),
        )
        columns[column.name] = column
        if column.identity and column.path[-1] == "scheme":
            field_ = column.path[0]
            shorthands |= {f"{field_}.{scheme}": (field_, scheme) for scheme in column.words}
    return Layout(
        type_name, kind["title_vi"], kind["title"], columns, shorthands, kind["needs_subject"]
    )


def _envelope(needs_subject: bool) -> Iterator[Column]:
    yield Column(MARK, (), "mark", "Ghi chú dòng", "Mark of the row; an example row is not sent")
    yield Column(ID, (), "text", "Mã dòng", "Your own id of the event; empty: made from the row")
    yield Column(
        SUBJECT, (), "unit", "Mã đơn vị", "Code of the unit (5 digits for a commune)", needs_subject
    )
    yield Column(TIME, (), "moment", "Thời điểm", "When it happened", True)
    yield Column(SOURCE, (), "text", "Nguồn", "Source URI, if not the same for the whole file")


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
