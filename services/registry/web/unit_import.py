"""Import units from a file as a page: choose the file -> difference -> write."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from services.registry.access import CurrentPrincipal, Writing
from services.registry.state import Registry, State
from services.registry.units import importing
from services.registry.units.changes import Planner
from services.registry.units.import_file import read_units
from services.registry.units.write_routes import carry_out, planner_of
from services.registry.web import rule_words, upload
from services.registry.web.render import PageRoute, needs_person, show
from services.registry.web.unit_changes import day_typed, may_change
from services.registry.web.unit_words import left_below, told
from services.registry.web.waiting import learn
from shared.auth import Principal
from shared.problems import Problem

router = APIRouter(prefix="/units/import", route_class=PageRoute, include_in_schema=False)

SHOWN = 500


@router.get("")
async def import_page(
    state: Registry, principal: CurrentPrincipal, done: Annotated[int, Query(ge=0)] = 0
) -> HTMLResponse:
    """The form for whoever may change units."""
    return _page(state, principal, {}, done=done)


@router.post("")
async def import_file(
    request: Request, state: Registry, principal: CurrentPrincipal, caller: Writing
) -> Response:
    """Show what the file would change; write it when that was seen (`write`)."""
    about: dict[str, Any] = {}
    try:
        form = await upload.read_upload(request, importing.LARGEST)
        about["source_ref"] = upload.text(form, "source_ref")[:200]
        about["on"] = upload.text(form, "on")
        day = day_typed({"on": [about["on"]]})
        body = upload.file(form, "file")
        units = read_units(body)
        planner = planner_of(state, caller, None, about["source_ref"] or None)
        about["wrong"], about["absent"] = importing.plan_import(state.tree, units, day, planner)
        if about["wrong"]:
            lines = len(about["wrong"])
            raise Problem("file-wrong", f"{lines} lines of the file cannot be taken.")
        write = bool(upload.text(form, "write"))
        position = await carry_out(state, caller, planner, not write)
    except Problem as problem:
        if needs_person(problem):
            raise
        return _page(state, principal, about, problem=problem)
    if not write:
        return _page(state, principal, about | {"packed": upload.pack(body)}, planner)
    await learn(state, position)
    return RedirectResponse(f"/units/import?done={len(planner.planned.events)}", 303)


def _page(
    state: State,
    principal: Principal,
    about: dict[str, Any],
    planner: Planner | None = None,
    problem: Problem | None = None,
    done: int = 0,
) -> HTMLResponse:
    events = planner.planned.events if planner else []
    absent = [state.tree.unit(unit_id) for unit_id in about.get("absent", [])]
    return show(
        state,
        "unit_import.html",
        200 if problem is None else problem.status,
        may_write=may_change(principal),
        key=principal.is_signed_in,
        ready=planner is not None,
        typed=about,
        wrong=about.get("wrong", []),
        absent=[(u.unit_id, u.names[-1][1]) for u in absent if u],
        events=len(events),
        told=told(state.tree, events[:SHOWN]),
        left=left_below(state.tree, events),
        problem=problem,
        done=done,
        RULE=rule_words.UNITS,
        FIELD=rule_words.FIELDS,
    )
