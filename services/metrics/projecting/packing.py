"""Counted rows as PostgreSQL takes them: evidence and tallies, packed, sorted as they are indexed.

One event makes about one row of evidence and two of tallies, whose days, units, sets of marks and
measures came thousands of times before: these pieces are packed once. Pure.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import date
from struct import Struct
from typing import NamedTuple, TypeVar

from services.metrics.counting.contribute import CACHE_LIMIT, Evidence, Marks
from services.metrics.projecting.counted import Counted
from services.metrics.projecting.store import TALLY_COLUMNS, Stored
from shared import binary_copy
from shared.binary_copy import NULL
from shared.contracts.record import LogRecord

_EVIDENCE_HEAD = Struct(">hihi")
_PLACE = Struct(">iqiqii")
_SUMS = Struct(">iqiq")
_MEASURE = Struct(">ih")
_TALLY_HEAD = Struct(">h").pack(len(TALLY_COLUMNS))


class Packed(NamedTuple):
    """The rows of a batch; see `shared.binary_copy`."""

    evidence: bytes = b""
    tallies: bytes = b""


Value = TypeVar("Value", bound=Hashable)


class _Pieces(dict[Value, bytes]):
    """Packed columns by value; forgets all when there are too many."""

    def __init__(self, pack: Callable[[Value], bytes]) -> None:
        super().__init__()
        self._pack = pack

    def __missing__(self, value: Value) -> bytes:
        if len(self) >= CACHE_LIMIT:
            self.clear()
        found = self[value] = self._pack(value)
        return found


def _day(day: date) -> bytes:
    return binary_copy.fixed(binary_copy.day_number(day))


def _sums(n: int, total: int) -> bytes:
    return _SUMS.pack(8, n, 8, total)


class Packing:
    """Packs rows; `combinations` numbers the sets of marks, all that come must be in it."""

    def __init__(self, combinations: Mapping[Marks, int]) -> None:
        self._days = _Pieces(_day)
        self._units = _Pieces(binary_copy.text)
        self._times = _Pieces[int](lambda n: _sums(n, 0))
        self._marks = _Pieces[Marks](lambda marks: binary_copy.fixed(combinations[marks]))

    def pack(self, counted: Counted) -> Packed:
        """All rows of a batch."""
        return Packed(self.evidence(counted.written), self.tallies(counted))

    def evidence(self, written: Iterable[tuple[LogRecord, Evidence]]) -> bytes:
        """Rows of evidence, in the order of its primary key."""
        days, units, known = self._days, self._units, self._marks
        head, place = _EVIDENCE_HEAD.pack, _PLACE.pack
        columns = len(Stored._fields)
        rows = []
        for record, (since, origin, until, unit_id, marks, detail) in written:
            lane, key = record.lane, record.key
            row = (
                head(columns, 2, lane, len(key)),
                key,
                place(8, origin, 8, record.position, 4, record.revision),
                days[record.recorded],
                days[since],
                NULL if until is None else days[until],
                known[marks],
                units[unit_id],
                NULL if detail is None else binary_copy.document(detail),
            )
            rows.append((lane, key, origin, b"".join(row)))
        rows.sort()
        return b"".join([row[3] for row in rows])

    def tallies(self, counted: Counted) -> bytes:
        """Rows of tallies, one measure after the other; a key may have several."""
        days, units = self._days, self._units
        members = counted.groups.members
        rows: defaultdict[int, list[bytes]] = defaultdict(list)
        for (group, unit_id, since, recorded), n in sorted(counted.ones.items()):
            row = units[unit_id] + days[since] + days[recorded] + self._times[n]
            for number in members[group]:
                rows[number].append(row)
        for (number, unit_id, since, recorded), (n, total) in sorted(counted.single.items()):
            if n or total:
                row = units[unit_id] + days[since] + days[recorded] + _sums(n, total)
                rows[number].append(row)
        return b"".join(
            _TALLY_HEAD + (end + _TALLY_HEAD).join(rows[number]) + end
            for number in sorted(rows)
            for end in (_MEASURE.pack(2, number),)
        )
