"""Letting colleagues in: who was invited, a form to invite, a button to withdraw."""

from datetime import date, datetime, time, timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from services.registry import invitations
from services.registry.access import SignedIn, Writer, Writing
from services.registry.state import Registry, State
from services.registry.web import words
from services.registry.web.qr import qr
from services.registry.web.render import PageRoute, needs_person, secret, show
from shared.auth import Principal
from shared.auth.grants import givable_roles
from shared.auth.scopes import INVITE, READ, WRITE
from shared.bodies import read_form
from shared.clock import VIETNAM
from shared.problems import Problem

router = APIRouter(prefix="/staff", route_class=PageRoute, include_in_schema=False)

LARGEST = 4096
USUAL = timedelta(days=365)


@router.get("")
async def staff_page(state: Registry, caller: SignedIn) -> HTMLResponse:
    """Invitations within reach of the key."""
    return await _page(state, caller, {})


@router.post("")
async def invite(request: Request, state: Registry, caller: Writing) -> HTMLResponse:
    """Invite somebody; the code stands on this page and nowhere else."""
    form = await read_form(request, LARGEST)
    typed = {name: values[0].strip() for name, values in form.items()}
    order = {name: typed.get(name, "") for name in ("role", "unit", "label")}
    made, wrong = None, None
    try:
        order["expires_at"] = _end_of(typed.get("expires_on", ""))
        made = await invitations.invite(state.activities, caller.authorization, order)
    except Problem as problem:
        if needs_person(problem):
            raise
        wrong = problem
    link = None if made is None else f"{request.base_url}accept#{made['code']}"
    return secret(await _page(state, caller, typed if wrong else {}, made, wrong, link))


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
    link: str | None = None,
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
        link=link,
        picture=None if link is None else qr(link),
        recent=caller.principal.recent,
        givable=_givable(caller.principal),
        until=None if made is None else datetime.fromisoformat(made["accept_until"]),
        problem=problem,
        subtree=caller.principal.subtree or "",
        usual=(today + USUAL).isoformat(),
        ROLE=words.STAFF_ROLE,
        INVITATION=words.INVITATION,
    )


def _givable(principal: Principal) -> list[str]:
    """The roles that the form offers: none that would be refused whatever the unit."""
    roles = givable_roles(principal)
    posts = principal.is_administrator or bool(roles & {"department", "commune", "hamlet"})
    offered = ["reader"] if principal.has(READ) else []
    if posts and principal.has(WRITE) and principal.has(READ):
        offered.append("editor")
        offered += ["administrator"] if principal.has(INVITE) else []
    return offered


def _end_of(text: str) -> str:
    """The end of a day that was typed in, in Vietnam."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Problem(
            "form-incomplete", "The last day is missing.", pointer="/expires_at", hint="Fill it in."
        ) from None
    return datetime.combine(day, time(23, 59, 59), VIETNAM).isoformat()
