"""Where every task of a plan stands, from what is known on a day. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from services.registry.plans.bodies import Body, bodies
from services.registry.tasks.conditions import Conditions
from services.registry.tasks.evidence import Evidence
from services.registry.tasks.objectives import Met
from services.registry.tasks.occurrences import Occurrence, occurrences, shifted
from services.registry.tasks.standing import (
    BodyStanding,
    OccurrenceStanding,
    stand,
    state_of_all,
    sum_up,
)
from services.registry.tasks.statements import Statement
from services.registry.tasks.territory import Area
from shared.contracts.live import of_process
from shared.domain.closing import Closing, closing_of

Json = dict[str, Any]


class Reported(NamedTuple):
    """How many events of a type have come since a task began, and when."""

    type: str
    n: int
    first: date | None
    last: date | None


@dataclass(frozen=True)
class TaskStanding:
    """One task: what closes it, where each lead body stands, and what was said of it by bodies that
    do not lead it."""

    task: Json
    closing: Closing
    last_day: date | None
    standings: Mapping[str, BodyStanding]
    bodies: Mapping[str, Body]
    reported: Sequence["Reported"]
    """What came in of each type that the task names, over the plan's whole area."""
    objectives: Sequence[tuple[str, bool | None]]
    """The task's objectives at the plan's unit, and whether they are met."""
    ignored: Sequence[Statement] = ()
    said: Mapping[str, Sequence[Statement]] = field(default_factory=dict)
    """What was stated by each lead body, and by the units that it was made of; oldest first."""

    @property
    def state(self) -> str:
        """Over all lead bodies, the worst that needs somebody."""
        return state_of_all([s.state for s in self.standings.values()])

    @property
    def late(self) -> bool:
        """Whether any lead body is overdue."""
        return self.state == "overdue"


@dataclass(frozen=True)
class Known:
    """All that decides where a plan's tasks stand on a day. `issued`: when central documents were
    issued that start terms, by the name that the plan gives them."""

    document: Json
    area: Area
    evidence: Mapping[str, list[Evidence]]
    met: Met
    statements: Sequence[Statement]
    issued: Mapping[str, date]
    on: date
    units: Mapping[str, Json] = field(default_factory=dict)
    """The plan as it reads for units that have amendments of their own, by unit_id."""


def fold_tasks(known: Known) -> Iterator[TaskStanding]:
    """Every task; those that wait for the others that the same body leads come last."""
    closings = {task["id"]: closing_of(task) for task in known.document["tasks"]}
    conditions = Conditions(known.document, known.area, known.evidence, known.met, of_process())
    found: dict[str, TaskStanding] = {}
    for task in sorted(known.document["tasks"], key=lambda t: closings[t["id"]].tasks_led):
        one = _task(task, closings[task["id"]], known, conditions, found)
        found[task["id"]] = one
        yield one


def _task(
    task: Json,
    closing: Closing,
    known: Known,
    conditions: Conditions,
    others: Mapping[str, TaskStanding],
) -> TaskStanding:
    document, on = known.document, known.on
    named = {o["id"]: o for o in document["organisations"]}
    leads = bodies(task.get("lead") or [], named, known.area.units, on) or [_issuer(document)]
    if closing.tasks_led:
        # Who leads no other task has nothing to finish here.
        tasks = [other for other in others.values() if other.task["kind"] == "task"]
        busy = {body for other in tasks for body in other.standings}
        leads = [body for body in leads if body.id in busy] or leads
    times = _times(task, document, closing, known)
    said = [s for s in known.statements if s.task == task["id"]]
    by_body, ignored = _by_body(said, leads, known.area, named)
    end = min(max(o.end for o in times), date.fromisoformat(document["period"]["end"]))
    standings: dict[str, BodyStanding] = {}
    first = next((b.id for b in leads if b.unit_id is None), None)
    for body in leads:
        own = _of_unit(task, known.units.get(body.unit_id or ""))
        if own is None:
            continue  # ended for this unit
        mine = times if own is task else _times(own, known.units[str(body.unit_id)], closing, known)
        rows: list[OccurrenceStanding] = []
        for time in mine:
            if time.start > on and rows:
                break
            statement = _statement_of(by_body, body.id, known.area, time, mine)
            held = conditions.of(
                task, closing, body, time, statement, on, others,
                first=body.id == first, last=time is mine[-1],
            )  # fmt: skip
            rows.append(stand(time, held, statement, on))
        standings[body.id] = sum_up(rows, on, end)
    last = times[0].last_day if len(times) == 1 else None
    started = date.fromisoformat((task.get("period") or document["period"])["start"])
    return TaskStanding(
        task,
        closing,
        last,
        standings,
        {body.id: body for body in leads},
        [_reported(n, known.evidence.get(n, ()), started) for n in task.get("events") or ()],
        [(name, _met(known.met, name)) for name in task.get("objectives") or ()],
        ignored,
        _said(by_body, standings, known.area),
    )


def _times(task: Json, document: Json, closing: Closing, known: Known) -> list[Occurrence]:
    return occurrences(task, document, closing, known.issued, shifted(task, document))


def _of_unit(task: Json, document: Json | None) -> Json | None:
    """The task as it reads for one unit; None: it has none such."""
    if document is None:
        return task
    found = next((t for t in document["tasks"] if t["id"] == task["id"]), None)
    return task if found == task else found


def _met(met: Met, objective: str) -> bool | None:
    cell = met.of(None, objective)
    return cell.met if cell is not None else None


def _reported(name: str, evidence: Sequence[Evidence], start: date) -> Reported:
    days = [(one.occurred, one.n) for one in evidence if one.occurred >= start]
    first = min((day for day, _ in days), default=None)
    return Reported(
        name, sum(n for _, n in days), first, max((day for day, _ in days), default=None)
    )


def _issuer(document: Json) -> Body:
    """Who answers for a task without a lead: whoever issued the plan."""
    return Body("issuer", document.get("issuer") or document["title_vi"])


def _by_body(
    said: Sequence[Statement], leads: Sequence[Body], area: Area, organisations: Mapping[str, Any]
) -> tuple[dict[str, list[Statement]], list[Statement]]:
    """Statements by the lead body they are of; those of nobody who leads or may speak for it. What a
    unit stated that went wholly into a new one is under its own name."""
    if not said:
        return {}, []
    units = {b.unit_id for b in leads if b.unit_id is not None}
    units |= {part for unit in list(units) for part in area.parts_of(unit)}
    ids = {b.id for b in leads if b.unit_id is None}
    found: dict[str, list[Statement]] = {}
    ignored = []
    for one in said:
        organisation = one.organisation
        if organisation is None and one.unit_id not in units:
            organisation = area.own_code(one.unit_id)
        if organisation is None:
            body = one.unit_id if one.unit_id in units else None
        elif organisation in ids and area.may_speak(one.unit_id, organisation, organisations):
            body = organisation
        else:
            body = None
        if body is None:
            ignored.append(one)
        else:
            found.setdefault(body, []).append(one)
    return found, ignored


def _said(
    by_body: Mapping[str, Sequence[Statement]], leads: Iterable[str], area: Area
) -> dict[str, list[Statement]]:
    if not by_body:
        return {}
    found = {}
    for body in leads:
        names = (body, *area.parts_of(body))
        own = [one for name in names for one in by_body.get(name, ())]
        if own:
            found[body] = sorted(own, key=lambda s: (s.on, s.position))
    return found


def _statement_of(
    by_body: Mapping[str, Sequence[Statement]],
    body: str,
    area: Area,
    time: Occurrence,
    times: Sequence[Occurrence],
) -> Statement | None:
    """The newest statement on an occurrence; one that names none is of that of its day. A commune
    that was made of others has what they all stated: what is least done of them holds."""
    for one in reversed(by_body.get(body, ())):
        if one.occurrence == time.id or (len(times) == 1 and one.occurrence is None):
            return one
        if one.occurrence is None and time.start <= one.on <= time.end:
            return one
    parts = area.parts_of(body) if by_body else ()
    if not parts or not all(part in by_body for part in parts):
        return None
    before = [_statement_of(by_body, part, area, time, times) for part in parts]
    stated = [one for one in before if one is not None]
    if len(stated) < len(parts):
        return None
    return min(stated, key=lambda s: (s.status == "done" and s.returned is None, -s.position))
