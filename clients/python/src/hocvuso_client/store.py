"""Where events wait until they are acknowledged: in memory, or in a spool on disk."""

import json
import os
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from hocvuso_client.envelope import Queued
from hocvuso_client.errors import SpoolInUse
from hocvuso_client.masking import masked

Durability = Literal["power", "process"]
"""What an event survives once `emit` returned: `power` loss (an fsync for each emit), or the death
of the process (no fsync; a power cut may take the last moments)."""


class Store(Protocol):
    """A queue whose entries stay until they are removed. Safe to use from several threads."""

    def add(self, events: Sequence[Queued]) -> int:
        """Keep events; the `seq` of the last."""

    def oldest(self, count: int, size: int) -> list[Queued]:
        """The oldest, at most `count` and (but for the first) `size` bytes; they stay."""

    def remove(self, events: Sequence[Queued]) -> None:
        """Forget what was acknowledged."""

    def reject(self, event: Queued, problem: dict[str, Any]) -> None:
        """Note a refused event, masked, where somebody can look at it, and forget it here."""

    def waiting(self, up_to: int | None = None) -> int:
        """How many wait (with a `seq` of at most `up_to`)."""

    def close(self) -> None:
        """Give everything free."""

    @property
    def kept_in(self) -> str | None:
        """Where the events outlive the process."""

    @property
    def rejected_in(self) -> str | None:
        """The file that lists refused events."""


class Memory:
    """Loses all with the process. Refused events are told to the callback only."""

    kept_in = None
    rejected_in = None

    def __init__(self) -> None:
        self._events: OrderedDict[int, Queued] = OrderedDict()
        self._lock = threading.Lock()
        self._next = 1

    def add(self, events: Sequence[Queued]) -> int:
        with self._lock:
            for event in events:
                self._events[self._next] = Queued(self._next, event.source, event.id, event.raw)
                self._next += 1
            return self._next - 1

    def oldest(self, count: int, size: int) -> list[Queued]:
        with self._lock:
            return _fill(iter(self._events.values()), count, size)

    def remove(self, events: Sequence[Queued]) -> None:
        with self._lock:
            for event in events:
                self._events.pop(event.seq, None)

    def reject(self, event: Queued, problem: dict[str, Any]) -> None:  # noqa: ARG002
        self.remove([event])

    def waiting(self, up_to: int | None = None) -> int:
        with self._lock:
            if up_to is None:
                return len(self._events)
            return sum(seq <= up_to for seq in self._events)

    def close(self) -> None:
        pass


class Spool:
    """A directory that keeps events over crashes: SQLite in WAL mode, and a file of refused ones.

    The directory is for its owner only (0700) and holds events as they will be posted, persons in
    clear, until they are acknowledged or refused; then they are overwritten. Raises SpoolInUse when
    another client has it; the operating system frees it when that process ends, however it ends.
    """

    def __init__(self, directory: Path, durability: Durability = "power") -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.directory = directory
        self._lock = threading.Lock()
        file = directory / "spool.sqlite"
        file.touch(mode=0o600)
        self._db = sqlite3.connect(
            file, timeout=0, isolation_level=None, check_same_thread=False, cached_statements=16
        )
        try:
            # Exclusive from the first read until the end: one process per spool.
            self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA secure_delete=ON")
            level = "FULL" if durability == "power" else "NORMAL"
            self._db.execute(f"PRAGMA synchronous={level}")
            self._db.execute("BEGIN EXCLUSIVE")
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS waiting (seq INTEGER PRIMARY KEY AUTOINCREMENT,"
                " source TEXT NOT NULL, id TEXT NOT NULL, raw BLOB NOT NULL)"
            )
            self._db.execute("COMMIT")
        except sqlite3.OperationalError as error:
            self._db.close()
            if "locked" in str(error) or "busy" in str(error):
                raise SpoolInUse(
                    f"The spool {directory} is in use. Give every process a spool of its own."
                ) from None
            raise
        self._count = int(self._db.execute("SELECT count(*) FROM waiting").fetchone()[0])
        self._mask_earlier()

    @property
    def kept_in(self) -> str | None:
        return str(self.directory)

    @property
    def rejected_in(self) -> str | None:
        return str(self.rejected_file)

    @property
    def rejected_file(self) -> Path:
        """Refused events, masked, with the service's problem, one a line: whoever mends one finds
        it in its own system by source and id, or in the service's quarantine."""
        return self.directory / "rejected.ndjson"

    def add(self, events: Sequence[Queued]) -> int:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                last = 0
                for e in events:
                    last = (
                        self._db.execute(
                            "INSERT INTO waiting (source, id, raw) VALUES (?, ?, ?)",
                            (e.source, e.id, e.raw),
                        ).lastrowid
                        or 0
                    )
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._count += len(events)
            return last

    def oldest(self, count: int, size: int) -> list[Queued]:
        with self._lock:
            rows = self._db.execute(
                "SELECT seq, source, id, raw FROM waiting ORDER BY seq LIMIT ?", (count,)
            )
            found = _fill((Queued(*row) for row in rows), count, size)
            rows.close()
            return found

    def remove(self, events: Sequence[Queued]) -> None:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            gone = self._db.executemany(
                "DELETE FROM waiting WHERE seq = ?", [(e.seq,) for e in events]
            ).rowcount
            self._db.execute("COMMIT")
            self._count -= gone
            if not self._count:
                # Nothing waits: what was sent must not stay readable in the log beside the file.
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def reject(self, event: Queued, problem: dict[str, Any]) -> None:
        line = json.dumps(
            {"problem": problem, "event": masked(json.loads(event.raw))}, ensure_ascii=False
        )
        # Written before it is removed: a crash between the two leaves it twice, never nowhere.
        handle = os.open(self.rejected_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, line.encode() + b"\n")
            os.fsync(handle)
        finally:
            os.close(handle)
        self.remove([event])
        with self._lock:
            # Others may wait on: what was refused must not stay readable in the log beside the file.
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _mask_earlier(self) -> None:
        """Mask what an earlier version of this library wrote in clear; again changes nothing."""
        if not self.rejected_file.exists():
            return
        lines = self.rejected_file.read_text(encoding="utf-8").splitlines()
        found = "".join(map(_masked_line, lines))
        if found == "".join(f"{line}\n" for line in lines):
            return
        fresh = self.rejected_file.with_suffix(".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(found.encode())
        fresh.replace(self.rejected_file)

    def waiting(self, up_to: int | None = None) -> int:
        if up_to is None:
            return self._count
        with self._lock:
            found = self._db.execute("SELECT count(*) FROM waiting WHERE seq <= ?", (up_to,))
            return int(found.fetchone()[0])

    def close(self) -> None:
        with self._lock:
            self._db.close()


def _fill(events: Any, count: int, size: int) -> list[Queued]:
    found: list[Queued] = []
    for event in events:
        size -= len(event.raw) + 1
        if len(found) == count or (found and size < 0):
            break
        found.append(event)
    return found


def _masked_line(line: str) -> str:
    """A line of the file of refused events, masked; a torn one is dropped."""
    try:
        kept = json.loads(line)
        kept["event"] = masked(kept["event"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
    return json.dumps(kept, ensure_ascii=False) + "\n"
