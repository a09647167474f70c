"""Nobody gives what they do not have: whether rights may be given to another key. Pure."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.auth.principal import Principal, source_under, type_under
from shared.auth.scopes import READ
from shared.problems import Problem

ROLES_BELOW: dict[str, frozenset[str]] = {
    "department": frozenset({"commune", "hamlet"}),
    "commune": frozenset({"hamlet"}),
}
"""A unit's authority lets in those of the units below it, under the roles that are theirs."""

Within = Callable[[str, str], bool]
"""Whether a unit_id is another one or lies below it."""


@dataclass(frozen=True, slots=True)
class Grant:
    """The rights to be given; None as in `Principal`: all."""

    roles: Collection[str]
    scopes: Collection[str]
    types: Collection[str] | None = None
    sources: Collection[str] | None = None
    subtree: str | None = None
    expires_at: datetime | None = None


def grant_of(row: Any) -> Grant:
    """The rights of a stored key."""
    names = ("roles", "scopes", "types", "sources", "subtree", "expires_at")
    return Grant(**{name: row[name] for name in names})


def givable_roles(giver: Principal) -> frozenset[str]:
    """The roles that somebody who is no administrator may give."""
    found = set(giver.roles)
    for role in giver.roles:
        found |= ROLES_BELOW.get(role, frozenset())
    return frozenset(found | ({"reader"} if giver.has(READ) else set()))


def check_grant(giver: Principal, grant: Grant, within: Within) -> None:
    """Raise Problem (403) unless the giver has all that is given."""
    if not giver.is_administrator:
        may = givable_roles(giver)
        _refuse_beyond("roles", [role for role in grant.roles if role not in may], sorted(may))
    scopes = [scope for scope in grant.scopes if not giver.has(scope)]
    _refuse_beyond("scopes", scopes, sorted(giver.scopes))
    _refuse_wider("types", giver.types, grant.types, type_under)
    _refuse_wider("sources", giver.sources, grant.sources, source_under)
    bound = giver.subtree
    if bound is not None and (grant.subtree is None or not within(grant.subtree, bound)):
        _refuse_beyond("subtree", [grant.subtree or "all units"], [f"{bound} and below"])
    end = giver.expires_at
    if end is not None and (grant.expires_at is None or grant.expires_at > end):
        _refuse_beyond("expires_at", ["a later end"], [end.isoformat()])


def _refuse_wider(
    name: str,
    held: Collection[str] | None,
    given: Collection[str] | None,
    under: Callable[[str, str], bool],
) -> None:
    if held is None:
        return
    beyond = ["all"] if given is None else [g for g in given if not any(under(h, g) for h in held)]
    _refuse_beyond(name, beyond, list(held))


def _refuse_beyond(name: str, beyond: Collection[str], held: Collection[str]) -> None:
    if beyond:
        raise Problem(
            "right-not-held",
            f"Nobody gives what they do not have: {name} {', '.join(beyond)}.",
            status=403,
            pointer=f"/{name}",
            hint=f"You may give: {', '.join(held) or 'none'}.",
        )
