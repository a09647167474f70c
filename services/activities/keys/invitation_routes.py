"""`/v1/invitations`: letting staff in without an issuer: a one-time code becomes a key of their own.

An administrator invites anywhere; a key with the scope staff:invite within its own subtree.
"""

from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.activities.keys.attempts import Limited
from services.activities.keys.giving import units_within
from services.activities.keys.invitations import LONGEST, Invitations
from services.activities.keys.model import INVITE, Key
from services.activities.keys.routes import Authenticated, NoStore, bearer
from services.activities.naming import current_tree
from shared.clock import Clock
from shared.days import DateTime
from shared.domain.territory import is_covered
from shared.domain.tree import UnitTree
from shared.domain.units import UnknownUnit
from shared.in_clear import refuse_in_clear
from shared.problems import Problem

router = APIRouter(prefix="/v1/invitations", tags=["keys"], dependencies=[NoStore])
closed = [Depends(bearer)]

Role = Literal["reader", "editor", "administrator"]


class InvitationOrder(BaseModel):
    """Whom to invite. The label says which post it is for, never who holds it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"role": "editor", "unit": "24133", "label": "Bộ phận một cửa"}]
        },
    )

    role: Role = Field(
        description="reader: tables; editor: posts for the unit too; administrator: invites too,"
        " within the unit"
    )
    unit: Annotated[str, Field(min_length=1, max_length=80)] = Field(
        description="code or code@era; the key reaches it and all below"
    )
    label: Annotated[str, Field(min_length=1, max_length=100)]
    expires_at: DateTime | None = Field(
        None, description="end of the access; default 366 days from now, which is the longest"
    )


class MadeInvitation(BaseModel):
    """The only answer that ever holds the code."""

    id: str
    code: str
    accept_until: datetime
    expires_at: datetime


class Invitation(BaseModel):
    """An invitation as listed."""

    id: str
    state: Literal["open", "accepted", "expired", "revoked"]
    role: Role
    unit: str
    label: str
    created_at: datetime
    created_by: str = Field(description="prefix of the key of whoever invited")
    accept_until: datetime
    expires_at: datetime
    accepted_at: datetime | None
    key_prefix: str | None
    revoked_at: datetime | None
    last_used: datetime | None
    may_end: bool = Field(description="whether the key of this request may end it")


class Code(BaseModel):
    """What the invited person types in."""

    model_config = ConfigDict(extra="forbid")

    code: Annotated[str, Field(min_length=8, max_length=200)]


class Accepted(BaseModel):
    """The key that the code became; the only answer that holds it."""

    key: str
    prefix: str
    role: Role
    unit: str
    expires_at: datetime


@router.post("", status_code=201, dependencies=closed)
async def invite(request: Request, order: InvitationOrder, by: Authenticated) -> MadeInvitation:
    """Invite somebody. The code is shown this once; it works once, within seven days."""
    by.require(INVITE)
    by.require_recent()
    state, clock = request.app.state, _clock(request)
    refuse_in_clear({"label": order.label, "unit": order.unit})
    expires_at = order.expires_at or clock.now() + LONGEST
    if not clock.now() < expires_at <= clock.now() + LONGEST:
        raise Problem(
            "expiry-invalid",
            "The access ends within 366 days from now.",
            pointer="/expires_at",
            hint="Leave it out for the longest; invite again when it ends.",
        )
    tree = await current_tree(request)
    try:
        unit = tree.resolve(order.unit, clock.today(), by.era)
    except UnknownUnit as unknown:
        raise Problem(
            unknown.code, "No unit of today has this code.", pointer="/unit", hint=unknown.hint
        ) from None
    _check_reach(by, tree, unit.unit_id)
    invitations: Invitations = state.invitations
    id, code = await invitations.create(
        order.role, unit, order.label, expires_at, by, partial(is_covered, tree)
    )
    made = await invitations.one(id)
    return MadeInvitation(
        id=id, code=code, accept_until=made["accept_until"], expires_at=made["expires_at"]
    )


@router.get("", dependencies=closed)
async def list_invitations(request: Request, by: Authenticated) -> list[Invitation]:
    """Invitations within the key's reach, newest first."""
    by.require(INVITE)
    tree, invitations = await current_tree(request), request.app.state.invitations
    below = await invitations.below(by.prefix)
    return [
        Invitation.model_validate(row | {"may_end": _may_end(by, tree, row, below)})
        for row in await invitations.all()
        if _reaches(by, tree, row["unit"])
    ]


@router.post("/accept", dependencies=[Limited])
async def accept(request: Request, given: Code) -> Accepted:
    """Turn a code into a key; needs no key."""
    try:
        within = await units_within(request)
        made = await request.app.state.invitations.accept(given.code.strip(), within)
    except Problem as problem:
        client = (request.scope.get("client") or (None,))[0]
        request.app.state.keys.rights.uses.note_refused(client, problem.code, "")
        raise
    return Accepted.model_validate(made)


@router.delete("/{id}", status_code=204, dependencies=closed)
async def revoke(request: Request, id: str, by: Authenticated) -> Response:
    """Withdraw an invitation; the key that it became ends as well, rotated or not, and all that this
    one gave. Nobody ends who stands above: only what the key gave itself, or staff of units below."""
    by.require(INVITE)
    by.require_recent()
    invitations: Invitations = request.app.state.invitations
    tree, row = await current_tree(request), await invitations.one(id)
    _check_reach(by, tree, row["unit"])
    if not _may_end(by, tree, row, await invitations.below(by.prefix)):
        raise Problem(
            "invitation-of-another",
            "This access was not given by you, and its unit is not below yours.",
            status=403,
            hint="Ask whoever gave it, or the administrator.",
        )
    await invitations.revoke(id, by)
    return Response(status_code=204)


def _clock(request: Request) -> Clock:
    clock: Clock = request.app.state.clock
    return clock


def _may_end(by: Key, tree: UnitTree, row: dict[str, Any], below: set[str]) -> bool:
    """What the key or those it let in gave, its own access, and access to units below its own."""
    if by.is_administrator or row["granted_by"] in below or row["key_prefix"] == by.prefix:
        return True
    unit: str = row["unit"]
    return by.subtree is not None and unit != by.subtree and is_covered(tree, unit, by.subtree)


def _reaches(by: Key, tree: UnitTree, unit_id: str) -> bool:
    return by.subtree is None or is_covered(tree, unit_id, by.subtree)


def _check_reach(by: Key, tree: UnitTree, unit_id: str) -> None:
    if not _reaches(by, tree, unit_id):
        raise Problem(
            "unit-outside-key",
            f"The key may invite for {by.subtree} and the units below it only.",
            status=403,
            pointer="/unit",
            hint="Name your own unit or one below it.",
        )
