"""A small province with hamlets and a plan that counts in every way; random histories in it."""

import random
from datetime import date, datetime, time, timedelta
from typing import Any

from services.metrics.evaluating.moments import Moments
from services.metrics.projecting import spans
from services.metrics.projecting.projection import MetricsProjection
from shared.clock import VIETNAM, FixedClock
from shared.contracts.definitions import Catalogue
from shared.contracts.record import LANES
from shared.domain.history import DefinitionHistory
from shared.domain.plan_files.document import why_plan_refused
from shared.lane_consumer import LaneConsumer
from tests.metrics.histories import BASE, DAYS, TYPES, Op, play
from tests.metrics.memory_log import MemoryLog
from tests.metrics.naive import Told
from tests.plans.whole import whole

Json = dict[str, Any]
ROOT, A, B, C = "P@2025", "A@2025", "B@2025", "C@2025"
HAMLETS = ["A-001@2025", "A-002@2025"]
FIRST = BASE - timedelta(days=30)


def of(*types: str, **wanted: Any) -> Json:
    return {"types": list(types)} | ({"filter": wanted} if wanted else {})


def objective(name: str, measure: Json, **more: Any) -> Json:
    target = {"value": 1, "unit": "count", "comparator": ">="}
    if "over" in measure:
        target = {"value": 50, "unit": "percent", "comparator": ">="}
    common = {"id": name, "text_vi": name, "target": target}
    common |= {"counts_from": "ever", "measure": measure}
    return common | {"last_day": (BASE + timedelta(days=9)).isoformat()} | more


PER_COMMUNE = {
    "within_unit": {"per": "commune", "threshold": 1, "comparator": ">="},
    "over": {"units": "commune"},
}
OF_UNITS = {"value": 50, "unit": "percent_of_units", "of": "commune", "comparator": ">="}

OBJECTIVES = [
    objective("events", {"count": "events", "of": [of("class.held", "committee.established")]}),
    objective(
        "persons",
        {
            "count": "distinct_persons",
            "of": [of("citizen.certified", "training.attended", target_group="adult")],
            "over": {"population": "adults"},
        },
    ),
    objective(
        "both",
        {
            "count": "distinct_persons",
            "match": "all",
            "of": [of("training.attended"), of("skill.confirmed", target_group="adult")],
        },
        counts_from="period",
    ),
    objective(
        "weekly",
        {"count": "distinct_persons", "bucket": "week", "of": [of("training.attended")]},
        last_day=None,
    ),
    objective(
        "posts",
        {
            "count": "distinct_things",
            "key": "page",
            "bucket": "month",
            "of": [of("post.published")],
            **PER_COMMUNE,
        },
        target=OF_UNITS,
        last_day=None,
    ),
    objective(
        "staff",
        {"count": "distinct_persons", "of": [of("staff.assigned")], **PER_COMMUNE},
        target=OF_UNITS,
        counts_from="state",
    ),
    objective(
        "mentors",
        {
            "count": "distinct_things",
            "key": "mentor",
            "of": [of("mentor.assigned")],
            "inside": {"distinct": "mentee_ref", "threshold": 2},
        },
        counts_from="state",
    ),
    objective("pupils", {"count": "sum", "of": [of("programme.completed")]}),
    objective("seats", {"count": "sum", "of": [of("class.held", target_group="adult")]}),
    objective(
        "ratio",
        {
            "count": "events",
            "of": [of("class.held", target_group="adult")],
            "over": {"measure": {"count": "events", "of": [of("class.held")]}},
        },
    ),
]


def document(objectives: list[Json] | None = None, **more: Any) -> Json:
    """The plan; its period begins within the days of the histories."""
    period = {"start": (BASE + timedelta(days=3)).isoformat(), "end": "2026-12-31"}
    chosen = OBJECTIVES if objectives is None else objectives
    plan = {
        "id": "p",
        "unit": ROOT,
        "version": 1,
        "period": period,
        "objectives": [{"period": period, **o} for o in chosen],
        "organisations": [],
        "tasks": [],
        "reporting": [],
        **more,
    }
    return whole(plan)


def define(log: MemoryLog, plan: Json | None = None, day: date = FIRST) -> None:
    """Units, a plan and a population."""
    kinds = {ROOT: ("province", None), **dict.fromkeys((A, B, C), ("ward", ROOT))}
    kinds |= dict.fromkeys(HAMLETS, ("hamlet", A))
    for unit, (kind, parent) in kinds.items():
        data = {
            "unit_id": unit,
            "code": unit.partition("@")[0],
            "era": "2025",
            "name_vi": unit,
            "kind": kind,
            "from": "2025-07-01",
        }
        log.post("unit.established", unit, day, day, data | ({"parent": parent} if parent else {}))
    publish(log, plan or document(), day)
    declare(log, ROOT, "adults", 4, day)


def publish(log: MemoryLog, plan: Json, day: date) -> None:
    refused = why_plan_refused(plan["id"], plan, Catalogue.load())
    assert refused is None, refused
    data = {"plan": plan["id"], "version": plan["version"], "document": plan}
    log.post("plan.published", plan["unit"], day, day, data)


def declare(log: MemoryLog, unit: str, population: str, number: int, day: date) -> None:
    data = {"population": population, "number": number, "as_of": day.isoformat(), "authority": "x"}
    log.post("population.declared", unit, day, day, data)


def random_history(
    catalogue: Catalogue, seed: int, length: int, plan: Json | None = None
) -> tuple[MemoryLog, list[Told]]:
    """The definitions, then a random history in the province's units."""
    dice = random.Random(seed)
    ops = [
        Op(
            what=dice.choice(["post", "post", "post", "correct", "revoke"]),
            type=dice.choice(TYPES),
            who=dice.randrange(2),
            unit=dice.randrange(5),
            day=dice.randrange(DAYS),
            length=dice.choice([None, None, -1, 0, 2, 4]),
            number=dice.randrange(4),
            target=dice.randrange(100),
            pause=dice.choice([0, 0, 0, 1]),
        )
        for _ in range(length)
    ]
    log = MemoryLog(catalogue)
    define(log, plan)
    return play(ops, catalogue, log)


async def follow(pool: Any, catalogue: Catalogue, log: MemoryLog) -> None:
    """Count everything that the log has, and sum up the days gone by."""
    projection = MetricsProjection(pool, "w", catalogue)
    await projection.begin(frozenset(range(LANES)))
    consumer = LaneConsumer(projection, log, "unused:1", "w")  # type: ignore[arg-type]
    await consumer.catch_up(list(range(LANES)))
    async with pool.acquire() as connection:
        while await spans.sum_up(connection):
            pass


def moments(pool: Any, catalogue: Catalogue, today: date) -> Moments:
    clock = FixedClock(datetime.combine(today, time(9), VIETNAM))
    return Moments(pool, DefinitionHistory(catalogue), clock)
