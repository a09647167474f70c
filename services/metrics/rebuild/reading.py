"""Rows of the log as they came (JSON) to rows of the table `said`.

Most rows are first rows of events that serve measures by few of their fields: they take a short
way, which decodes only what is needed and remembers what the same values meant before. Whatever
else there is (revisions, ends, figures, things, whatever cannot be read) takes the way of live
counting (`Contributor.evidence`), which also gives the short way its answers.
"""

from binascii import a2b_base64
from bisect import bisect_right
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

import msgspec

from services.metrics.counting.contribute import THING, Contributor, Marks
from services.metrics.rebuild import binary
from shared import binary_copy
from shared.contracts.record import LogRecord, record_decoder

CACHE_LIMIT = 100_000


class Unreadable(ValueError):
    """A row that cannot be counted."""

    def __init__(self, position: int, problem: str) -> None:
        super().__init__(f"Row {position} cannot be counted ({problem}) and is not parked.")


class _Short(msgspec.Struct, gc=False):
    """What most rows need of `LogRecord`; days and keys as they are written."""

    type: str
    position: int
    lane: int
    recorded: str
    occurred: str
    unitid: str
    origin: int
    keykind: str
    key: str
    data: msgspec.Raw
    revision: int = 0
    keyindex: int = 0
    void: bool = False
    effective: msgspec.Raw | None = None


class _Sort:
    """Rows with one type, kind and index of key: which values decide, and what they meant."""

    def __init__(self, fields: list[str], limits: list[str], starts: list[date]) -> None:
        names = [*limits, *(name for name in fields if name not in limits)]
        self.limits = len(limits)
        """The first so many values end or begin a state: rows with one take the long way."""
        shape = msgspec.defstruct(
            "Values",
            [(f"f{at}", Any, None) for at in range(len(names))],
            rename={f"f{at}": name for at, name in enumerate(names)},
            gc=False,
        )
        self.decode = msgspec.json.Decoder(shape).decode
        self.starts = starts
        self.started: dict[str, int] = {}
        self.known: dict[tuple[Any, ...], bytes | None] = {}


class _Days(dict[str, bytes]):
    """Days as written, as columns."""

    def __missing__(self, text: str) -> bytes:
        found = self[text] = binary_copy.fixed(binary_copy.day_number(date.fromisoformat(text)))
        return found


class Numbers(dict[Any, bytes]):
    """Numbers from 1 for values, as columns."""

    def __missing__(self, value: Any) -> bytes:
        found = self[value] = binary_copy.fixed(len(self) + 1)
        return found

    def of(self, value: Any) -> int:
        """The number of a value."""
        return int.from_bytes(self[value][4:], "big")


LONG = b""
"""Known: the row must take the long way."""
UNKNOWN = b"?"
"""Not seen yet: the row takes the long way, and the answer is remembered."""


class Reading:
    """Makes rows of `said`. `combinations` and `units` number what they name."""

    def __init__(self, contributor: Contributor) -> None:
        self.contributor = contributor
        self.combinations = Numbers()
        self.units = Numbers()
        self.rows = 0
        """Rows of the log that were read and do count."""
        self.said = 0
        """Rows made of them."""
        self.hard = 0
        """Rows of them whose subjects cannot be counted by one look at each row."""
        self._decoder = msgspec.json.Decoder(_Short)
        self._days = _Days()
        self._sorts: dict[tuple[str, str, int], _Sort] = {}
        for row, program in contributor.programs.items():
            state = program.kind.state
            limits = [at for at in (state.start, state.end) if at] if state else []
            self._sorts[row] = _Sort(program.fields, limits, program.starts)
        self._heads = [binary.head(lane) for lane in range(256)]

    def page(
        self,
        body: bytes,
        after: Mapping[int, int],
        ends: Mapping[int, int],
        excluded: Collection[int],
    ) -> bytes:
        """The rows of a page that count, for COPY: of each lane after and up to a position.

        Raises Unreadable.
        """
        try:
            rows = self._decoder.decode_lines(body)
        except msgspec.MsgspecError:
            return self._page_by_row(body, after, ends, excluded)
        lines: list[bytes] | None = None
        found: list[bytes] = []
        sorts, days, units, heads = self._sorts, self._days, self.units, self._heads
        place, start, plain_end = binary.place, bisect_right, binary_copy.NULL
        for at, row in enumerate(rows):
            lane, position = row.lane, row.position
            if not after[lane] < position <= ends[lane] or position in excluded:
                continue
            self.rows += 1
            if not (row.revision or row.void or row.effective is not None):
                sort = sorts.get((row.type, row.keykind, row.keyindex))
                if sort is None:
                    continue
                try:
                    values = msgspec.structs.astuple(sort.decode(row.data))
                    day = row.occurred
                    started = sort.started.get(day)
                    if started is None:
                        started = start(sort.starts, date.fromisoformat(day))
                        sort.started[day] = started
                    signature = (
                        started,
                        *[tuple(value) if type(value) is list else value for value in values],
                    )
                    combination = sort.known.get(signature, UNKNOWN)
                    if combination is None:
                        continue
                    if combination and combination is not UNKNOWN:
                        key = a2b_base64(row.key)
                        if len(key) == binary.KEY_BYTES:
                            found += (
                                heads[lane],
                                key,
                                place(row.origin, position, 0),
                                days[row.recorded],
                                days[day],
                                plain_end,
                                combination,
                                units[row.unitid],
                                binary.PLAIN_END,
                            )
                            self.said += 1
                            continue
                except (ValueError, TypeError, msgspec.MsgspecError):
                    sort, signature, combination = None, (), LONG
            else:
                sort, signature, combination = None, (), LONG
            if lines is None:
                lines = body.split(b"\n")
            record = self._decode(lines[at], position)
            piece, answer = self._long(record)
            if piece is not None:
                found.append(piece)
            if sort is not None and combination is UNKNOWN:
                self._learn(sort, signature, answer)
        return b"".join(found)

    def _learn(self, sort: _Sort, signature: tuple[Any, ...], answer: bytes | None) -> None:
        """What these values mean, unless they begin or end a state (other days: other answers)."""
        if any(value is not None for value in signature[1 : 1 + sort.limits]):
            answer = LONG
        if len(sort.known) >= CACHE_LIMIT:
            sort.known.clear()
        sort.known[signature] = answer

    def _page_by_row(
        self,
        body: bytes,
        after: Mapping[int, int],
        ends: Mapping[int, int],
        excluded: Collection[int],
    ) -> bytes:
        found = []
        for line in body.splitlines():
            record = self._decode(line, None)
            if after[record.lane] < record.position <= ends[record.lane]:
                if record.position in excluded:
                    continue
                self.rows += 1
                piece, _ = self._long(record)
                found.append(piece or b"")
        return b"".join(found)

    def _decode(self, line: bytes, position: int | None) -> LogRecord:
        try:
            return record_decoder.decode(line)
        except msgspec.MsgspecError as error:
            raise Unreadable(position or 0, str(error)) from error

    def _long(self, record: LogRecord) -> tuple[bytes | None, bytes | None]:
        """The row of `said` for a row of the log, if it says anything; and what the short way may
        answer for the same values: a combination, None (serves nothing) or LONG."""
        try:
            evidence = self.contributor.evidence(record)
        except Exception as error:
            # Whatever it is: live counting would have parked the subject.
            raise Unreadable(record.position, f"{type(error).__name__}: {error}") from error
        if evidence is None and not record.revision:
            return None, None
        combination, hard, answer = binary_copy.fixed(0), True, LONG
        since, unit, last, detail = record.occurred, record.unitid, None, None
        if evidence is not None:
            since, unit, last, detail = (
                evidence.since,
                evidence.unit_id,
                evidence.until,
                evidence.detail,
            )
            combination = self.combinations[evidence.marks]
            # Whose thing it is, no single subject's count needs.
            bare = detail is None or detail.keys() == {THING}
            plain = last is None and bare and self._plain(evidence.marks)
            hard = record.revision > 0 or not plain or len(record.key) != binary.KEY_BYTES
            if plain and detail is None and since == record.occurred and record.effective is None:
                answer = combination
        self.said += 1
        self.hard += hard
        piece = b"".join(
            (
                binary.head(record.lane, len(record.key)),
                record.key,
                binary.place(record.origin, record.position, record.revision),
                binary_copy.fixed(binary_copy.day_number(record.recorded)),
                binary_copy.fixed(binary_copy.day_number(since)),
                binary.until(last),
                combination,
                self.units[unit],
                binary.end(hard, detail),
            )
        )
        return piece, answer

    def _plain(self, marks: Marks) -> bool:
        """Whether evidence with these marks says no more than that the event is there."""
        measures = self.contributor.measures
        return all(
            measures[number].kind in ("events", "distinct") and measures[number].field is None
            for number in marks[::2]
        )
