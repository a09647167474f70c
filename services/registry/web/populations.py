"""Denominators of a plan as a page: download the workbook, upload it, look, write.

Nothing is written before its difference was shown; the file travels with the form that confirms.
"""

import asyncio
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from services.registry.access import CurrentPrincipal, Writer, Writing
from services.registry.plans.routes import plan_json
from services.registry.populations import sheet, workbook
from services.registry.populations.grid import Grid
from services.registry.populations.groups import groups_of, names_of_groups
from services.registry.populations.routes import owed
from services.registry.state import Registry, State
from services.registry.tables.build import Question, place_of
from services.registry.web import rule_words, upload
from services.registry.web.render import PageRoute, needs_person, show
from services.registry.web.waiting import learn
from shared.auth import Principal
from shared.auth.scopes import WRITE
from shared.contracts.live import of_process
from shared.problems import Problem

router = APIRouter(
    prefix="/plans/{plan}/populations", route_class=PageRoute, include_in_schema=False
)

TYPE = "population.declared"


@dataclass
class Shown:
    """What stands on the page besides the grid: an uploaded file, and what it would change."""

    body: bytes = b""
    filled: workbook.Filled | None = None
    problem: Problem | None = None


@router.get("")
async def populations_page(
    state: Registry, principal: CurrentPrincipal, plan: str, done: Annotated[int, Query(ge=0)] = 0
) -> HTMLResponse:
    """The denominators, what is still owed, and the forms for whoever may declare."""
    return await _page(state, principal, plan, Shown(), done)


@router.post("")
async def upload_workbook(
    request: Request, state: Registry, principal: CurrentPrincipal, caller: Writing, plan: str
) -> Response:
    """Show what the workbook would change; write it when that was seen (`write`)."""
    state.plan(plan)
    shown = Shown()
    try:
        form = await upload.read_upload(request, sheet.LARGEST)
        shown.body = upload.file(form, "file")
        shown.filled = await workbook.read(state, plan, shown.body)
        written = await _taken(state, shown.filled, caller, bool(upload.text(form, "write")))
    except Problem as problem:
        if needs_person(problem):
            raise
        shown.problem = problem
        written = None
    if written is None:
        return await _page(state, principal, plan, shown)
    await learn(state, written["position"] or 0)
    return RedirectResponse(f"/plans/{quote(plan)}/populations?done={written['written']}", 303)


async def _taken(
    state: State, filled: workbook.Filled, caller: Writer, write: bool
) -> dict[str, Any] | None:
    """Judge the workbook; what was written, or None after looking only."""
    answer = await workbook.take(state, filled, caller, None, dry_run=not write)
    return answer if write else None


def _may_write(principal: Principal) -> bool:
    return principal.has(WRITE) and of_process()[TYPE].may_be_posted_by(principal.roles)


async def _page(
    state: State, principal: Principal, plan: str, shown: Shown, done: int = 0
) -> HTMLResponse:
    found, today = state.plan(plan), state.clock.today()
    place = place_of(state, Question(plan), today)
    proposed = shown.filled.proposed() if shown.filled and shown.problem is None else {}
    groups = groups_of(found)
    grid = Grid(state.definitions, today, proposed=proposed)
    units = [(place.top.unit_id, place.name), *((u, n) for _, u, n in place.units)]
    return await asyncio.to_thread(
        show,
        state,
        "populations.html",
        200 if shown.problem is None else shown.problem.status,
        plan=plan_json(state, found),
        groups=groups,
        group_names=names_of_groups(),
        units=list(dict(units).items()),
        grid=grid,
        owed=_per_authority(owed(found, grid, place, groups)),
        total=len(place.units),
        may_write=_may_write(principal),
        key=principal.is_signed_in,
        filled=shown.filled,
        packed=upload.pack(shown.body) if proposed else "",
        problem=shown.problem,
        done=done,
        RULE=rule_words.WORKBOOK,
        DOUBT=rule_words.DOUBTS,
        LINE=rule_words.PLACES_OF_WORKBOOK,
    )


def _per_authority(found: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """What is owed, by who is asked."""
    names = dict.fromkeys(one["name_vi"] for one in found)
    return [(name, [one for one in found if one["name_vi"] == name]) for name in names]
