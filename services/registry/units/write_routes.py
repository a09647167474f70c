"""Changing units: merge, split, rename; import a file; a commune's list of hamlets.

Everything has a dry run (the default) that shows the difference in words, and becomes unit.*
events under the caller's own key.
"""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from services.registry.access import Writer, Writing
from services.registry.answers import json_answer
from services.registry.body import read_body
from services.registry.posting import content_id, event, post
from services.registry.state import Registry, State
from services.registry.units import hamlets, importing
from services.registry.units.changes import Change, Establish, Planner
from shared.contracts.tree import UnknownUnit
from shared.problems import Problem

router = APIRouter(prefix="/v1/units", tags=["units"])

DryRun = Annotated[bool, Query(description="show the difference, write nothing")]
Source = Annotated[str | None, Query(description="CloudEvents source; default the key's first")]
Reference = Annotated[str | None, Query(max_length=200, description="the document that decided it")]


class Changes(BaseModel):
    """Changes that belong together: all are written or none."""

    model_config = ConfigDict(extra="forbid")

    changes: Annotated[list[Change], Field(min_length=1, max_length=500)]
    source_ref: str | None = Field(None, max_length=200, description="the document that decided it")


@router.post("/changes", response_class=Response)
async def change_units(
    state: Registry,
    wanted: Changes,
    caller: Writing,
    source: Source = None,
    dry_run: DryRun = True,
) -> Response:
    """Establish, rename, merge or split units on a day, or say an attribute of one."""
    planner = _planner(state, caller, source, wanted.source_ref)
    for index, change in enumerate(wanted.changes):
        try:
            planner.plan(change)
        except UnknownUnit as unknown:
            raise Problem(
                unknown.code,
                unknown.detail.replace("`subject`", "the change"),
                pointer=f"/changes/{index}",
                hint=unknown.hint,
                extra={"candidates": unknown.candidates} if unknown.candidates else None,
            ) from None
    return await _write(state, caller, planner, dry_run, {})


@router.post("/import", response_class=Response)
async def import_units(
    request: Request,
    state: Registry,
    caller: Writing,
    on: Annotated[date | None, Query(description="day of the changes; default today")] = None,
    source: Source = None,
    source_ref: Reference = None,
    dry_run: DryRun = True,
) -> Response:
    """Bring the tree up to a CSV file (code, name_vi, kind, parent, organisation_kind, attributes,
    ends_on, successors): new units begin, other names and kinds become renames, and a unit ends
    only where its line says so."""
    rows = importing.rows_of(await read_body(request, importing.LARGEST))
    day = on or state.clock.today()
    planner = _planner(state, caller, source, source_ref)
    wrong, absent = importing.plan_import(state.tree, rows, day, planner)
    if wrong:
        raise Problem(
            "file-wrong",
            f"{len(wrong)} lines of the file cannot be taken; nothing was written.",
            hint="`problems` names each line.",
            extra={"problems": wrong[:200]},
        )
    return await _write(state, caller, planner, dry_run, {"lines": len(rows), "absent": absent})


class HamletList(BaseModel):
    """What a commune pastes: one name per line, or a list of names."""

    model_config = ConfigDict(extra="forbid")

    names: list[str] | str
    complete: bool = Field(False, description="these are all: targets per hamlet can be judged")
    on: date | None = Field(None, description="since when; default today")


@router.post("/{code}/hamlets", response_class=Response)
async def list_hamlets(
    state: Registry,
    code: str,
    pasted: HamletList,
    caller: Writing,
    source: Source = None,
    dry_run: DryRun = True,
) -> Response:
    """A commune's hamlets: those not known yet get stable codes. Missing ones are listed, never
    ended: rename or merge them. Only a complete list makes targets per hamlet judgeable."""
    day = pasted.on or state.clock.today()
    commune = state.unit(code, day)
    if commune.level != "commune":
        raise Problem(
            "unit-not-commune",
            f"{commune.unit_id} is a {commune.level}; hamlets belong to communes.",
            pointer="/code",
            hint="Name the commune.",
        )
    lines = pasted.names.splitlines() if isinstance(pasted.names, str) else pasted.names
    names = hamlets.clean(lines)
    if not names or len(names) > hamlets.MOST:
        raise Problem(
            "hamlets-malformed",
            f"The list has {len(names)} names; 1 to {hamlets.MOST} are taken.",
            pointer="/names",
            hint="One name per line.",
        )
    found = hamlets.listed(state.tree, commune, names, day)
    if pasted.complete and found.absent:
        raise Problem(
            "hamlets-absent",
            "The list is said to be complete, but lacks hamlets that exist.",
            pointer="/names",
            hint="Add them, or rename or merge them first (POST /v1/units/changes).",
            extra={"absent": [{"unit_id": id, "name_vi": name} for id, name in found.absent]},
        )
    planner = _planner(state, caller, source, None)
    for new, name in found.new:
        made = Establish(op="establish", code=new, name_vi=name, kind="hamlet", parent="", on=day)
        planner.plan_new(made, commune.unit_id)
    if pasted.complete:
        number = len(found.known) + len(found.new)
        authority = f"UBND {commune.name(day)}"
        data = {"population": "hamlets", "number": number, "as_of": day.isoformat()}
        data |= {"authority": authority}
        id = content_id("population", commune.unit_id, "hamlets", data=data)
        at = f"{day.isoformat()}T00:00:00+07:00"
        declared = event(
            "population.declared", caller.source(source), id, commune.unit_id, at, data
        )
        planner.planned.events.append(declared)
        planner.planned.difference.append(f"= {commune.unit_id}: {number} hamlets, complete")
    about = {
        "unit_id": commune.unit_id,
        "known": [{"unit_id": id, "name_vi": name} for id, name in found.known],
        "new": [{"unit_id": f"{new}@2025", "name_vi": name} for new, name in found.new],
        "absent": [{"unit_id": id, "name_vi": name} for id, name in found.absent],
        "twice": found.twice,
    }
    return await _write(state, caller, planner, dry_run, about)


def _planner(state: State, caller: Writer, source: str | None, source_ref: str | None) -> Planner:
    return Planner(state.tree, caller.source(source), state.clock.today(), source_ref)


async def _write(
    state: State, caller: Writer, planner: Planner, dry_run: bool, about: dict[str, Any]
) -> Response:
    """Post what was planned; a dry run shows it, judged here but not by activities: what is new is
    not there yet for what follows to refer to."""
    planned = planner.planned
    if planned.events and not dry_run:
        await post(state.activities, caller.authorization, planned.events, dry_run=False)
    return json_answer(
        {
            "dry_run": dry_run,
            **about,
            "difference": planned.difference,
            "events": planned.events,
            "written": 0 if dry_run else len(planned.events),
        }
    )
