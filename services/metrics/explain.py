"""What became of one event: which objectives it counts for, or why it does not count."""

from typing import Any

import asyncpg

from services.metrics import store
from services.metrics.compile import Objective
from services.metrics.contribute import Contributor, Evidence
from services.metrics.definitions import Definitions
from services.metrics.fold import state as state_of
from services.metrics.measures import Measure
from services.metrics.places import Places
from services.metrics.query import DefinitionsStore
from shared.clock import Clock
from shared.contracts.record import LogRecord
from shared.db import Connection
from shared.lane_consumer import LogReader
from shared.problems import Problem

ALL_FACTS = list(range(64))


async def explain(
    pool: asyncpg.Pool,
    definitions_store: DefinitionsStore,
    reader: LogReader,
    clock: Clock,
    position: int,
) -> dict[str, Any]:
    """The event whose row stands at `position` (any of its rows). Never shows references."""
    async with pool.acquire() as connection:
        counted: int = await connection.fetchval("SELECT min(through) FROM progress")
        if position > counted:
            raise Problem(
                "not-counted-yet",
                f"Position {position} is not counted yet; the watermark is {counted}.",
                status=404,
                hint="Ask again in a moment.",
                retryable=True,
            )
        answer: dict[str, Any] = {"position": position, "watermark": counted}
        for table, word in (("parked", "parked"), ("dismissed", "dismissed")):
            columns = "problem AS why" if table == "parked" else "reason AS why"
            row = await connection.fetchrow(
                f"SELECT {columns} FROM {table} WHERE position = $1", position
            )
            if row is not None:
                return answer | {"state": word, "reason": row["why"], "objectives": []}
        record = await _record(reader, position)
        answer |= {"origin": record.origin, "type": record.short_type, "unit_id": record.unitid}
        live, _ = await store.load_measures(connection)
        definitions = await definitions_store.get(connection, None)
        users = _users(definitions, clock, live)
        rows = await connection.fetch(
            "SELECT DISTINCT lane, subject FROM evidence WHERE origin = $1", record.origin
        )
        touched = []
        for row in rows:
            subject = (row["lane"], row["subject"])
            touched += await _of_subject(connection, subject, record.origin, live, users)
    # A measure is shared by all plans that word it alike; the event counts in those of its place.
    places = Places(definitions.tree, clock.today())
    elsewhere = len(touched)
    touched = [e for e in touched if e["unit_id"] in places.within(e["plan_unit"])]
    elsewhere -= len(touched)
    if touched:
        counts = any(entry["counts"] for entry in touched)
        state = "counted" if counts else "counted_by_another_event"
        return answer | {"state": state, "objectives": touched}
    answer |= {"state": "not_counted", "objectives": []}
    if elsewhere:
        return answer | {"reason": "No plan of the event's unit counts it, only plans of others."}
    return answer | _why_not(record, live, definitions_store)


async def _record(reader: LogReader, position: int) -> LogRecord:
    async for records, _ in reader.read(position - 1, [*ALL_FACTS, 64], page=1):
        if records and records[0].position == position:
            return records[0]
        break
    raise Problem("position-unknown", f"The log has no position {position}.", status=404)


def _users(
    definitions: Definitions, clock: Clock, live: dict[int, Measure]
) -> dict[int, list[tuple[Objective, str]]]:
    """Which objectives use a measure, and the unit of their plan."""
    numbers = {measure.fingerprint(): number for number, measure in live.items()}
    users: dict[int, list[tuple[Objective, str]]] = {}
    for plan in definitions.plan_ids():
        found = definitions.plan(plan, clock.today())
        for objective in found[1] if found else ():
            for measure in objective.measures():
                number = numbers.get(measure.fingerprint())
                if number is not None and found is not None:
                    users.setdefault(number, []).append((objective, found[0]["unit"]))
    return users


async def _of_subject(
    connection: Connection,
    subject: tuple[int, bytes],
    origin: int,
    live: dict[int, Measure],
    users: dict[int, list[tuple[Objective, str]]],
) -> list[dict[str, Any]]:
    combinations = store.Combinations()
    await combinations.reload(connection)
    rows = (await store.load_evidence(connection, store.LIVE, [subject], combinations))[subject]
    mine = rows[origin]
    others = {at: row for at, row in rows.items() if at != origin}
    found = []
    for number in mine.marks[::2]:
        measure = live.get(number)
        if measure is None:
            continue
        counts = _matters(measure, number, rows, others)
        for objective, root in users.get(number, ()):
            entry: dict[str, Any] = {
                "plan": objective.plan,
                "objective": objective.id,
                "plan_unit": root,
                "unit_id": mine.unit_id,
                "since": mine.since.isoformat(),
                "until": mine.until.isoformat() if mine.until else None,
                "counts": counts,
            }
            if not counts:
                entry["reason"] = "Other events of the same subject decide its count already."
                entry["decided_by"] = sorted(others)[:10]
            found.append(entry)
    return found


def _matters(
    measure: Measure, number: int, rows: dict[int, Evidence], others: dict[int, Evidence]
) -> bool:
    """Whether the subject would count otherwise without the event."""
    return state_of(measure, number, rows.values()) != state_of(measure, number, others.values())


def _why_not(
    record: LogRecord, live: dict[int, Measure], definitions: DefinitionsStore
) -> dict[str, str]:
    kind = record.effective.type if record.effective is not None else record.short_type
    if record.void:
        return {"reason": "The event was revoked, or corrected away from this subject."}
    if record.lane == 64:
        return {"state": "definition", "reason": "It defines units, plans or populations."}
    contributor = Contributor(live, definitions.catalogue)
    if not contributor.serves(kind):
        return {"reason": f"No plan counts events of type {kind}."}
    if contributor.evidence(record) is None:
        return {"reason": f"No objective's filter matches this event of type {kind}."}
    return {"reason": "A later row of the event (a correction or revocation) holds instead."}
