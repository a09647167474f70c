"""What is said to count is what counts: explanations against the naive truth of random histories.

For each measure the events said to count must, alone, give the naive numbers of all of them; and
no event whose removal changes a number may be said not to count.
"""

import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from services.metrics.app import create_app
from services.metrics.explaining.explain import Explainer
from services.metrics.explaining.reasons import REASONS
from services.metrics.projecting.projection import MetricsProjection
from services.metrics.settings import MetricsSettings
from shared.clock import VIETNAM, FixedClock
from shared.contracts.definitions import Catalogue
from shared.contracts.record import LANES, Content
from shared.domain.compile import compile_plan
from shared.lane_consumer import LaneConsumer
from tests.metrics import credentials
from tests.metrics.histories import BASE, DAYS, last_days, play
from tests.metrics.memory_log import MemoryLog
from tests.metrics.naive import Told, Values, values
from tests.metrics.worlds import history
from tests.plans.whole import whole

Json = dict[str, Any]
HERE = ["A@2025", "B@2025"]
"""The communes of province P, whose plan is asked; C belongs to Q."""

CLOCK = FixedClock(datetime(2026, 3, 20, 9, tzinfo=VIETNAM))


def objective(name: str, measure: Json, **more: Any) -> Json:
    target = {"value": 1, "unit": "count", "comparator": ">="}
    common = {"id": name, "text_vi": name, "target": target}
    return common | {"counts_from": "ever", "measure": measure} | more


def of(*types: str, **filter: Any) -> Json:
    return {"types": list(types)} | ({"filter": filter} if filter else {})


def plan(name: str, unit: str, objectives: list[Json]) -> Json:
    period = {"start": (BASE + timedelta(days=5)).isoformat(), "end": "2026-12-31"}
    return whole(
        {"id": name, "unit": unit, "version": 1, "period": period, "objectives": objectives}
    )


PLAN = plan(
    "p",
    "P@2025",
    [
        objective("events", {"count": "events", "of": [of("class.held", "committee.established")]}),
        objective(
            "persons",
            {"count": "distinct_persons", "of": [of("training.attended", target_group="adult")]},
        ),
        objective(
            "certified", {"count": "distinct_persons", "of": [of("citizen.certified")]},
            counts_from="period",
        ),
        objective(
            "both",
            {
                "count": "distinct_persons",
                "match": "all",
                "of": [of("training.attended"), of("skill.confirmed", target_group="adult")],
            },
        ),
        objective(
            "weekly",
            {"count": "distinct_persons", "bucket": "week", "of": [of("training.attended")]},
        ),
        objective(
            "sessions",
            {
                "count": "distinct_things",
                "key": "unit",
                "of": [of("guidance_session.held")],
                "inside": {"distinct": "topics", "threshold": 2},
            },
        ),
        objective(
            "mentors",
            {
                "count": "distinct_things",
                "key": "mentor",
                "of": [of("mentor.assigned")],
                "inside": {"distinct": "mentee_ref", "threshold": 2},
            },
        ),
        objective("pupils", {"count": "sum", "of": [of("programme.completed")]}),
        objective("seats", {"count": "sum", "of": [of("class.held", target_group="adult")]}),
    ],
)  # fmt: skip
OTHERS = plan(
    "q",
    "Q@2025",
    [
        objective(
            "posts", {"count": "distinct_things", "key": "page", "of": [of("post.published")]}
        ),
        objective("staff", {"count": "distinct_persons", "of": [of("staff.assigned")]}),
    ],
)


def define(log: MemoryLog, *plans: Json) -> None:
    day = BASE - timedelta(days=30)
    units = [
        ("P@2025", None),
        ("Q@2025", None),
        *((u, "P@2025") for u in HERE),
        ("C@2025", "Q@2025"),
    ]
    for unit, parent in units:
        data = {
            "unit_id": unit,
            "code": unit.partition("@")[0],
            "era": "2025",
            "name_vi": unit,
            "kind": "ward" if parent else "province",
            "from": "2025-07-01",
        }
        log.post("unit.established", unit, day, day, data | ({"parent": parent} if parent else {}))
    for document in plans:
        log.post(
            "plan.published",
            document["unit"],
            day,
            day,
            {"plan": document["id"], "version": 1, "document": document},
        )


class Asked:
    """A metrics service that has counted a log."""

    def __init__(self, client: httpx.AsyncClient, log: MemoryLog) -> None:
        self.client, self.log = client, log

    async def page(self, positions: list[int]) -> list[Json]:
        answer = await self.client.post("/v1/explanations", json={"positions": positions})
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert body["watermark"] == len(self.log.rows)
        assert [r["position"] for r in body["results"]] == positions
        return list(body["results"])

    async def one(self, position: int) -> Json:
        (found,) = await self.page([position])
        return found


@pytest.fixture
async def ask(  # type: ignore[misc]
    pool: asyncpg.Pool, database: str, catalogue: Catalogue
) -> AsyncIterator[Any]:
    """Counts a log, then answers questions about it."""
    app = create_app(
        MetricsSettings(metrics_database_url=database), CLOCK, activities=credentials.transport()
    )

    async def count(log: MemoryLog) -> Asked:
        projection = MetricsProjection(pool, "w", catalogue)
        await projection.begin(frozenset(range(LANES)))
        consumer = LaneConsumer(projection, log, "unused:1", "test")  # type: ignore[arg-type]
        await consumer.catch_up(list(range(LANES)))
        app.state.explainer = Explainer(pool, app.state.definitions, log, CLOCK)  # type: ignore[arg-type]
        return Asked(client, log)

    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://metrics", headers=credentials.SERVICE
        ) as client:
            yield count


def truth(measure: Any, told: list[Told], days: list[date], known_at: date) -> list[Values]:
    return [values(measure, told, day, known_at) for day in days]


@pytest.mark.parametrize("seed", range(10))
async def test_what_counts_is_what_the_naive_truth_needs(
    ask: Any, catalogue: Catalogue, seed: int
) -> None:
    # Within one province: who moves between plans is decided by the events of both.
    ops = [replace(op, unit=op.unit % 2) for op in history(random.Random(seed), 70)]
    log, told = play(ops, catalogue)
    define(log, PLAN, OTHERS)
    asked = await ask(log)
    explained = {r["position"]: r for r in await asked.page([t.origin for t in told])}
    days, known = last_days(ops)
    said_any = False
    for found in compile_plan(PLAN, catalogue):
        measure = found.measure
        assert measure is not None, found.reason
        said = {
            position
            for position, r in explained.items()
            for o in r["objectives"]
            if (o["plan"], o["objective"]) == ("p", found.id) and o["counts"]
        }
        said_any = said_any or bool(said)
        whole = truth(measure, told, days, known[-1])
        assert truth(measure, [t for t in told if t.origin in said], days, known[-1]) == whole
        for event in told:
            without = [t for t in told if t is not event]
            if truth(measure, without, days, known[-1]) != whole:
                assert event.origin in said, (found.id, event)
    assert said_any
    for r in explained.values():
        counts = any(o["counts"] for o in r["objectives"])
        assert (r["state"] == "counted") == counts
        assert (r["state"] == "counted_by_another_event") == (bool(r["objectives"]) and not counts)
        assert (r["code"] is None) == counts
        assert r["code"] is None or r["code"] in REASONS


async def test_reasons(ask: Any, catalogue: Catalogue, pool: asyncpg.Pool) -> None:
    log = MemoryLog(catalogue)
    define(log, PLAN, OTHERS)
    day, early = BASE + timedelta(days=8), BASE
    adult = {"person_ref": "cccd:1", "target_groups": ["adult"]}
    pupil = {"person_ref": "cccd:2", "target_groups": ["pupil"]}
    certified = log.post("citizen.certified", "A@2025", day, day, adult)
    again = log.post("citizen.certified", "B@2025", day, day, adult)
    late = log.post("citizen.certified", "A@2025", early, day, pupil)
    nobody = log.post("feedback.received", "A@2025", day, day, {})
    elsewhere = log.post("staff.assigned", "A@2025", day, day, {"person_ref": "x", "role": "other"})
    other_place = log.post(
        "citizen.certified",
        "C@2025",
        day,
        day,
        {"person_ref": "cccd:3", "target_groups": ["adult"]},
    )
    silent = log.post("guidance_session.held", "A@2025", day, day, {"kind": "guidance"})
    filtered = log.post("skill.confirmed", "A@2025", day, day, pupil)
    revoked = log.post(
        "citizen.certified",
        "A@2025",
        day,
        day,
        {"person_ref": "cccd:4", "target_groups": ["adult"]},
    )
    log.revise(revoked, day, None)
    corrected = log.post(
        "skill.confirmed", "B@2025", day, day, {"person_ref": "cccd:5", "target_groups": ["adult"]}
    )
    as_corrected = Content(
        type="skill.confirmed", unitid="B@2025", occurred=day, time=f"{day}T08:00:00+07:00",
        data={"person_ref": "cccd:5", "target_groups": ["pupil"]},
    )  # fmt: skip
    log.revise(corrected, day, as_corrected)
    asked = await ask(log)
    expected = {
        certified: ("counted", None),
        again: ("counted_by_another_event", "decided_by_another_event"),
        late: ("not_counted", "outside_period"),
        nobody: ("not_counted", "no_objective_for_type"),
        elsewhere: ("not_counted", "other_units_plan"),
        other_place: ("not_counted", "other_units_plan"),
        silent: ("not_counted", "no_subject"),
        filtered: ("not_counted", "no_filter_matches"),
        revoked: ("not_counted", "revoked"),
        revoked + 1: ("not_counted", "revoked"),
        corrected: ("not_counted", "superseded"),
        1: ("definition", "definition"),
        len(log.rows) + 1: ("not_yet", "not_yet"),
    }
    found = await asked.page(list(expected))
    assert {r["position"]: (r["state"], r["code"]) for r in found} == expected
    assert f"{BASE + timedelta(days=5)}" in found[2]["reason"]
    for r in found[:-1]:
        one = (await asked.client.get(f"/v1/events/{r['position']}")).json()
        assert (one["state"], one.get("code")) == (r["state"], r["code"])
    assert (await asked.client.get(f"/v1/events/{again}")).json()["objectives"][0][
        "decided_by"
    ] == [certified]
    missing = await asked.client.get(f"/v1/events/{len(log.rows) + 1}")
    assert (missing.status_code, missing.json()["code"]) == (404, "not-counted-yet")
    secret = "a problem that quotes 066099001234"
    await pool.execute(
        "INSERT INTO parked (position, lane, subject, unit_id, type, problem, record)"
        " VALUES ($1, 1, '\\x00', 'A@2025', 'citizen.certified', $2, '{}')", late, secret,
    )  # fmt: skip
    await pool.execute(
        "INSERT INTO dismissed (position, reason, record) VALUES ($1, 'no', '{}')", nobody
    )
    waiting = await asked.page([late, nobody])
    assert [(r["state"], r["code"]) for r in waiting] == [
        ("parked", "parked"),
        ("dismissed", "dismissed"),
    ]
    assert secret not in str(waiting)


async def test_of_events_alike_exactly_one_counts(ask: Any, catalogue: Catalogue) -> None:
    """Same person, same unit, same day: leaving either out would change nothing."""
    log = MemoryLog(catalogue)
    define(log, PLAN)
    day = BASE + timedelta(days=8)
    adult = {"person_ref": "cccd:1", "target_groups": ["adult"]}
    first, *others = [log.post("citizen.certified", "A@2025", day, day, adult) for _ in range(3)]
    asked = await ask(log)
    assert [r["state"] for r in await asked.page([first, *others])] == [
        "counted",
        "counted_by_another_event",
        "counted_by_another_event",
    ]


async def test_a_measure_that_is_built_is_not_yet(
    ask: Any, catalogue: Catalogue, pool: asyncpg.Pool
) -> None:
    """A plan's newest measure is not live: nobody is told that no filter matches."""
    log = MemoryLog(catalogue)
    define(log, PLAN)
    day = BASE + timedelta(days=8)
    held = log.post("festival.held", "A@2025", day, day, {})
    asked = await ask(log)
    assert (await asked.one(held))["code"] == "no_objective_for_type"
    more = whole(
        PLAN
        | {
            "version": 2,
            "objectives": [objective("festival", {"count": "events", "of": [of("festival.held")]})],
        }
    )
    log.post("plan.published", "P@2025", day, day, {"plan": "p", "version": 2, "document": more})
    asked = await ask(log)
    assert (await asked.one(held))["state"] == "not_yet"
    assert (await asked.one(held))["code"] == "building"


@pytest.mark.parametrize(
    "body", [b"[]", b"{}", b'{"positions": ["1"]}', b'{"positions": [0]}', b'{"positions": [1.5]}',
             b'{"positions": [' + b"1," * 1_000 + b"1]}"],
)  # fmt: skip
async def test_malformed_questions(ask: Any, catalogue: Catalogue, body: bytes) -> None:
    asked = await ask(MemoryLog(catalogue))
    answer = await asked.client.post("/v1/explanations", content=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "positions-malformed")
    assert await asked.page([]) == []


async def test_a_question_without_a_body(ask: Any, catalogue: Catalogue) -> None:
    asked = await ask(MemoryLog(catalogue))
    answer = await asked.client.post("/v1/explanations", content=b"")
    assert (answer.status_code, answer.json()["code"]) == (400, "body-empty")


assert DAYS > 8  # the days used above lie within the histories' days
