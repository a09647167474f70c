"""Resumable NDJSON streams, in bounded segments; no network here, so both clients share it.

HTTP libraries for Python send a whole body before they read the answer. A segment is therefore
bounded: it stays in memory until it is answered, and its answers fit into the buffers in between.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hocvuso_client import answers
from hocvuso_client.answers import Result
from hocvuso_client.errors import BadAnswer, Conflict, HocvusoError, ProblemError, problem_error

SEGMENT_LINES = 2_000
SEGMENT_BYTES = 4 * 1024 * 1024
Line = bytes | str | Mapping[str, Any]
Lines = Iterable[Line] | Path


@dataclass(frozen=True, slots=True)
class StreamAnswer:
    """What became of one line (0 is the first of the stream)."""

    line: int
    result: Result


@dataclass(frozen=True, slots=True)
class AnswersLost:
    """Lines `first` to `last` are committed but their answers were lost with the connection.

    Good ones are in the log. Which of them were refused is found by posting them again as a batch:
    that gives the same refusals, and duplicates for all others.
    """

    first: int
    last: int


class Segments:
    """Cuts lines into segments and moves on as the service commits."""

    def __init__(self, lines: Lines, committed: int, most: int, size: int) -> None:
        self._lines = _bytes(lines)
        self._most = most
        self._size = size
        self._waiting: list[bytes] = []
        self.start = 0
        for _ in range(committed):
            if next(self._lines, None) is None:
                raise Conflict(
                    {
                        "code": "stream-shorter",
                        "detail": f"The service has {committed} lines of this stream, there are"
                        " fewer here.",
                        "hint": "Resume with the same lines, or use another stream name.",
                    },
                    409,
                )
            self.start += 1

    def body(self) -> bytes:
        """The next segment; empty at the end."""
        size = sum(map(len, self._waiting))
        while len(self._waiting) < self._most and size < self._size:
            line = next(self._lines, None)
            if line is None:
                break
            self._waiting.append(line)
            size += len(line)
        return b"".join(self._waiting)

    def move_to(self, committed: int) -> int:
        """Forget what is committed; how many lines that were. Raises Conflict if it went back."""
        moved = committed - self.start
        if moved < 0 or moved > len(self._waiting):
            raise Conflict(
                {
                    "code": "stream-moved",
                    "detail": f"The service stands at line {committed}, this client at"
                    f" {self.start}.",
                    "hint": "Use one client per stream name.",
                },
                409,
            )
        del self._waiting[:moved]
        self.start = committed
        return moved


def _bytes(lines: Lines) -> Iterator[bytes]:
    if isinstance(lines, Path):
        with lines.open("rb") as file:
            for raw in file:
                yield raw if raw.endswith(b"\n") else raw + b"\n"
        return
    for line in lines:
        if isinstance(line, Mapping):
            line = json.dumps(line, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        raw = line.encode() if isinstance(line, str) else line
        raw = raw.removesuffix(b"\n")
        if b"\n" in raw:
            raise ValueError("a line of a stream holds a line end")
        yield raw + b"\n"


def read_answer(content: bytes) -> tuple[list[StreamAnswer], int, ProblemError | None]:
    """The answers of one PUT, the committed offset and why it ended early. Raises BadAnswer."""
    found: list[StreamAnswer] = []
    closing: dict[str, Any] = {}
    try:
        for raw in content.splitlines():
            one = json.loads(raw)
            if "line" in one:
                found.append(StreamAnswer(one["line"], answers.result(one)))
            elif "done" in one:
                closing = one
        problem = closing.get("problem")
        why = problem_error(problem, int(problem.get("status", 422))) if problem else None
        return found, int(closing["committed"]), why
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadAnswer("a stream's answer without its closing line") from None


def may_go_on(error: HocvusoError) -> bool:
    """Whether to ask for the offset and go on after this error."""
    return not isinstance(error, ProblemError) or answers.may_pass(error)
