"""Answers that are msgspec Structs, as the OpenAPI document shows them.

FastAPI knows pydantic models only. Large answers are Structs, which are encoded once and not
validated again; `answers(Struct)` describes them at the route, `add_types` puts their schemas in.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

Json = dict[str, Any]
_PLACE = "#/components/schemas/{name}"
_SAID: dict[str, type[msgspec.Struct]] = {}


def answers(
    kind: type[msgspec.Struct], description: str | None = None, *, files: Iterable[str] = ()
) -> dict[int | str, Json]:
    """The `responses` of a route whose 200 is `kind` as JSON, or on demand one of the media types
    `files`."""
    other = _SAID.setdefault(kind.__name__, kind)
    if other is not kind:
        raise ValueError(f"two answers are called {kind.__name__}: {other} and {kind}")
    said = description or (kind.__doc__ or kind.__name__).partition("\n\n")[0].replace("\n", " ")
    schema = {"$ref": _PLACE.format(name=kind.__name__)}
    content: Json = {"application/json": {"schema": schema}}
    content |= {kind: {"schema": {"type": "string", "format": "binary"}} for kind in files}
    return {200: {"description": said.strip(), "content": content}}


def add_types(schemas: Json, document: Json) -> None:
    """Add to `schemas` every Struct that the paths of `document` name, with what it is made of.

    A name that is there already is a model of this very service: another one of the same process
    may have a Struct of the same name.
    """
    named = {
        answer["content"]["application/json"]["schema"].get("$ref", "").rpartition("/")[2]
        for operations in document["paths"].values()
        for operation in operations.values()
        for answer in operation["responses"].values()
        if "application/json" in answer.get("content", {})
    }
    wanted = [_SAID[name] for name in sorted(named & _SAID.keys() - schemas.keys())]
    _, parts = msgspec.json.schema_components(wanted, ref_template=_PLACE)
    twice = sorted(parts.keys() & schemas.keys())
    if twice:
        raise ValueError(f"a Struct and a model of one document share their names: {twice}")
    schemas.update(parts)
