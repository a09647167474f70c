"""What both clients are made with."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from hocvuso_client.engine import MAX_BATCH_EVENTS, Engine, OnResult
from hocvuso_client.envelope import envelope
from hocvuso_client.errors import HocvusoError, Unreachable
from hocvuso_client.ids import MakeId, random_id
from hocvuso_client.store import Durability, Memory, Spool, Store
from hocvuso_client.typed import EventData

VERSION = "0.1.0"
DELIVER_TRIES = 8
STREAM_TRIES = 20
PATIENCE = 300.0
"""Seconds that a caller who waits for an answer is kept, all tries and what Retry-After asks
together; then the last error is raised."""

EMIT_TIMEOUT = FLUSH_TIMEOUT = 60.0
CLOSE_TIMEOUT = 10.0
"""Seconds after which a call ends however the service fares."""

DEFAULT_TIMEOUT = httpx.Timeout(60.0, connect=10.0)


@dataclass(frozen=True, slots=True)
class Options:
    """Everything but the address and the key."""

    source: str | None = None
    spool: Path | None = None
    durability: Durability = "power"
    max_batch: int = MAX_BATCH_EVENTS
    max_batch_bytes: int = 4 * 1024 * 1024
    linger: float = 0.2
    max_waiting: int = 100_000
    ids: MakeId = random_id
    on_result: OnResult | None = None

    def store(self) -> Store:
        """Where events wait."""
        return Spool(self.spool, self.durability) if self.spool is not None else Memory()

    def engine(self, store: Store) -> Engine:
        return Engine(store, self.max_batch, self.max_batch_bytes, self.on_result)

    def event(
        self,
        event: EventData | Mapping[str, Any],
        *,
        type: str | None,
        subject: str | None,
        source: str | None,
        time: dt.datetime | None,
        id: str | None,
    ) -> dict[str, Any]:
        return envelope(
            event,
            type=type,
            subject=subject,
            source=source or self.source,
            time=time,
            id=id,
            make_id=self.ids,
        )


def headers(key: str) -> dict[str, str]:
    """What every request carries."""
    return {"Authorization": f"Bearer {key}", "User-Agent": f"hocvuso-client-python/{VERSION}"}


def unreachable(error: httpx.TransportError, url: object) -> HocvusoError:
    """A transport error without the request, whose content must not reach a log."""
    return Unreachable(f"No answer from {url} ({type(error).__name__}).")


def within(timeout: httpx.Timeout, left: float) -> httpx.Timeout:
    """No step of a request takes longer than the caller still waits (seconds)."""
    left = max(left, 0.05)

    def least(step: float | None) -> float:
        return left if step is None else min(step, left)

    return httpx.Timeout(
        connect=least(timeout.connect),
        read=least(timeout.read),
        write=least(timeout.write),
        pool=least(timeout.pool),
    )
