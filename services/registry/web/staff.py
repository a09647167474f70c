"""Letting colleagues in: who was invited, a form to invite, a button to withdraw."""

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Cookie, Depends, Header, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from services.registry import invitations
from services.registry.access import SESSION_COOKIE, Writer, Writing
from services.registry.body import read_body
from services.registry.state import Registry, State
from services.registry.web import words
from services.registry.web.render import PageRoute, show
from shared import auth
from shared.clock import VIETNAM
from shared.problems import Problem

router = APIRouter(prefix="/staff", route_class=PageRoute, include_in_schema=False)

LARGEST = 4096
USUAL = timedelta(days=365)


async def asker(
    state: Registry,
    authorization: Annotated[str | None, Header()] = None,
    cookie: Annotated[str | None, Cookie(alias=SESSION_COOKIE)] = None,
) -> Writer:
    """Who looks at the page: it needs a key also where reading is open, but writes nothing, so a
    link from elsewhere may lead here."""
    text = auth.bearer(authorization or (f"Bearer {cookie}" if cookie else None), tokens=True)
    return Writer(f"Bearer {text}", await state.keys.check(text))


@router.get("")
async def staff_page(state: Registry, caller: Annotated[Writer, Depends(asker)]) -> HTMLResponse:
    """Invitations within reach of the key."""
    return await _page(state, caller, {})


@router.post("")
async def invite(request: Request, state: Registry, caller: Writing) -> HTMLResponse:
    """Invite somebody; the code stands on this page and nowhere else."""
    raw = await read_body(request, LARGEST)
    form = parse_qs(raw.decode("utf-8", "replace"), max_num_fields=20)
    typed = {name: values[0].strip() for name, values in form.items()}
    order = {name: typed.get(name, "") for name in ("role", "unit", "label")}
    made, wrong = None, None
    try:
        order["expires_at"] = _end_of(typed.get("expires_on", ""))
        made = await invitations.invite(state.activities, caller.authorization, order)
    except Problem as problem:
        wrong = problem
    return await _page(state, caller, typed if wrong else {}, made, wrong)


@router.post("/{id}/revoke")
async def revoke(state: Registry, caller: Writing, id: str) -> Response:
    """Withdraw an invitation; whoever came in by it is out."""
    await invitations.revoke(state.activities, caller.authorization, id)
    return RedirectResponse("/staff", 303)


async def _page(
    state: State,
    caller: Writer,
    typed: dict[str, str],
    made: dict[str, Any] | None = None,
    problem: Problem | None = None,
) -> HTMLResponse:
    listed = await invitations.invitations(state.activities, caller.authorization)
    today = state.clock.today()
    for one in listed:
        unit = state.tree.unit(one["unit"])
        one["unit_name"] = unit.name(today) if unit else one["unit"]
        for name in ("created_at", "accept_until", "expires_at", "last_used"):
            one[name] = datetime.fromisoformat(one[name]) if one[name] else None
    return show(
        state,
        "staff.html",
        200 if problem is None else problem.status,
        listed=listed,
        typed=typed,
        made=made,
        until=None if made is None else datetime.fromisoformat(made["accept_until"]),
        problem=problem,
        subtree=caller.principal.subtree or "",
        usual=(today + USUAL).isoformat(),
        ROLE=words.STAFF_ROLE,
        INVITATION=words.INVITATION,
    )


def _end_of(text: str) -> str:
    """The end of a day that was typed in, in Vietnam."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Problem(
            "form-incomplete", "The last day is missing.", pointer="/expires_at", hint="Fill it in."
        ) from None
    return datetime.combine(day, time(23, 59, 59), VIETNAM).isoformat()
