"""All 36 duties on a made-up course: each period is met by what the plan names for it, by whoever owes
it, in time; nothing else meets it. Duties without a day get one as an amendment gives it."""

from datetime import date
from typing import Any

import pytest

from services.registry.journal.store import Fact
from services.registry.journal.types import kept
from services.registry.plans.bodies import Body
from services.registry.reports.answering import REPORTS
from services.registry.reports.ledger import Account, fold_account
from services.registry.reports.periods import Period
from services.registry.tasks.evidence import Evidence
from shared.contracts.definitions import Catalogue
from shared.domain.plan_files.document import load_plan
from shared.domain.plan_history import PlanVersion
from shared.domain.territory import answering
from shared.domain.tree import UnitTree
from shared.domain.units import Unit
from tests.plans.five import FIVE
from tests.registry import fakes

PLANS = {name: load_plan(fakes.PLANS / f"{name}.yaml", Catalogue.load()).data for name in FIVE}
ALL = [(name, duty["id"]) for name, plan in PLANS.items() for duty in plan["reporting"]]
MET = {"on_time", "received"}


def version(plan: dict[str, Any]) -> PlanVersion:
    return PlanVersion(plan["id"], 1, plan, 1, 1, date(2025, 1, 1), plan["unit"])


class Course:
    """One duty, dated if the plan gives it no period."""

    def __init__(self, tree: UnitTree, name: str, duty: str) -> None:
        self.tree, self.plan = tree, version(PLANS[name])
        found = next(o for o in PLANS[name]["reporting"] if o["id"] == duty)
        self.end = date.fromisoformat(PLANS[name]["period"]["end"])
        if not self.fold(found, [], {}).periods:
            found = found | {"due_dates": [self.end.isoformat()], "due": self.end.isoformat()}
        self.duty = found

    @property
    def units(self) -> list[Unit]:
        names = answering(self.tree, self.plan.document["unit"])
        return [unit for name in names if (unit := self.tree.unit(name)) is not None]

    def fold(self, duty: dict[str, Any], facts: list[Fact], counted: dict[str, list[Evidence]]) -> Account:  # fmt: skip
        return fold_account(duty, self.plan, self.tree, self.units, facts, counted, self.end)

    def states(self, facts: list[Fact], counted: dict[str, list[Evidence]]) -> set[str]:
        account = self.fold(self.duty, facts, counted)
        return {e.state for f in account.periods for e in f.entries if e.debtor.listed}

    def event(self, period: Period, body: Body, number: int, **more: Any) -> Fact:
        """What the plan names, of one body, on the last day in time or of the figures."""
        day = min(period.last_day or period.end, self.end)
        data: dict[str, Any] = {"plan": self.plan.plan}
        if self.duty["event"] in REPORTS:
            data |= {"obligation": self.duty["id"], "period": period.id}
        for name, wanted in (self.duty.get("filter") or {}).items():
            data[name] = wanted[0] if isinstance(wanted, list) else wanted
        if body.unit_id is None:
            data["reporter"] = body.id
        unit = body.unit_id or self.plan.document["unit"]
        data |= more
        return Fact(number, number, self.duty["event"], unit, day, day, "https://a.example", str(number), data)  # fmt: skip

    def course(self, **more: Any) -> tuple[list[Fact], dict[str, list[Evidence]]]:
        account = self.fold(self.duty, [], {})
        owed = [(f.period, e.debtor) for f in account.periods for e in f.entries]
        if self.duty["event"] in kept():
            return [self.event(p, b, n, **more) for n, (p, b) in enumerate(owed, 1)], {}
        top = self.plan.document["unit"]
        counted = [Evidence(b.unit_id or top, min(p.last_day or p.end, self.end), {}, 1) for p, b in owed]  # fmt: skip
        return [], {self.duty["event"]: counted}


@pytest.mark.parametrize(("name", "duty"), ALL)
def test_what_the_plan_names_meets_every_period_and_nothing_else_does(
    name: str, duty: str, tree: UnitTree
) -> None:
    course = Course(tree, name, duty)
    assert course.fold(course.duty, [], {}).periods
    assert not course.states([], {}) & MET
    facts, counted = course.course()
    assert course.states(facts, counted) <= MET
    wrong = []
    if course.duty["event"] in REPORTS:
        wrong += [course.course(obligation="another"), course.course(plan="another")]
    for field in course.duty.get("filter") or {}:
        wrong.append(course.course(**{field: "another"}))
    for other_facts, other_counts in wrong:
        assert not course.states(other_facts, other_counts) & MET


def test_there_are_36_duties() -> None:
    assert len(ALL) == 36
