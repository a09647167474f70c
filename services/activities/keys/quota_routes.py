"""`/v1/quotas`: how many events partners may hand in (administrator)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from services.activities.keys import audit
from services.activities.keys.orders import check_partner
from services.activities.keys.routes import Administrator, Quota, bearer
from services.activities.keys.store import KeyStore
from services.activities.naming import partner_warnings
from shared.clock import Clock
from shared.json_types import Whole
from shared.problems import Problem

router = APIRouter(prefix="/v1/quotas", tags=["keys"], dependencies=[Depends(bearer)])

SET = """
INSERT INTO quota (partner, per_minute, per_day, changed_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (partner) DO UPDATE
SET per_minute = excluded.per_minute, per_day = excluded.per_day, changed_at = excluded.changed_at
"""


class QuotaOrder(BaseModel):
    """The quota to set; null is no limit. A batch has up to 1,000 events, so a day has room for
    one at least."""

    model_config = ConfigDict(extra="forbid")

    per_minute: Annotated[Whole, Field(ge=1, le=2_000_000_000)] | None = None
    per_day: Annotated[Whole, Field(ge=1_000, le=10**15)] | None = None


class PartnerQuota(Quota):
    """The quota of one partner."""

    partner: str
    warnings: list[str] = Field([], description="that nobody has this name, say")


@router.get("")
async def list_quotas(request: Request, _: Administrator) -> list[PartnerQuota]:
    """Every partner with a quota, and what is left of it (administrator)."""
    keys: KeyStore = request.app.state.keys
    async with request.app.state.pool.acquire() as connection:
        await keys.rights.quotas.exchange(connection)
        names = await connection.fetch("SELECT partner FROM quota ORDER BY partner")
    states = ((row["partner"], keys.rights.quotas.state(row["partner"])) for row in names)
    return [PartnerQuota(partner=name, **state) for name, state in states if state is not None]


@router.put("/{partner}")
async def set_quota(
    request: Request, partner: str, order: QuotaOrder, by: Administrator
) -> PartnerQuota:
    """Limit all keys and paths of a partner together (administrator); both null: no limit.

    Holds here at once, in other processes within some seconds.
    """
    check_partner(partner)
    keys: KeyStore = request.app.state.keys
    if keys.rights.quotas.state(by.quota_account) is not None:
        raise Problem(
            "right-not-held",
            "Nobody gives what they do not have: your own key has a quota.",
            status=403,
            hint="Ask an administrator without one.",
        )
    clock: Clock = request.app.state.clock
    async with request.app.state.pool.acquire() as connection:
        async with connection.transaction():
            if order.per_minute is None and order.per_day is None:
                await connection.execute("DELETE FROM quota WHERE partner = $1", partner)
            else:
                await connection.execute(SET, partner, order.per_minute, order.per_day, clock.now())
            await audit.record(
                connection, by, "quota.set", order.model_dump(), about=partner, at=clock.now()
            )
        await keys.rights.quotas.exchange(connection)
    return PartnerQuota(
        partner=partner,
        warnings=await partner_warnings(request.app.state.pool, partner),
        **(keys.rights.quotas.state(partner) or {}),
    )
