"""What the OpenAPI document of every service says of keys and of refusals.

Every operation needs a key unless it is named, and answers a refusal with one and the same problem.
"""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

from shared.openapi_types import add_types

SCHEME = "HTTPBearer"
HEALTH = ("/health/live", "/health/ready")
PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457 problem details; codes in docs/errors.md",
    "required": ["type", "title", "status", "code", "detail", "retryable"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "retryable": {"type": "boolean"},
        "pointer": {"type": "string", "description": "JSON pointer into what was sent"},
        "hint": {"type": "string"},
        "index": {"type": "integer", "description": "of the event in its batch"},
        "trace_id": {"type": "string"},
    },
}
_REFUSAL = {
    "description": "refused, or not possible now: `code` says why, `hint` what to do",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_OF_THE_FRAMEWORK = "#/components/schemas/HTTPValidationError"
_METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
Json = dict[str, Any]
Test = Callable[[str], bool]


def install(
    app: FastAPI,
    *,
    nobody: Test = HEALTH.__contains__,
    anybody: Test = lambda _: False,
    description: str = "hv_PREFIX_SECRET, or an access token of a trusted issuer",
) -> None:
    """Complete `app.openapi()`: `nobody(path)` says that no key is taken, `anybody(path)` that a GET
    may have one; what an operation says of itself stays."""
    plain = app.openapi
    described: list[Json] = []

    def document() -> Json:
        if not described:
            schema = plain()
            parts = schema.setdefault("components", {})
            schemas = parts.setdefault("schemas", {})
            schemas["Problem"] = PROBLEM
            add_types(schemas, schema)
            for name in ("HTTPValidationError", "ValidationError"):
                schemas.pop(name, None)
            parts.setdefault("securitySchemes", {}).setdefault(
                SCHEME, {"type": "http", "scheme": "bearer", "description": description}
            )
            for path, operations in schema["paths"].items():
                for method in operations.keys() & set(_METHODS):
                    wanted = _of(path, method, nobody, anybody)
                    operations[method].setdefault("security", wanted)
                    _refusals(operations[method]["responses"])
            described.append(schema)
        return described[0]

    app.openapi = document  # type: ignore[method-assign]


def _refusals(responses: Json) -> None:
    """Whatever is not described as a success is a problem; the framework's own shape is not ours."""
    for status, answer in list(responses.items()):
        if any(_OF_THE_FRAMEWORK in str(part) for part in answer.get("content", {}).values()):
            del responses[status]
    responses.setdefault("default", _REFUSAL)


def _of(path: str, method: str, nobody: Test, anybody: Test) -> list[Json]:
    if nobody(path):
        return []
    if anybody(path) and method == "get":
        return [{SCHEME: []}, {}]
    return [{SCHEME: []}]
