"""All units that a plan speaks of, today's and former ones."""

from datetime import date

from services.registry.plans.speaking import is_top, levels_below, own_code
from services.registry.state import State
from shared.domain.plan_history import PlanVersion
from shared.domain.territory import answering, covered
from shared.domain.units import Unit
from shared.problems import Problem


def area_of(state: State, plan: PlanVersion) -> frozenset[str]:
    """What the plan covers."""
    return covered_by(state, plan.document["unit"])


def answering_area(state: State, plan: PlanVersion) -> frozenset[str]:
    """Whose reports and proofs are the plan's."""
    key = ("answering", state.definitions.position, plan.document["unit"])
    known: frozenset[str] | None = state.places.get(key)
    if known is None:
        known = state.places[key] = answering(state.tree, plan.document["unit"])
    return known


def covered_by(state: State, unit_id: str) -> frozenset[str]:
    """What belongs to a unit; made once per state of the definitions."""
    key = ("covered", state.definitions.position, unit_id)
    known: frozenset[str] | None = state.places.get(key)
    if known is None:
        known = state.places[key] = covered(state.tree, unit_id)
    return known


def registered(state: State, plan: PlanVersion) -> dict[str, str]:
    """The units that organisations of the plan are today, by the id that the plan has for them."""
    today = state.clock.today()
    key = ("registered", state.definitions.position, plan.document["unit"], today)
    known: dict[str, str] | None = state.places.get(key)
    if known is None:
        below = levels_below(state.tree.unit(plan.document["unit"]))
        known = state.places[key] = {}
        for name in sorted(answering_area(state, plan)):
            unit = state.tree.unit(name)
            code = own_code(state.tree, name)
            if code and unit and unit.exists(today) and is_top(state.tree, name, below):
                known.setdefault(code, name)
    return known


def posted_for(state: State, plan: PlanVersion, body: str) -> str:
    """The unit that an event of a body is posted for: itself, for an organisation the unit that it
    is, else the plan's."""
    if state.tree.unit(body) is not None:
        return body
    return registered(state, plan).get(body) or unit_today(state, plan)


def unit_today(state: State, plan: PlanVersion) -> str:
    """The plan's unit; of one that has gone wholly into another since (Yên Bái into Lào Cai) that
    one, which carries the plan on."""
    name, today = str(plan.document["unit"]), state.clock.today()
    seen: set[str] = set()
    while (unit := state.tree.unit(name)) and not unit.exists(today) and name not in seen:
        seen.add(name)
        if [s.part for s in unit.successors] != ["whole"]:
            break
        name = unit.successors[0].unit_id
    return name


def body_in(state: State, plan: PlanVersion, code: str, on: date) -> str:
    """The name under which a unit leads tasks and owes reports: its unit_id, or of an organisation
    that is a unit of its own the id that the plan has for it (its code, or PROVINCE.ID)."""
    found = in_plan(state, plan, code, on, answering_area(state, plan))
    own = found.code.rpartition(".")[2]
    named = {o["id"] for o in plan.document["organisations"]}
    return own if found.level == "organisation" and own in named else found.unit_id


def in_plan(
    state: State, plan: PlanVersion, code: str, on: date, area: frozenset[str] | None = None
) -> Unit:
    """The unit of a code or code@era, if the plan applies to it (or it is in `area`)."""
    own = plan.document["unit"]
    found = state.unit(own if code == own.partition("@")[0] else code, on)
    if found.unit_id not in (area_of(state, plan) if area is None else area):
        raise Problem(
            "unit-outside-plan",
            f"The plan {plan.plan} does not apply to {found.unit_id}.",
            pointer="/unit",
            hint=f"Its unit is {own}; ask for it or a unit below it.",
        )
    return found
