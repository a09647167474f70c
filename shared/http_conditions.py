"""Preconditions of requests (RFC 9110, section 13). Pure."""

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

CONDITIONS = ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since")


def conditional(headers: Mapping[str, str]) -> bool:
    """Whether a request has any precondition; header names in lower case."""
    return any(name in headers for name in CONDITIONS)


def may_proceed(
    headers: Mapping[str, str], there: bool, etag: str | None, modified: str | None
) -> bool:
    """`If-Match`, or without it `If-Unmodified-Since`: false means 412."""
    wanted = headers.get("if-match")
    if wanted is not None:
        if wanted.strip() == "*":
            return there
        return etag is not None and not etag.startswith("W/") and etag in _tags(wanted)
    since, last = _date(headers.get("if-unmodified-since")), _date(modified)
    return since is None or last is None or last <= since


def is_known(
    headers: Mapping[str, str], there: bool, etag: str | None, modified: str | None
) -> bool:
    """`If-None-Match`, or without it `If-Modified-Since`: true means 304 to whoever reads and 412
    to whoever writes."""
    wanted = headers.get("if-none-match")
    if wanted is not None:
        if wanted.strip() == "*":
            return there
        return etag is not None and _weak(etag) in {_weak(tag) for tag in _tags(wanted)}
    since, last = _date(headers.get("if-modified-since")), _date(modified)
    return since is not None and last is not None and last <= since


def _tags(header: str) -> list[str]:
    return [tag.strip() for tag in header.split(",")]


def _weak(tag: str) -> str:
    return tag.removeprefix("W/")


def _date(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
