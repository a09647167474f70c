"""`GET` and `POST /v1/plans/{plan}/populations`: the grid of denominators, and declaring them."""

import asyncio
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.registry.access import Writer, Writing
from services.registry.answers import Cursor, IfNoneMatch, Limit, json_answer, page
from services.registry.body import read_body
from services.registry.definitions import PlanVersion
from services.registry.plans.territory import area_of
from services.registry.populations import sheet
from services.registry.populations.grid import Grid, Number
from services.registry.posting import content_id, event, post
from services.registry.state import Registry, State, not_future
from services.registry.tables.build import Place, Question, place_of
from shared.contracts.definitions import Catalogue
from shared.problems import Problem

router = APIRouter(prefix="/v1/plans/{plan}/populations", tags=["populations"])

FACTOR = 3
"""A number that grows or shrinks by more is doubted."""


def groups_of(plan: PlanVersion) -> dict[str, list[str]]:
    """Every group that some objective divides by -> who leads these objectives."""
    found: dict[str, list[str]] = {}
    for objective in plan.document["objectives"]:
        over = (objective.get("measure") or {}).get("over") or {}
        code = over.get("population") or objective.get("denominator")
        if code:
            leads = found.setdefault(code, [])
            leads += [name for name in objective.get("lead") or [] if name not in leads]
    return dict(sorted(found.items()))


def names_of_groups() -> dict[str, str]:
    """Vietnamese names of all groups."""
    return dict(Catalogue.load().words.enums["population"])


def number_json(number: Number) -> dict[str, Any]:
    """A denominator with where it comes from."""
    declared = number.declared
    return {
        "state": number.state,
        "number": number.number,
        "sum_of_children": number.sum,
        "children_known": number.known,
        "children": number.children,
        "mismatch": number.mismatch,
        "as_of": declared.as_of if declared else None,
        "authority": declared.authority if declared else None,
        "source_ref": declared.source_ref if declared else None,
        "position": declared.position if declared else None,
    }


def owed(
    plan: PlanVersion, grid: Grid, place: Place, groups: dict[str, list[str]]
) -> list[dict[str, Any]]:
    """Per authority and group the units whose number nobody has declared.

    The plans name no authority for denominators; who leads the objectives that need one is asked.
    """
    names = {o["id"]: o["name_vi"] for o in plan.document["organisations"]}
    units = [unit_id for _, unit_id, _ in place.units]
    found: list[dict[str, Any]] = []
    for code, leads in groups.items():
        missing = [unit for unit in units if grid.of(unit, code).number is None]
        # One number for all of them together would do as well, where the target is of the whole.
        whole = grid.of(place.top.unit_id, code).number is not None
        found += [
            {
                "organisation": lead,
                "name_vi": names.get(lead, lead),
                "population": code,
                "missing": len(missing),
                "whole_declared": whole,
                "units": missing,
            }
            for lead in (leads if missing else [])
        ]
    return sorted(found, key=lambda o: (o["organisation"], o["population"]))


@router.get("", response_class=Response)
async def show_grid(
    state: Registry,
    plan: str,
    unit: Annotated[str | None, Query(description="code or code@era; default the plan's")] = None,
    level: Annotated[str | None, Query(description="level of the units")] = None,
    on: Annotated[date | None, Query(description="day; default today")] = None,
    known_at: Annotated[date | None, Query(description="as recorded by the end of")] = None,
    format: Annotated[str, Query(description="json, xlsx")] = "json",
    cursor: Cursor = None,
    limit: Limit = 200,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Denominators, units x groups: declared, or the sum of all children, or partial, or missing;
    with what each authority still owes. As XLSX to fill in and upload again."""
    if format not in ("json", "xlsx"):
        raise Problem(
            "format-unknown",
            "The grid does not come in this format.",
            pointer="/format",
            hint="Formats: json, xlsx.",
        )
    not_future(known_at, "known_at", state.clock.today())
    found, day = state.plan(plan), on or state.clock.today()
    place = place_of(state, Question(plan, unit, level), day)
    grid, groups, names = (
        Grid(state.definitions, day, known_at),
        groups_of(found),
        names_of_groups(),
    )
    if format == "xlsx":
        shown_units = [(place.top.unit_id, place.name), *((u, n) for _, u, n in place.units)]
        rows = [
            (unit_id, name, [_own(grid, unit_id, code) for code in groups])
            for unit_id, name in dict(shown_units).items()
        ]
        titles = {code: names[code] for code in groups}
        position = state.definitions.position
        sandbox = state.settings.sandbox
        body = await asyncio.to_thread(sheet.write, plan, position, titles, rows, sandbox=sandbox)
        file = f"{plan}_{place.top.code}_mau-so.xlsx"
        headers = {"Content-Disposition": f'attachment; filename="{file}"'}
        return Response(body, headers=headers, media_type=sheet.MEDIA_TYPE)
    shown, following = page(place.units, lambda u: [u[1]], cursor, limit)
    return json_answer(
        {
            "plan": plan,
            "unit_id": place.top.unit_id,
            "level": place.level,
            "on": day,
            "known_at": known_at,
            "position": state.definitions.position,
            "groups": [
                {"population": code, "name_vi": names[code], "asked_of": leads}
                for code, leads in groups.items()
            ],
            "whole": {c: number_json(grid.of(place.top.unit_id, c)) for c in groups},
            "total": len(place.units),
            "next": following,
            "units": [
                {
                    "unit": code,
                    "unit_id": unit_id,
                    "name_vi": name,
                    "populations": {c: number_json(grid.of(unit_id, c)) for c in groups},
                }
                for code, unit_id, name in shown
            ],
            "owed": owed(found, grid, place, groups),
        },
        if_none_match,
    )


def _own(grid: Grid, unit_id: str, code: str) -> int | None:
    """What was declared for the unit itself; a sum is not something to declare back."""
    declared = grid.of(unit_id, code).declared
    return declared.number if declared else None


@router.post("", response_class=Response)
async def declare(
    request: Request,
    state: Registry,
    plan: str,
    caller: Writing,
    source: Annotated[str | None, Query(description="CloudEvents source; the key's first")] = None,
    dry_run: Annotated[bool, Query(description="show the difference, write nothing")] = True,
) -> Response:
    """Take a filled-in grid (XLSX): the difference to what is declared, and, with `dry_run=false`,
    one population.declared per changed number, under the caller's own key."""
    body = await read_body(request, sheet.LARGEST)
    return json_answer(await take(state, plan, body, caller, source, dry_run=dry_run))


async def take(
    state: State, plan: str, body: bytes, caller: Writer, source: str | None, *, dry_run: bool
) -> dict[str, Any]:
    """What a filled-in workbook changes; unless it is a dry run, it is written."""
    found = state.plan(plan)
    names = names_of_groups()
    said = await asyncio.to_thread(sheet.read, body, names)
    changes, unchanged = difference(state, found, said)
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
        "plan": plan,
        "dry_run": dry_run,
        "as_of": said.as_of,
        "authority": said.authority,
        "changes": changes,
        "unchanged": unchanged,
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
            said.problems.append({"line": None, "column": f"# {name}", "problem": "not filled in"})
    if said.as_of is not None and said.as_of > state.clock.today():
        said.problems.append({"line": None, "column": "# as_of", "problem": "lies in the future"})
    if said.plan not in ("", plan.plan):
        said.problems.append({"line": 1, "column": "# plan", "problem": "is of another plan"})
    area, names = area_of(state, plan), names_of_groups()
    # Compared with what holds on the day of the file, which may be an earlier one; what the file
    # was filled with when it was downloaded is no statement about that day.
    today = state.clock.today()
    now, grid = Grid(state.definitions, today), Grid(state.definitions, said.as_of or today)
    changes, unchanged = [], 0
    for (unit_id, code), number in said.numbers.items():
        where = {"unit_id": unit_id, "column": code}
        unit = state.tree.unit(unit_id)
        if unit is None or unit_id not in area:
            said.problems.append({**where, "problem": "no unit of this plan"})
            continue
        declared = grid.of(unit_id, code).declared
        if number in {d.number for d in (declared, now.of(unit_id, code).declared) if d}:
            unchanged += 1
            continue
        if declared is not None and declared.position > said.position:
            problem = "was declared anew after this file was downloaded"
            said.problems.append({**where, "problem": problem})
            continue
        changes.append(
            {
                "unit_id": unit_id,
                "name_vi": unit.name(state.clock.today()),
                "population": code,
                "population_vi": names[code],
                "before": declared.number if declared else None,
                "before_as_of": declared.as_of if declared else None,
                "after": number,
                "warnings": _doubts(declared.number if declared else None, number),
            }
        )
    return changes, unchanged


def _doubts(before: int | None, after: int) -> list[str]:
    """What somebody should look at again before writing a number."""
    found = []
    if after == 0:
        found.append("zero: nobody is in this group there; an empty cell says nothing")
    if before and not before / FACTOR <= after <= before * FACTOR:
        found.append(f"more than {FACTOR} times as many, or as few, as before")
    return found
