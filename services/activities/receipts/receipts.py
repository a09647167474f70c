"""What became of one event: accepted, published, counted, visible.

Stages after acceptance are known by marks: the time at which a stage reached a position. An event
with several rows has reached a stage when its last row has.
"""

from datetime import date, datetime
from typing import Any, Literal

import asyncpg
from pydantic import BaseModel, Field

from services.activities.log import amend
from services.activities.log.present import Change, Named, State, present
from services.activities.quarantine import store as quarantine
from services.activities.reconciliation.explain import DOWN, Explanations, MetricsDown, coarse
from shared.auth.attempts import RecentCalls
from shared.db import Connection
from shared.problems import Problem
from shared.telemetry import span_context

PUBLISHED_LANE = -1
VISIBLE_LANE = -1
MARKS_KEPT_DAYS = 400
METRICS_S = 3.0
RECEIPTS_A_MINUTE = 600
REVOKED = "The event was revoked."
REVOKES = "It takes back another event, which counts no longer; it is not counted itself."


class Stage(BaseModel):
    """One stage of an event's way; `at` is null while it has not been reached."""

    reached: bool
    at: datetime | None = Field(description="when the stage reached the event's last row")


class Effect(BaseModel):
    """An objective into whose counting the event was accepted. `counts` false, which partners are
    never told: another event of the same subject decides."""

    plan: str
    objective: str
    unit_id: str
    counts: bool


class Receipt(BaseModel):
    """The receipt of an event; `position` and `last_position` bound its rows in the log.

    `state`, `unit_id` and `occurred` are those of now; `changed_by` says which later events made
    them so. `amends`: what a correction or revocation is about.
    """

    source: str
    id: str
    type: str
    status: Literal["accepted", "published", "counted", "visible", "parked"]
    state: State
    position: int
    last_position: int
    unit_id: str
    occurred: date
    recorded: date
    recorded_at: datetime
    accepted: Stage
    published: Stage
    counted: Stage
    visible: Stage
    changed_by: list[Change] = Field([], description="later events, in the order of the log")
    amends: Named | None = None
    trace_id: str | None
    objectives: list[Effect] = Field(
        [], description="for which objectives it was accepted into counting"
    )
    reason: str | None = Field(None, description="stable code of why it does not count (yet)")
    reason_text: str | None = None
    why_not_known: str | None = Field(None, description="why the former three are not known now")


class RefusedReceipt(BaseModel):
    """The receipt of an event that was refused and is not in the log."""

    source: str
    id: str
    type: str
    status: Literal["rejected"]
    problem: dict[str, Any]
    number: int = Field(description="its number at /v1/quarantine")
    times: int
    first_seen: datetime
    last_seen: datetime
    trace_id: str | None


async def refused_receipt(
    pool: asyncpg.Pool, source: str, id: str, partner: str | None
) -> RefusedReceipt:
    """The same for what is only in the quarantine (of `partner`; None: of anybody); 404 problem."""
    wanted = quarantine.Filter(partner, source=source, id=id)
    found = await quarantine.page(pool, wanted, 2**62, 1)
    if not found:
        raise _unknown()
    refused = found[0]
    return RefusedReceipt(
        source=source,
        id=id,
        type=refused.type,
        status="rejected",
        problem=refused.problem,
        number=refused.number,
        times=refused.times,
        first_seen=refused.first_seen,
        last_seen=refused.last_seen,
        trace_id=_trace_id(refused.traceparent),
    )


async def explained(found: Receipt, metrics: Explanations, *, whole: bool) -> Receipt:
    """The receipt with what metrics says of the event, once it has been counted or parked. `whole`:
    also whether other events of the same person count already, which partners are not told."""
    if not (found.counted.reached or found.status == "parked"):
        return _not_yet(found)
    if found.state == "revoked":
        found.reason, found.reason_text = "revoked", REVOKED
        return found
    if found.type == amend.REVOKED:
        found.reason, found.reason_text = "revokes", REVOKES
        return found
    try:
        told = (await metrics.ask([found.position], METRICS_S)).results[0]
    except MetricsDown:
        found.why_not_known = DOWN
        return found
    told = told if whole else coarse(told)
    if told.code == "not_yet":
        return _not_yet(found)  # one lane is further than the tables are complete
    found.reason, found.reason_text = told.code, told.reason
    found.objectives = [
        Effect(plan=o.plan, objective=o.objective, unit_id=o.unit_id, counts=o.counts)
        for o in told.objectives
    ]
    return found


def limit_receipts(asked: RecentCalls, partner: str) -> None:
    """Note that a partner asks for a receipt; Problem (429) beyond what its own events need."""
    wait = asked.wait(partner)
    if wait is not None:
        raise Problem(
            "too-many-receipts",
            f"More than {asked.most} receipts were asked for within a minute.",
            status=429,
            hint="Compare a whole day at once: GET /v1/reconciliations/events.",
            retryable=True,
            retry_after=wait,
        )
    asked.note(partner)


def _not_yet(found: Receipt) -> Receipt:
    """What is not complete up to the event has neither counted it nor shown it."""
    found.counted = found.visible = Stage(reached=False, at=None)
    found.status = "published" if found.published.reached else "accepted"
    found.reason, found.reason_text = "not_yet", "It is not counted yet; ask again soon."
    return found


def _unknown() -> Problem:
    return Problem(
        "event-unknown",
        "No event of yours with this source and id is in the log or the quarantine.",
        status=404,
        hint="Compare source and id with what you posted.",
    )


def _trace_id(traceparent: str | None) -> str | None:
    context = span_context(traceparent) if traceparent else None
    return format(context.trace_id, "032x") if context else None


async def receipt(
    pool: asyncpg.Pool, source: str, id: str, partner: str | None = None
) -> Receipt | None:
    """The receipt of an event that `partner` posted (None: anybody); None when there is none."""
    async with pool.acquire() as connection, connection.transaction(readonly=True):
        first = await connection.fetchrow(
            "SELECT * FROM log WHERE source = $1 AND id = $2 AND ordinal = 0", source, id
        )
        if first is None or partner not in (None, first["partner"]):
            return None
        rows = await connection.fetch(
            """
            SELECT position, lane FROM log
            WHERE position >= $1 AND position < $1 + 100000 AND source = $2 AND id = $3
            ORDER BY position
            """,
            first["position"],
            source,
            id,
        )
        last = rows[-1]["position"]
        lanes = {r["lane"]: r["position"] for r in rows}
        published = await _reached(connection, "published", {PUBLISHED_LANE: last})
        counted = await _reached(connection, "counted", lanes)
        visible = await _reached(connection, "visible", {VISIBLE_LANE: last})
        now = await present(connection, first, partner)
        parked = await connection.fetchval(
            "SELECT true FROM parked WHERE position BETWEEN $1 AND $2", first["position"], last
        )
    status: Literal["accepted", "published", "counted", "visible", "parked"] = "accepted"
    if parked:
        status = "parked"
    elif visible.reached:
        status = "visible"
    elif counted.reached:
        status = "counted"
    elif published.reached:
        status = "published"
    return Receipt(
        source=source,
        id=id,
        type=first["type"],
        status=status,
        state=now.state,
        changed_by=now.changes,
        amends=now.amends,
        position=first["position"],
        last_position=last,
        unit_id=now.unit_id,
        occurred=now.occurred,
        recorded=first["recorded"],
        recorded_at=first["recorded_at"],
        accepted=Stage(reached=True, at=first["recorded_at"]),
        published=published,
        counted=Stage(reached=False, at=None) if parked else counted,
        visible=visible,
        trace_id=_trace_id(first["traceparent"]),
    )


async def _reached(connection: Connection, stage: str, lanes: dict[int, int]) -> Stage:
    """When a stage had reached a position in every one of these lanes."""
    times: list[datetime] = []
    for lane, position in lanes.items():
        at = await connection.fetchval(
            """
            SELECT at FROM mark WHERE stage = $1 AND lane = $2 AND position >= $3
            ORDER BY position LIMIT 1
            """,
            stage,
            lane,
            position,
        )
        if at is None:
            return Stage(reached=False, at=None)
        times.append(at)
    return Stage(reached=True, at=max(times))


async def mark(connection: Connection, stage: str, reached: dict[int, int], at: datetime) -> None:
    """Remember that a stage reached these positions (lane -> position) at a time."""
    await connection.executemany(
        "INSERT INTO mark VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        [(stage, lane, position, at) for lane, position in sorted(reached.items())],
    )


async def prune(connection: Connection) -> None:
    """Forget marks older than MARKS_KEPT_DAYS, except the newest of each stage and lane."""
    await connection.execute(
        """
        DELETE FROM mark m WHERE at < now() - make_interval(days => $1)
          AND position < (SELECT max(position) FROM mark n
                          WHERE n.stage = m.stage AND n.lane = m.lane)
        """,
        MARKS_KEPT_DAYS,
    )


async def note_parked(
    pool: asyncpg.Pool, positions: list[int], at: datetime, *, complete: bool
) -> None:
    """Remember parked positions; a `complete` list also says that all others are counted now."""
    async with pool.acquire() as connection, connection.transaction():
        if complete:
            await connection.execute(
                "DELETE FROM parked WHERE NOT position = ANY($1::bigint[])", positions
            )
        await connection.executemany(
            "INSERT INTO parked VALUES ($1, $2) ON CONFLICT DO NOTHING",
            [(position, at) for position in positions],
        )
