"""What changed in the definitions behind a cell, between two days or two states of knowledge."""

from datetime import date
from typing import Any

import msgspec

from services.metrics.evaluating.moments import Moment
from shared.contracts.record import LogRecord, record_decoder
from shared.db import Connection
from shared.domain.compile import Objective
from shared.domain.definitions import PLAN_TYPES
from shared.domain.knowledge import told
from shared.domain.populations import Populations
from shared.domain.units import UNIT_TYPES

MOST_EVENTS = 200

_VALID = {
    "unit.established": "from",
    "unit.renamed": "from",
    "unit.attributed": "from",
    "unit.dissolved": "dissolved_on",
    "population.declared": "as_of",
    "plan.amended": "valid_from",
}


class DefinitionChange(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One thing that is defined otherwise. `what`: plan_version, target, last_day, population,
    measure (what and from when it counts), tree. `effect`: on the count that is compared."""

    what: str
    before: Any = None
    after: Any = None
    effect: int | None = None


class DefinitionEvent(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An event that defined something between. `valid`: the day from which it holds."""

    position: int
    type: str
    source: str
    id: str
    unit_id: str
    recorded: date
    valid: date | None = None


def changed(
    first: Moment,
    last: Moment,
    was: Objective,
    now: Objective,
    unit_id: str,
    effects: tuple[int, int],
) -> list[DefinitionChange]:
    """What is defined otherwise; `effects`: of the tree, of the measure with its window."""
    found = []

    def say(what: str, before: Any, after: Any, effect: int | None = None) -> None:
        if before != after or effect:
            found.append(
                DefinitionChange(what=what, before=before, after=after, effect=effect or None)
            )

    say("plan_version", first.version, last.version)
    say("target", _target(was), _target(now))
    say("last_day", was.last_day, now.last_day)
    code = now.population
    if code is not None and not first.early:
        numbers = [
            Populations(moment.definitions, moment.places).of(unit_id, code, moment.as_of).value
            for moment in (first, last)
        ]
        say("population", numbers[0], numbers[1])
    if effects[0]:
        say("tree", first.places.day, last.places.day, effects[0])
    say("measure", _measure(was), _measure(now), effects[1])
    return found


def _target(objective: Objective) -> dict[str, Any]:
    within = objective.within
    return {
        "value": objective.target.value,
        "comparator": objective.target.comparator,
        "unit": objective.target_unit,
    } | ({"threshold": within.threshold.value} if within else {})


def _measure(objective: Objective) -> dict[str, Any]:
    measure = objective.measure
    return {
        "measure": measure.fingerprint()[:12] if measure else None,
        "from": objective.window_start,
    }


async def defining(
    connection: Connection, first: Moment, last: Moment, objective: Objective, unit_id: str
) -> list[DefinitionEvent]:
    """Definitions of this cell that became known, or valid, between; at most MOST_EVENTS."""
    rows = await connection.fetch(
        "SELECT record FROM definition WHERE ($1::date IS NULL OR recorded <= $1)"
        " AND ($2::bigint IS NULL OR position <= $2) ORDER BY position",
        last.known_at,
        last.through,
    )
    days = sorted((first.as_of, last.as_of))
    found = []
    for row in rows:
        record = record_decoder.decode(row["record"])
        valid = _valid(record)
        fresh = first.early or not told(record.recorded, record.position, first.until)
        if not (fresh or (valid is not None and days[0] < valid <= days[1])):
            continue
        if _concerns(record, last, objective, unit_id):
            found.append(
                DefinitionEvent(
                    position=record.position,
                    type=record.short_type,
                    source=record.source,
                    id=record.id,
                    unit_id=record.unitid,
                    recorded=record.recorded,
                    valid=valid,
                )
            )
        if len(found) >= MOST_EVENTS:
            break
    return found


def _valid(record: LogRecord) -> date | None:
    content = record.effective_content()
    name = _VALID.get(content.type) if content is not None else None
    value = content.data.get(name) if content is not None and name is not None else None
    return date.fromisoformat(value) if value else None


def _concerns(record: LogRecord, moment: Moment, objective: Objective, unit_id: str) -> bool:
    content = record.effective_content()
    if content is None:
        return True
    data, places = content.data, moment.places
    if content.type in PLAN_TYPES:
        named = data.get("objective")
        return data.get("plan") == moment.plan and named in (None, objective.id)
    if content.type == "population.declared":
        wanted = {objective.population, "hamlets" if objective.within else None}
        return data["population"] in wanted and places.covers(unit_id, content.unitid, moment.root)
    if content.type in UNIT_TYPES:
        return places.covers(unit_id, data["unit_id"], moment.root)
    return False
