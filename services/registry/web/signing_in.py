"""Signing in: with a key, or with the code of an invitation, which becomes a key. And out."""

from datetime import datetime
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from services.registry.access import SESSION_COOKIE, OwnPage
from services.registry.body import read_body
from services.registry.invitations import accept
from services.registry.state import Registry
from services.registry.web.render import PageRoute, show
from shared import auth
from shared.problems import Problem

LARGEST_FORM = 4096

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/login")
async def login_page(state: Registry, next: str = "/") -> Response:
    """Where a key is typed in."""
    return show(state, "login.html", next=_local(next), error=None)


@router.post("/login", dependencies=[OwnPage])
async def login(request: Request, state: Registry) -> Response:
    """Remember a key in this browser, for pages only, until it is closed."""
    form = await _form(request)
    key, next = form.get("key", ""), _local(form.get("next", "/"))
    try:
        await state.keys.check(auth.bearer(f"Bearer {key}"))
    except Problem as problem:
        return show(state, "login.html", problem.status, next=next, error=problem)
    return _signed_in(request, next, key, None)


@router.get("/accept")
async def accept_page(state: Registry) -> Response:
    """Where the code of an invitation is typed in. It is never part of an address: those are
    written into logs and histories."""
    return show(state, "accept.html", error=None)


@router.post("/accept", dependencies=[OwnPage])
async def accept_code(request: Request, state: Registry) -> Response:
    """Turn the code into a key, and remember it in this browser until the access ends."""
    code = (await _form(request)).get("code", "")
    try:
        made = await accept(state.activities, code)
    except Problem as problem:
        return show(state, "accept.html", problem.status, error=problem)
    left = datetime.fromisoformat(made["expires_at"]) - state.clock.now()
    return _signed_in(request, "/", made["key"], int(left.total_seconds()))


@router.post("/logout", dependencies=[OwnPage])
async def logout() -> Response:
    """Forget the key."""
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(SESSION_COOKIE, httponly=True, samesite="strict")
    return answer


def _signed_in(request: Request, next: str, key: str, seconds: int | None) -> Response:
    """`seconds` None: until the browser is closed."""
    answer = RedirectResponse(next, 303)
    secure = request.url.scheme == "https"
    answer.set_cookie(
        SESSION_COOKIE, key, max_age=seconds, httponly=True, samesite="strict", secure=secure
    )
    return answer


async def _form(request: Request) -> dict[str, str]:
    raw = await read_body(request, LARGEST_FORM)
    fields = parse_qs(raw.decode("utf-8", "replace"), max_num_fields=20)
    return {name: values[0].strip() for name, values in fields.items()}


def _local(address: str) -> str:
    """An address of this site only, so that nobody can be led elsewhere."""
    local = address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if local else "/"
