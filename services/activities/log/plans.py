"""Plans, their amendments and words of lists are judged in the append, under the lock, by what
counts them."""

from datetime import date
from typing import Any

from services.activities.log.model import Candidate
from shared.contracts.record import DEFINITION_LANE, Content, LogRecord
from shared.domain import judging
from shared.domain.definitions import AMENDED, PLAN_TYPES, PUBLISHED, Definitions
from shared.domain.growing import EXTENDED
from shared.domain.judging import DefinitionRefused
from shared.problems import Problem

Json = dict[str, Any]


def check_plan_event(c: Candidate, known: Definitions, position: int, day: date) -> None:
    """Raise Problem (422) unless a plan, an amendment or words of a list may be recorded at a
    position on a day."""
    if c.type == EXTENDED:
        try:
            judging.check_words(c.data, known)
        except DefinitionRefused as refused:
            raise problem(refused, "/data") from None
    if c.type not in PLAN_TYPES:
        return
    content = Content(type=c.type, unitid="", occurred=c.occurred, time=c.time, data=c.data)
    try:
        if c.type == PUBLISHED:
            judging.check_version(c.data, known)
        else:
            judging.check_amendment(c.data, known)
        after = _with(known, content, c.type, position, position, 0, day)
        judging.check_plan_holds(c.data["plan"], known, after, position)
    except DefinitionRefused as refused:
        raise problem(refused, "/data") from None


def check_restated_plan(
    type: str,
    plan: str,
    after: Content | None,
    origin: int,
    known: Definitions,
    position: int,
    day: date,
) -> None:
    """The same for what a plan or an amendment says after a correction or revocation (None);
    `plan`: which it was of."""
    if type not in PLAN_TYPES:
        return
    at = "/data/changes/data" if after is not None else "/data/revokes"
    try:
        if after is not None and type == PUBLISHED:
            judging.check_document(after.data, known)
            judging.check_version(after.data, known, origin)
        if after is not None and type == AMENDED:
            judging.check_amendment(after.data, known)
        changed = _with(known, after, type, origin, position, position, day)
        for name in {plan} | ({after.data["plan"]} if after is not None else set()):
            judging.check_plan_holds(name, known, changed, origin)
    except DefinitionRefused as refused:
        raise problem(refused, at) from None


def check_restated_words(before: Json, after: Content | None, known: Definitions) -> None:
    """Raise Problem unless a list may say this after a correction; it cannot be revoked (None)."""
    if after is None:
        raise Problem(
            "list-entry-stays",
            "Words that were added to a list stay: events and plans may name them.",
            pointer="/data/revokes",
            hint="A correction may change titles and add entries.",
        )
    try:
        judging.check_words(after.data, known, before)
    except DefinitionRefused as refused:
        raise problem(refused, "/data/changes/data") from None


def problem(refused: DefinitionRefused, at: str) -> Problem:
    """What its sender is told; `at`: where the data of the definition stand in the event."""
    pointer = at if refused.pointer is None else f"{at}{refused.pointer}"
    return Problem(refused.code, refused.detail, pointer=pointer, hint=refused.hint or None)


def _with(
    known: Definitions,
    content: Content | None,
    type: str,
    origin: int,
    position: int,
    revision: int,
    day: date,
) -> Definitions:
    """What was defined if the event at `origin` said this."""
    found = known.copy()
    time = content.time if content is not None else ""
    found.apply(
        LogRecord(
            id="",
            source="",
            type=type,
            subject="",
            time=time,
            epoch="",
            position=position,
            prev=0,
            lane=DEFINITION_LANE,
            recorded=day,
            occurred=day,
            unitid="",
            origin=origin,
            revision=revision,
            keykind="",
            key=b"",
            data={},
            void=content is None,
            effective=content,
        )
    )
    return found
