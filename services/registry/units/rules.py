"""What units may become: levels, codes, places. Each rule has a name, which pages say in Vietnamese
(`services/registry/web/rule_words.py`). Pure."""

from datetime import date

from services.registry.units.wishes import NewUnit, nfc
from shared.contracts.places import commune_of
from shared.domain.units import LEVEL_OF_KIND, Unit
from shared.problems import Problem

ABOVE = {
    "province": ("nation",),
    "commune": ("province",),
    "hamlet": ("commune",),
    "organisation": ("nation", "province", "district", "commune", "hamlet", "organisation"),
}
"""What each level may lie in, in the era whose units can be changed; it has no districts."""

DIGITS = {"province": 2, "commune": 5}


def check_place(new: NewUnit, parent: str | None, level: str, unit_id: str) -> None:
    """Provinces lie in the nation, communes in provinces, hamlets in communes; `level`: of what it
    shall lie in."""
    own = LEVEL_OF_KIND[new.kind]
    digits = DIGITS.get(own)
    if digits and new.code.isdecimal() and len(new.code) != digits:
        raise wrong(
            "code-digits",
            "code",
            f"{new.code} has not the {digits} digits of a {new.kind}'s code.",
            "Codes keep their leading zeros; spreadsheets drop them.",
        )
    if level not in ABOVE.get(own, ()):
        may = " or ".join(ABOVE.get(own, ())) or "a new list of codes only"
        raise wrong(
            "wrong-place",
            "parent",
            f"A {new.kind} does not lie in {parent or 'nothing'} ({level or 'no unit'}).",
            f"It belongs to: {may}.",
        )
    if own == "hamlet" and commune_of(unit_id) != parent:
        raise wrong(
            "hamlet-code",
            "code",
            f"{new.code} does not say which commune the hamlet is of.",
            "A hamlet's code is its commune's code, a hyphen and a number: 24133-007.",
        )


def ended_so(unit: Unit, on: date, into: list[str]) -> bool:
    """Whether a unit ended just so already; a problem when it ended otherwise."""
    if unit.valid_to is None:
        return False
    if (unit.valid_to, {s.unit_id for s in unit.successors}) == (on, set(into)):
        return True
    raise wrong(
        "ended-otherwise",
        "on",
        f"{unit.unit_id} ended on {unit.valid_to.isoformat()} already, otherwise than this says.",
        "Revoke or correct the event that ended it (GET /v1/units/CODE/history names it).",
    )


def is_called(unit: Unit, name_vi: str, kind: str, on: date) -> bool:
    """Whether a unit has this name and kind on a day, however the name's marks are written."""
    return nfc(unit.name(on)) == nfc(name_vi) and unit.kind(on) == kind


def is_same(unit: Unit, new: NewUnit, parent: str | None, on: date) -> bool:
    """Whether a unit is the one that is asked for, established before."""
    about = (nfc(unit.names[0][1]), unit.names[0][2], unit.parent, unit.valid_from)
    said = {name for name, steps in unit.attributes.items() if (on, True) in steps}
    return about == (nfc(new.name_vi), new.kind, parent, on) and said >= set(new.attributes)


def more_of(what: str, again: int) -> str:
    """The end of an id; the second change of the same thing on the same day gets another."""
    return f"-{what}-{again + 1}" if again else f"-{what}"


def wrong(rule: str, field: str, detail: str, hint: str) -> Problem:
    """`rule`: the name by which pages say it in Vietnamese; `field`: which part of the change."""
    return Problem(
        "change-impossible", detail, pointer=f"/changes/{field}", hint=hint, extra={"rule": rule}
    )
