"""Gathering what a report is composed from: tables of two days, tasks, events, reports of others."""

from datetime import date

from services.registry.documents import activities, models
from services.registry.documents.authors import author_of
from services.registry.documents.material import Author, Json, Late, Material
from services.registry.documents.occurrences import as_of, before, feeding
from services.registry.journal.store import Fact, standing
from services.registry.plans.bodies import Body
from services.registry.plans.territory import answering_area, covered_by
from services.registry.reports.ledger import Filled, ledger, party_owes
from services.registry.reports.periods import Period, periods
from services.registry.state import State
from services.registry.tables.build import Question, build
from services.registry.tables.model import Table
from services.registry.tasks.evidence import Evidence, load
from services.registry.tasks.ledger import task_ledger
from shared.domain.plan_history import PlanVersion
from shared.domain.units import Unit

TYPES = frozenset({*activities.TYPES, *models.TYPES})

_LATE = """
SELECT unit_id, sum(late)::bigint AS late FROM arrival
WHERE unit_id = ANY($1) AND occurred BETWEEN $2 AND $3
  AND ($4::date IS NULL OR first_recorded <= $4)
GROUP BY unit_id HAVING sum(late) > 0 ORDER BY unit_id
"""


async def gather(
    state: State,
    plan: PlanVersion,
    duty: Json,
    period: Period,
    body: Body,
    unit: Unit | None,
    known_at: date | None,
) -> Material:
    """All that is known of a duty's period for one body; `known_at` None: all that the log holds.

    Raises the Problem of a table that cannot be built.
    """
    document, today = plan.document, state.clock.today()
    day, provisional = as_of(period, document, today)
    author = author_of(document, duty, body, unit, day)
    organisations = {o["id"]: o for o in document["organisations"]}
    spans = periods(duty, document, party=party_owes(duty, organisations))
    previous = before(spans, period, document)
    units = sorted(_units(state, plan, author))
    since = max(date.fromisoformat(document["period"]["start"]), period.figures_from)
    evidence = await load(state.pool, set(TYPES), units, day, known_at)
    facts = await standing(
        state.pool,
        ["issue.raised", "inspection.held", "feedback.received"],
        units,
        known_at=known_at,
        until=day,
    )
    own = _own(state, author, evidence, facts)
    receivers = [*(duty.get("to") or ()), *(duty.get("via") or ())]
    table = await _table(state, plan, author, day, known_at)
    return Material(
        document=document,
        version=plan.version,
        duty=duty,
        period=period,
        author=author,
        as_of=day,
        known_at=known_at or today,
        provisional=provisional,
        recipients=[organisations[name]["name_vi"] for name in receivers if name != author.id],
        table=table,
        before=await _table(state, plan, author, previous, known_at) if previous else None,
        before_day=previous,
        tasks=(await task_ledger(state, plan, day, known_at)).tasks,
        evidence=own[0],
        late=await _late(state, author, units, since, day, known_at),
        issues=[f for f in own[1] if f.type == "issue.raised" and _matters(f, since)],
        inspections=[f for f in facts if f.type == "inspection.held"],
        feedback=[f for f in facts if f.type == "feedback.received"],
        reports=await _reports(state, plan, duty, period, author, day, known_at),
        names={f.unit_id: name_of(state, f.unit_id, day) for f in facts},
    )


def name_of(state: State, unit_id: str, day: date) -> str:
    """A unit's name on a day; its id where the tree does not know it."""
    unit = state.tree.unit(unit_id)
    return unit.name(day) if unit is not None else unit_id


def _matters(fact: Fact, since: date) -> bool:
    """Raised in the period, or open still."""
    return fact.occurred >= since or fact.data.get("status") in (None, "open")


def _units(state: State, plan: PlanVersion, author: Author) -> frozenset[str]:
    if author.unit_id is not None:
        return covered_by(state, author.unit_id)
    return answering_area(state, plan)


def _own(
    state: State, author: Author, evidence: dict[str, list[Evidence]], facts: list[Fact]
) -> tuple[dict[str, list[Evidence]], list[Fact]]:
    """What is the author's: a department that does not answer for the whole plan reports what it
    did itself, named as the reporter or as a unit of its own."""
    if author.whole or author.unit_id is not None:
        return evidence, facts

    def mine(unit_id: str, data: object) -> bool:
        said = data.get("reporter") if isinstance(data, dict) else None
        unit = state.tree.unit(unit_id)
        named = unit is not None and unit.level == "organisation"
        own = unit.code.rpartition(".")[2] if unit is not None and named else None
        return author.id in (said, own) or said == author.name_vi

    kept = {k: [e for e in found if mine(e.unit_id, e.data)] for k, found in evidence.items()}
    return kept, [f for f in facts if mine(f.unit_id, f.data)]


async def _table(
    state: State, plan: PlanVersion, author: Author, day: date, known_at: date | None
) -> Table:
    return await build(state, Question(plan.plan, author.unit_id, None, day, known_at))


async def _late(
    state: State, author: Author, units: list[str], since: date, day: date, known_at: date | None
) -> list[Late]:
    if not author.whole and author.unit_id is None:
        return []
    rows = await state.pool.fetch(_LATE, units, since, day, known_at)
    return [Late(r["unit_id"], name_of(state, r["unit_id"], day), r["late"]) for r in rows]


async def _reports(
    state: State,
    plan: PlanVersion,
    duty: Json,
    period: Period,
    author: Author,
    day: date,
    known_at: date | None,
) -> Filled | None:
    """The reports of the same period that the author gathers."""
    fed = [other["id"] for other in feeding(plan.document, duty, author.id)]
    if not fed:
        return None
    area = answering_area(state, plan)
    entries = []
    for name in fed:
        (account,) = await ledger(state.pool, state.tree, plan, area, day, known_at, name)
        entries += [e for f in account.periods if f.period.id == period.id for e in f.entries]
    return Filled(period, entries, []) if entries else None
