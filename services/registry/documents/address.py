"""Which report of whom an address means, and whether its reader may see it."""

from dataclasses import dataclass
from datetime import date

from services.registry.documents.authors import gatherers
from services.registry.documents.material import Json
from services.registry.documents.occurrences import find
from services.registry.plans.bodies import Body, bodies
from services.registry.plans.territory import answering_area
from services.registry.reports.ledger import Account, submitted_on
from services.registry.reports.periods import Period
from services.registry.reports.routes import accounts, obligation_of
from services.registry.reports.whose import debtor_for
from services.registry.state import State
from shared.auth import Principal
from shared.domain.plan_history import PlanVersion
from shared.domain.units import Unit
from shared.problems import Problem


@dataclass(frozen=True)
class Address:
    """One report: the duty, its occurrence and the body that writes it."""

    plan: PlanVersion
    duty: Json
    period: Period
    body: Body
    unit: Unit | None
    handed_in: date | None = None
    """The day on which the body handed in what stands for the period."""
    writers: tuple[Body, ...] = ()
    """Everybody who writes a report for the period."""

    @property
    def key(self) -> dict[str, str]:
        """As events and links name it."""
        whose = {"unit": self.body.id} if self.unit else {"organisation": self.body.id}
        return {"plan": self.plan.plan, "obligation": self.duty["id"], "period": self.period.id} | whose  # fmt: skip

    @property
    def title(self) -> str:
        """The name of its files."""
        body = self.body.id.partition("@")[0]
        return f"{self.plan.plan}_{self.duty['id']}_{self.period.id}_{body}"


async def address_of(
    state: State,
    principal: Principal,
    plan: str,
    obligation: str,
    period: str,
    unit: str | None,
    organisation: str | None,
) -> Address:
    """The report that is meant; without `unit` and `organisation` that of the only body that owes it,
    or of the one that gathers the others'. Raises a Problem that says what is wrong."""
    today = state.clock.today()
    found = state.plan(plan)
    duty = obligation_of(found, obligation)
    wanted = debtor_for(principal, state, found, unit, organisation, today)
    (account,) = await accounts(state, found, today, None, obligation)
    occurrence = find(duty, found.document, [f.period for f in account.periods], period, today)
    if occurrence is None:
        raise Problem(
            "period-unknown",
            "The obligation has no such period.",
            status=404,
            pointer="/period",
            hint="GET .../calendar lists the periods; an obligation without any is reported as of a"
            " day of the plan that has come (YYYY-MM-DD).",
        )
    all_ = writers(state, found, duty, account, occurrence)
    body = _body(duty, all_, wanted)
    entries = [e for f in account.periods if f.period.id == occurrence.id for e in f.entries]
    reports = [r for e in entries if e.debtor.id == body.id for r in e.reports]
    handed_in = submitted_on(reports[-1]) if reports else None
    return Address(
        found, duty, occurrence, body, state.tree.unit(body.unit_id or ""), handed_in, tuple(all_)
    )


def writers(state: State, plan: PlanVersion, duty: Json, account: Account, period: Period) -> list[Body]:  # fmt: skip
    """Who may write a report for a period: who owes it, and who gathers what others owe."""
    organisations = {o["id"]: o for o in plan.document["organisations"]}
    owed = [e.debtor for f in account.periods if f.period.id == period.id for e in f.entries]
    if not owed:
        owed = _debtors(state, plan, duty)
    more = [Body(n, organisations[n]["name_vi"]) for n in gatherers(duty, organisations)]
    return [*owed, *(b for b in more if b.id not in {o.id for o in owed})]


def _debtors(state: State, plan: PlanVersion, duty: Json) -> list[Body]:
    today = state.clock.today()
    organisations = {o["id"]: o for o in plan.document["organisations"]}
    units = [u for n in sorted(answering_area(state, plan)) if (u := state.tree.unit(n)) is not None and u.exists(today)]  # fmt: skip
    return bodies(duty["who"], organisations, units, today)


def _body(duty: Json, found: list[Body], wanted: str | None) -> Body:
    if wanted is None:
        gather = [b for b in found if b.id in (duty.get("via") or ())]
        alone = found if len(found) == 1 else gather
        if len(alone) == 1:
            return alone[0]
        raise Problem(
            "debtor-missing",
            "Say whose report it is: either `unit` or `organisation`.",
            pointer="/unit",
            hint="A commune is a unit; a department of the plan is an organisation.",
        )
    body = next((b for b in found if b.id == wanted), None)
    if body is None:
        raise Problem(
            "not-owing",
            "This body does not owe the report.",
            pointer="/unit",
            hint=f"It is owed by: {', '.join(duty['who'])}.",
        )
    return body
