"""Signing in, with a key or with the code of an invitation; confirming; signing out."""

import re
from datetime import datetime

import httpx
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from services.registry import sessions
from services.registry.access import OwnPage, SignedIn
from services.registry.invitations import accept
from services.registry.state import Registry, State
from services.registry.web import language
from services.registry.web.frame import BODY_COOKIE
from services.registry.web.render import PageRoute, secret, show, with_script
from shared import auth
from shared.bodies import read_form
from shared.problems import Problem

LARGEST_FORM = 4096
YEAR_S = 365 * 24 * 3600

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/login")
async def login_page(state: Registry, next: str = "/") -> Response:
    """Where a key is typed in."""
    return show(state, "login.html", next=_local(next), error=None)


@router.post("/login", dependencies=[OwnPage])
async def login(request: Request, state: Registry) -> Response:
    """Begin a session with a key; the browser's former one ends."""
    form = await _form(request)
    key, next = form.get("key", ""), _local(form.get("next", "/"))
    answer = RedirectResponse(next, 303)
    try:
        await _sign_in(request, state, answer, auth.bearer(f"Bearer {key}"))
    except Problem as problem:
        return show(state, "login.html", problem.status, next=next, error=problem)
    return answer


@router.get("/accept")
async def accept_page(state: Registry) -> Response:
    """Where the code of an invitation is typed in. A link holds it behind `#`, which no server ever
    gets to see: addresses are written into logs and histories."""
    return with_script(show(state, "accept.html", error=None))


@router.post("/accept", dependencies=[OwnPage])
async def accept_code(request: Request, state: Registry) -> Response:
    """Turn the code into a key, which is shown this once, and begin a session with it."""
    code = (await _form(request)).get("code", "")
    try:
        made = await accept(state.activities, code, sessions.sender(request))
    except Problem as problem:
        return with_script(show(state, "accept.html", problem.status, error=problem))
    ends_at = datetime.fromisoformat(made["expires_at"])
    answer = secret(show(state, "welcome.html", key=made["key"], ends_at=ends_at))
    await _sign_in(request, state, answer, made["key"])
    return answer


@router.get("/confirm")
async def confirm_page(state: Registry, _: SignedIn, next: str = "/") -> Response:
    """Where the key is shown again before a dangerous act."""
    return show(state, "confirm.html", next=_local(next), error=None)


@router.post("/confirm", dependencies=[OwnPage])
async def confirm(request: Request, state: Registry) -> Response:
    """Show the key again; the session gets a new text."""
    form = await _form(request)
    next, session = _local(form.get("next", "/")), sessions.session_of(request)
    answer = RedirectResponse(next, 303)
    try:
        text = auth.bearer(session and f"Bearer {session}")
        made = await sessions.confirm(state.activities, request, text, form.get("key", ""))
    except Problem as problem:
        return show(state, "confirm.html", problem.status, next=next, error=problem)
    _remember(request, state, answer, made)
    return answer


@router.post("/logout", dependencies=[OwnPage])
async def logout(request: Request, state: Registry) -> Response:
    """End the session, here and for whoever else may hold it; the browser drops what it kept for it."""
    answer = RedirectResponse("/login", 303)
    await _end_former(request, state.activities)
    sessions.forget(request, answer)
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


@router.post("/language", dependencies=[OwnPage])
async def choose_language(request: Request) -> Response:
    """Show pages in another language from now on, in this browser."""
    form = await _form(request)
    answer = RedirectResponse(_local(form.get("next", "/")), 303)
    answer.set_cookie(
        language.COOKIE, language.known(form.get("language")), max_age=YEAR_S, httponly=True,
        samesite="lax", secure=request.url.scheme == "https",
    )  # fmt: skip
    return answer


@router.post("/first-page", dependencies=[OwnPage])
async def open_first(request: Request) -> Response:
    """Have this browser open a body's tasks first from now on; without `body` the usual page again.
    Whether there is such a body, and for whom, is judged when the page is opened."""
    form = await _form(request)
    answer = RedirectResponse(_local(form.get("next", "/")), 303)
    body = form.get("body", "")
    if not body:
        answer.delete_cookie(BODY_COOKIE)
    elif re.fullmatch(r"[a-z0-9][a-z0-9-]{0,99}/[a-z0-9][a-z0-9-]{0,99}", body):
        answer.set_cookie(
            BODY_COOKIE, body, max_age=YEAR_S, httponly=True, samesite="lax",
            secure=request.url.scheme == "https",
        )  # fmt: skip
    return answer


async def _sign_in(request: Request, state: State, answer: Response, key: str) -> None:
    made = await sessions.start(state.activities, request, key)
    await _end_former(request, state.activities)
    _remember(request, state, answer, made)


async def _end_former(request: Request, activities: httpx.AsyncClient) -> None:
    """End the session that the browser holds, if it still goes on."""
    former = sessions.session_of(request)
    if former is None:
        return
    try:
        await sessions.end(activities, former)
    except Problem as problem:
        if problem.status not in (401, 403, 404):
            raise


def _remember(request: Request, state: State, answer: Response, made: dict[str, str]) -> None:
    left = datetime.fromisoformat(made["ends_at"]) - state.clock.now()
    sessions.remember(request, answer, made["session"], int(left.total_seconds()))


async def _form(request: Request) -> dict[str, str]:
    fields = await read_form(request, LARGEST_FORM)
    return {name: values[0].strip() for name, values in fields.items()}


def _local(address: str) -> str:
    """An address of this site only, so that nobody can be led elsewhere."""
    local = address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if local else "/"
