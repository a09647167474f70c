"""What lead bodies state about their tasks, and what supervisors send back. Pure.

Per task, lead body and occurrence the newest statement holds: by the day it is of, then by its
position in the log. A statement without an occurrence is of the one that its day lies in. One of a
body that does not lead the task counts for nothing and is listed apart.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from services.registry.journal.store import Fact

PROGRESSED = "task.progressed"
RETURNED = "task.returned"


@dataclass(frozen=True)
class Return:
    """Why a supervisor sent a statement back, and when."""

    reason: str
    on: date
    position: int


@dataclass(frozen=True)
class Statement:
    """One statement, as it stands in the log; `returned` if it was sent back."""

    task: str
    organisation: str | None
    unit_id: str
    occurrence: str | None
    status: str
    on: date
    recorded: date
    position: int
    fact: Fact
    returned: Return | None = None

    @property
    def data(self) -> dict[str, Any]:
        """What the event says: percent, done, product, document, difficulties ..."""
        return self.fact.data


def statements_of(
    facts: Iterable[Fact], plan: str, may_speak: Callable[[str, str], bool] | None = None
) -> list[Statement]:
    """All statements on a plan's tasks, oldest first, with what was sent back. `may_speak`: whether
    an event of a unit is believed to be about an organisation; None: all are."""
    found: list[Statement] = []
    for fact in sorted(facts, key=lambda f: (f.occurred, f.position)):
        data = fact.data
        if data.get("plan") != plan or fact.type not in (PROGRESSED, RETURNED):
            continue
        about = (data["task"], data.get("organisation"), fact.unit_id, data.get("occurrence"))
        if fact.type == RETURNED:
            named = about[1]
            if named is not None and may_speak and not may_speak(fact.unit_id, named):
                continue
            answered = _answered(found, about, fact)
            if answered is not None:
                sent = Return(data["reason"], fact.occurred, fact.position)
                found[answered] = replace(found[answered], returned=sent)
            continue
        found.append(
            Statement(
                *about,
                status=data["status"],
                on=fact.occurred,
                recorded=fact.recorded,
                position=fact.position,
                fact=fact,
            )
        )
    return found


def _answered(found: list[Statement], about: tuple[Any, ...], fact: Fact) -> int | None:
    """The newest statement that a return speaks of. A return names the occurrence or means the
    newest; it is posted for the body's unit, or names its organisation."""
    task, organisation, unit_id, occurrence = about
    for index in range(len(found) - 1, -1, -1):
        one = found[index]
        same_body = one.unit_id == unit_id
        if organisation is not None and one.organisation is not None:
            same_body = one.organisation == organisation
        if (
            one.task == task
            and same_body
            and occurrence in (None, one.occurrence)
            and one.position < fact.position
        ):
            return index
    return None
