"""JSON answers with an ETag, and cursor paging: the same for every list of registry. Pure."""

import base64
import hashlib
from collections.abc import Callable, Coroutine, Sequence
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import Header, Query, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute

from shared.problems import Problem

T = TypeVar("T")

_encode = msgspec.json.Encoder().encode

IfNoneMatch = Annotated[str | None, Header()]
Cursor = Annotated[str | None, Query(max_length=400, description="`next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=1000, description="rows of a page")]


def json_answer(value: Any, if_none_match: str | None = None) -> Response:
    """`value` as JSON; 304 without a body when the reader has it already."""
    return _tagged(_encode(value), if_none_match)


class TaggedRoute(APIRoute):
    """Gives every JSON answer of a router the ETag that `json_answer` gives, where it has none."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def tagged(request: Request) -> Response:
            answer = await handle(request)
            plain = request.method == "GET" and answer.status_code == 200
            if not plain or "ETag" in answer.headers or answer.media_type != "application/json":
                return answer
            return _tagged(bytes(answer.body), request.headers.get("If-None-Match"))

        return tagged


def _tagged(body: bytes, if_none_match: str | None) -> Response:
    etag = f'W/"{hashlib.sha256(body).hexdigest()[:20]}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if if_none_match and etag in (part.strip() for part in if_none_match.split(",")):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


def page(
    items: Sequence[T], key: Callable[[T], list[Any]], cursor: str | None, limit: int
) -> tuple[list[T], str | None]:
    """The items after `cursor` in the order of `key` (a list that JSON can hold, unique per item).

    Items that come or go between two pages neither repeat nor hide others.
    """
    ordered = sorted(items, key=key)
    if cursor is not None:
        after = decode(cursor)
        try:
            ordered = [item for item in ordered if key(item) > after]
        except TypeError:
            raise _wrong() from None
    shown = ordered[:limit]
    more = len(ordered) > limit
    return shown, encode(key(shown[-1])) if more else None


def encode(key: list[Any]) -> str:
    """A key as a cursor."""
    return base64.urlsafe_b64encode(_encode(key)).decode().rstrip("=")


def decode(cursor: str) -> list[Any]:
    """The key of a cursor; a problem when it is none of ours."""
    try:
        found = msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, msgspec.DecodeError):
        raise _wrong() from None
    if not isinstance(found, list):
        raise _wrong()
    return found


def _wrong() -> Problem:
    return Problem(
        "cursor-malformed",
        "The cursor is not one of this list.",
        pointer="/cursor",
        hint="Take it from `next` of the page before, or leave it out for the first page.",
    )
