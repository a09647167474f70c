"""Doubles for tests without a database: the same questions, answered from memory."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from services.activities.keys.model import Key
from services.activities.keys.rights import Rights
from services.activities.log.model import Also, Candidate, Delivery, Outcome, Status, Told
from shared import auth
from shared.clock import FixedClock
from shared.problems import Problem


class FakeLog:
    """Idempotency and positions as the log has them; every unit is known."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], tuple[int, Candidate]] = {}
        self.overloaded = False

    async def submit(
        self,
        candidates: Sequence[Candidate],
        *,
        atomic: bool = False,
        dry_run: bool = False,
        also: Also | None = None,
        told: Told | None = None,
        delivery: Delivery | None = None,
    ) -> list[Outcome]:
        if self.overloaded:
            raise Problem(
                "overloaded", "Too many.", status=503, retryable=True, retry_after=1, hint="Wait."
            )
        before = dict(self.rows)
        outcomes = [self._one(c) for c in candidates]
        refused = any(o.status is Status.REJECTED for o in outcomes)
        lost = delivery is not None and bool(delivery.refused)
        if dry_run or (atomic and (refused or lost)):
            self.rows = before
        if atomic and not dry_run and (refused or lost):
            undone = Outcome(Status.REJECTED, None, _undone())
            outcomes = [undone if o.status is Status.ACCEPTED else o for o in outcomes]
        return outcomes

    def _one(self, c: Candidate) -> Outcome:
        known = self.rows.get((c.source, c.id))
        if c.refusal is not None and (known is None or known[1].content_mac != c.content_mac):
            return Outcome(Status.REJECTED, None, c.refusal)
        if known is None and c.problem_if_new is not None:
            return Outcome(Status.REJECTED, None, c.problem_if_new)
        if known is None:
            self.rows[c.source, c.id] = (len(self.rows) + 1, c)
            return Outcome(Status.ACCEPTED, len(self.rows), warnings=c.warnings)
        position, first = known
        if first.content_mac == c.content_mac:
            return Outcome(Status.DUPLICATE, position)
        problem = Problem(
            "event-conflict", "Other content.", status=409, pointer="/id", hint="New id."
        )
        return Outcome(Status.REJECTED, position, problem)


def _undone() -> Problem:
    return Problem("atomic-batch-refused", "Another event was refused.")


class FakeKeys:
    """Keys named by what they may do."""

    def __init__(self, **keys: Key) -> None:
        self.keys = keys
        self.rights = Rights(FixedClock(datetime(2026, 7, 1, 8, tzinfo=UTC)))

    async def authenticate(self, header: str | None, scope: Any = None) -> Key:
        key = self.keys.get(auth.key_prefix(auth.bearer(header)))
        if key is None:
            raise auth.wrong_key()
        return key


def headers(
    key: str = "police", content_type: str = "application/cloudevents+json"
) -> dict[str, str]:
    return {"Authorization": f"Bearer hv_{key}_secret", "Content-Type": content_type}


BATCH = "application/cloudevents-batch+json"
CCCD = "066099001234"
PHONE = "0912345678"


def event(**changes: Any) -> dict[str, Any]:
    """A good event; `changes` replace attributes, None removes one."""
    made = {
        "specversion": "1.0",
        "id": "2026-06-30-000017",
        "source": "https://congan.daklak.example/vneid",
        "type": "vn.hocvuso.citizen.certified",
        "subject": "24133",
        "time": "2026-06-30T09:12:00+07:00",
        "data": {
            "person": {"scheme": "cccd", "value": CCCD},
            "target_groups": ["adult"],
            "platform": "vneid",
        },
        **changes,
    }
    return {name: value for name, value in made.items() if value is not None}
