"""`GET` and `POST /v1/plans/{plan}/populations`: the grid of denominators, and declaring them."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.registry.access import Writing
from services.registry.answers import Cursor, IfNoneMatch, Limit, json_answer, page
from services.registry.parameters import KnownAt, On
from services.registry.populations import sheet, workbook
from services.registry.populations.grid import Grid, Number
from services.registry.populations.groups import groups_of, names_of_groups
from services.registry.state import Registry, not_future
from services.registry.tables.build import Place, Question, place_of
from shared.bodies import read_body
from shared.domain.plan_history import PlanVersion
from shared.problems import Problem

router = APIRouter(prefix="/v1/plans/{plan}/populations", tags=["populations"])


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
        "imported": declared.imported if declared else False,
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
    on: On = None,
    known_at: KnownAt = None,
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
    known = await state.follower.history.at(state.follower.rows, known_at)
    grid, groups, names = (
        Grid(known, day),
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
    body = await read_body(request, sheet.LARGEST, "A grid", required=True)
    filled = await workbook.read(state, plan, body)
    return json_answer(await workbook.take(state, filled, caller, source, dry_run=dry_run))
