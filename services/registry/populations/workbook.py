"""What an uploaded workbook would change, and declaring it: one event per changed number."""

import asyncio
from dataclasses import dataclass
from typing import Any

from services.registry.access import Writer
from services.registry.plans.territory import area_of
from services.registry.populations import sheet
from services.registry.populations.faults import fault
from services.registry.populations.grid import Grid
from services.registry.populations.groups import names_of_groups
from services.registry.posting import content_id, event, post
from services.registry.state import State
from shared.domain.definitions import Population
from shared.domain.plan_history import PlanVersion
from shared.problems import Problem

FACTOR = 3
"""A number that grows or shrinks by more is doubted."""

DOUBTS = {
    "zero": "zero: nobody is in this group there; an empty cell says nothing",
    "far": f"more than {FACTOR} times as many, or as few, as before",
}


@dataclass
class Filled:
    """A workbook that was read against what is declared; `said.problems`: what cannot be taken."""

    plan: PlanVersion
    said: sheet.Said
    changes: list[dict[str, Any]]
    unchanged: int

    def proposed(self) -> dict[tuple[str, str], Population]:
        """The grid's numbers as they would be: (unit_id, group) -> what would be declared."""
        day = self.said.as_of
        if day is None:
            return {}
        who, source = self.said.authority, self.said.source_ref
        return {
            (c["unit_id"], c["population"]): Population(
                c["unit_id"], c["population"], c["after"], day, who, source, 0, 0, day
            )
            for c in self.changes
        }


async def read(state: State, plan: str, body: bytes) -> Filled:
    """A workbook against what is declared; a problem only when it is none of ours at all."""
    found = state.plan(plan)
    said = await asyncio.to_thread(sheet.read, body, names_of_groups())
    changes, unchanged = difference(state, found, said)
    return Filled(found, said, changes, unchanged)


async def take(
    state: State, filled: Filled, caller: Writer, source: str | None, *, dry_run: bool
) -> dict[str, Any]:
    """What a filled-in workbook changes; unless it is a dry run, it is written."""
    said, changes = filled.said, filled.changes
    if said.problems:
        raise Problem(
            "workbook-wrong",
            f"{len(said.problems)} cells of the workbook cannot be taken; nothing was written.",
            hint="`problems` names line and column of each.",
            extra={"problems": said.problems[:200]},
        )
    events = [_declared(state, said, change, caller.source(source)) for change in changes]
    last = 0
    if events:
        answer = await post(state.activities, caller.authorization, events, dry_run=dry_run)
        last = max(int(result.get("position") or 0) for result in answer["results"])
    return {
        "plan": filled.plan.plan,
        "dry_run": dry_run,
        "as_of": said.as_of,
        "authority": said.authority,
        "changes": changes,
        "unchanged": filled.unchanged,
        "written": 0 if dry_run else len(events),
        "position": last or None,
    }


def _declared(
    state: State, said: sheet.Said, change: dict[str, Any], source: str
) -> dict[str, Any]:
    """The event of one number. Its id says from what state it changes it: the same file again is
    a duplicate, but a number may also be set back to what it was."""
    data = {
        "population": change["population"],
        "number": change["after"],
        "as_of": str(said.as_of),
        "authority": said.authority,
    }
    if said.source_ref:
        data["source_ref"] = said.source_ref
    seen = {"seen": state.definitions.position}
    id = content_id("population", change["unit_id"], change["population"], data=data | seen)
    at = f"{said.as_of}T00:00:00+07:00"
    return event("population.declared", source, id, change["unit_id"], at, data)


def difference(
    state: State, plan: PlanVersion, said: sheet.Said
) -> tuple[list[dict[str, Any]], int]:
    """What a workbook changes; adds to `said.problems` what it cannot change."""
    for name in ("as_of", "authority"):
        if not getattr(said, name):
            said.problems.append(fault("not-filled-in", f"# {name}"))
    if said.as_of is not None and said.as_of > state.clock.today():
        said.problems.append(fault("day-in-future", "# as_of"))
    if said.plan not in ("", plan.plan):
        said.problems.append(fault("other-plan", "# plan", 1))
    area, names = area_of(state, plan), names_of_groups()
    # Compared with what holds on the day of the file, which may be an earlier one; what the file
    # was filled with when it was downloaded is no statement about that day.
    today = state.clock.today()
    now, grid = Grid(state.definitions, today), Grid(state.definitions, said.as_of or today)
    changes, unchanged = [], 0
    for (unit_id, code), number in said.numbers.items():
        line, cell = said.places[unit_id, code]
        unit = state.tree.unit(unit_id)
        if unit is None or unit_id not in area:
            said.problems.append(fault("unit-outside", code, line, unit_id=unit_id, cell=cell))
            continue
        declared = grid.of(unit_id, code).declared
        if number in {d.number for d in (declared, now.of(unit_id, code).declared) if d}:
            unchanged += 1
            continue
        if declared is not None and declared.position > said.position:
            said.problems.append(fault("declared-since", code, line, unit_id=unit_id, cell=cell))
            continue
        doubts = _doubts(declared.number if declared else None, number)
        changes.append(
            {
                "unit_id": unit_id,
                "name_vi": unit.name(state.clock.today()),
                "population": code,
                "population_vi": names[code],
                "before": declared.number if declared else None,
                "before_as_of": declared.as_of if declared else None,
                "after": number,
                "doubts": doubts,
                "warnings": [DOUBTS[name] for name in doubts],
            }
        )
    return changes, unchanged


def _doubts(before: int | None, after: int) -> list[str]:
    """What somebody should look at again before writing a number: names in `DOUBTS`."""
    found = []
    if after == 0:
        found.append("zero")
    if before and not before / FACTOR <= after <= before * FACTOR:
        found.append("far")
    return found
