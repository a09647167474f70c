"""The units about which somebody may enter activities, by name."""

from datetime import date

from services.registry.plans.territory import covered_by
from services.registry.state import State
from services.registry.web import words
from services.registry.web.language import gettext
from shared.auth import Principal
from shared.domain.units import Unit

MOST = 400
"""More than a list to choose from; a code is typed then."""


def unit_choices(state: State, principal: Principal, chosen: str) -> list[tuple[str, str]]:
    """unit_id and name of the reader's unit and of what lies below it; empty: too many to list.

    A commune's staff sees its hamlets, a province's its communes. What is `chosen` already stays.
    """
    top = state.tree.unit(principal.subtree) if principal.subtree else None
    if top is None:
        return []
    today = state.clock.today()
    level = "commune" if top.level == "province" else "hamlet"
    below = [
        unit
        for unit in state.tree.descendants(top.unit_id, today)
        if unit.level == level and unit.unit_id != top.unit_id
    ]
    if len(below) > MOST:
        return []
    found = [top, *sorted(below, key=lambda unit: unit.name(today))]
    named = state.tree.unit(owner_of(state, chosen)) if chosen else None
    if named is not None and named not in found and _within(state, top, named):
        found.append(named)
    return [(unit.unit_id, unit.name(today)) for unit in found]


def _within(state: State, top: Unit, unit: Unit) -> bool:
    return unit.unit_id in covered_by(state, top.unit_id)


def owner_of(state: State, code: str) -> str:
    """The unit_id that a code means today, where it means one; else the code, for activities to
    judge."""
    if state.tree.unit(code) is not None:
        return code
    found = [u for u in state.tree.with_code(code) if u.exists(state.clock.today())]
    return found[0].unit_id if len(found) == 1 else code


def ended_words(state: State, code: str, day: date) -> str:
    """Why a unit takes nothing of a day: it was merged or divided, and into what; "" for any other."""
    unit = state.tree.unit(owner_of(state, code))
    if unit is None or unit.valid_to is None or day < unit.valid_to:
        return ""
    today = state.clock.today()
    heirs = [state.tree.unit(one.unit_id) for one in unit.successors]
    names = ", ".join(heir.name(today) for heir in heirs if heir is not None)
    about = {"unit": unit.name(unit.valid_to), "day": words.day(unit.valid_to), "names": names}
    if not names:
        return gettext("%(unit)s không còn từ ngày %(day)s; hãy chọn đơn vị khác.") % about
    return gettext("%(unit)s đã nhập vào %(names)s từ ngày %(day)s; hãy chọn đơn vị mới.") % about
