"""What a partner sees and says beside xAPI itself: the mapping, what waits, its platforms."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from services.activities.keys.model import Key
from services.activities.naming import check_code
from services.activities.xapi import replay as replaying
from services.activities.xapi import store
from services.activities.xapi.become import REASONS, Platform
from services.activities.xapi.call import authenticated
from services.activities.xapi.formats import is_iri
from services.activities.xapi.people import shown_home
from services.activities.xapi.statements import Statements
from shared import telemetry
from shared.contracts.definitions import Catalogue
from shared.in_clear import refuse_in_clear
from shared.problems import Problem

Json = dict[str, Any]
router = APIRouter(tags=["xapi"])


class Said(BaseModel):
    """What a partner says of a platform; it holds for statements whose actors have accounts there."""

    model_config = ConfigDict(extra="forbid")

    home_page: Annotated[
        str, Field(max_length=512, description="homePage of the accounts; empty: every other one")
    ] = ""
    subject: Annotated[
        str | None, Field(max_length=128, description="code of the unit its learners belong to")
    ] = None
    target_groups: Annotated[list[str] | None, Field(max_length=30)] = None
    platform: str | None = None
    scheme: Annotated[
        str, Field(description="what the names of its accounts are: account, cccd, vneid ...")
    ] = "account"


async def _key(request: Request) -> tuple[Statements, Key]:
    return request.app.state.xapi, await authenticated(request, request.headers)


@router.get("/xapi/mapping")
async def mapping(request: Request) -> Json:
    """Which statements become which events, and how each field is filled. Needs no key."""
    statements: Statements = request.app.state.xapi
    return statements.mapping.document()


@router.get("/xapi/unmapped")
async def unmapped(
    request: Request,
    after: Annotated[int, Query(ge=0, le=2**62, description="`next` of the page before")] = 0,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    reason: Annotated[str | None, Query(max_length=64)] = None,
    partner: Annotated[str | None, Query(max_length=256, description="administrator only")] = None,
) -> Json:
    """Statements that are kept and not counted: how many of each kind and reason, and which.

    The first page (`after` 0) has the `counts` and what their `reasons` mean.
    """
    statements, key = await _key(request)
    if partner is not None and partner != key.name:
        key.require_administrator()
    whose = partner or (None if key.is_administrator else key.name)
    async with statements.pool.acquire() as connection:
        counts = [] if after else await store.unmapped_counts(connection, whose)
        rows = await store.unmapped(connection, whose, after, limit, reason)
    for row in rows:
        row["id"] = str(row["id"])
    return {
        "counts": counts,
        "statements": rows,
        "next": rows[-1]["seq"] if len(rows) == limit else None,
        "reasons": {c["reason"]: REASONS.get(c["reason"], "see docs/errors.md") for c in counts},
    }


@router.post("/xapi/replay")
async def replay(request: Request) -> Json:
    """Try all statements of this partner that wait again, with the mapping and settings of now."""
    statements, key = await _key(request)
    return await replaying.replay(statements, key, telemetry.traceparent())


@router.get("/xapi/platforms")
async def platforms(request: Request) -> list[Json]:
    """What this partner has said of its platforms."""
    statements, key = await _key(request)
    async with statements.pool.acquire() as connection:
        return await store.platforms(connection, key.name)


@router.put("/xapi/platforms")
async def set_platform(request: Request, said: Said) -> Said:
    """Say what holds for all statements of a platform that do not say it themselves.

    For statements from now on; `POST /xapi/replay` applies it to those that wait.
    """
    statements, key = await _key(request)
    catalogue: Catalogue = request.app.state.catalogue
    if said.home_page:
        if not is_iri(said.home_page):
            raise _not_allowed("home_page", "is not an IRI.", [])
        said.home_page = shown_home({"account": {"homePage": said.home_page}})
    refuse_in_clear({"subject": said.subject, "home_page": said.home_page})
    if said.subject:
        await check_code(request, said.subject, key.era, "/subject")
    enums = catalogue.words.enums
    schemes = catalogue.definitions()["person"]["properties"]["scheme"]["enum"]
    for value in said.target_groups or ():
        _allowed("target_groups", value, list(enums["target_group"]))
    if said.platform is not None:
        _allowed("platform", said.platform, list(enums["platform"]))
    _allowed("scheme", said.scheme, list(schemes))
    groups = None if not said.target_groups else tuple(dict.fromkeys(said.target_groups))
    async with statements.pool.acquire() as connection:
        await store.set_platform(
            connection,
            key.name,
            said.home_page,
            Platform(said.subject or None, groups, said.platform, said.scheme),
            statements.clock.now(),
        )
    return said


def _allowed(name: str, value: str, options: list[str]) -> None:
    if value not in options:
        raise _not_allowed(name, "is not in its list.", options)


def _not_allowed(name: str, rule: str, options: list[str]) -> Problem:
    return Problem(
        "value-not-allowed",
        f"{name} {rule}",
        pointer=f"/{name}",
        hint=f"Allowed: {', '.join(options)}." if options else "Write https://mooc.example.",
    )
