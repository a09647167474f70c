"""Builds self-contained JSON Schemas (2020-12) and field lists out of the definition files."""

from collections.abc import Iterator
from typing import Any

from shared.contracts.model import STORED_SUFFIX, FieldKind, FieldSpec, Identity

DRAFT = "https://json-schema.org/draft/2020-12/schema"
BASE = "https://hocvuso.example/schemas/"
"""`$id` = BASE + TYPE/VERSION. An event's `dataschema` need only END in /schemas/TYPE/VERSION."""

_REF = "#/$defs/"
Json = dict[str, Any]


def enum_definition(titles: dict[str, str]) -> Json:
    """The `$defs` entry of a closed list: the values, and their Vietnamese titles for forms."""
    return {"type": "string", "enum": list(titles), "x-titles-vi": dict(titles)}


def resolve(schema: Json, defs: Json) -> Json:
    """A property with its `$ref` merged in; what stands beside the `$ref` wins."""
    ref = schema.get("$ref")
    if ref is None:
        return schema
    beside = {key: value for key, value in schema.items() if key != "$ref"}
    return {**resolve(defs[ref.removeprefix(_REF)], defs), **beside}


def _refs(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].removeprefix(_REF)
        for value in node.values():
            yield from _refs(value)
    elif isinstance(node, list):
        for value in node:
            yield from _refs(value)


def used_definitions(body: Json, defs: Json) -> Json:
    """The `$defs` that `body` needs, transitively, in a stable order."""
    wanted: set[str] = set()
    queue = list(_refs(body))
    while queue:
        name = queue.pop()
        if name not in wanted:
            wanted.add(name)
            queue.extend(_refs(defs[name]))
    return {name: defs[name] for name in sorted(wanted)}


def publish(type_name: str, version: str, head: Json, body: Json, defs: Json) -> Json:
    """One schema document that stands on its own."""
    schema = {"$schema": DRAFT, "$id": f"{BASE}{type_name}/{version}", **head, **body}
    used = used_definitions(body, defs)
    return {**schema, "$defs": used} if used else schema


def identities(properties: Json, defs: Json) -> tuple[Identity, ...]:
    """The properties that carry `x-reference` (directly or through `$ref`)."""
    found = []
    for name, prop in properties.items():
        merged = resolve(prop, defs)
        if "x-reference" in merged:
            schemes = tuple(merged["properties"]["scheme"]["enum"])
            secret = merged["x-secret"]
            found.append(
                Identity(
                    name=name,
                    stored=name + STORED_SUFFIX,
                    kind=merged["x-reference"],
                    schemes=schemes,
                    secret_schemes=schemes if secret == ["*"] else tuple(secret),
                )
            )
    return tuple(found)


def stored_body(body: Json, found: tuple[Identity, ...]) -> Json:
    """The body after pseudonymisation: `person` has become the string `person_ref`."""
    names = {identity.name: identity.stored for identity in found}
    properties = {}
    for name, prop in body["properties"].items():
        if name in names:
            kept = {key: value for key, value in prop.items() if key.startswith(("title", "x-"))}
            properties[names[name]] = {"type": "string", "pattern": "^[a-z]+:.+$", **kept}
        else:
            properties[name] = prop

    def rename(required: list[str]) -> list[str]:
        return [names.get(name, name) for name in required]

    stored = {**body, "required": rename(body["required"]), "properties": properties}
    if "anyOf" in body:
        stored["anyOf"] = [{"required": rename(choice["required"])} for choice in body["anyOf"]]
    return stored


def _kind(merged: Json, items: Json) -> FieldKind:
    if "x-reference" in merged:
        return "identity"
    match merged.get("type"):
        case "array":
            if "enum" in items:
                return "enum_list"
            return "code_list" if items.get("type") == "string" else "list"
        case "boolean":
            return "boolean"
        case "integer":
            return "integer"
        case "number":
            return "number"
        case "object":
            return "object"
    if "enum" in merged:
        return "enum"
    if merged.get("format") == "date":
        return "date"
    return "code" if merged.get("x-filter", True) and "pattern" in merged else "text"


_FILTERABLE = frozenset(
    {"enum", "enum_list", "code", "code_list", "boolean", "integer", "number", "date"}
)


def field_spec(name: str, prop: Json, required: bool, defs: Json) -> FieldSpec:
    """What forms, templates and plan filters need to know of one property."""
    merged = resolve(prop, defs)
    items = resolve(merged["items"], defs) if merged.get("type") == "array" else {}
    kind = _kind(merged, items)
    values = merged if kind == "enum" else items
    allowed = merged.get("x-filter", True) and items.get("x-filter", True)
    titles = values.get("x-titles-vi", {})
    enum = tuple(values.get("enum", ()))
    return FieldSpec(
        name=name,
        kind=kind,
        title=merged["title"],
        title_vi=merged["x-title-vi"],
        required=required,
        filterable=bool(allowed) and kind in _FILTERABLE,
        enum=enum,
        enum_titles_vi=tuple(titles.get(value, value) for value in enum),
        minimum=merged.get("minimum"),
        maximum=merged.get("maximum"),
        free_text=bool(merged.get("x-free-text") or items.get("x-free-text")),
        warn=merged.get("x-warn", {}),
    )
