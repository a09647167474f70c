"""A log in memory: rows as activities writes them, without activities."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import msgspec

from shared.contracts.definitions import Catalogue
from shared.contracts.record import (
    DEFINITION_LANE,
    LANES,
    Content,
    LogRecord,
    Through,
    lane_of,
)
from shared.contracts.subjects import subjects

EPOCH = "epoch-1"
SOURCE = "https://partner.example/a"
PAGE = 5_000


class MemoryLog:
    """Appends events, corrections and revocations; serves pages like `GET /v1/log`."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.rows: list[LogRecord] = []
        self._last = dict.fromkeys(range(LANES), 0)
        self._events: dict[int, tuple[str, dict[tuple[int, str, bytes], int]]] = {}

    def _keys(self, content: Content, event_id: str) -> list[tuple[int, str, bytes, int]]:
        kind = self.catalogue[content.type]
        found = subjects(
            kind, content.data, unit_id=content.unitid, source=SOURCE, event_id=event_id
        )
        keys = []
        for subject in found:
            key, lane = lane_of(subject.kind, list(subject.values))
            lane = DEFINITION_LANE if kind.lane == "definition" else lane
            keys.append((subject.index, subject.kind, key, lane))
        return keys

    def _row(self, **fields: Any) -> LogRecord:
        lane = fields["lane"]
        position = len(self.rows) + 1
        row = LogRecord(epoch=EPOCH, position=position, prev=self._last[lane], **fields)
        self._last[lane] = position
        self.rows.append(row)
        return row

    def post(
        self, type_name: str, unit: str, occurred: date, recorded: date, data: dict[str, Any]
    ) -> int:
        """Append an event; its origin."""
        origin = len(self.rows) + 1
        event_id = f"e{origin}"
        content = Content(
            type=type_name,
            unitid=unit,
            occurred=occurred,
            time=f"{occurred}T08:00:00+07:00",
            data=data,
        )
        revisions = {}
        for index, kind, key, lane in self._keys(content, event_id):
            self._row(
                keyindex=index,
                id=event_id,
                source=SOURCE,
                type=f"vn.hocvuso.{type_name}",
                subject=unit.partition("@")[0],
                time=content.time,
                lane=lane,
                recorded=recorded,
                occurred=occurred,
                unitid=unit,
                origin=origin,
                keykind=kind,
                key=key,
                data=data,
            )
            revisions[index, kind, key] = 0
        self._events[origin] = (event_id, revisions)
        return origin

    def revise(self, origin: int, recorded: date, content: Content | None) -> None:
        """Correct (or with None revoke) an event: a row for each key it has or had."""
        event_id, revisions = self._events[origin]
        keys = self._keys(content, event_id) if content is not None else []
        now = {(index, kind, key) for index, kind, key, _ in keys}
        kind_of = "event.corrected" if content is not None else "event.revoked"
        for at in [*revisions, *sorted(k for k in now if k not in revisions)]:
            index, kind, key = at
            void = at not in now
            revisions[at] = revisions.get(at, 0) + 1
            lane = int.from_bytes(key[:8], "big") % 64  # only facts are revised here
            self._row(
                keyindex=index,
                id=f"r{len(self.rows) + 1}",
                source=SOURCE,
                type=f"vn.hocvuso.{kind_of}",
                subject="x",
                time=f"{recorded}T08:00:00+07:00",
                lane=lane,
                recorded=recorded,
                occurred=recorded,
                unitid="VN@2025",
                origin=origin,
                revision=revisions[at],
                keykind=kind,
                key=key,
                data={"reason": "test"},
                void=void,
                effective=None if void else content,
            )

    def revise_definition(self, origin: int, recorded: date) -> None:
        """Revoke a definition."""
        first = self.rows[origin - 1]
        self._row(
            keyindex=first.keyindex,
            id=f"r{len(self.rows) + 1}",
            source=SOURCE,
            type="vn.hocvuso.event.revoked",
            subject=first.subject,
            time=f"{recorded}T08:00:00+07:00",
            lane=DEFINITION_LANE,
            recorded=recorded,
            occurred=recorded,
            unitid=first.unitid,
            origin=origin,
            revision=1,
            keykind=first.keykind,
            key=first.key,
            data={"reason": "test"},
            void=True,
        )

    def marker(self, through: int | None = None, lanes: list[int] | None = None) -> Through:
        """The completeness marker at a position (default: the end)."""
        at = len(self.rows) if through is None else through
        last = dict.fromkeys(range(LANES) if lanes is None else lanes, 0)
        for row in self.rows[:at]:
            if row.lane in last:
                last[row.lane] = row.position
        return Through(epoch=EPOCH, through=at, last=last)

    async def read(
        self,
        after: int,
        lanes: list[int],
        page: int = PAGE,
        types: list[str] | None = None,
    ) -> AsyncIterator[tuple[list[LogRecord], Through]]:
        """As shared.lane_consumer.LogReader."""
        wanted = set(lanes)
        while True:
            found = [
                row
                for row in self.rows[after:]
                if row.lane in wanted
                and (types is None or row.short_type in types or row.revision or row.effective)
            ]
            rows = [copy_of(row) for row in found[:page]]
            full = len(rows) == page
            through = rows[-1].position if full else len(self.rows)
            yield rows, self.marker(through, lanes)
            if not full:
                return
            after = through

    async def pages(
        self,
        after: int,
        lanes: list[int],
        page: int = PAGE,
        types: list[str] | None = None,
    ) -> AsyncIterator[tuple[bytes, Through]]:
        """As shared.lane_consumer.LogReader."""
        async for rows, marker in self.read(after, lanes, page, types):
            yield b"\n".join(msgspec.json.encode(row) for row in rows), marker

    async def rows_of(self, positions: list[int], through: int) -> list[LogRecord]:
        """As shared.lane_consumer.LogReader.rows."""
        origins = {row.origin for row in self.rows if row.position in set(positions)}
        return [
            copy_of(row)
            for row in self.rows
            if row.position in positions or (row.origin in origins and row.position <= through)
        ]


def copy_of(row: LogRecord) -> LogRecord:
    """As it comes from the wire."""
    return msgspec.json.decode(msgspec.json.encode(row), type=LogRecord)
