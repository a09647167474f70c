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

    LF and CRLF end a line. Every line has a number (from `first`), so that an offset means the
    same to both sides; blank ones (nothing but white space) are numbered and not given.
    """

    def __init__(self, first: int, longest: int) -> None:
        self._next = first
        self._longest = longest
        self._parts: list[bytes] = []
        self._size = 0
        self._too_long = False

    @property
    def next(self) -> int:
        """The number of the line that has not ended yet."""
        return self._next

    @property
    def kept(self) -> int:
        """Bytes of that line which are held."""
        return self._size

    def feed(self, chunk: bytes) -> Iterator[Line]:
        """The lines that end within the chunk."""
        end = chunk.rfind(b"\n")
        if end >= 0:
            yield from self._lines(b"".join([*self._parts, chunk[:end]]).split(b"\n"))
            self._parts, self._size = [], 0
        rest = chunk[end + 1 :]
        if rest:
            self._parts.append(rest)
            self._size += len(rest)
        if self._too_long or self._size > self._longest + 1:
            self._too_long, self._parts, self._size = True, [], 0

    def end(self) -> Iterator[Line]:
        """The last line, when the body was complete and it has no line end."""
        if self._parts or self._too_long:
            yield from self._lines([b"".join(self._parts)])
            self._parts, self._size = [], 0

    def _lines(self, found: list[bytes]) -> Iterator[Line]:
        first, self._next = self._next, self._next + len(found)
        # One pass that costs next to nothing a line: millions of blank ones fit into a few kB.
        for number, raw in enumerate(found, first):
            raw = raw.removesuffix(b"\r")
            if self._too_long or len(raw) > self._longest:
                self._too_long = False
                yield Line(number, None)
            elif raw and not raw.isspace():
                yield Line(number, raw)
