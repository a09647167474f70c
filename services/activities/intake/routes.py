"""`/v1/intake`: who may write over Kafka, how far each is read, what went wrong."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.activities.intake import acls, admin
from services.activities.intake.lag import lags
from services.activities.keys.giving import check_given
from services.activities.keys.model import WRITE
from services.activities.keys.orders import check_rights
from services.activities.keys.routes import Administrator, Authenticated, Text, bearer
from services.activities.naming import check_subtree
from shared.contracts import topics
from shared.contracts.definitions import Catalogue
from shared.contracts.topics import EVENT_TYPE_PREFIX
from shared.in_clear import refuse_in_clear
from shared.json_types import Truth, Whole

router = APIRouter(prefix="/v1/intake", tags=["intake"], dependencies=[Depends(bearer)])


class IntakeOrder(BaseModel):
    """Rights of a partner that writes over Kafka, as those of a key: messages carry none."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"roles": ["telecom"], "sources": ["https://vnpt.example/"], "subtree": "66@2025"}
            ]
        },
    )

    roles: Annotated[list[Text], Field(min_length=1, max_length=20)]
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
    acks: Literal["all", "errors", "none"] = Field(
        "errors", description="which messages are answered one by one on the receipts topic"
    )
    partitions: Whole = Field(3, ge=1, le=100, description="of both topics, when they are made")
    retention_hours: Whole = Field(
        72, ge=1, le=24 * 14, description="of the intake topic, when it is made"
    )
    principal: Annotated[str, Field(pattern=r"^[A-Za-z]+:[^\s\x27\x22\\$`]{1,250}$")] | None = (
        Field(None, description="the partner's principal on the broker; default User:PARTNER")
    )
    apply_acls: Truth = Field(
        False, description="have the broker let the principal in, where it keeps access rules"
    )


class IntakeTopics(BaseModel):
    """What the partner uses, and the rules that its principal needs on the broker."""

    partner: str
    intake: str
    receipts: str
    acls: list[str]


class PartitionState(BaseModel):
    """One partition: `next` is the first offset not dealt with, `high` the end of the topic."""

    partition: int
    next: int
    first: int
    high: int
    messages: int
    seconds: float
    accepted: int
    duplicates: int
    rejected: int


class Trouble(BaseModel):
    """Something that went wrong; offsets `first` to `last` are those concerned, both included."""

    id: int
    kind: str
    topic_id: UUID | None
    partition: int | None
    first: int | None
    last: int | None
    detail: str
    at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None


class IntakeState(BaseModel):
    """How one partner's intake is doing.

    `state`: reading, waiting (see `waits_for`), attention (see `troubles`), unattended (no process
    looks at it), disabled.
    """

    partner: str
    state: str
    waits_for: str | None
    topic: str
    topic_id: UUID | None
    compacted: bool
    checked_at: datetime | None
    lag_messages: int
    lag_seconds: float
    receipts_waiting: int
    partitions: list[PartitionState]
    troubles: list[Trouble]


@router.get("")
async def list_intake(request: Request, _: Administrator) -> list[IntakeState]:
    """Every partner that may write over Kafka (administrator)."""
    return await _states(request, None)


@router.get("/{partner}")
async def read_intake(request: Request, partner: str, key: Authenticated) -> IntakeState:
    """One partner's intake: for its own keys and the administrator's."""
    found = await _states(request, partner) if key.name == partner or key.is_administrator else []
    if not found:
        raise admin.unknown()
    return found[0]


@router.put("/{partner}")
async def enable_intake(
    request: Request, partner: str, order: IntakeOrder, by: Administrator
) -> IntakeTopics:
    """Let a partner write over Kafka, or change how (administrator).

    The intake process makes the topics and reads within seconds. Rights hold from the next batch
    on.
    """
    refuse_in_clear(order.model_dump(mode="json") | {"partner": partner})
    _check_order(request.app.state.catalogue, order)
    await check_subtree(request, order.subtree)
    rights = order.model_dump(include={"roles", "types", "sources", "subtree"})
    await check_given(request, by, rights | {"scopes": [WRITE]}, ends=False)
    who = await admin.enable(
        request.app.state.pool,
        partner,
        order.model_copy(
            update={
                "types": order.types and [t.removeprefix(EVENT_TYPE_PREFIX) for t in order.types]
            }
        ).model_dump(),
        request.app.state.clock.now(),
    )
    return IntakeTopics(
        partner=who.name, intake=who.intake, receipts=who.receipts, acls=acls.commands(who)
    )


@router.delete("/{partner}", status_code=204)
async def disable_intake(request: Request, partner: str, _: Administrator) -> Response:
    """Stop reading a partner's topic, at once (administrator). Topics and positions stay."""
    await admin.disable(request.app.state.pool, partner, request.app.state.clock.now())
    return Response(status_code=204)


@router.post("/{partner}/acknowledgement")
async def acknowledge(request: Request, partner: str, key: Administrator) -> dict[str, int]:
    """Say that the troubles so far have been seen (administrator). They stay in the list."""
    number = await admin.acknowledge(
        request.app.state.pool, partner, key.name, request.app.state.clock.now()
    )
    return {"acknowledged": number}


async def _states(request: Request, partner: str | None) -> list[IntakeState]:
    state = request.app.state
    troubles = await admin.troubles(state.pool, partner)
    return [
        IntakeState(
            partner=lag.partner,
            state=lag.state,
            waits_for=lag.waits_for,
            topic=topics.intake(lag.partner),
            topic_id=lag.topic_id,
            compacted=lag.compacted,
            checked_at=lag.checked_at,
            lag_messages=lag.messages,
            lag_seconds=round(lag.seconds, 1),
            receipts_waiting=lag.receipts_waiting,
            partitions=[PartitionState(**asdict(p)) for p in lag.partitions],
            troubles=[Trouble.model_validate(row) for row in troubles.get(lag.partner, [])],
        )
        for lag in await lags(state.pool, state.clock.now(), partner)
    ]


def _check_order(catalogue: Catalogue, order: IntakeOrder) -> None:
    # An administrator's rights are not for messages that carry no key.
    check_rights(
        order.roles,
        order.types,
        catalogue,
        never=("any", "administrator"),
        sources=order.sources,
    )
