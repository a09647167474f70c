"""`/v1/keys`: who am I, and the administrator's making, listing, rotating and revoking of keys."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.security import HTTPBearer
from pydantic import BaseModel, Field

from services.activities.keys.model import Key
from services.activities.keys.orders import KeyOrder, Rotation, check_rights
from services.activities.keys.orders import Text as Text
from services.activities.keys.store import KeyStore
from services.activities.naming import check_subtree

bearer = HTTPBearer(
    auto_error=False, description="hv_PREFIX_SECRET, or an access token of a trusted issuer"
)
router = APIRouter(prefix="/v1/keys", tags=["keys"], dependencies=[Depends(bearer)])


async def authenticated(request: Request) -> Key:
    """The key of the request; 401 problems otherwise."""
    keys: KeyStore = request.app.state.keys
    key = await keys.authenticate(request.headers.get("authorization"), request.scope)
    route = request.scope.get("route")
    path = f"{request.method} {getattr(route, 'path', 'other')}"
    keys.rights.uses.note(key.prefix, path, "request")
    return key


async def administrator(key: Annotated[Key, Depends(authenticated)]) -> Key:
    """The same, if it is an administrator's; 403 problem otherwise."""
    key.require_administrator()
    return key


Authenticated = Annotated[Key, Depends(authenticated)]
Administrator = Annotated[Key, Depends(administrator)]


class Rights(BaseModel):
    """What a key may do. `types` and `sources` null: all that its roles allow."""

    name: str
    roles: list[str]
    scopes: list[str]
    types: list[str] | None = None
    sources: list[str] | None = None
    subtree: str | None = None
    era: str | None = None
    expires_at: datetime | None = None


class ListedKey(Rights):
    """A key or client as listed; its secret is nowhere kept."""

    prefix: str
    created_at: datetime
    revoked_at: datetime | None = None
    last_used: datetime | None = Field(None, description="exact to some seconds")
    last_path: str | None = Field(None, description="rest, stream, kafka, xapi or a route")
    rotated_to: str | None = Field(None, description="prefix of the key that replaces it")
    issuer: str | None = Field(None, description="of a client of OpenID Connect")
    client_id: str | None = None
    token_subject: str | None = None


class Quota(BaseModel):
    """How many events its partner may hand in on all paths; null: no limit."""

    per_minute: int | None = None
    per_day: int | None = None
    left_this_minute: int | None = None
    left_today: int | None = None


class Self(Rights):
    """The key of this request."""

    prefix: str
    quota: Quota | None = None


class MadeKey(BaseModel):
    """The only answer that ever holds the key."""

    key: str
    prefix: str


@router.get("/self")
async def read_self(request: Request, key: Authenticated) -> Self:
    """The rights of the key of this request: a partner's first check."""
    keys: KeyStore = request.app.state.keys
    quota = keys.rights.quotas.state(key.name)
    return Self(
        prefix=key.prefix,
        name=key.name,
        roles=sorted(key.roles),
        scopes=sorted(key.scopes),
        types=None if key.types is None else list(key.types),
        sources=None if key.sources is None else list(key.sources),
        subtree=key.subtree,
        era=key.era,
        expires_at=key.expires_at,
        quota=None if quota is None else Quota.model_validate(quota),
    )


@router.get("")
async def list_keys(request: Request, _: Administrator) -> list[ListedKey]:
    """Every key and client, newest first (administrator)."""
    keys: KeyStore = request.app.state.keys
    return [ListedKey.model_validate(row) for row in await keys.all()]


@router.get("/{prefix}")
async def read_key(request: Request, prefix: str, _: Administrator) -> ListedKey:
    """One key or client (administrator)."""
    keys: KeyStore = request.app.state.keys
    return ListedKey.model_validate(await keys.one(prefix))


@router.post("", status_code=201)
async def create_key(request: Request, order: KeyOrder, by: Administrator) -> MadeKey:
    """Make a key (administrator). Its text is shown this once."""
    check_rights(order.roles, order.types, request.app.state.catalogue, sources=order.sources)
    await check_subtree(request, order.subtree)
    keys: KeyStore = request.app.state.keys
    return _made(await keys.create(order.name, **order.rights(), by=by))


@router.post("/{prefix}/rotate", status_code=201)
async def rotate_key(
    request: Request, prefix: str, by: Administrator, rotation: Rotation | None = None
) -> MadeKey:
    """Make a key with the same rights and let the old one end after an overlap (administrator)."""
    keys: KeyStore = request.app.state.keys
    return _made(await keys.rotate(prefix, (rotation or Rotation()).span(), by))


@router.delete("/{prefix}", status_code=204)
async def revoke_key(request: Request, prefix: str, by: Administrator) -> Response:
    """End a key (administrator): refused at once here, within 20 seconds by other processes."""
    keys: KeyStore = request.app.state.keys
    await keys.revoke(prefix, by)
    return Response(status_code=204)


def _made(text: str) -> MadeKey:
    return MadeKey(key=text, prefix=text.split("_")[1])
