"""What a report said and what the same day's numbers say now, cell by cell. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from services.registry.documents.appendix import Appendix, Shown


@dataclass(frozen=True)
class Changed:
    """A cell that differs. `then` and `now`: as shown; None: the unit or the target was not there."""

    unit: str
    name_vi: str
    objective: str
    then: Shown | None
    now: Shown | None


def compare(then: Appendix | None, now: Appendix | None) -> list[Changed]:
    """The cells whose count or denominator differ, in the order of the table."""
    return list(_changed(then, now))


def _changed(then: Appendix | None, now: Appendix | None) -> Iterator[Changed]:
    before, after = _rows(then), _rows(now)
    for unit in [*before, *(u for u in after if u not in before)]:
        name, old = before.get(unit, ("", {}))
        new_name, new = after.get(unit, (name, {}))
        for objective in [*old, *(o for o in new if o not in old)]:
            a, b = old.get(objective), new.get(objective)
            if _counts(a) != _counts(b):
                yield Changed(unit, name or new_name, objective, a, b)


def _rows(appendix: Appendix | None) -> dict[str, tuple[str, dict[str, Shown]]]:
    if appendix is None:
        return {}
    return {unit: (name, cells) for unit, name, cells in appendix.rows}


def _counts(shown: Shown | None) -> tuple[int | None, int | None] | None:
    return None if shown is None else (shown.value, shown.denominator)
