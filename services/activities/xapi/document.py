"""What OpenAPI says of the xAPI routes, and the tables of docs/xapi.md.

`python -m services.activities.xapi.document` writes the tables into the page.
"""

from pathlib import Path
from typing import Any

from services.activities.xapi.become import REASONS
from services.activities.xapi.mapping import SOURCES, Mapping
from shared.contracts.definitions import Catalogue

Json = dict[str, Any]
PAGE = Path(__file__).parents[3] / "docs" / "xapi.md"
BEGIN, END = "<!-- made from mapping.yaml -->", "<!-- end -->"
EXAMPLE: Json = {
    "id": "7d6f1a52-0f6e-4f0b-9a43-3d8d7c2b1e10",
    "actor": {"account": {"homePage": "https://mooc.example", "name": "17"}},
    "verb": {"id": "http://adlnet.gov/expapi/verbs/completed", "display": {"en": "completed"}},
    "object": {
        "id": "https://mooc.example/course/kns-co-ban",
        "definition": {"type": "http://adlnet.gov/expapi/activities/course"},
    },
    "result": {"completion": True, "success": True},
    "context": {
        "extensions": {
            "https://hocvuso.vn/xapi/unit": "24133",
            "https://hocvuso.vn/xapi/target-groups": ["adult"],
            "https://hocvuso.vn/xapi/platform": "other_mooc",
        }
    },
    "timestamp": "2026-06-30T09:12:00+07:00",
}
_OBJECT: Json = {"type": "object"}
_STATEMENT: Json = {
    "type": "object",
    "required": ["actor", "verb", "object"],
    "properties": {"actor": _OBJECT, "verb": _OBJECT, "object": _OBJECT},
}
_SECURITY: Json = {"security": [{"HTTPBearer": []}]}


def _parameter(name: str, text: str, where: str = "query", *, required: bool = False) -> Json:
    return {
        "name": name,
        "in": where,
        "required": required,
        "description": text,
        "schema": {"type": "string"},
    }


_VERSION = _parameter("X-Experience-API-Version", "1.0.x", where="header", required=True) | {
    "example": "1.0.3"
}
_BODY: Json = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "oneOf": [_STATEMENT, {"type": "array", "maxItems": 1000, "items": _STATEMENT}]
            },
            "example": EXAMPLE,
        }
    },
}
POST: Json = {**_SECURITY, "parameters": [_VERSION], "requestBody": _BODY}
PUT: Json = {
    **_SECURITY,
    "parameters": [_VERSION, _parameter("statementId", "UUID", required=True)],
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": _STATEMENT, "example": EXAMPLE}},
    },
}
GET: Json = {
    **_SECURITY,
    "parameters": [
        _VERSION,
        _parameter("statementId", "UUID of one statement"),
        _parameter("voidedStatementId", "UUID of one that is voided"),
        _parameter("agent", "an Agent or identified Group as JSON, as posted or as answered"),
        _parameter("verb", "IRI"),
        _parameter("activity", "IRI"),
        _parameter("registration", "UUID"),
        _parameter("related_activities", "true: also activities of the context"),
        _parameter("related_agents", "true: also instructors, teams, authorities"),
        _parameter("since", "stored after this time"),
        _parameter("until", "stored at or before this time"),
        _parameter("limit", "at most 500; 0: 500"),
        _parameter("ascending", "true: oldest first"),
        _parameter("format", "ids, exact or canonical"),
        _parameter("attachments", "false only"),
        _parameter("more", "as `more` of an answer says"),
    ],
}


def _problem(text: str) -> Json:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": text, "content": {"application/problem+json": {"schema": schema}}}


_REFUSED: dict[int | str, Json] = {
    400: _problem("version, parameter or statement breaks a rule; index and pointer say where"),
    401: _problem("no key, or a wrong one"),
    403: _problem("the key may not do this"),
}
_WRITTEN: dict[int | str, Json] = {
    **_REFUSED,
    409: _problem("a statement with this id is kept with other content"),
    413: _problem("too large"),
    503: _problem("send again after Retry-After"),
}
_STATEMENTS: Json = {
    "oneOf": [
        {
            "title": "StatementResult",
            "type": "object",
            "required": ["statements", "more"],
            "properties": {
                "statements": {"type": "array", "items": {"type": "object"}},
                "more": {"type": "string", "description": "where the next page is; empty: none"},
            },
        },
        {
            "title": "Statement",
            "type": "object",
            "required": ["id", "actor", "verb", "object", "stored", "authority"],
            "properties": {"id": {"type": "string", "format": "uuid"}},
        },
    ]
}
_ABOUT: Json = {
    "type": "object",
    "required": ["version"],
    "properties": {"version": {"type": "array", "items": {"type": "string"}}},
}


def _json(description: str, schema: Json) -> Json:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


POSTED: dict[int | str, Json] = {
    **_WRITTEN,
    200: {
        "description": "the ids, in order; all are kept. With `method` in the query (the alternate"
        " syntax) what that method answers.",
        "content": {
            "application/json": {
                "schema": {
                    "oneOf": [
                        {"type": "array", "items": {"type": "string", "format": "uuid"}},
                        *_STATEMENTS["oneOf"],
                    ]
                },
                "example": [EXAMPLE["id"]],
            }
        },
    },
}
PUTTED: dict[int | str, Json] = {**_WRITTEN, 204: {"description": "kept"}}
GOT: dict[int | str, Json] = {
    **_REFUSED,
    200: _json("one statement by its id, or a page of them", _STATEMENTS),
    404: _problem("no such statement"),
}
ABOUT: dict[int | str, Json] = {
    200: _json("the versions that are spoken", _ABOUT),
    400: _problem("an unknown parameter"),
}


def tables(mapping: Mapping) -> str:
    """The mapping as tables in Markdown."""
    said = mapping.document()
    lines = [
        "| entry | verbs | activity types | result | becomes | filled |",
        "|---|---|---|---|---|---|",
    ]
    for entry in said["entries"]:
        when = [
            f"{name}: {' or '.join(str(v).lower() for v in values)}"
            for name, values in entry["when"].items()
        ]
        kinds = [f"`{a}`" for a in entry["activities"]]
        if entry["parent"]:
            kinds.append("parent: " + ", ".join(f"`{a}`" for a in entry["parent"]))
        filled = [
            f"{name} = `{source['const']}`" if isinstance(source, dict) else f"{name}: {source}"
            for name, source in entry["data"].items()
        ]
        note = f"<br>{entry['note']}" if entry["note"] else ""
        cells = [
            entry["id"],
            "<br>".join(f"`{v}`" for v in entry["verbs"]),
            "<br>".join(kinds),
            "<br>".join(when) + note,
            f"`{entry['type']}`",
            "<br>".join(filled),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "| filled from | is |", "|---|---|"]
    lines += [f"| {name} | {text} |" for name, text in SOURCES.items()]
    lines += ["", "| extension | IRI |", "|---|---|"]
    lines += [f"| {name} | `{iri}` |" for name, iri in said["extensions"].items()]
    lines += ["", "| reason | a statement is kept and not counted because |", "|---|---|"]
    lines += [f"| `{name}` | {text} |" for name, text in REASONS.items()]
    return "\n".join(lines)


def with_tables(page: str, mapping: Mapping) -> str:
    """The page with its tables as the mapping is now."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{tables(mapping)}\n\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(), Mapping.load(Catalogue.load())))
