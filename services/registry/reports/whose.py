"""Whose obligations and reports a question is about, and how much of them its reader may see."""

from datetime import date

from services.registry.plans.bodies import Body
from services.registry.plans.territory import body_in, registered
from services.registry.reach import (
    authorize_unit,
    bound_to,
    can_read,
    can_read_plan,
    outside,
    see_plan,
)
from services.registry.reports.ledger import Account, Filled
from services.registry.state import State
from shared.auth import Principal
from shared.domain.plan_history import PlanVersion
from shared.problems import Problem


def debtor_of(
    state: State, plan: PlanVersion, unit: str | None, organisation: str | None, day: date
) -> str | None:
    """The debtor that a question names; None when it names none."""
    if organisation is not None:
        if organisation not in {o["id"] for o in plan.document["organisations"]}:
            raise Problem(
                "organisation-unknown",
                "The plan names no such organisation.",
                status=404,
                pointer="/organisation",
                hint=f"GET /v1/plans/{plan.plan} lists `organisations`.",
            )
        return organisation
    if unit is None:
        return None
    return body_in(state, plan, unit, day)


def debtor_for(
    principal: Principal,
    state: State,
    plan: PlanVersion,
    unit: str | None,
    organisation: str | None,
    day: date,
) -> str | None:
    """As `debtor_of`; whoever does not see the whole plan is shown what their own unit owes."""
    if organisation is not None and not can_read_plan(principal, state, plan):
        own = registered(state, plan).get(organisation)
        if own is None or not can_read(principal, state, own):
            raise outside(str(bound_to(principal)))
        return debtor_of(state, plan, None, organisation, day)
    return debtor_of(
        state, plan, authorize_unit(principal, state, plan, unit, day), organisation, day
    )


def limited(principal: Principal, state: State, plan: PlanVersion, account: Account) -> Account:
    """An account with what the reader may see of it: their own units' entries and reports."""
    see_plan(principal, state, plan)
    if can_read_plan(principal, state, plan):
        return account
    units = registered(state, plan)

    def sees(body: Body) -> bool:
        unit = body.unit_id or units.get(body.id)
        return unit is not None and can_read(principal, state, unit)

    periods = [
        Filled(
            filled.period,
            [entry for entry in filled.entries if sees(entry.debtor)],
            [fact for fact in filled.others if can_read(principal, state, fact.unit_id)],
        )
        for filled in account.periods
    ]
    loose = [fact for fact in account.unassigned if can_read(principal, state, fact.unit_id)]
    own = [b for b in account.debtors if sees(b)]
    return Account(account.obligation, periods, loose, own)
