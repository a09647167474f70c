"""Decisions of reviews, the forces sent for them, and what became of each.

A decision is a `review.held` with words or units; `force.dispatched` and `decision.followed` name it by its id; of
follow-ups the latest holds. `review.closed` ends the review of one week.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from services.registry.journal.store import Fact, standing
from services.registry.plans.territory import area_of
from services.registry.state import State
from shared.domain.plan_history import PlanVersion

TYPES = ["review.held", "force.dispatched", "decision.followed", "review.closed"]


@dataclass(frozen=True)
class Dispatch:
    """A team sent to a unit; days as they were written."""

    unit_id: str
    day: date
    team: str
    members: int | None
    start: str | None
    end: str | None


@dataclass(frozen=True)
class Decision:
    """`outcome`: done, in_progress or not_done; None: nobody has said."""

    id: str
    source: str
    unit_id: str
    day: date
    text: str
    units: tuple[str, ...]
    dispatches: tuple[Dispatch, ...] = ()
    outcome: str | None = None
    remark: str = ""
    followed: date | None = None


@dataclass(frozen=True)
class Closing:
    """The end of the review of the week that begins on `monday`; `day`: when it was recorded."""

    monday: date
    day: date
    remark: str


@dataclass(frozen=True)
class Record:
    """`sent`: forces sent by no decision that is known."""

    decisions: list[Decision] = field(default_factory=list)
    sent: list[Dispatch] = field(default_factory=list)
    closings: dict[date, Closing] = field(default_factory=dict)

    def of_week(self, monday: date) -> list[Decision]:
        """The decisions of one week, Monday to Sunday."""
        return [d for d in self.decisions if 0 <= (d.day - monday).days <= 6]

    def before(self, monday: date) -> list[Decision]:
        """Those of the week before, and older ones that are not done; the newest first."""
        last = [d for d in self.decisions if 0 < (monday - d.day).days <= 7]
        old = [d for d in self.decisions if (monday - d.day).days > 7 and d.outcome != "done"]
        return sorted([*last, *old], key=lambda d: (d.day, d.id), reverse=True)


def record_of(facts: Iterable[Fact], plan: str) -> Record:
    """Fold facts, oldest first. Pure."""
    found = Record()
    listed = list(facts)
    sent: dict[str, list[Dispatch]] = {}
    followed: dict[str, Fact] = {}
    known = {f.id for f in listed if f.type == "review.held"}
    for fact in listed:
        said = fact.data
        if fact.type == "force.dispatched":
            one = Dispatch(
                fact.unit_id, fact.occurred, said.get("team") or "", said.get("members"),
                said.get("from"), said.get("to"),
            )  # fmt: skip
            if said.get("review_ref") in known:
                sent.setdefault(said["review_ref"], []).append(one)
            else:
                found.sent.append(one)
        elif fact.type == "decision.followed":
            followed[said["review_ref"]] = fact
        elif fact.type == "review.closed" and said["plan"] == plan:
            monday = date.fromisoformat(said["from"])
            found.closings[monday] = Closing(monday, fact.recorded, said.get("remark") or "")
    for fact in listed:
        if fact.type != "review.held" or not (fact.data.get("decisions") or fact.data.get("cold_spots")):  # fmt: skip
            continue
        after = followed.get(fact.id)
        found.decisions.append(
            Decision(
                fact.id,
                fact.source,
                fact.unit_id,
                fact.occurred,
                fact.data.get("decisions") or "",
                tuple(fact.data.get("cold_spots") or ()),
                tuple(sent.get(fact.id, ())),
                after.data["outcome"] if after else None,
                (after.data.get("remark") or "") if after else "",
                after.occurred if after else None,
            )
        )
    return found


async def load_record(
    state: State, plan: PlanVersion, since: date, until: date | None, known_at: date | None
) -> Record:
    """What was decided in the plan's units since a day."""
    area = sorted(area_of(state, plan))
    facts = await standing(state.pool, TYPES, area, known_at=known_at, since=since, until=until)
    return record_of(facts, plan.plan)
