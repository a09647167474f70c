"""Which unit a code names on a day, and what to say when it names none, or more than one."""

from datetime import date
from typing import Protocol

from shared.domain.units import Unit, UnknownUnit


class Coded(Protocol):
    """What a tree of units must answer for its codes to be resolved."""

    def unit(self, unit_id: str) -> Unit | None: ...

    def with_code(self, code: str) -> list[Unit]: ...

    def predecessors(self, unit_id: str) -> list[tuple[str, str]]: ...

    def same_territory(self, old: Unit, new: Unit) -> bool: ...


def resolve(tree: Coded, subject: str, on: date, era: str | None) -> Unit:
    """The unit that a code, or code@era, names on a day; raises UnknownUnit."""
    if "@" in subject:
        unit = tree.unit(subject)
        if unit is None:
            raise _unknown(tree, subject)
        return _valid(tree, unit, on)
    candidates = tree.with_code(subject)
    if not candidates:
        raise _unknown(tree, subject)
    if era is not None:
        declared = [u for u in candidates if u.era == era and u.exists(on)]
        if declared:
            return declared[-1]
    valid = [u for u in candidates if u.exists(on)]
    if not valid:
        return _valid(tree, candidates[-1], on)
    unit = valid[-1]
    today = candidates[-1]
    if unit is not today and not tree.same_territory(unit, today):
        raise UnknownUnit(
            "unit-ambiguous",
            f"Code {subject} meant {unit.name(on)} on {on.isoformat()} and means"
            f" {today.name(today.valid_from)} since {today.valid_from.isoformat()}.",
            f"Write the era with the code: {' or '.join(u.unit_id for u in candidates)}.",
            [u.unit_id for u in candidates],
        )
    return unit


def _valid(tree: Coded, unit: Unit, on: date) -> Unit:
    if unit.exists(on):
        return unit
    others = [s.unit_id for s in unit.successors] if unit.valid_to and on >= unit.valid_to else []
    others = others or [old for old, _ in tree.predecessors(unit.unit_id)]
    until = f" until {unit.valid_to.isoformat()} (excluded)" if unit.valid_to else ""
    raise UnknownUnit(
        "unit-not-valid",
        f"{unit.unit_id} ({unit.name(on)}) exists from {unit.valid_from.isoformat()}{until},"
        f" not on {on.isoformat()}.",
        f"Name the unit of that day: {', '.join(others[:8])}."
        if others
        else "Check the day of the event (attribute `time`) and the unit.",
        others,
    )


def _unknown(tree: Coded, subject: str) -> UnknownUnit:
    bare = subject.partition("@")[0]
    near = [u.unit_id for u in tree.with_code(bare)]
    hint = "Codes keep their leading zeros; GET /v1/units of registry lists them."
    if near:
        hint = f"Known: {', '.join(near)}."
    elif tree.with_code(bare.zfill(5)) or tree.with_code(bare.zfill(2)):
        hint = "Codes keep their leading zeros (two digits for provinces, five for communes)."
    return UnknownUnit("unit-unknown", "No unit has the code in `subject`.", hint, near)
