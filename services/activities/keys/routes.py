"""`/v1/keys`: who am I, and the administrator's making, listing and revoking of keys."""

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ConfigDict, Field

from services.activities.keys.model import Key
from services.activities.keys.store import KeyStore
from shared.contracts.definitions import Catalogue
from shared.contracts.topics import EVENT_TYPE_PREFIX
from shared.problems import Problem

bearer = HTTPBearer(auto_error=False, description="hv_PREFIX_SECRET")
router = APIRouter(prefix="/v1/keys", tags=["keys"], dependencies=[Depends(bearer)])


async def authenticated(request: Request) -> Key:
    """The key of the request; 401 problems otherwise."""
    keys: KeyStore = request.app.state.keys
    return await keys.authenticate(request.headers.get("authorization"))


async def administrator(key: Annotated[Key, Depends(authenticated)]) -> Key:
    """The same, if it is an administrator's; 403 problem otherwise."""
    key.require_administrator()
    return key


Authenticated = Annotated[Key, Depends(authenticated)]
Administrator = Annotated[Key, Depends(administrator)]
Text = Annotated[str, Field(min_length=1, max_length=256)]
Scope = Literal["events:write", "events:stream", "xapi:write", "quarantine:replay"]
"""What partners may be given. `log:read` is for services alone, made by `migrate`."""


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
    """A key as listed; its secret is nowhere kept."""

    prefix: str
    created_at: datetime
    revoked_at: datetime | None = None
    last_used: date | None = None


class Self(Rights):
    """The key of this request."""

    prefix: str


class KeyOrder(BaseModel):
    """The key to make. Keys of one partner carry the same `name`."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "cong-an-dak-lak",
                    "roles": ["police"],
                    "sources": ["https://congan.daklak.example/"],
                    "subtree": "66@2025",
                }
            ]
        },
    )

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{1,63}$")]
    roles: Annotated[list[Text], Field(min_length=1, max_length=20)]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=10)] = Field(
        ["events:write", "events:stream"], description="the ways in that it opens"
    )
    types: Annotated[list[Text], Field(min_length=1, max_length=100)] | None = Field(
        None, description="short names; `course.*` for all that begin so"
    )
    sources: Annotated[list[Text], Field(min_length=1, max_length=100)] | None = Field(
        None, description="URI prefixes"
    )
    subtree: Annotated[str, Field(pattern=r"^[0-9A-Za-z._-]{1,64}@(2004|2025)$")] | None = Field(
        None, description="unit_id (code@era): may post for it and all below"
    )
    era: Literal["2004", "2025"] | None = Field(None, description="era of bare unit codes")
    expires_at: datetime | None = None


class MadeKey(BaseModel):
    """The only answer that ever holds the key."""

    key: str
    prefix: str


@router.get("/self")
async def read_self(key: Authenticated) -> Self:
    """The rights of the key of this request: a partner's first check."""
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
    )


@router.get("")
async def list_keys(request: Request, _: Administrator) -> list[ListedKey]:
    """Every key, newest first (administrator)."""
    keys: KeyStore = request.app.state.keys
    return [ListedKey.model_validate(row) for row in await keys.all()]


@router.post("", status_code=201)
async def create_key(request: Request, order: KeyOrder, _: Administrator) -> MadeKey:
    """Make a key (administrator). Its text is shown this once."""
    catalogue: Catalogue = request.app.state.catalogue
    for index, role in enumerate(order.roles):
        if role not in catalogue.words.roles or role == "any":
            raise Problem(
                "role-unknown",
                "There is no such role.",
                pointer=f"/roles/{index}",
                hint=f"Roles: {', '.join(r for r in catalogue.words.roles if r != 'any')}.",
            )
    for index, name in enumerate(order.types or []):
        short = name.removeprefix(EVENT_TYPE_PREFIX)
        if not any(
            t == short or (short[-1] == "*" and t.startswith(short[:-1])) for t in catalogue
        ):
            raise Problem(
                "type-unknown",
                "There is no such event type.",
                pointer=f"/types/{index}",
                hint="GET /v1/types lists them.",
            )
    if order.expires_at is not None and order.expires_at.tzinfo is None:
        raise Problem(
            "time-malformed",
            "expires_at has no offset.",
            pointer="/expires_at",
            hint="Write it like 2027-01-01T00:00:00+07:00.",
        )
    keys: KeyStore = request.app.state.keys
    text = await keys.create(
        order.name,
        roles=order.roles,
        scopes=list(order.scopes),
        types=order.types and [t.removeprefix(EVENT_TYPE_PREFIX) for t in order.types],
        sources=order.sources,
        subtree=order.subtree,
        era=order.era,
        expires_at=order.expires_at,
    )
    return MadeKey(key=text, prefix=text.split("_")[1])


@router.delete("/{prefix}", status_code=204)
async def revoke_key(request: Request, prefix: str, _: Administrator) -> Response:
    """End a key (administrator): refused at once here, within 20 seconds by other processes."""
    keys: KeyStore = request.app.state.keys
    await keys.revoke(prefix)
    return Response(status_code=204)
