"""Which groups a plan divides by. Pure."""

from shared.contracts.live import of_process
from shared.domain.plan_history import PlanVersion


def groups_of(plan: PlanVersion) -> dict[str, list[str]]:
    """Every group that some objective divides by -> who leads these objectives.

    Only groups whose number somebody declares: a share of another objective's target divides by
    what that one makes of its own (`objective:ID`), and nobody owes it.
    """
    found: dict[str, list[str]] = {}
    groups = names_of_groups()
    for objective in plan.document["objectives"]:
        over = (objective.get("measure") or {}).get("over") or {}
        code = over.get("population") or objective.get("denominator")
        if code in groups:
            leads = found.setdefault(code, [])
            leads += [name for name in objective.get("lead") or [] if name not in leads]
    return dict(sorted(found.items()))


def names_of_groups() -> dict[str, str]:
    """Vietnamese names of all groups."""
    return dict(of_process().words.enums["population"])
