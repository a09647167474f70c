"""What closes a task of a plan: objectives, proving events, the lead body's own statement. Pure.

The plans name tasks, hardly ever what finishes them. `closing` is our reading of each, kept in the
plan beside its words: all that it names must hold. What events can prove is never closed by a
statement alone; what no event can prove says why (`statement_vi`).
"""

from typing import Any, Literal

import msgspec

from shared.contracts.definitions import Catalogue
from shared.contracts.filters import Filter, FilterError, compile_filter
from shared.contracts.model import EventType

Json = dict[str, Any]

NO_PROOF_VI = (
    "Kế hoạch không nêu hoạt động nào chứng minh nhiệm vụ này; cơ quan chủ trì nêu việc đã làm."
)


class Proof(msgspec.Struct, frozen=True):
    """Events that prove a task, and how many are enough within one occurrence of it.

    `where`: `lead` for what the lead body itself did, `area` for what happened anywhere in its
    area. `sum`: a figure of the events is added up instead of counting them. `as_many_as`: at least
    as many as there are events of these types, and at least one. `percent_of_communes`: so many of
    the area's communes must each have `at_least`. `once`: what was done once holds in every
    occurrence from then on (a column that was opened).
    """

    types: tuple[str, ...]
    where: Literal["lead", "area"]
    filter: Json = {}
    sum: str | None = None
    at_least: int = 1
    as_many_as: tuple[str, ...] = ()
    percent_of_communes: int | None = None
    once: bool = False

    def compiled(self, catalogue: Catalogue) -> Filter:
        """The filter of its events; raises FilterError."""
        return compile_filter(self.filter, self.types, catalogue)


class Closing(msgspec.Struct, frozen=True):
    """All that must hold before a task is done. `judged`: the length of an occurrence of work that
    never ends ("thường xuyên")."""

    objectives: bool = False
    tasks_led: bool = False
    judged: Literal["month", "quarter"] | None = None
    proofs: tuple[Proof, ...] = ()
    statement_vi: str | None = None

    @property
    def repeats(self) -> bool:
        """Whether anything can be judged anew each time; that an objective is met holds once."""
        return bool(self.proofs or self.statement_vi)


def closing_of(task: Json) -> Closing:
    """The closing that a task states; for one that states none its objectives, else one event of
    each of its types anywhere in the area, else a statement."""
    stated = task.get("closing")
    if stated is not None:
        return msgspec.convert(stated, Closing)
    if task.get("objectives"):
        return Closing(objectives=True)
    if task.get("events"):
        return Closing(proofs=tuple(Proof((name,), "area") for name in task["events"]))
    return Closing(statement_vi=NO_PROOF_VI)


def names_people(kind: EventType) -> bool:
    """Whether events of a type name persons, households or devices. Of those only counts are kept
    outside the log, so a proof cannot filter them."""
    return any(set(i.schemes) <= set(i.secret_schemes) for i in kind.identities)


def wrong_closing(task: Json, catalogue: Catalogue) -> list[tuple[tuple[str | int, ...], str]]:
    """What is wrong with a task's closing: (path below the task, message). The shape fits."""
    found: list[tuple[tuple[str | int, ...], str]] = []
    stated = task.get("closing")
    if stated is None:
        return found
    if stated.get("objectives") and not task.get("objectives"):
        found.append((("closing", "objectives"), "the task names no objectives"))
    for index, raw in enumerate(stated.get("proofs", ())):
        path = ("closing", "proofs", index)
        proof = msgspec.convert(raw, Proof)
        unknown = [t for t in (*proof.types, *proof.as_many_as) if t not in catalogue]
        if unknown:
            found.append(((*path, "types"), f"unknown event type {unknown[0]!r}"))
            continue
        try:
            proof.compiled(catalogue)
        except FilterError as error:
            found.append(((*path, "filter"), str(error)))
        for name in proof.types:
            kind = catalogue[name]
            if proof.sum is not None and proof.sum != kind.sum_field:
                found.append(((*path, "sum"), f"{name} has no figure {proof.sum!r}"))
            elif proof.filter and proof.sum is None and names_people(kind):
                found.append(
                    ((*path, "filter"), f"{name} names persons: a proof can only count it whole")
                )
    return found


def wrong_filter(obligation: Json, catalogue: Catalogue) -> list[tuple[tuple[str, ...], str]]:
    """What is wrong with the filter of a reporting obligation: (path below it, message)."""
    event, filter = obligation["event"], obligation.get("filter")
    if filter is None or event not in catalogue:
        return []
    if names_people(catalogue[event]):
        return [(("filter",), f"{event} names persons: an obligation can only count it whole")]
    try:
        compile_filter(filter, (event,), catalogue)
    except FilterError as error:
        return [(("filter",), str(error))]
    return []
