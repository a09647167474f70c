"""Who may ask metrics: the other services, and readers for the units that their key reaches."""

from typing import Annotated

from fastapi import Depends, Header, Request

from services.metrics.definition_rows import StoredRows
from shared import auth
from shared.auth import Principal
from shared.auth.introspection import Introspector
from shared.auth.scopes import READ, READ_METRICS
from shared.clock import Clock
from shared.domain.territory import is_covered
from shared.domain.units import UnknownUnit
from shared.problems import Problem


async def principal(
    request: Request, authorization: Annotated[str | None, Header(include_in_schema=False)] = None
) -> Principal:
    """Whoever asks; 401 problems without a credential that holds."""
    keys: Introspector = request.app.state.keys
    return await keys.check(auth.bearer(authorization, tokens=True))


async def reader(found: Annotated[Principal, Depends(principal)]) -> Principal:
    """A service, or somebody with the scope tables:read."""
    if not found.has(READ_METRICS):
        found.require(READ)
    return found


async def service(found: Annotated[Principal, Depends(principal)]) -> None:
    """A service or the administrator: what it asks for is not limited to units."""
    found.require(READ_METRICS)


async def administrator(found: Annotated[Principal, Depends(principal)]) -> None:
    """Only an administrator's key passes."""
    found.require_administrator()


CurrentPrincipal = Annotated[Principal, Depends(reader)]


async def authorize_unit(
    request: Request, principal: Principal, unit: str | None, *, events: bool = False
) -> str | None:
    """The unit to answer for; 403 problem where it is not the principal's to see.

    `events`: single events are asked for, which only staff may see.
    """
    if events and not principal.has(READ_METRICS):
        principal.require_staff()
    bound = principal.subtree
    if bound is None:
        return unit
    state = request.app.state
    async with state.pool.acquire() as connection:
        tree = (await state.definitions.get(StoredRows(connection))).tree
    clock: Clock = state.clock
    if unit is None:
        return bound
    found = tree.unit(unit) if "@" in unit else None
    try:
        found = found or tree.resolve(unit, clock.today(), principal.era)
    except UnknownUnit as unknown:
        raise Problem(unknown.code, unknown.detail, hint=unknown.hint, pointer="/unit") from None
    if not is_covered(tree, found.unit_id, bound):
        raise Problem(
            "unit-outside-key",
            f"The key shows numbers of {bound} and the units below it only.",
            status=403,
            pointer="/unit",
            hint="Ask for your own unit or one below it, or leave `unit` out.",
        )
    unit_id: str = found.unit_id
    return unit_id
