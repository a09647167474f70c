"""What the routes of registry share, and how they get it from the request."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Annotated, Any

import asyncpg
import httpx
from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute

from services.registry.follow import Follower
from services.registry.settings import RegistrySettings
from services.registry.units.search import Search
from shared.auth.introspection import Introspector
from shared.clock import Clock
from shared.domain.definitions import Definitions
from shared.domain.plan_history import AmendedPlan
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
    heats: dict[Any, Any] = field(default_factory=dict)

    view: Definitions | None = None
    """What the definitions of one answer are, where it joins them with cells."""
    whole: bool = False
    """The view is of all that the log holds, whatever the cells are of."""
    known_at: date | None = None
    counted: tuple[Any, ...] = ()
    """Watermark of the cells when the view was made."""

    @property
    def newest(self) -> Definitions:
        """Of all that the log holds."""
        return self.follower.history.newest

    @property
    def definitions(self) -> Definitions:
        """What this answer goes by."""
        return self.newest if self.view is None else self.view

    @property
    def pending(self) -> bool:
        """Whether anything was defined that the cells of now do not know yet."""
        known = self.follower.history.position
        return self.view is not None and self.known_at is None and self.view.position < known

    async def joined(
        self, known_at: date | None = None, plan: str | None = None, limit: int | None = None
    ) -> "State":
        """This state for an answer that joins definitions with cells: as known on a day, and as of
        the position that the cells are complete to (or `limit`).

        Of a plan that was published behind it there is no cell yet: it is shown as it is.
        """
        counted = await watermark(self.pool)
        if limit is None:
            limit = counted[0] if counted else None
        view = await self.follower.history.at(self.follower.rows, known_at, limit)
        newest = known_at is None and (not counted or not view.position or counted[0] == 0)
        if plan is not None and view.history(plan) is None and self.newest.history(plan):
            newest = True
        return replace(
            self,
            view=self.newest if newest else view,
            whole=newest,
            known_at=known_at,
            counted=counted,
        )

    async def as_known(self, known_at: date | None, plan: str | None = None) -> "State":
        """This state for an answer that joins definitions with no cells: as known on a day. Of a
        plan that was published later it is shown as it is."""
        if known_at is None:
            return self
        view = await self.follower.history.at(self.follower.rows, known_at)
        if plan is not None and view.history(plan) is None:
            view = self.newest
        return replace(self, view=view, whole=True, known_at=known_at)

    async def agree(self, position: int, definitions: int) -> None:
        """Raise Moved unless this answer's definitions are those of cells that are complete to
        `position`, and know the definition at `definitions` (0: any)."""
        history = self.follower.history
        if self.view is None or self.whole:
            return
        if history.position < definitions:
            await self.follower.reach(definitions)
            raise Moved(position)
        if history.position_of(self.known_at, position) != self.view.position:
            raise Moved(position)

    @property
    def tree(self) -> UnitTree:
        return self.definitions.tree

    def plan(self, plan: str, on: date | None = None) -> AmendedPlan:
        """The newest version of a plan as amended by a day (today); 404 with the plans there are."""
        found = self.definitions.plan(plan, on or self.clock.today())
        if found is None:
            known = ", ".join(self.definitions.plan_ids())
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
            if self.view is not None and self._is_new(code, on, era):
                raise Problem(
                    "not-yet-counted",
                    "The unit was defined a moment ago; the numbers do not know it yet.",
                    status=503,
                    pointer="/unit",
                    hint="Ask again in a moment.",
                    retryable=True,
                    retry_after=1,
                ) from None
            raise Problem(
                unknown.code,
                unknown.detail.replace("`subject`", "the request"),
                status=404 if unknown.code == "unit-unknown" else 422,
                pointer="/unit",
                hint=unknown.hint,
                extra={"candidates": unknown.candidates} if unknown.candidates else None,
            ) from None

    def _is_new(self, code: str, on: date, era: str | None) -> bool:
        """Whether all that the log holds has a unit that this answer's definitions lack."""
        try:
            self.newest.tree.resolve(code, on, era)
        except UnknownUnit:
            return False
        return self.known_at is None


WATERMARK_SQL = "SELECT position, as_of, refreshed_at, log_epoch FROM indicators.watermark"
TRIES = 5


async def watermark(pool: asyncpg.Pool) -> tuple[Any, ...]:
    """Position, day, time and log of the current tables: changes whenever a cell may have changed.
    Empty before the first refresh."""
    row = await pool.fetchrow(WATERMARK_SQL)
    return () if row is None else tuple(row)


class Moved(Exception):
    """Cells are of another position than the definitions that they were to be joined with."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


class JoinedRoute(APIRoute):
    """A route whose answer joins units and plans with cells: both as of one position of the log.

    Where the cells move on meanwhile, the answer is made again.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answered(request: Request) -> Response:
            request.state.joined = True
            for _ in range(TRIES):
                try:
                    return await handle(request)
                except Moved as moved:
                    request.state.limit = moved.position
            raise moving()

        return answered


def moving() -> Problem:
    """What is answered where definitions change all the time."""
    return Problem(
        "definitions-moving",
        "Definitions change faster than this answer can be put together.",
        status=503,
        hint="Ask again in a moment.",
        retryable=True,
        retry_after=1,
    )


async def _state(request: Request) -> State:
    state: State = request.app.state.registry
    if not getattr(request.state, "joined", False):
        return state
    try:
        known_at = date.fromisoformat(request.query_params.get("known_at", ""))
    except ValueError:
        known_at = None  # refused by the route, where it has this parameter
    plan = request.path_params.get("plan")
    return await state.joined(known_at, plan, getattr(request.state, "limit", None))


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
