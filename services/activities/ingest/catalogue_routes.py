"""`GET /v1/types` and `GET /v1/schemas/{type}/{version}`: what may be posted, and in what form."""

from difflib import get_close_matches
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from services.activities.ingest.answers import encode
from shared.contracts.definitions import Catalogue
from shared.contracts.topics import EVENT_TYPE_PREFIX
from shared.problems import Problem

router = APIRouter(tags=["catalogue"])


class TypeSummary(BaseModel):
    """One event type."""

    type: str
    short: str
    title: str
    title_vi: str
    group: str
    posters: list[str]
    posters_of_kind: dict[str, list[str]] = Field(
        description="roles that may post it about such units of their own subtree only"
    )
    versions: list[str]
    schema_url: str


@router.get("/v1/types")
async def list_types(request: Request) -> list[TypeSummary]:
    """All event types, with who may post them and where their schema is."""
    catalogue = await _newest(request)
    return [
        TypeSummary(
            type=EVENT_TYPE_PREFIX + name,
            short=name,
            title=kind.title,
            title_vi=kind.title_vi,
            group=kind.group,
            posters=list(kind.posters),
            posters_of_kind={role: list(kinds) for role, kinds in kind.posters_of_kind.items()},
            versions=list(kind.versions),
            schema_url=f"/v1/schemas/{name}/{kind.latest}",
        )
        for name, kind in catalogue.items()
    ]


@router.get("/v1/schemas/{type_name}/{version}", response_model=dict[str, Any])
async def read_schema(request: Request, type_name: str, version: str) -> Response:
    """The JSON Schema (2020-12) of the data of one event type and version."""
    catalogue = await _newest(request)
    name = type_name.removeprefix(EVENT_TYPE_PREFIX)
    if name not in catalogue:
        near = get_close_matches(name, catalogue, 1, 0.7)
        raise Problem(
            "type-unknown",
            "There is no such event type.",
            status=404,
            hint=f"Did you mean {near[0]}?" if near else "GET /v1/types lists them.",
        )
    if version not in catalogue[name].versions:
        raise Problem(
            "schema-version-unknown",
            f"{name} has no such version.",
            status=404,
            hint=f"Versions: {', '.join(catalogue[name].versions)}.",
        )
    return Response(
        encode(catalogue.data_schema(name, version)), media_type="application/schema+json"
    )


async def _newest(request: Request) -> Catalogue:
    """With what any process has defined until now."""
    await request.app.state.door.catch_up()
    return request.app.state.catalogue.now  # type: ignore[no-any-return]
