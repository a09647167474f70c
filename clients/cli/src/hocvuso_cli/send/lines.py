"""The lines of an NDJSON file, whatever wrote it: marks are taken off, bad lines are named alone."""

import codecs
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from hocvuso_cli.language import say
from hocvuso_client.envelope import MAX_EVENT_BYTES

_BOM = codecs.BOM_UTF8
_UTF_16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_PIECE = 64 * 1024
PLACEHOLDER = b'"unreadable"'
"""What a stream gets instead of a line that it could not read: it is refused alone."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: the event as JSON text, or what is wrong with it; neither for an empty one."""

    number: int
    raw: bytes = b""
    problem: dict[str, str] | None = None


def read_lines(path: Path) -> Iterator[Line]:
    """Every line of a file with its number, from 1. Memory holds one event at most."""
    with path.open("rb") as file:
        start = file.read(2)
        file.seek(0)
        encoding = _UTF_16.get(start)
        pieces = _recoded(file, encoding) if encoding else iter(lambda: file.read(_PIECE), b"")
        for number, raw in enumerate(_cut(pieces), 1):
            yield _line(number, raw)


def count_lines(path: Path) -> int:
    """How many lines a file has, at the speed of the disk."""
    with path.open("rb") as file:
        found, last = 0, b"\n"
        while chunk := file.read(1 << 20):
            found += chunk.count(b"\n")
            last = chunk[-1:]
    return found + (last != b"\n")


def _line(number: int, raw: bytes | None) -> Line:
    if raw is None:
        return Line(number, problem=_too_large())
    raw = raw.strip().removeprefix(_BOM).strip()
    if not raw:
        return Line(number)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return Line(number, problem=_not_utf_8())
    try:
        json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return Line(number, problem=_not_json(text))
    return Line(number, raw)


def _cut(pieces: Iterator[bytes]) -> Iterator[bytes | None]:
    """Lines; None for one that is longer than an event may be."""
    rest, skipping = b"", False
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield None if skipping or len(line) > MAX_EVENT_BYTES else line
            skipping = False
        if len(rest) > MAX_EVENT_BYTES + len(_BOM) + 2:
            rest, skipping = b"", True
    if rest or skipping:
        yield None if skipping or len(rest) > MAX_EVENT_BYTES else rest


def _recoded(file: BinaryIO, encoding: str) -> Iterator[bytes]:
    """UTF-16 as UTF-8; half a pair of surrogates becomes a mark of replacement."""
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    while chunk := file.read(_PIECE):
        yield decoder.decode(chunk).encode()
    yield decoder.decode(b"", final=True).encode()


def _no_number(name: str) -> Any:
    raise ValueError(name)


def _problem(code: str, detail: str, hint: str) -> dict[str, str]:
    return {"code": code, "detail": detail, "hint": hint}


def _too_large() -> dict[str, str]:
    size = MAX_EVENT_BYTES // 1024
    return _problem(
        "body-too-large",
        say(vi=f"Dòng dài hơn {size} KB.", en=f"The line is longer than {size} KB."),
        say(vi="Mỗi dòng là một sự kiện.", en="A line is one event."),
    )


def _not_utf_8() -> dict[str, str]:
    return _problem(
        "json-invalid",
        say(vi="Dòng không phải UTF-8.", en="The line is not UTF-8."),
        say(vi="Lưu tệp theo UTF-8.", en="Write the file in UTF-8."),
    )


def _not_json(text: str) -> dict[str, str]:
    if text in ("[", "{") or text.endswith((",", "[", "{")) or text in ("]", "}", "],", "},"):
        return _problem(
            "json-invalid",
            say(
                vi="Dòng không phải JSON đầy đủ: có lẽ tệp là một văn bản JSON trải trên nhiều dòng.",
                en="The line is no whole JSON: the file seems to be one JSON text over many lines.",
            ),
            say(
                vi="Ghi mỗi sự kiện trên một dòng (NDJSON), ví dụ: jq -c '.[]' tệp.json",
                en="Write one event a line (NDJSON), say with: jq -c '.[]' file.json",
            ),
        )
    return _problem(
        "json-invalid",
        say(vi="Dòng không phải JSON.", en="The line is not JSON."),
        say(vi="Mỗi dòng là một sự kiện JSON.", en="One JSON event a line."),
    )
