"""The table that everybody may read once the province has opened it (design, section 6).

Built so that nobody can be singled out, also by subtracting tables from each other:

* counts of people are rounded down to 5, in every commune;
* what stands above is added up from the rounded communes, never from the truth: a province that
  was rounded by itself would give communes away (five communes of "0" under a "20" are 4 each);
* shares, `met` and status follow from the rounded numbers alone, what cannot be said of them is
  left out; so two truths that round alike give the very same table;
* only Sundays, and each only as it was known on that Sunday: asking again later, when one more
  event has come in late, gives the same answer.
"""

from datetime import date
from typing import Any

import msgspec

from services.registry.disclosure import last_sunday
from services.registry.plans.routes import objective_states
from services.registry.progress.pace import least
from services.registry.progress.reasons import types_of
from services.registry.state import State
from services.registry.tables.build import Place, Question, assemble, place_of
from services.registry.tables.model import Cell, Cells, Counted, Table
from services.registry.tables.past import past
from services.registry.tables.silence import Silence
from shared.contracts.live import of_process
from shared.domain.plan_history import PlanVersion
from shared.problems import Problem

STEP = 5
_OF_PEOPLE = frozenset({"distinct_persons", "sum", "reported"})
_KINDS_OF_PEOPLE = frozenset({"cong_dan_so_tieu_bieu", "gia_dinh_so"})
"""Kinds of things that are a person or a household: a model citizen is somebody."""
_THINGS_OF_PEOPLE = frozenset({"household", "mentor", "device", "person"})
LEVELS = ("province", "commune")


def down(number: int | None) -> int | None:
    """Rounded down to 5."""
    return None if number is None else number - number % STEP


def counts_people(objective: dict[str, Any]) -> bool:
    """Whether an objective counts people, things that stand for single people, or events that
    name one (a lesson given to somebody is somebody)."""
    measure = objective.get("measure") or {}
    if measure.get("count") in _OF_PEOPLE or measure.get("key") in _THINGS_OF_PEOPLE:
        return True
    if any(_KINDS_OF_PEOPLE & set(_kinds(part)) for part in measure.get("of", [])):
        return True
    catalogue = of_process()
    return any(catalogue[name].identities for name in types_of(objective))


def _kinds(part: dict[str, Any]) -> list[str]:
    """The values of `kind` that a part of a measure asks for."""
    kind = (part.get("filter") or {}).get("kind") or []
    return [kind] if isinstance(kind, str) else list(kind)


async def public_table(
    state: State, plan: PlanVersion, level: str | None, as_of: date | None
) -> Table:
    """The plan's own unit and its communes, at the end of a week."""
    sunday = as_of or last_sunday(state.clock.today())
    if sunday.isoweekday() != 7 or sunday > last_sunday(state.clock.today()):
        raise Problem(
            "as-of-not-public",
            "Without a key, tables are of complete weeks: Sundays that are over.",
            pointer="/as_of",
            hint=f"The newest is {last_sunday(state.clock.today()).isoformat()}.",
        )
    if level not in (None, *LEVELS):
        raise Problem(
            "level-not-public",
            "Without a key, tables show the province and its communes only.",
            status=403,
            pointer="/level",
            hint=f"Levels: {', '.join(LEVELS)}.",
        )
    state = await state.joined(sunday, plan.plan)
    plan = state.plan(plan.plan, sunday)
    own = plan.document["unit"]
    known = state.tree.unit(own)
    of = known.level if known else "province"
    place = place_of(state, Question(plan.plan, None, level or "commune"), sunday)
    key = ("public", plan.plan, plan.version, place.level, sunday, state.definitions.position)
    kept: Table | None = state.public.get(key)
    if kept is not None:
        return kept
    counted = await past(
        state.metrics,
        plan=plan.plan,
        unit=own,
        level="commune",
        as_of=sunday,
        known_at=sunday,
        tree=sunday.isoformat(),
    )
    await state.agree(counted.position, counted.definitions)
    communes = place_of(state, Question(plan.plan, None, "commune"), sunday)
    cells = rounded(plan.document["objectives"], counted.cells, own, communes, of)
    # The position would say when events come in; a public table says the week only.
    safe = Counted(cells, 0, sunday)
    states = await objective_states(state, plan.plan)
    table = assemble(state, place, safe, states, sunday, 0, Silence())
    if len(state.public) >= 64:
        state.public.clear()
    state.public[key] = table
    return table


def rounded(
    objectives: list[dict[str, Any]], cells: Cells, own: str, communes: Place, level: str
) -> Cells:
    """The cells that may be shown. Pure."""
    found: Cells = {}
    ids = [unit_id for _, unit_id, _ in communes.units if unit_id != own or level == "commune"]
    for objective in objectives:
        name = objective["id"]
        people = counts_people(objective)
        parts = {}
        for unit_id in ids:
            cell = cells.get(unit_id, {}).get(name)
            if cell is not None:
                parts[unit_id] = _one(cell) if people else _plain(cell)
                found.setdefault(unit_id, {})[name] = parts[unit_id]
        whole = cells.get(own, {}).get(name)
        if whole is not None and own not in ids:
            shown = (
                _sum(objective, whole, list(parts.values()), len(ids)) if people else _plain(whole)
            )
            found.setdefault(own, {})[name] = shown
    return found


def _one(cell: Cell) -> Cell:
    return _judged(cell, down(cell.value), down(cell.denominator))


def _sum(objective: dict[str, Any], whole: Cell, parts: list[Cell], units: int) -> Cell:
    if "within_unit" in (objective.get("measure") or {}):
        reached = sum(part.met is True for part in parts)
        return _judged(whole, reached, units)
    values = [part.value for part in parts if part.value is not None]
    known = [part.denominator for part in parts if part.denominator is not None]
    complete = bool(known) and len(known) == units
    denominator = sum(known) if complete else down(whole.denominator)
    return _judged(whole, sum(values) if values else None, denominator)


def _judged(cell: Cell, value: int | None, denominator: int | None) -> Cell:
    """A cell of rounded numbers, judged by these alone: met, or not said."""
    shown = Cell(
        value, denominator, None, None, None, "not_published", cell.basis, None, ["rounded"],
        cell.target, cell.target_unit, comparator=cell.comparator, last_day=cell.last_day,
    )  # fmt: skip
    if value is not None and denominator:
        shown.ratio = value / denominator
    shown.flags += _excess(shown)
    shown.required = _required(shown)
    if value is not None and shown.required is not None and value >= shown.required:
        shown.met, shown.status = True, "met"
    if cell.bucket is not None:
        # Its status is that of the very week or month of the number: no second one is told.
        judged = cell.bucket.judged
        if not judged:
            shown.met, shown.status = None, "not_judged"
        shown.bucket = shown.status_bucket = msgspec.structs.replace(
            cell.bucket, value=value, denominator=denominator, required=shown.required,
            met=shown.met,
        )  # fmt: skip
        if not judged:
            shown.status_bucket = None
    return shown


def _required(cell: Cell) -> int | None:
    """The least count that meets the target, of the numbers shown."""
    if cell.target is None:
        return None
    if cell.target_unit in ("count", None):
        return least(cell.target, cell.comparator)
    if not cell.denominator:
        return None
    return least(cell.target, cell.comparator, cell.denominator, 100)


def _excess(cell: Cell) -> list[str]:
    """The flag of a number above its denominator, both as shown: rounding down cannot make one."""
    if cell.value is None or cell.denominator is None or cell.target_unit == "percent_of_target":
        return []
    return ["exceeds_denominator"] if cell.value > cell.denominator else []


def _plain(cell: Cell) -> Cell:
    """Of things that are no people: as it is, without what tells of single days."""
    return Cell(
        cell.value, cell.denominator, cell.ratio, cell.met, None, cell.status, cell.basis, None,
        _excess(cell), cell.target, cell.target_unit, comparator=cell.comparator,
        required=cell.required, last_day=cell.last_day, bucket=cell.bucket,
        status_bucket=cell.status_bucket,
    )  # fmt: skip
