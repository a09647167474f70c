"""A JSON array to the bytes of its elements: each is read alone, so that one bad harms no other."""

import asyncio
import re
from json.decoder import JSONDecoder

import msgspec

from shared.bodies import LARGE_JSON
from shared.problems import Problem
from shared.strict_json import diagnose, read

_split = msgspec.json.Decoder(list[msgspec.Raw]).decode
_scan = JSONDecoder().scan_once  # type: ignore[attr-defined]
_SPACE = re.compile(r"[ \t\r\n]*")
MANY_COMMAS = 200_000
"""Beyond, a body may hold millions of elements, and is read one by one up to the limit."""


def split(raw: bytes, most: int, what: str = "events") -> list[bytes]:
    """The elements of a JSON array.

    Raises Problem: 400 when the body as a whole is no JSON array, 413 when it has more than `most`
    elements (`what` they are).
    """
    if raw.lstrip()[:1] != b"[":
        read(raw)
        raise Problem(
            "batch-not-array",
            f"A batch is a JSON array of {what}; this is something else.",
            status=400,
            hint="Send a single event as application/cloudevents+json.",
        )
    if raw.count(b",") > MANY_COMMAS:
        return _split_leniently(raw, ValueError(), most, what)
    try:
        found = [bytes(element) for element in _split(raw)]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return _split_leniently(raw, error, most, what)
    if len(found) > most:
        raise _too_long(most, what, f"; this one has {len(found)}")
    return found


async def split_aside(raw: bytes, most: int, what: str = "events") -> list[bytes]:
    """The same; in a thread where it takes long, so that others are answered meanwhile."""
    if len(raw) <= LARGE_JSON:
        return split(raw, most, what)
    return await asyncio.to_thread(split, raw, most, what)


def _split_leniently(raw: bytes, error: Exception, most: int, what: str) -> list[bytes]:
    """Elements of an array some of which are not strict JSON, found by a more lenient parser.

    It takes NaN, lone surrogates and numbers of any size, so that these harm one event only.
    """
    text = raw.decode(errors="surrogateescape")
    found: list[bytes] = []
    try:
        at = _skip(text, 0)
        if text[_skip(text, at + 1)] == "]":
            at = _skip(text, at + 1)
        while text[at] != "]":
            start = _skip(text, at + 1)
            _, end = _scan(text, start)
            found.append(text[start:end].encode(errors="surrogateescape"))
            if len(found) > most:
                raise _too_long(most, what, "")
            at = _skip(text, end)
            if text[at] not in ",]":
                raise ValueError
        if _skip(text, at + 1) == len(text):
            return found
    except (IndexError, StopIteration, ValueError, RecursionError):
        pass
    raise diagnose(raw, error)


def _too_long(most: int, what: str, this: str) -> Problem:
    return Problem(
        "batch-too-long",
        f"A batch may have at most {most} {what}{this}.",
        status=413,
        hint="Split it.",
    )


def _skip(text: str, at: int) -> int:
    """The index of the next character that is no white space."""
    found = _SPACE.match(text, at)
    return found.end() if found else at
