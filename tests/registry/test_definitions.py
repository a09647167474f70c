"""Definitions as known today: corrections count, voids are as if never posted, news arrive."""

import asyncio
from datetime import date
from typing import Any

import msgspec

from shared.contracts.definitions import Catalogue
from shared.contracts.record import Content, LogRecord
from shared.domain.definitions import Definitions
from tests.registry import fakes
from tests.registry.conftest import Running


def amend(record: LogRecord, position: int, content: Content | None) -> LogRecord:
    """A later row that says something else of `record`'s event."""
    return msgspec.structs.replace(
        record,
        id=f"correction-{position}",
        type="vn.hocvuso.event.corrected",
        position=position,
        prev=position - 1,
        revision=position,
        data={},
        effective=content,
        void=content is None,
    )


def declared(number: int) -> dict[str, Any]:
    return {"population": "adults", "number": number, "as_of": "2026-01-01", "authority": "Công an"}


def population(number: int) -> LogRecord:
    event = {
        "id": "p", "source": "https://congan.example", "type": "vn.hocvuso.population.declared",
        "subject": "24133@2025", "time": "2026-01-01T00:00:00+07:00", "data": declared(number),
    }  # fmt: skip
    return fakes.records([event])[0]


def test_a_corrected_population_replaces_the_first_and_a_void_one_is_gone() -> None:
    known = Definitions(Catalogue.load())
    first = population(12_000)
    known.apply(first)
    assert [p.number for p in known.populations("24133@2025")] == [12_000]
    content = Content(
        type="population.declared",
        unitid="24133@2025",
        occurred=date(2026, 1, 1),
        time=first.time,
        data=declared(13_000),
    )
    known.apply(amend(first, 2, content))
    assert [p.number for p in known.populations("24133@2025")] == [13_000]
    known.apply(amend(first, 3, None))
    assert known.populations("24133@2025") == []


def test_the_newest_version_of_a_plan_holds(definitions: list[fakes.CloudEvent]) -> None:
    known = Definitions(Catalogue.load())
    (event,) = [e for e in definitions if e["id"] == "plan-gia-lai-2026-v1"]
    data = event["data"]
    second = event | {
        "id": "plan-gia-lai-2026-v2",
        "data": data | {"version": 2, "document": data["document"] | {"version": 2}},
    }
    rows = fakes.records([event, second])
    for row in rows:
        known.apply(row)
    found = known.plan("gia-lai-2026", fakes.TODAY)
    assert found is not None
    assert found.version == 2
    known.apply(amend(rows[1], 3, None))
    found = known.plan("gia-lai-2026", fakes.TODAY)
    assert found is not None
    assert found.version == 1


async def test_a_new_definition_is_seen_within_seconds(registry: Running) -> None:
    event = {
        "id": "late", "source": "https://congan.example", "type": "vn.hocvuso.population.declared",
        "subject": "24154@2025", "time": "2026-01-01T00:00:00+07:00", "data": declared(777),
    }  # fmt: skip
    end = registry.activities.rows[-1].position
    registry.activities.rows += fakes.records([event], start=end)
    for _ in range(150):
        unit = (await registry.client.get("/v1/units/24154")).json()
        if any(p["number"] == 777 for p in unit["populations"]):
            break
        await asyncio.sleep(0.1)
    assert {p["population"] for p in unit["populations"]} == {"adults", "residents"}
    stored = await registry.database.fetchval("SELECT count(*) FROM registry.definition")
    assert stored == end + 1
