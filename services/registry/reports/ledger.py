"""The state of every obligation: per period who handed in what, on time, late or not at all."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import Any

import asyncpg

from services.registry.journal.store import Fact, standing
from services.registry.journal.types import kept
from services.registry.plans.bodies import Body, bodies, owner_of
from services.registry.plans.speaking import levels_below
from services.registry.reports.answering import REPORTS, RETURNED, Answers
from services.registry.reports.periods import Period, Request, containing, periods
from services.registry.tasks.evidence import Evidence, load
from shared.clock import vietnam_day
from shared.domain.plan_history import PlanVersion, own_documents
from shared.domain.tree import UnitTree
from shared.domain.units import Unit

REQUESTED = "report.requested"
STATES = (
    "on_time", "late", "missing", "due", "returned", "received", "not_received", "open", "unknown",
)  # fmt: skip
"""`received`, `not_received`, `open`: the plan names no due day. `returned`: what was handed in was
sent back, and nothing newer has come. `unknown`: nobody has listed who belongs to the group that
owes it."""


@dataclass(frozen=True)
class Entry:
    """What one debtor owes for one period: its first report tells the time, its last the content.
    After a return only what came later counts. `first`: the day on which it was met; `events`: how
    many events of a type that registry only counts have met it."""

    debtor: Body
    state: str
    reports: list[Fact] = field(default_factory=list)
    returned: Fact | None = None
    first: date | None = None
    events: int = 0
    own: Period | None = None
    """The period as an amendment for this unit alone has it."""


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
    """One obligation with its periods; `unassigned`: its events outside any period; `debtors`: who
    owes it on the day asked, also where it has no period yet."""

    obligation: dict[str, Any]
    periods: list[Filled]
    unassigned: list[Fact]
    debtors: list[Body]

    def owed_by(self, debtor: str) -> bool:
        """Whether a body owes it, now or in any of its periods."""
        listed = [*self.debtors, *(e.debtor for f in self.periods for e in f.entries)]
        return any(body.id == debtor for body in listed)


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
    named = {o["event"] for o in wanted}
    types = sorted({*REPORTS, REQUESTED, RETURNED, *(named & kept())})
    facts = await standing(pool, types, sorted(area), known_at=known_at, until=on)
    # Types that name people are counted only; an obligation that they meet is met all the same.
    counted = await load(pool, named - kept(), sorted(area), on, known_at) if named - kept() else {}
    units = [unit for unit_id in area if (unit := tree.unit(unit_id)) is not None]
    return [fold_account(o, plan, tree, units, facts, counted, on) for o in wanted]


def requests_of(facts: list[Fact], obligation: str, plan: str) -> list[Request]:
    """The reports that somebody has asked for under an obligation. Of several that have one name the
    newest holds, from the day on which it was first asked for."""
    found: dict[str, Request] = {}
    for fact in sorted(facts, key=lambda f: f.position):
        data = fact.data
        if (fact.type, data.get("plan"), data.get("obligation")) != (REQUESTED, plan, obligation):
            continue
        before = found.get(data["request_ref"])
        found[data["request_ref"]] = Request(
            data["request_ref"],
            min(fact.occurred, before.asked_on) if before is not None else fact.occurred,
            date.fromisoformat(data["last_day"]),
            tuple(data.get("who") or ()),
            data.get("requested_by"),
            data.get("subject_matter"),
            data.get("document_ref"),
            fact.position - (before.first if before is not None else fact.origin),
            before.first if before is not None else fact.origin,
        )
    return list(found.values())


def party_owes(obligation: dict[str, Any], organisations: dict[str, Any]) -> bool:
    """Whether only Party bodies owe an obligation."""
    kinds = {organisations[name]["kind"] for name in obligation["who"]}
    return kinds == {"party_body"}


def fold_account(
    obligation: dict[str, Any],
    plan: PlanVersion,
    tree: UnitTree,
    units: list[Unit],
    facts: list[Fact],
    counted: dict[str, list[Evidence]],
    on: date,
) -> Account:
    """One obligation from what is known on a day. Pure. `counted`: events of types that name people."""
    document = plan.document
    organisations = {o["id"]: o for o in document["organisations"]}
    below = levels_below(tree.unit(document["unit"]))
    asked = requests_of(facts, obligation["id"], plan.plan)
    party = party_owes(obligation, organisations)
    spans = periods(obligation, document, asked, party=party)
    answers = Answers(obligation, plan.plan)
    own, ended = _own_periods(obligation, plan, asked, party=party)
    alone = _alone(spans, own)
    by_period: dict[str | None, list[Fact]] = {}
    for fact in facts:
        if answers.answers(fact) or answers.returns(fact):
            theirs = list(own[fact.unit_id].values()) if fact.unit_id in own else spans
            by_period.setdefault(_period_of(fact, theirs), []).append(fact)
    filled = []
    for period in [*spans, *alone]:
        mine = {unit: found[period.id] for unit, found in own.items() if period.id in found}
        day = max(period.start, min(period.last_day or period.end, on))
        there = sorted((u for u in units if u.exists(day)), key=lambda u: u.unit_id)
        owed = bodies(obligation["who"], organisations, there, day)
        if period.request is not None and period.request.who:
            named = [name for name in period.request.who if name in organisations]
            members = bodies(named, organisations, there, day)
            asked_of = {*period.request.who, *(b.id for b in members)}
            owed = [b for b in owed if b.id in asked_of or b.id.partition("@")[0] in asked_of]
        owed = [b for b in owed if b.id in mine or (b.id not in own and period not in alone)]
        handed_in: dict[str, list[Fact]] = {}
        others = []
        for fact in by_period.pop(period.id, []):
            said = [*_said(fact), sender(fact)]
            owner = owner_of(owed, tree, fact.unit_id, said, below, organisations)
            if owner is None or not owner.listed:
                others += [fact] if fact.type != RETURNED else []
            else:
                handed_in.setdefault(owner.id, []).append(fact)
        whose = partial(owner_of, owed, tree, said=[], below=below, organisations=organisations)
        more = _counted(owed, whose, period, counted.get(obligation["event"], []))
        entries = [
            _entry(d, period, handed_in.get(d.id, []), more.get(d.id, []), on, mine.get(d.id))
            for d in owed
            if d.id not in ended
        ]
        filled.append(Filled(period, entries, others))
    left = [f for rest in by_period.values() for f in rest if f.type != RETURNED]
    today = [unit for unit in units if unit.exists(on)]
    return Account(obligation, filled, left, bodies(obligation["who"], organisations, today, on))


def _own_periods(
    obligation: dict[str, Any], plan: PlanVersion, asked: list[Request], *, party: bool
) -> tuple[dict[str, dict[str, Period]], set[str]]:
    """By unit the periods that an amendment for it alone has changed, by their names; and the units
    for which the obligation has ended."""
    changed: dict[str, dict[str, Period]] = {}
    ended = set()
    for unit, document in own_documents(plan).items():
        found = next((o for o in document["reporting"] if o["id"] == obligation["id"]), None)
        if found is None:
            ended.add(unit)
        elif found != obligation:
            changed[unit] = {p.id: p for p in periods(found, document, asked, party=party)}
    return changed, ended


def _alone(spans: list[Period], own: dict[str, dict[str, Period]]) -> list[Period]:
    """The periods that an amendment for some unit alone has made, and nobody else has."""
    known = {period.id for period in spans}
    found: dict[str, Period] = {}
    for periods_ in own.values():
        found |= {id: p for id, p in periods_.items() if id not in known and id not in found}
    return sorted(found.values(), key=lambda p: (p.start, p.id))


def _counted(
    owed: list[Body],
    whose: Callable[[str], Body | None],
    period: Period,
    evidence: list[Evidence],
) -> dict[str, list[tuple[date, int]]]:
    found: dict[str, list[tuple[date, int]]] = {}
    for one in evidence:
        if not period.start <= one.occurred <= period.end:
            continue
        owner = whose(one.unit_id)
        if owner is None and len(owed) == 1:
            # One body owes it for the whole area, wherever it happened (VNeID data of the police).
            owner = owed[0]
        if owner is not None:
            found.setdefault(owner.id, []).append((one.occurred, one.n))
    return found


def _entry(
    body: Body,
    period: Period,
    facts: list[Fact],
    counted: list[tuple[date, int]],
    on: date,
    own: Period | None,
) -> Entry:
    facts = sorted(facts, key=lambda f: (submitted_on(f), f.position))
    returned = max((f for f in facts if f.type == RETURNED), key=lambda f: f.position, default=None)
    reports = [f for f in facts if f.type != RETURNED]
    holds = [f for f in reports if returned is None or f.position > returned.position]
    days = [submitted_on(f) for f in holds] + [day for day, _ in counted]
    first = min(days, default=None)
    state = state_of(body, own or period, first, on, returned=returned is not None)
    return Entry(body, state, reports, returned, first, sum(n for _, n in counted), own)


def _period_of(fact: Fact, spans: list[Period]) -> str | None:
    named = fact.data.get("period")
    if named is not None:
        return str(named)
    if len(spans) == 1 and spans[0].id == "once":
        return "once"
    found = containing([p for p in spans if p.request is None], fact.occurred)
    return found.id if found else None


def _said(fact: Fact) -> list[str | None]:
    """Whom an event names: who reports, or whose report is sent back."""
    return [_text(fact, name) for name in ("reporter", "organisation")]


def _text(fact: Fact, name: str) -> str | None:
    value = fact.data.get(name)
    return value if isinstance(value, str) else None


def sender(fact: Fact) -> str | None:
    """Who sent it, as the event says."""
    return _text(fact, "from_unit")


def submitted_on(fact: Fact) -> date:
    """The day on which a report was handed in: as it says itself, else when it occurred."""
    text = _text(fact, "submitted_at")
    return vietnam_day(datetime.fromisoformat(text)) if text else fact.occurred


def state_of(
    debtor: Body, period: Period, first: date | None, on: date, *, returned: bool = False
) -> str:
    """Where a debtor stands; `first`: the day on which it handed in what holds. The last day is
    still on time."""
    if not debtor.listed:
        return "unknown"
    last_day = period.last_day
    if first is not None:
        if last_day is None:
            return "received"
        return "on_time" if first <= last_day else "late"
    if returned:
        return "returned"
    if last_day is None:
        return "open" if on <= period.end else "not_received"
    return "due" if on <= last_day else "missing"
