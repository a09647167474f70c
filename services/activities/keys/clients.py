"""`POST /v1/keys/clients`: clients of OpenID Connect issuers, with the same rights as keys."""

import secrets
from typing import Annotated

import asyncpg
from fastapi import APIRouter, Depends, Request
from pydantic import ConfigDict, Field

from services.activities.keys import audit
from services.activities.keys.giving import check_given
from services.activities.keys.orders import RightsOrder, Text, check_rights
from services.activities.keys.routes import Administrator, ListedKey, NoStore, bearer
from services.activities.keys.store import RIGHTS, KeyStore
from services.activities.naming import check_subtree
from shared.clock import Clock
from shared.in_clear import refuse_in_clear
from shared.problems import Problem

router = APIRouter(
    prefix="/v1/keys/clients", tags=["keys"], dependencies=[Depends(bearer), NoStore]
)


class ClientOrder(RightsOrder):
    """The client to let in, by the tokens of the client credentials grant that it gets."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "vnpt",
                    "roles": ["telecom"],
                    "sources": ["https://vnpt.example/"],
                    "issuer": "https://sso.daklak.example/realms/doi-tac",
                    "client_id": "vnpt-hocvuso",
                }
            ]
        },
    )

    issuer: Text
    client_id: Text = Field(description="claim client_id, or azp, or else sub, of its tokens")
    token_subject: Annotated[str | None, Field(min_length=1, max_length=256)] = Field(
        None,
        description="claim sub that its tokens must have; say it where people get tokens of the"
        " same client too",
    )


@router.post("", status_code=201)
async def create_client(request: Request, order: ClientOrder, by: Administrator) -> ListedKey:
    """Let a client of a trusted issuer in (administrator). It is listed and revoked like a key."""
    refuse_in_clear(order.model_dump(mode="json"))
    check_rights(order.roles, order.types, request.app.state.catalogue, sources=order.sources)
    await check_subtree(request, order.subtree)
    keys: KeyStore = request.app.state.keys
    clock: Clock = request.app.state.clock
    if keys.issuers is None or not keys.issuers.trusts(order.issuer):
        raise Problem(
            "issuer-not-trusted",
            "This issuer is not trusted here.",
            pointer="/issuer",
            hint="The operators name trusted issuers in HOCVUSO_OIDC_ISSUERS.",
        )
    prefix = f"oidc-{secrets.token_hex(4)}"
    rights = await check_given(request, by, order.rights())
    try:
        async with request.app.state.pool.acquire() as connection, connection.transaction():
            await connection.execute(
                f"INSERT INTO key (prefix, {RIGHTS}, created_at, expires_at, issuer, client_id,"
                " token_subject, account)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
                prefix, order.name, *(rights[n] for n in RIGHTS.split(", ")[1:]), clock.now(),
                rights["expires_at"], order.issuer, order.client_id, order.token_subject,
                rights["account"],
            )  # fmt: skip
            detail = order.model_dump(mode="json", exclude_none=True)
            await audit.record(
                connection, by, "client.created", detail, about=prefix, at=clock.now()
            )
    except asyncpg.UniqueViolationError:
        raise Problem(
            "client-exists",
            "This client of this issuer has rights here already.",
            status=409,
            pointer="/client_id",
            hint="Revoke it first, or leave it.",
        ) from None
    return ListedKey.model_validate(await keys.one(prefix))
