"""The ledger of a plan's tasks, as of a day and as known on a day."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from services.registry.journal.restated import learn
from services.registry.journal.store import complete_to, standing
from services.registry.plans.territory import answering_area
from services.registry.state import State
from services.registry.tasks.evidence import load
from services.registry.tasks.fold import Known, TaskStanding, fold_tasks
from services.registry.tasks.objectives import Met, load_met, stamp_now
from services.registry.tasks.statements import PROGRESSED, RETURNED, Statement, statements_of
from services.registry.tasks.territory import Area
from shared.domain.closing import closing_of
from shared.domain.plan_history import PlanVersion, own_documents

LEDGERS_KEPT = 8


@dataclass(frozen=True)
class Ledger:
    """All tasks of a plan; complete up to `position`."""

    plan: PlanVersion
    on: date
    known_at: date | None
    position: int
    tasks: Sequence[TaskStanding]
    met: Met
    statements: Sequence[Statement] = field(default_factory=list)


async def task_ledger(
    state: State, plan: PlanVersion, on: date | None = None, known_at: date | None = None
) -> Ledger:
    """The ledger of a plan's tasks as of a day (today); kept until something may have changed it."""
    today = state.clock.today()
    day = on or today
    await learn(state.pool, state.activities)
    position = await complete_to(state.pool)
    now = day == today and known_at is None
    # Of now the stamp alone tells whether a ledger that is kept still holds.
    met = None if now else await load_met(state, plan, day, known_at)
    key = (
        plan.plan,
        plan.position,
        day,
        known_at,
        position,
        met.stamp if met is not None else await stamp_now(state),
        state.definitions.position,
    )
    known: Ledger | None = state.tasks.get(key)
    if known is not None:
        return known
    met = met or await load_met(state, plan, None, None)
    area = sorted(answering_area(state, plan))
    tasks = plan.document["tasks"]
    types = {
        name
        for task in tasks
        for proof in closing_of(task).proofs
        for name in (*proof.types, *proof.as_many_as)
    }
    types |= {name for task in tasks for name in task.get("events") or ()}
    evidence = await load(state.pool, types, area, day, known_at)
    facts = await standing(state.pool, [PROGRESSED, RETURNED], area, known_at=known_at, until=day)
    where = Area(state.tree, plan.document["unit"], area, day)
    named = {o["id"] for o in plan.document["organisations"]}
    said = statements_of(facts, plan.plan, lambda unit, body: where.may_speak(unit, body, named))
    issued = issued_by(state, plan, day, known_at)
    known_all = Known(plan.document, where, evidence, met, said, issued, day, own_documents(plan))
    found: dict[str, TaskStanding] = {}
    for one in fold_tasks(known_all):
        found[one.task["id"]] = one
        await asyncio.sleep(0)
    ledger = Ledger(plan, day, known_at, position, [found[t["id"]] for t in tasks], met, said)
    while len(state.tasks) >= LEDGERS_KEPT:
        state.tasks.pop(next(iter(state.tasks)))
    if not now or met.stamp == key[5]:
        state.tasks[key] = ledger
    return ledger


def issued_by(state: State, plan: PlanVersion, on: date, known_at: date | None) -> dict[str, date]:
    """When the documents were issued by a day that start terms of this plan's tasks, by name and by
    the document that the task names."""
    found: dict[str, date] = {}
    relative = {
        f"{plan.plan}/{task['id']}": task["deadline"]["relative"]["document"]
        for task in plan.document["tasks"]
        if isinstance(task.get("deadline"), dict) and "relative" in task["deadline"]
    }
    for statement in state.definitions.statements("central_document.issued"):
        if known_at is not None and statement.recorded > known_at:
            continue
        day = date.fromisoformat(statement.data["issued_on"])
        if day > on:
            continue
        found[statement.data["document"]] = day
        for name in statement.data.get("starts_deadline_of", []):
            if name in relative:
                found[relative[name]] = day
    return found
