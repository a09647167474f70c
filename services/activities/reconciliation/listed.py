"""Reading a manifest: ids out of text, NDJSON or CSV, line by line, into a file for COPY."""

import asyncio
import csv
import unicodedata
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import BinaryIO

import msgspec
from starlette.requests import ClientDisconnect, Request

from services.activities.ingest.envelope import LONGEST
from services.activities.ingest.lines import Line, LineSplitter
from shared.bodies import OWN_READER
from shared.identity.leaks import leaks, may_leak
from shared.inflate import Inflater, not_gzip
from shared.problems import Problem

TYPES = ("text/plain", "application/x-ndjson", "text/csv")
MAX_IDS = 5_000_000
MAX_BYTES = 1024 * 1024 * 1024
MAX_LINE_BYTES = 64 * 1024
SILENCE_S = 60
LINES_TOLD = 100

_decode = msgspec.json.Decoder(type=dict[str, msgspec.Raw]).decode


class Listed(AbstractContextManager["Listed"]):
    """What a manifest held: `file` has the ids as COPY reads them (text format)."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.ids = 0
        self.malformed = 0
        self.malformed_lines: list[int] = []

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def take(self, line: Line, id: str | None) -> None:
        """Keep an id, or note that the line holds none that the log could hold."""
        if (
            id is None
            or not 0 < len(id) <= LONGEST["id"]
            or id != id.strip()
            or any(unicodedata.category(c) == "Cc" for c in id)
            or (may_leak(id) and leaks(id))
        ):
            self.malformed += 1
            if len(self.malformed_lines) < LINES_TOLD:
                self.malformed_lines.append(line.number)
            return
        self.ids += 1
        if self.ids > MAX_IDS:
            raise too_long()
        # The log holds ids in NFC; COPY's text format needs backslashes doubled.
        text = unicodedata.normalize("NFC", id).replace("\\", "\\\\")
        self.file.write(text.encode() + b"\n")


async def read_ids(request: Request, file: BinaryIO) -> Listed:
    """Read the body; raises Problem."""
    listed = Listed(file)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    id_of = _reader(kind)
    splitter = LineSplitter(1, MAX_LINE_BYTES)
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise Problem(
            "content-encoding-unsupported",
            "The Content-Encoding is not one that is taken.",
            status=415,
            hint="Send gzip, or no Content-Encoding.",
        )
    inflater = Inflater() if "gzip" in encoding else None
    size = 0

    def take(line: Line) -> None:
        found = id_of(line.raw) if line.raw is not None else None
        if found is not _HEAD:
            listed.take(line, found)

    request.scope[OWN_READER] = True
    stream = request.stream().__aiter__()
    while True:
        try:
            async with asyncio.timeout(SILENCE_S):
                chunk = await anext(stream)
        except StopAsyncIteration:
            break
        except (TimeoutError, ClientDisconnect):
            raise Problem(
                "body-incomplete", "The body ended early.", status=400, retryable=True
            ) from None
        for piece in (chunk,) if inflater is None else inflater.feed(chunk):
            size += len(piece)
            if size > MAX_BYTES:
                raise too_long()
            for line in splitter.feed(piece):
                take(line)
            await asyncio.sleep(0)
    if inflater is not None and not inflater.whole:
        raise not_gzip()
    for line in splitter.end():
        take(line)
    return listed


_HEAD = "\x00head"


def _reader(kind: str) -> Callable[[bytes], str | None]:
    """What finds the id in a line; None for a line that holds none."""
    if kind == "text/plain":
        return _text
    if kind in ("application/x-ndjson", "application/ndjson", "application/jsonl"):
        return _json
    if kind == "text/csv":
        return _Csv()
    raise Problem(
        "content-type-unsupported",
        "A manifest is text, NDJSON or CSV.",
        status=415,
        hint=f"Send Content-Type {', '.join(TYPES[:-1])} or {TYPES[-1]}.",
    )


def _text(raw: bytes) -> str | None:
    try:
        return raw.decode().removeprefix("\ufeff")
    except UnicodeDecodeError:
        return None


def _json(raw: bytes) -> str | None:
    try:
        return msgspec.json.decode(_decode(raw)["id"], type=str)
    except (msgspec.MsgspecError, KeyError, UnicodeDecodeError, RecursionError):
        return None


class _Csv:
    """Lines of CSV; the first names the columns."""

    def __init__(self) -> None:
        self._at: int | None = None

    def __call__(self, raw: bytes) -> str | None:
        text = _text(raw)
        try:
            cells = next(csv.reader([text or ""], strict=True), [])
        except csv.Error:
            cells = []
        if self._at is None:
            if "id" not in cells:
                raise Problem(
                    "manifest-without-ids",
                    "The first line of the CSV names no column id.",
                    hint="Write a head with a column `id`, parted by commas; or send the ids as"
                    " text/plain, one a line.",
                )
            self._at = cells.index("id")
            return _HEAD
        return cells[self._at] if len(cells) > self._at else None


def too_long() -> Problem:
    """More than a manifest may hold."""
    return Problem(
        "manifest-too-long",
        f"A manifest may have {MAX_IDS} ids and {MAX_BYTES} bytes, also after decompression.",
        status=413,
        hint="Send a source's day in parts and compare each, or compare digests only.",
    )
