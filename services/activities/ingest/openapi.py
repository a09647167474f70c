"""The OpenAPI document of `activities`: event bodies, answers and examples out of the catalogue.

The hot routes take raw bytes, so FastAPI cannot know their bodies; `install` adds them when the
document is first asked for.
"""

from typing import Any

from fastapi import FastAPI

from shared.contracts.definitions import Catalogue
from shared.contracts.topics import EVENT_TYPE_PREFIX

Json = dict[str, Any]
_BEARER: Json = {"security": [{"HTTPBearer": []}]}


def _flag(name: str, text: str) -> Json:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": text,
        "schema": {"type": "boolean", "default": False},
    }


POST_EVENTS: Json = {
    **_BEARER,
    "parameters": [
        _flag("atomic", "all or nothing (batches)"),
        _flag("dry_run", "judge everything, write nothing"),
    ],
}
_ACCEPTED = {
    "source": "https://congan.daklak.example/vneid",
    "id": "2026-06-30-000017",
    "status": "accepted",
    "position": 91234,
}
PROBLEM_EXAMPLE: Json = {
    "type": "urn:hocvuso:problem:value-not-allowed",
    "title": "Value not allowed",
    "status": 422,
    "code": "value-not-allowed",
    "detail": "The value is not in the list of this field.",
    "retryable": False,
    "pointer": "/data/platform",
    "hint": "Did you mean vneid? Allowed: binhdanhocvuso, vneid.",
}


def _problem(text: str) -> Json:
    return {
        "description": text,
        "content": {
            "application/problem+json": {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "example": PROBLEM_EXAMPLE,
            }
        },
    }


EVENT_RESPONSES: dict[int | str, Json] = {
    200: {
        "description": "a duplicate (one event), or the results of a batch",
        "content": {
            "application/json": {
                "schema": {
                    "oneOf": [
                        {"$ref": "#/components/schemas/EventAnswer"},
                        {"$ref": "#/components/schemas/BatchAnswer"},
                    ]
                },
                "examples": {
                    "duplicate": {"value": {**_ACCEPTED, "status": "duplicate"}},
                    "batch": {
                        "value": {
                            "accepted": 1,
                            "duplicates": 0,
                            "rejected": 0,
                            "results": [{"index": 0, **_ACCEPTED}],
                        }
                    },
                },
            }
        },
    },
    201: {
        "description": "written and committed",
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/EventAnswer"},
                "example": _ACCEPTED,
            }
        },
    },
    400: _problem("not strict JSON"),
    401: _problem("no key, or a wrong one"),
    403: _problem("the key may not post this"),
    409: _problem("same source and id, other content"),
    413: _problem("too large"),
    415: _problem("wrong Content-Type or Content-Encoding"),
    422: _problem("refused: pointer, rule and hint say why"),
    503: _problem("overloaded: send again after Retry-After"),
}


def install(app: FastAPI, catalogue: Catalogue) -> None:
    """Let `app.openapi()` tell the event types too."""
    plain, made_of = app.openapi, catalogue.now

    def document() -> Json:
        nonlocal made_of
        if made_of is not catalogue.now:
            made_of, app.openapi_schema = catalogue.now, None
        if app.openapi_schema is None:
            schema = plain()
            _add_events(schema, made_of)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def example(catalogue: Catalogue, name: str, number: int = 0) -> Json:
    """A whole event of a type, made of an example of its data."""
    kind = catalogue[name]
    event = {
        "specversion": "1.0",
        "id": f"example-{name}-{number + 1}",
        "source": "https://partner.example/system",
        "type": EVENT_TYPE_PREFIX + name,
        "subject": "24133",
        "time": "2026-06-30T09:12:00+07:00",
    }
    return {**event, "data": kind.examples[number]}


def _add_events(schema: Json, catalogue: Catalogue) -> None:
    parts = schema.setdefault("components", {}).setdefault("schemas", {})
    parts.update(_ANSWERS)
    names = []
    for name, kind in catalogue.items():
        data = {k: v for k, v in catalogue.data_schema(name).items() if k not in ("$schema", "$id")}
        for shared, body in data.pop("$defs", {}).items():
            parts.setdefault(f"data.{shared}", _relocated(body))
        parts[f"event.{name}"] = {
            "type": "object",
            "title": _class_name(name),
            "description": kind.title,
            "required": ["specversion", "id", "source", "type", "subject", "time", "data"],
            "properties": {
                "specversion": {"const": "1.0"},
                "id": {"type": "string", "minLength": 1, "maxLength": 256},
                "source": {"type": "string", "format": "uri", "maxLength": 512},
                "type": {"const": EVENT_TYPE_PREFIX + name},
                "subject": {"type": "string", "description": "code of the unit, or code@era"},
                "time": {"type": "string", "format": "date-time"},
                "dataschema": {"type": "string", "format": "uri"},
                "data": _relocated(data),
            },
        }
        names.append({"$ref": f"#/components/schemas/event.{name}"})
    parts["Event"] = {"oneOf": names}
    examples = {name: {"value": example(catalogue, name)} for name in catalogue}
    schema["paths"]["/v1/events"]["post"]["requestBody"] = {
        "required": True,
        "content": {
            "application/cloudevents+json": {
                "schema": {"$ref": "#/components/schemas/Event"},
                "examples": examples,
            },
            "application/cloudevents-batch+json": {
                "schema": {
                    "type": "array",
                    "maxItems": 1000,
                    "items": {"$ref": "#/components/schemas/Event"},
                },
                "examples": {
                    "two": {"value": [example(catalogue, n) for n in list(catalogue)[:2]]}
                },
            },
        },
    }


def _class_name(name: str) -> str:
    """What generated clients call an event: `citizen.certified` -> `CitizenCertified`."""
    return "".join(part.capitalize() for part in name.replace("_", ".").split("."))


def _relocated(node: Any) -> Any:
    """The node with references into its own `$defs` pointed at the document's components."""
    if isinstance(node, dict):
        return {
            key: value.replace("#/$defs/", "#/components/schemas/data.")
            if key == "$ref" and isinstance(value, str)
            else _relocated(value)
            for key, value in node.items()
        }
    if isinstance(node, list):
        return [_relocated(item) for item in node]
    return node


_TEXT_OR_NULL = {"type": ["string", "null"]}
_STATUS = {"type": "string", "enum": ["accepted", "duplicate", "rejected"]}
_EVENT_ANSWER: Json = {
    "type": "object",
    "required": ["source", "id", "status", "position"],
    "properties": {
        "source": _TEXT_OR_NULL,
        "id": _TEXT_OR_NULL,
        "status": _STATUS,
        "position": {"type": ["integer", "null"]},
        "warnings": {"type": "array", "items": {"type": "string"}},
    },
}
_ANSWERS: Json = {
    "EventAnswer": _EVENT_ANSWER,
    "BatchAnswer": {
        "type": "object",
        "required": ["accepted", "duplicates", "rejected", "results"],
        "properties": {
            "accepted": {"type": "integer"},
            "duplicates": {"type": "integer"},
            "rejected": {"type": "integer"},
            "results": {
                "type": "array",
                "items": {
                    **_EVENT_ANSWER,
                    "required": ["index", *_EVENT_ANSWER["required"]],
                    "properties": {
                        "index": {"type": "integer"},
                        **_EVENT_ANSWER["properties"],
                        "problem": {"$ref": "#/components/schemas/Problem"},
                    },
                },
            },
        },
    },
}
