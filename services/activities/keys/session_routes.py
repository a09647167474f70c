"""`/v1/sessions`: browsers that signed in with a key; begun, listed, confirmed, ended."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.activities.keys.attempts import Limited
from services.activities.keys.routes import Authenticated, NoStore, bearer
from services.activities.keys.sessions import Sessions
from services.activities.keys.store import KeyStore
from shared.identity.leaks import leaks
from shared.problems import Problem

router = APIRouter(prefix="/v1/sessions", tags=["keys"], dependencies=[Depends(bearer), NoStore])


class Device(BaseModel):
    """What the session is to be called in the list of devices; never whose it is."""

    model_config = ConfigDict(extra="forbid")

    device: Annotated[str, Field(max_length=100)] = ""


class Confirmation(BaseModel):
    """The key with which the session began."""

    model_config = ConfigDict(extra="forbid")

    key: Annotated[str, Field(min_length=8, max_length=200)]


class MadeSession(BaseModel):
    """The only answer that ever holds the session's text."""

    session: str
    id: str
    ends_at: datetime


class ListedSession(BaseModel):
    """A device that is signed in."""

    id: str
    device: str
    created_at: datetime
    last_seen: datetime = Field(description="exact to a minute")
    ends_at: datetime
    current: bool = Field(description="whether it is the one of this request")


class Ended(BaseModel):
    """How many sessions ended."""

    ended: int


@router.post("", status_code=201, dependencies=[Limited])
async def start_session(request: Request, device: Device, key: Authenticated) -> MadeSession:
    """Begin a session of the key of this request. It is a bearer credential like the key, for as long
    as it is used and not ended, and never longer than the key."""
    if leaks(device.device):
        raise Problem(
            "personal-data-in-clear",
            "The device's name holds an identity or phone number or an e-mail address.",
            pointer="/device",
            hint="Name the kind of device, not the person.",
        )
    return _made(*await _sessions(request).start(key, device.device))


@router.get("")
async def list_sessions(request: Request, key: Authenticated) -> list[ListedSession]:
    """The devices that are signed in with the key, the last used first."""
    return [ListedSession.model_validate(row) for row in await _sessions(request).of(key)]


@router.post("/current/confirmation", dependencies=[Limited])
async def confirm_session(
    request: Request, given: Confirmation, session: Authenticated
) -> MadeSession:
    """Show the key again, before a dangerous act. The session gets a new text, the old one ends."""
    keys: KeyStore = request.app.state.keys
    key = await keys.authenticate(f"Bearer {given.key.strip()}", request.scope)
    return _made(*await _sessions(request).confirm(session, key))


@router.delete("/{id}", status_code=204)
async def end_session(request: Request, id: str, key: Authenticated) -> Response:
    """Sign a device out; `current`: the one of this request."""
    if id == "current" and key.session is None:
        raise _unknown()
    if not await _sessions(request).end(key, key.session if id == "current" else id):
        raise _unknown()
    return Response(status_code=204)


@router.delete("")
async def end_sessions(request: Request, key: Authenticated) -> Ended:
    """Sign out everywhere: end all sessions of the key. The key itself goes on."""
    return Ended(ended=await _sessions(request).end(key, None))


def _sessions(request: Request) -> Sessions:
    sessions: Sessions = request.app.state.keys.sessions
    return sessions


def _made(text: str, ends_at: datetime) -> MadeSession:
    return MadeSession(session=text, id=text.split("_")[1], ends_at=ends_at)


def _unknown() -> Problem:
    return Problem(
        "session-unknown",
        "The key has no such session, or it has ended.",
        status=404,
        hint="GET /v1/sessions lists them.",
    )
