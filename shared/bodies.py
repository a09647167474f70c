"""The one reader of request bodies: bounded in size and time, decompressed, JSON and forms strictly.

Who needs more than `SMALL` says so by reading through here; what the framework reads by itself is
held to `SMALL` by `request_guard.py`.
"""

import asyncio
import zlib
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from shared.inflate import not_gzip
from shared.problems import Problem
from shared.strict_json import read

SMALL = 64 * 1024
"""Bytes of a body where a route says nothing else."""

SECONDS_TO_SEND = 60
LARGE_JSON = 256 * 1024
"""Bytes from which JSON is read in a thread, so that others are answered meanwhile."""

FORM_FIELDS = 2_000
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

OWN_READER = "hocvuso.own_reader"
"""Set in the scope by whoever reads a body in a bound of its own."""
BODY = "hocvuso.body"
"""In the scope: the body, once it has been read."""


def larger_body(limit: int) -> Callable[[Endpoint], Endpoint]:
    """Let a route whose body the framework parses have up to `limit` bytes."""

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.largest_body = limit  # type: ignore[attr-defined]
        return endpoint

    return mark


def limit_of(route: Any) -> int:
    """Bytes that a body for this route may have, where it does not read it by itself."""
    return int(getattr(getattr(route, "endpoint", None), "largest_body", SMALL))


def whole(text: str) -> int | None:
    """A whole number of at most 18 ASCII digits; None for all else, a superscript two included."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def declared_size(request: Request) -> int:
    """The bytes that the Content-Length promises; 0 where it promises nothing that can be read."""
    return whole(request.headers.get("content-length", "")) or 0


async def read_body(
    request: Request, limit: int, what: str = "The body", *, required: bool = False
) -> bytes:
    """The whole body, decompressed. Raises Problem 413, 415, 408 or 400 (`required`: when empty).

    Whoever answers the same request again gets the same body: a connection gives it once only.
    """
    if BODY in request.scope:
        return bytes(request.scope[BODY])
    request.scope[OWN_READER] = True
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "", "gzip", "x-gzip"):
        raise Problem(
            "content-encoding-unsupported",
            "The Content-Encoding is not one that is taken.",
            status=415,
            hint="Send gzip, or no Content-Encoding.",
        )
    if declared_size(request) > limit:
        raise too_large(limit, what)
    inflate = zlib.decompressobj(wbits=31) if "gzip" in encoding else None
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(SECONDS_TO_SEND):
            async for chunk in request.stream():
                if inflate is not None:
                    # One byte more than may be: then it is known to be too much.
                    chunk = inflate.decompress(chunk, limit + 1 - size)
                size += len(chunk)
                if size > limit:
                    raise too_large(limit, what)
                chunks.append(chunk)
    except TimeoutError:
        raise too_slow() from None
    except zlib.error:
        raise not_gzip() from None
    except ClientDisconnect:
        raise Problem(
            "body-incomplete", "The body ended before its length.", status=400, retryable=True
        ) from None
    if inflate is not None and not inflate.eof:
        raise not_gzip()
    if required and not size:
        raise Problem("body-empty", "Nothing was sent.", status=400, hint="Send the file.")
    request.scope[BODY] = chunks[0] if len(chunks) == 1 else b"".join(chunks)
    return bytes(request.scope[BODY])


async def read_json(request: Request, limit: int, what: str = "The body") -> Any:
    """The value of a JSON body. Raises Problem as `read_body` and `strict_json.read` do."""
    return await strictly(await read_body(request, limit, what))


async def strictly(raw: bytes) -> Any:
    """The value of a JSON document, read beside the event loop where it is large."""
    return (await asyncio.to_thread(read, raw) if len(raw) > LARGE_JSON else read(raw))[0]


async def read_form(
    request: Request, limit: int = SMALL, *, blanks: bool = False
) -> dict[str, list[str]]:
    """The fields of an urlencoded form by name; `blanks`: also those that are empty.

    Raises Problem: UTF-8, at most `FORM_FIELDS` fields, no U+0000.
    """
    raw = await read_body(request, limit, "A form")
    found: dict[str, list[str]] = {}
    try:
        pairs = parse_qsl(
            raw.decode(), keep_blank_values=blanks, errors="strict", max_num_fields=FORM_FIELDS
        )
    except ValueError:
        raise Problem(
            "form-malformed",
            f"The body is no form of up to {FORM_FIELDS} fields in UTF-8.",
            status=400,
            hint="Send application/x-www-form-urlencoded, as the form of the page does.",
        ) from None
    for name, value in pairs:
        if "\0" in name or "\0" in value:
            raise Problem(
                "json-nul",
                "A field of the form holds the character U+0000.",
                status=400,
                hint="Leave it out.",
            )
        found.setdefault(name, []).append(value)
    return found


def too_large(limit: int, what: str) -> Problem:
    """A body over its limit, compressed or not."""
    return Problem(
        "body-too-large",
        f"{what} may have at most {limit} bytes, also after decompression.",
        status=413,
        hint="Split it.",
    )


def too_slow() -> Problem:
    """A body that did not arrive in time."""
    return Problem(
        "body-too-slow",
        f"The body did not arrive within {SECONDS_TO_SEND} seconds.",
        status=408,
        hint="Send smaller batches.",
        retryable=True,
    )
