"""`/v1/keys`: who am I, and the administrator's making, listing, rotating and revoking of keys."""

from datetime import datetime
from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.security import HTTPBearer
from pydantic import BaseModel, Field

from services.activities.keys.giving import check_given, units_within
from services.activities.keys.model import Key
from services.activities.keys.orders import KeyOrder, Narrowing, Rotation, check_rights
from services.activities.keys.orders import Text as Text
from services.activities.keys.store import KeyStore
from services.activities.naming import check_subtree
from shared.in_clear import refuse_in_clear

bearer = HTTPBearer(
    auto_error=False, description="hv_PREFIX_SECRET, or an access token of a trusted issuer"
)


async def authenticated(request: Request) -> Key:
    """The key of the request; 401 problems otherwise."""
    keys: KeyStore = request.app.state.keys
    key = await keys.authenticate(request.headers.get("authorization"), request.scope)
    route = request.scope.get("route")
    path = f"{request.method} {getattr(route, 'path', 'other')}"
    keys.rights.uses.note(key.prefix, path, "request")
    return key


async def administrator(request: Request, key: Annotated[Key, Depends(authenticated)]) -> Key:
    """The same, if it is an administrator's; 403 problem otherwise."""
    key.require_administrator()
    if request.method not in ("GET", "HEAD"):
        key.require_recent()
    return key


async def no_store(response: Response) -> None:
    """Answers that may hold a secret are kept by nobody on the way."""
    response.headers["Cache-Control"] = "no-store"


NoStore = Depends(no_store)
router = APIRouter(prefix="/v1/keys", tags=["keys"], dependencies=[Depends(bearer), NoStore])
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
    granted_by: str | None = Field(None, description="prefix of the key with which it ends")
    invitation: str | None = Field(None, description="id of the invitation that it came from")
    account: str | None = Field(None, description="the partner whose quota it spends, if not name")


class Quota(BaseModel):
    """How many events its partner may hand in on all paths; null: no limit."""

    per_minute: int | None = None
    per_day: int | None = None
    left_this_minute: int | None = None
    left_today: int | None = None


class Self(Rights):
    """The key of this request. `kind`: key, client (of an issuer), session (of a browser, which acts
    with the rights of its key) or service."""

    prefix: str
    kind: Literal["key", "client", "session", "service"]
    session: str | None = Field(None, description="id of the session")
    authenticated_at: datetime | None = Field(None, description="when the key was last shown")
    recent: bool = Field(True, description="whether a session may do what is dangerous")
    quota: Quota | None = None


class MadeKey(BaseModel):
    """The only answer that ever holds the key."""

    key: str
    prefix: str


@router.get("/self")
async def read_self(request: Request, key: Authenticated) -> Self:
    """The rights of the key of this request: a partner's first check."""
    keys: KeyStore = request.app.state.keys
    quota = keys.rights.quotas.state(key.quota_account)
    return Self(
        prefix=key.prefix,
        kind=cast(Any, key.kind),
        session=key.session,
        authenticated_at=key.authenticated_at,
        recent=key.recent,
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
    refuse_in_clear(order.model_dump(mode="json"))
    check_rights(order.roles, order.types, request.app.state.catalogue, sources=order.sources)
    await check_subtree(request, order.subtree)
    keys: KeyStore = request.app.state.keys
    rights = await check_given(request, by, order.rights())
    return _made(await keys.create(order.name, **rights, by=by))


@router.post("/{prefix}/rotate", status_code=201)
async def rotate_key(
    request: Request, prefix: str, by: Administrator, rotation: Rotation | None = None
) -> MadeKey:
    """Make a key with the same rights and let the old one end after an overlap (administrator)."""
    keys: KeyStore = request.app.state.keys
    span = (rotation or Rotation()).span()
    return _made(await keys.rotate(prefix, span, by, await units_within(request)))


@router.delete("/{prefix}", status_code=204)
async def revoke_key(
    request: Request,
    prefix: str,
    by: Administrator,
    hand_over_to: Annotated[
        str | None, Query(max_length=64, description="prefix of the key that keeps what it gave")
    ] = None,
) -> Response:
    """End a key and all that it gave by invitations (administrator): refused at once here, within 20
    seconds by other processes. `hand_over_to` keeps what it gave, under another key that has all
    those rights."""
    keys: KeyStore = request.app.state.keys
    await keys.revoke(prefix, by, heir=hand_over_to, unit_within=await units_within(request))
    return Response(status_code=204)


@router.patch("/{prefix}")
async def narrow_key(
    request: Request, prefix: str, order: Narrowing, by: Administrator
) -> ListedKey:
    """Take scopes from a key and from all that it gave (administrator). Its text stays the same."""
    keys: KeyStore = request.app.state.keys
    within = await units_within(request)
    return ListedKey.model_validate(await keys.narrow(prefix, list(order.without), by, within))


def _made(text: str) -> MadeKey:
    return MadeKey(key=text, prefix=text.split("_")[1])
