"""What the front door answers is counted: by partner, way in, type and outcome; nothing else."""

from typing import Any

import pytest

from shared.instruments import EVENTS, HTTP_DURATION, REFUSALS
from tests.activities.conftest import Door, clock, door, intake
from tests.activities.fake import event
from tests.activities.posting import send

__all__ = ["clock", "door", "intake"]  # fixtures


@pytest.fixture(autouse=True)
def _from_zero() -> None:
    for instrument in (EVENTS, REFUSALS, HTTP_DURATION):
        instrument.cells.clear()


async def test_single_events_and_batches(door: Door) -> None:
    person: Any = {"scheme": "account", "value": "a"}
    good = event(data={"person": person, "target_groups": ["adult"], "platform": "vneid"})
    other = {**good, "id": "another"}
    await send(door.client, "hv_police_secret", good)
    await send(door.client, "hv_police_secret", [good, other, {"specversion": "1.0"}])
    await send(door.client, "hv_police_secret", {"specversion": "1.0"})
    await send(door.client, "hv_commune_secret", good)  # may not post this type
    await send(door.client, "hv_police_secret", [{**good, "id": "dry"}], dry_run="true")
    kind = "citizen.certified"
    assert EVENTS.cells == {
        ("accepted", "rest", "police", kind): 2,
        ("duplicate", "rest", "police", kind): 1,
        ("rejected", "rest", "police", "unknown"): 2,
        ("rejected", "rest", "commune", "unknown"): 1,
    }
    assert sum(REFUSALS.cells.values()) == 3
    assert REFUSALS.cells["type-not-permitted",] == 1


async def test_requests_are_measured_by_route(door: Door) -> None:
    await send(door.client, "hv_police_secret", {"specversion": "1.0"})
    await door.client.get("/v1/schemas/citizen.certified/1")
    await door.client.get("/health/live")
    await door.client.get("/nowhere/066204012345")
    routes = {(values[2], values[3]) for values in HTTP_DURATION.cells}
    assert ("/v1/events", 422) in routes or ("/v1/events", 400) in routes
    assert ("/v1/schemas/{type_name}/{version}", 200) in routes
    assert (None, 404) in routes, "an unknown address has no route, so no label of its own"
    assert not any(route and "health" in str(route) for route, _ in routes)
