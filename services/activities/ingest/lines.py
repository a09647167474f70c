"""Splitting a stream of bytes into numbered lines, whatever the chunks. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its end; `raw` None when it was longer than allowed."""

    number: int
    raw: bytes | None


class LineSplitter:
    """Feed chunks, get whole lines; keeps at most one line's allowed length.

    LF and CRLF end a line. Every line has a number (from `first`), blank ones too, so that an
    offset means the same to both sides.
    """

    def __init__(self, first: int, longest: int) -> None:
        self._next = first
        self._longest = longest
        self._part = b""
        self._too_long = False

    def feed(self, chunk: bytes) -> Iterator[Line]:
        """The lines that end within the chunk."""
        *ended, rest = (self._part + chunk).split(b"\n")
        for raw in ended:
            yield self._line(raw)
        if self._too_long or len(rest) > self._longest + 1:
            self._too_long, rest = True, b""
        self._part = rest

    def end(self) -> Iterator[Line]:
        """The last line, when the body was complete and it has no line end."""
        if self._part or self._too_long:
            yield self._line(self._part)
            self._part = b""

    def _line(self, raw: bytes) -> Line:
        number, self._next = self._next, self._next + 1
        raw = raw.removesuffix(b"\r")
        too_long, self._too_long = self._too_long or len(raw) > self._longest, False
        return Line(number, None if too_long else raw)
