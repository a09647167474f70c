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

DELIVER_TRIES = 8
STREAM_TRIES = 20
LONGEST_WAIT = 300.0
"""A caller that waits for an answer is told, not kept, when Retry-After is longer (seconds)."""

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
    return {"Authorization": f"Bearer {key}", "User-Agent": "hocvuso-client-python/0.1"}


def unreachable(error: httpx.TransportError, url: object) -> HocvusoError:
    """A transport error without the request, whose content must not reach a log."""
    return Unreachable(f"No answer from {url} ({type(error).__name__}).")
