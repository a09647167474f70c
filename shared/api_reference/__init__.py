"""`/docs`: the reference of a service's API, made from its OpenAPI document, without any script.

So it stands beside the session's cookie under the same policy as the pages, asks nothing of other
hosts, and works where there is no internet.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

HERE = Path(__file__).parent
STYLE = "/docs/reference.css"
POLICY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
"""No script, no frames, nothing from elsewhere; the pages of registry have the same."""

METHODS = ("get", "post", "put", "patch", "delete")
Json = dict[str, Any]
_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Operation:
    """A method of an address, as its section shows it."""

    method: str
    path: str
    anchor: str
    said: Json

    @property
    def bodies(self) -> list[tuple[str, Json]]:
        """Media type and schema of what it takes."""
        return _contents(self.said.get("requestBody", {}))

    @property
    def answers(self) -> list[tuple[str, str, list[tuple[str, Json]]]]:
        """Status, description, and media types with their schemas."""
        return [
            (status, answer.get("description", ""), _contents(answer))
            for status, answer in self.said.get("responses", {}).items()
        ]


def install(app: FastAPI) -> None:
    """Serve the reference of `app`, which must be made without `docs_url` and `redoc_url`."""
    pages = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    pages.filters.update(kind=kind_of, prose=prose)

    async def reference(_: Request) -> Response:
        document = app.openapi()
        body = pages.get_template("reference.html").render(
            title=document["info"]["title"],
            groups=groups_of(document),
            schemas=document.get("components", {}).get("schemas", {}),
            style=STYLE,
        )
        return Response(body, headers=POLICY, media_type="text/html; charset=utf-8")

    async def style(_: Request) -> Response:
        css = (HERE / "reference.css").read_bytes()
        return Response(css, headers=POLICY, media_type="text/css; charset=utf-8")

    app.add_route("/docs", reference, include_in_schema=False)
    app.add_route(STYLE, style, include_in_schema=False)


def groups_of(document: Json) -> dict[str, list[Operation]]:
    """The operations by their first tag, in the order of the document."""
    found: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                said = methods[method]
                anchor = re.sub(r"[^a-z0-9]+", "-", f"{method}-{path}".lower()).strip("-")
                tag = (said.get("tags") or ["other"])[0]
                found.setdefault(tag, []).append(Operation(method.upper(), path, anchor, said))
    return found


def _contents(part: Json) -> list[tuple[str, Json]]:
    return [(kind, said.get("schema", {})) for kind, said in part.get("content", {}).items()]


def kind_of(schema: Any) -> Markup:
    """A schema in a few words, with links to those that have a name."""
    if not isinstance(schema, dict) or not schema:
        return Markup("anything")
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return Markup('<a href="#schema-{}">{}</a>').format(name, name)
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return Markup(" or ").join(kind_of(one) for one in schema[several])
    if "enum" in schema or "const" in schema:
        values = schema.get("enum", [schema.get("const")])
        return Markup(" | ").join(Markup("<code>{}</code>").format(value) for value in values)
    kind = schema.get("type", "anything")
    if kind == "array":
        return Markup("list of {}").format(kind_of(schema.get("items")))
    bounds = ", ".join(_bounds(schema))
    named = Markup("{} ({})") if bounds else Markup("{}")
    return named.format(" or ".join(kind) if isinstance(kind, list) else kind, bounds)


def _bounds(schema: Json) -> Iterator[str]:
    if "format" in schema:
        yield str(schema["format"])
    words = {"minimum": "from", "maximum": "to", "minLength": "at least", "maxLength": "at most"}
    for name, word in words.items():
        if name in schema:
            yield f"{word} {schema[name]}" + (" characters" if "Length" in name else "")
    if "pattern" in schema:
        yield f"like {schema['pattern']}"


def prose(text: str | None) -> Markup:
    """A description: paragraphs, and `code` as code."""
    parts = [part for part in (text or "").split("\n\n") if part.strip()]
    return Markup("").join(Markup("<p>{}</p>").format(_marked(part)) for part in parts)


def _marked(text: str) -> Markup:
    pieces = _CODE.split(text)  # every second one stood between backticks
    code = Markup("<code>{}</code>")
    return Markup("").join(
        code.format(piece) if place % 2 else Markup("{}").format(piece)
        for place, piece in enumerate(pieces)
    )
