"""Whether two events say the same: judged by what the log stores, not by how it was spelled. Pure.

Equal are: instants in whatever offset and number of digits, lists whose order means nothing
(`uniqueItems` in the schema of the type), numbers (1, 1.0, 1e0), the members of objects in any
order, persons in any spelling (they are references by now, also those of former spellings) and older
versions of a type (their data is raised by now). The unit is compared by the caller, who knows the tree.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import rfc8785

from shared.contracts.definitions import Catalogue

Json = dict[str, Any]
_NOTHING: Mapping[str, str] = {}
_FRACTION = re.compile(r"\.(\d+)")


class ContentComparison:
    """Compares data of event types by their schemas."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._made_of = catalogue.now
        self._defs = catalogue.definitions()
        self._schemas: dict[str, Json] = {}

    def canonical(
        self, type_name: str, time: str, data: Json, today: Mapping[str, str] = _NOTHING
    ) -> bytes:
        """The one form of all that says the same as this stored time and data.

        `today`: the references of today for those under which a number was known before.
        """
        if self._made_of is not self._catalogue.now:
            self._made_of, self._schemas = self._catalogue.now, {}
            self._defs = self._made_of.definitions()
        schema = self._schemas.get(type_name)
        if schema is None:
            schema = self._schemas[type_name] = self._schema(type_name)
        return rfc8785.dumps([instant(time), self._value(data, schema, today)])

    def _schema(self, type_name: str) -> Json:
        schema = self._catalogue.stored_schema(type_name)
        if type_name != "event.corrected":
            return schema
        # A patch names fields of a type that only the log knows: what is a set in one is in all.
        fields = {name: field for kind in self._catalogue for name, field in self._sets(kind)}
        changes = {**self._defs["changes"]["properties"], "data": {"properties": fields}}
        return {"properties": {**schema["properties"], "changes": {"properties": changes}}}

    def _sets(self, type_name: str) -> Iterator[tuple[str, Json]]:
        properties = self._catalogue.stored_schema(type_name)["properties"]
        return ((n, p) for n, p in properties.items() if self._resolved(p).get("uniqueItems"))

    def _resolved(self, schema: Json) -> Json:
        while "$ref" in schema:
            schema = self._defs[schema["$ref"].rpartition("/")[2]]
        return schema

    def _value(self, value: Any, schema: Json, today: Mapping[str, str]) -> Any:
        schema = self._resolved(schema)
        if isinstance(value, dict):
            properties = schema.get("properties", {})
            return {k: self._value(v, properties.get(k, {}), today) for k, v in value.items()}
        if isinstance(value, list):
            items = [self._value(item, schema.get("items") or {}, today) for item in value]
            return sorted(items, key=rfc8785.dumps) if schema.get("uniqueItems") else items
        if isinstance(value, str) and schema.get("format") == "date-time":
            return instant(value)
        return today.get(value, value) if isinstance(value, str) else value


def instant(text: str) -> str:
    """An RFC 3339 time in UTC without idle digits; as it is where it is none."""
    fraction = _FRACTION.search(text)
    digits = fraction[1].rstrip("0") if fraction else ""
    try:
        moment = datetime.fromisoformat(_FRACTION.sub("", text).upper())
        return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{digits}Z"
    except (ValueError, OverflowError):
        return text
