"""Changing units: merge, split, rename; import a file.

Everything has a dry run (the default) that shows the difference in words, and becomes unit.*
events under the caller's own key.
"""

from functools import lru_cache
from typing import Annotated, Any

import jsonschema_rs
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from services.registry.access import Writer, Writing
from services.registry.answers import json_answer
from services.registry.posting import post
from services.registry.state import Registry, State
from services.registry.units import importing
from services.registry.units.changes import Planner
from services.registry.units.import_file import read_units
from services.registry.units.wishes import Change
from shared.bodies import larger_body, read_body
from shared.contracts.live import of_process
from shared.contracts.topics import EVENT_TYPE_PREFIX
from shared.days import FullDate
from shared.domain.units import UnknownUnit
from shared.problems import Problem

router = APIRouter(prefix="/v1/units", tags=["units"])

DryRun = Annotated[bool, Query(description="show the difference, write nothing")]
Source = Annotated[str | None, Query(description="CloudEvents source; default the key's first")]
Reference = Annotated[str | None, Query(max_length=200, description="the document that decided it")]


LARGEST = 1024 * 1024
"""Bytes of a body: 500 changes with their successors and names."""


class Changes(BaseModel):
    """Changes that belong together: all are written or none."""

    model_config = ConfigDict(extra="forbid")

    changes: Annotated[list[Change], Field(min_length=1, max_length=500)]
    source_ref: str | None = Field(None, max_length=200, description="the document that decided it")


@router.post("/changes", response_class=Response)
@larger_body(LARGEST)
async def change_units(
    state: Registry,
    wanted: Changes,
    caller: Writing,
    source: Source = None,
    dry_run: DryRun = True,
) -> Response:
    """Establish, rename, merge or split units on a day, or say an attribute of one."""
    planner = planner_of(state, caller, source, wanted.source_ref)
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
        except Problem as problem:
            problem.pointer = (problem.pointer or "").replace("/changes", f"/changes/{index}", 1)
            raise
    return await write(state, caller, planner, dry_run, {})


@router.post("/import", response_class=Response)
async def import_units(
    request: Request,
    state: Registry,
    caller: Writing,
    on: Annotated[FullDate | None, Query(description="day of the changes; default today")] = None,
    source: Source = None,
    source_ref: Reference = None,
    dry_run: DryRun = True,
) -> Response:
    """Bring the tree up to a CSV file (code, name_vi, kind, parent, organisation_kind, attributes,
    ends_on, successors): new units begin, other names and kinds become renames, and a unit ends
    only where its line says so."""
    raw = await read_body(request, importing.LARGEST, "A file", required=True)
    file = read_units(raw)
    day = on or state.clock.today()
    planner = planner_of(state, caller, source, source_ref)
    wrong, absent = importing.plan_import(state.tree, file, day, planner)
    if wrong:
        raise Problem(
            "file-wrong",
            f"{len(wrong)} lines of the file cannot be taken; nothing was written.",
            hint="`problems` names each line.",
            extra={"problems": wrong[:200]},
        )
    return await write(
        state, caller, planner, dry_run, {"lines": len(file.lines), "absent": absent}
    )


def planner_of(state: State, caller: Writer, source: str | None, source_ref: str | None) -> Planner:
    """A planner against the tree as registry knows it."""
    return Planner(state.tree, caller.source(source), state.clock.today(), source_ref)


async def write(
    state: State, caller: Writer, planner: Planner, dry_run: bool, about: dict[str, Any]
) -> Response:
    """Post what was planned, or show it."""
    await carry_out(state, caller, planner, dry_run)
    planned = planner.planned
    return json_answer(
        {
            "dry_run": dry_run,
            **about,
            "difference": planned.difference,
            "warnings": planned.warnings,
            "events": planned.events,
            "written": 0 if dry_run else len(planned.events),
        }
    )


async def carry_out(state: State, caller: Writer, planner: Planner, dry_run: bool) -> int:
    """Post what was planned; the last position it got in the log. A dry run is judged here, by the
    published schemas, but not by activities: what is new is not there yet for what follows."""
    events = planner.planned.events
    for event in events:
        error = next(_validator(event["type"]).iter_errors(event["data"]), None)
        if error is not None:
            where = "/".join(map(str, error.instance_path))
            raise Problem(
                "change-impossible",
                f"{event['subject']}: {where or 'the change'} is not as {event['type']} needs it.",
                pointer=f"/{where}",
                hint="Its schema: GET /v1/schemas/TYPE/1 of activities.",
            )
    if not events or dry_run:
        return 0
    said = await post(state.activities, caller.authorization, events, dry_run=False)
    return max(int(result["position"]) for result in said["results"])


@lru_cache
def _validator(type: str) -> Any:
    schema = of_process().data_schema(type.removeprefix(EVENT_TYPE_PREFIX))
    return jsonschema_rs.validator_for(schema, validate_formats=True)
