"""Whether what a request gives is its sender's to give."""

from dataclasses import replace
from functools import partial
from typing import Any

from fastapi import Request

from services.activities.keys.delegation import head
from services.activities.keys.model import Key
from services.activities.naming import current_tree
from shared.auth.grants import Grant, Within, check_grant
from shared.domain.territory import is_covered


async def units_within(request: Request) -> Within:
    """Whether a unit is another one or belongs to it, as of now."""
    return partial(is_covered, await current_tree(request))


async def check_given(
    request: Request, by: Key, rights: dict[str, Any], *, ends: bool = True
) -> dict[str, Any]:
    """The rights to be given, which end with the giver's; Problem (403) for more than they have.

    A key that is being rotated gives for as long as its successor lasts. `ends` False: what is
    given has no end. Whoever has a quota gives a share of it (`account`), no quota beside it.
    """
    async with request.app.state.pool.acquire() as connection:
        newest = await head(connection, by.prefix)
    end = by.expires_at if newest is None else newest["expires_at"]
    wanted = rights.get("expires_at") or (end if ends else None)
    grant = Grant(
        rights["roles"],
        rights["scopes"],
        rights.get("types"),
        rights.get("sources"),
        rights.get("subtree"),
        wanted,
    )
    within = await units_within(request) if by.subtree is not None else _anywhere
    check_grant(replace(by, expires_at=end), grant, within)
    limited = request.app.state.keys.rights.quotas.state(by.quota_account) is not None
    account = by.quota_account if limited else None
    return rights | {"expires_at": wanted, "account": account}


def _anywhere(_: str, __: str) -> bool:
    return True
