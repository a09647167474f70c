"""Sessions of browsers, as activities keeps them; registry only holds their text in a cookie."""

from typing import Any

import httpx
from fastapi import Request, Response

from services.registry.invitations import ask
from shared import auth

ADDRESS = "/v1/sessions"
COOKIE = "hocvuso_session"
SECURE_COOKIE = f"__Host-{COOKIE}"
"""The same over TLS: no other host of the domain can set it."""


def session_of(request: Request) -> str | None:
    """The text of the browser's session; None for who has not signed in. A key is never taken from a
    cookie."""
    text = request.cookies.get(_name(request))
    return text if text is not None and auth.is_session(text) else None


def remember(request: Request, answer: Response, text: str, seconds: int) -> None:
    """Have the browser hold a session until it ends."""
    answer.set_cookie(
        _name(request),
        text,
        max_age=max(0, seconds),
        httponly=True,
        samesite="strict",
        secure=_is_secure(request),
    )


def forget(request: Request, answer: Response) -> None:
    """Have the browser drop its session."""
    answer.delete_cookie(
        _name(request), httponly=True, samesite="strict", secure=_is_secure(request)
    )


async def start(activities: httpx.AsyncClient, request: Request, key: str) -> dict[str, Any]:
    """Begin a session with a key: `{"session", "id", "ends_at"}`."""
    order = {"device": device_of(request.headers.get("user-agent", ""))}
    made: dict[str, Any] = await ask(
        activities, "POST", ADDRESS, f"Bearer {key}", order, sender(request)
    )
    return made


async def listed(activities: httpx.AsyncClient, session: str) -> list[dict[str, Any]]:
    """The devices that are signed in with the same key, the last used first."""
    found: list[dict[str, Any]] = await ask(activities, "GET", ADDRESS, f"Bearer {session}")
    return found


async def confirm(
    activities: httpx.AsyncClient, request: Request, session: str, key: str
) -> dict[str, Any]:
    """Show the key again; the session's new text."""
    made: dict[str, Any] = await ask(
        activities, "POST", f"{ADDRESS}/current/confirmation", f"Bearer {session}",
        {"key": key}, sender(request),
    )  # fmt: skip
    return made


async def end(activities: httpx.AsyncClient, session: str, id: str | None = "current") -> None:
    """Sign a device out, or all of them (None)."""
    address = ADDRESS if id is None else f"{ADDRESS}/{id}"
    await ask(activities, "DELETE", address, f"Bearer {session}")


def sender(request: Request) -> dict[str, str]:
    """For whom registry asks: activities counts wrong keys by network."""
    return {"X-Forwarded-For": request.client.host} if request.client else {}


_BROWSERS = (
    ("coc_coc", "Cốc Cốc"), ("Zalo", "Zalo"), ("Edg", "Edge"), ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"), ("Firefox", "Firefox"), ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"), ("Chrome", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip
_SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"),
    ("Macintosh", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


def device_of(user_agent: str) -> str:
    """A browser and system as people call them: `Chrome, Android`."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "Trình duyệt khác")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "thiết bị khác")
    return f"{browser}, {system}"


def _is_secure(request: Request) -> bool:
    return request.url.scheme == "https"


def _name(request: Request) -> str:
    return SECURE_COOKIE if _is_secure(request) else COOKIE
