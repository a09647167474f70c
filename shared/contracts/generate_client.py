"""The typed events of the Python client: one frozen dataclass per event type, latest version."""

import json
import keyword
from typing import Any

from shared.contracts import schemas
from shared.contracts.definitions import Catalogue

Json = dict[str, Any]
PARTS = {"person": "Person", "household": "Household", "device": "Device"}
PARTS["organisation"] = "Organisation"
"""Shared objects whose classes are written by hand, with helpers that make them."""

HEAD = '''"""The events, one class per type (latest version): pass them to `Client.emit`.

Made from the definitions of the event types; do not edit. What may name a person is left out of
every `repr`.
"""

import datetime as dt
from dataclasses import dataclass
from dataclasses import field as _field
from typing import Any, ClassVar, Literal

from hocvuso_client.typed import Device, EventData, Household, Organisation, Part, Person

# fmt: off
'''


def client_code(catalogue: Catalogue) -> str:
    """The text of the client's module `events`."""
    defs = catalogue.definitions()
    lines = [HEAD]
    for name, schema in sorted(defs.items()):
        if "enum" in schema:
            values = ", ".join(json.dumps(value, ensure_ascii=False) for value in schema["enum"])
            lines.append(f"{camel(name)} = Literal[{values}]")
    objects = {n: s for n, s in defs.items() if s.get("type") == "object" and n not in PARTS}
    for name, schema in sorted(objects.items()):
        lines += ["", "", *_class(camel(name), "Part", schema, defs, [])]
    for name, kind in catalogue.items():
        about = [
            f'    """{kind.title}."""',
            "",
            f'    TYPE: ClassVar[str] = "{name}"',
            f'    VERSION: ClassVar[str] = "{kind.latest}"',
        ]
        lines += [
            "",
            "",
            *_class(camel(name), "EventData", catalogue.data_schema(name), defs, about),
        ]
    lines += ["", "", "TYPES: dict[str, type[EventData]] = {"]
    lines += [f'    "{name}": {camel(name)},' for name in catalogue]
    lines += ["}", '"""The class of each event type."""', ""]
    return "\n".join(lines)


def camel(name: str) -> str:
    """citizen.certified -> CitizenCertified."""
    words = name.replace(".", "_").split("_")
    return "".join(word[:1].upper() + word[1:] for word in words)


def _class(name: str, base: str, body: Json, defs: Json, about: list[str]) -> list[str]:
    required = set(body.get("required", ()))
    lines = ["@dataclass(frozen=True, slots=True, kw_only=True)", f"class {name}({base}):", *about]
    if about:
        lines.append("")
    for field, prop in body["properties"].items():
        safe = f"{field}_" if keyword.iskeyword(field) else field
        kind, hidden = annotation(prop, defs), _hidden(prop, defs)
        if field in required:
            lines.append(f"    {safe}: {kind}" + (" = _field(repr=False)" if hidden else ""))
        else:
            default = "_field(default=None, repr=False)" if hidden else "None"
            lines.append(f"    {safe}: {kind} | None = {default}")
    return lines


def _hidden(prop: Json, defs: Json) -> bool:
    """Whether people type into it, or anything at all may lie in it."""
    merged = schemas.resolve(prop, defs)
    items = schemas.resolve(merged["items"], defs) if merged.get("type") == "array" else {}
    open_object = merged.get("type") == "object" and "properties" not in merged
    return bool(merged.get("x-free-text") or items.get("x-free-text") or open_object)


def annotation(prop: Json, defs: Json) -> str:
    """The type of one property."""
    ref = prop.get("$ref", "").removeprefix("#/$defs/")
    if ref and (defs[ref].get("type") == "object" or "enum" in defs[ref]):
        return PARTS.get(ref, camel(ref))
    merged = schemas.resolve(prop, defs)
    match merged.get("type"):
        case "array":
            item = annotation(merged["items"], defs)
            # Not Sequence: a single text would pass as one.
            return f"list[{item}] | tuple[{item}, ...]"
        case "object":
            return "dict[str, Any]"
        case "boolean":
            return "bool"
        case "integer":
            return "int"
        case "number":
            return "float"
    if "enum" in merged:
        return f"Literal[{', '.join(json.dumps(value) for value in merged['enum'])}]"
    formats = {"date": "dt.date", "date-time": "dt.datetime"}
    return formats.get(merged.get("format", ""), "str")
