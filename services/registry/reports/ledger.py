"""The state of every obligation: per period who handed in what, on time, late or not at all."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import asyncpg

from services.registry.definitions import PlanVersion
from services.registry.journal.projection import KEPT
from services.registry.journal.store import Fact, standing
from services.registry.reports.debtors import Debtor, debtors, owner_of
from services.registry.reports.periods import Period, containing, periods
from shared.clock import vietnam_day
from shared.domain.tree import UnitTree
from shared.domain.units import Unit

REPORTS = ("report.submitted", "report.consolidated")
STATES = ("on_time", "late", "missing", "due", "received", "not_received", "open", "unknown")
"""`received`, `not_received`, `open`: the plan names no due day. `unknown`: nobody has listed who
belongs to the group that owes it."""


@dataclass(frozen=True)
class Entry:
    """What one debtor owes for one period: its first report tells the time, its last the content."""

    debtor: Debtor
    state: str
    reports: list[Fact] = field(default_factory=list)


@dataclass(frozen=True)
class Filled:
    """One period with everybody's state; `others`: reports of nobody who is listed."""

    period: Period
    entries: list[Entry]
    others: list[Fact]

    def counts(self) -> dict[str, int]:
        """How many are in which state; only states that occur."""
        found: dict[str, int] = {}
        for entry in self.entries:
            found[entry.state] = found.get(entry.state, 0) + 1
        return found


@dataclass(frozen=True)
class Account:
    """One obligation with its periods; `unassigned`: its events outside any period."""

    obligation: dict[str, Any]
    periods: list[Filled]
    unassigned: list[Fact]


async def ledger(
    pool: asyncpg.Pool,
    tree: UnitTree,
    plan: PlanVersion,
    area: frozenset[str],
    on: date,
    known_at: date | None = None,
    only: str | None = None,
) -> list[Account]:
    """All obligations of a plan (or one) as of a day."""
    document = plan.document
    wanted = [o for o in document["reporting"] if only in (None, o["id"])]
    types = sorted({*REPORTS, *(o["event"] for o in wanted)} & KEPT)
    facts = await standing(pool, types, sorted(area), known_at=known_at, until=on)
    units = [unit for unit_id in area if (unit := tree.unit(unit_id)) is not None]
    return [_account(o, plan, tree, units, facts, on) for o in wanted]


def _account(
    obligation: dict[str, Any],
    plan: PlanVersion,
    tree: UnitTree,
    units: list[Unit],
    facts: list[Fact],
    on: date,
) -> Account:
    document = plan.document
    spans = periods(obligation, document)
    by_period: dict[str | None, list[Fact]] = {}
    for fact in facts:
        if _answers(fact, obligation, plan.plan):
            by_period.setdefault(_period_of(fact, spans), []).append(fact)
    filled = []
    for period in spans:
        day = max(period.start, min(period.last_day or period.end, on))
        there = sorted((u for u in units if u.exists(day)), key=lambda u: u.unit_id)
        owed = debtors(obligation, document, there, day)
        handed_in: dict[str, list[Fact]] = {}
        others = []
        for fact in by_period.pop(period.id, []):
            owner = owner_of(owed, tree, fact.unit_id, [_said(fact, "reporter"), sender(fact)])
            if owner is None or not owner.listed:
                others.append(fact)
            else:
                handed_in.setdefault(owner.id, []).append(fact)
        entries = [
            Entry(d, state_of(d, period, handed_in.get(d.id, []), on), handed_in.get(d.id, []))
            for d in owed
        ]
        filled.append(Filled(period, entries, others))
    return Account(obligation, filled, [f for left in by_period.values() for f in left])


def _answers(fact: Fact, obligation: dict[str, Any], plan: str) -> bool:
    """Whether a fact may answer an obligation: by name if it is a report, else by its type."""
    named_plan = fact.data.get("plan") or fact.data.get("plan_hint")
    if named_plan not in (None, plan):
        return False
    if fact.type in REPORTS:
        return bool(fact.data.get("obligation") == obligation["id"])
    if fact.type != obligation["event"]:
        return False
    cadences = {"weekly", "monthly", "quarterly", "yearly"}
    kind = fact.data.get("kind")
    return not (
        fact.type == "review.held"
        and kind in cadences
        and obligation["cadence"] in cadences
        and kind != obligation["cadence"]
    )


def _period_of(fact: Fact, spans: list[Period]) -> str | None:
    named = fact.data.get("period")
    if named is not None:
        return str(named)
    if len(spans) == 1 and spans[0].id == "once":
        return "once"
    found = containing(spans, fact.occurred)
    return found.id if found else None


def _said(fact: Fact, name: str) -> str | None:
    value = fact.data.get(name)
    return value if isinstance(value, str) else None


def sender(fact: Fact) -> str | None:
    """Who sent it, as the event says."""
    return _said(fact, "from_unit")


def submitted_on(fact: Fact) -> date:
    """The day on which a report was handed in: as it says itself, else when it occurred."""
    text = _said(fact, "submitted_at")
    return vietnam_day(datetime.fromisoformat(text)) if text else fact.occurred


def state_of(debtor: Debtor, period: Period, reports: list[Fact], on: date) -> str:
    """Where a debtor stands; the last day is still on time."""
    if not debtor.listed:
        return "unknown"
    last_day = period.last_day
    if reports:
        if last_day is None:
            return "received"
        return "on_time" if min(map(submitted_on, reports)) <= last_day else "late"
    if last_day is None:
        return "open" if on <= period.end else "not_received"
    return "due" if on <= last_day else "missing"
