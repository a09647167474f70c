"""What the routes of registry share, and how they get it from the request."""

from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any

import asyncpg
import httpx
from fastapi import Depends, Request

from services.registry.definitions import Definitions, PlanVersion
from services.registry.follow import Follower
from services.registry.settings import RegistrySettings
from services.registry.units.search import Search
from shared.auth.introspection import Introspector
from shared.clock import Clock
from shared.domain.tree import UnitTree
from shared.domain.units import Unit, UnknownUnit
from shared.problems import Problem


@dataclass
class State:
    """Built once by `app.create_app`."""

    settings: RegistrySettings
    clock: Clock
    pool: asyncpg.Pool
    activities: httpx.AsyncClient
    metrics: httpx.AsyncClient
    follower: Follower
    keys: Introspector
    search: Search = field(default_factory=Search)
    places: dict[Any, Any] = field(default_factory=dict)
    tables: dict[Any, Any] = field(default_factory=dict)
    encoded: dict[str, bytes] = field(default_factory=dict)
    public: dict[Any, Any] = field(default_factory=dict)
    tasks: dict[Any, Any] = field(default_factory=dict)

    @property
    def definitions(self) -> Definitions:
        return self.follower.definitions

    @property
    def tree(self) -> UnitTree:
        return self.follower.definitions.tree

    def plan(self, plan: str, on: date | None = None) -> PlanVersion:
        """The newest version of a plan as amended by a day (today); 404 with the plans there are."""
        found = self.definitions.plan(plan, on or self.clock.today())
        if found is None:
            known = ", ".join(p.plan for p in self.definitions.plans())
            raise Problem(
                "plan-unknown",
                "No plan has this id.",
                status=404,
                pointer="/plan",
                hint=f"Plans: {known}." if known else "Load plans with `hocvuso plans load`.",
            )
        return found

    def unit(self, code: str, on: date, era: str | None = None) -> Unit:
        """The unit a code or code@era names; a unit_id is found whether it still exists or not."""
        known = self.tree.unit(code) if "@" in code else None
        if known is not None:
            return known
        try:
            return self.tree.resolve(code, on, era)
        except UnknownUnit as unknown:
            raise Problem(
                unknown.code,
                unknown.detail.replace("`subject`", "the request"),
                status=404 if unknown.code == "unit-unknown" else 422,
                pointer="/unit",
                hint=unknown.hint,
                extra={"candidates": unknown.candidates} if unknown.candidates else None,
            ) from None


def _state(request: Request) -> State:
    state: State = request.app.state.registry
    return state


Registry = Annotated[State, Depends(_state)]


def not_future(day: date | None, name: str, today: date) -> None:
    """Refuse a day that has not come yet."""
    if day is not None and day > today:
        raise Problem(
            f"{name.replace('_', '-')}-in-future",
            f"{name}={day.isoformat()} lies after today, {today.isoformat()} (Asia/Ho_Chi_Minh).",
            pointer=f"/{name}",
            hint="Leave it out for the current state.",
        )
