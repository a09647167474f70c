"""The devices that are signed in with the same key, and signing them out."""

from datetime import datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from services.registry import sessions
from services.registry.access import SignedIn, Writing
from services.registry.state import Registry
from services.registry.web.render import PageRoute, show
from shared.problems import Problem

router = APIRouter(prefix="/devices", route_class=PageRoute, include_in_schema=False)


@router.get("")
async def devices_page(state: Registry, caller: SignedIn) -> HTMLResponse:
    """Devices, the last used first."""
    listed = await sessions.listed(state.activities, caller.text)
    for one in listed:
        for name in ("created_at", "last_seen", "ends_at"):
            one[name] = datetime.fromisoformat(one[name])
    return show(state, "devices.html", listed=listed, principal=caller.principal)


@router.post("/end")
async def end_all(request: Request, state: Registry, caller: Writing) -> Response:
    """Sign out everywhere, here too."""
    await sessions.end(state.activities, caller.text, None)
    answer = RedirectResponse("/login", 303)
    sessions.forget(request, answer)
    return answer


@router.post("/{id}/end")
async def end_one(state: Registry, caller: Writing, id: str) -> Response:
    """Sign one device out."""
    try:
        await sessions.end(state.activities, caller.text, id)
    except Problem as problem:
        if problem.status != 404:  # it has ended by itself meanwhile
            raise
    return RedirectResponse("/devices", 303)
