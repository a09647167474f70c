"""Cells of any day, as known on any day, computed from the tallies when asked."""

from datetime import date
from typing import Literal, Self

import msgspec

from services.metrics.evaluating.cell import Cell
from services.metrics.evaluating.moments import Moments
from shared.domain.compile import Objective
from shared.domain.history import DefinitionHistory as DefinitionHistory


class ObjectiveState(msgspec.Struct, kw_only=True):
    """Whether an objective is counted; `reason`: why it is not."""

    id: str
    state: Literal["counted", "not_counted"]
    reason: str | None

    @classmethod
    def of(cls, objective: Objective) -> Self:
        """The state of a compiled objective."""
        state: Literal["counted", "not_counted"] = "counted"
        if objective.reason is not None:
            state = "not_counted"
        return cls(id=objective.id, state=state, reason=objective.reason)


class Answer(msgspec.Struct, kw_only=True):
    """What `GET /v1/cells` says. `position`: complete up to here; `definitions`: position of the
    last definition that was known; `tree`: the tree of this day."""

    plan: str
    plan_version: int
    unit_id: str
    level: str | None
    as_of: date
    known_at: date | None
    tree: date
    position: int
    definitions: int
    epoch: str | None
    not_in_operation: bool = False
    objectives: list[ObjectiveState]
    cells: list[Cell]


class Cells:
    """Answers questions about cells."""

    def __init__(self, moments: Moments) -> None:
        self._moments = moments

    async def ask(
        self,
        plan: str,
        unit: str | None,
        level: str | None,
        as_of: date | None,
        known_at: date | None,
        tree: str,
    ) -> Answer:
        """The cells of `unit` (default: the plan's) and of the units of `level` (default: all
        that the plan shows) in it."""
        async with self._moments.snapshot() as connection:
            moment = await self._moments.at(connection, plan, as_of, known_at, tree)
            unit_id = moment.resolve(unit)
            units = moment.units(unit_id, level)
            return Answer(
                plan=plan,
                plan_version=moment.version,
                unit_id=unit_id,
                level=level,
                as_of=moment.as_of,
                known_at=known_at,
                tree=moment.places.day,
                position=moment.position,
                definitions=moment.definitions.position,
                epoch=moment.epoch,
                not_in_operation=moment.early,
                objectives=[ObjectiveState.of(o) for o in moment.objectives],
                cells=await moment.cells(connection, moment.objectives, units),
            )
