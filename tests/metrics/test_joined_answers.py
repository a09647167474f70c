"""What a merger joins, in every answer: tables of now and of any day, course, evidence, receipts."""

import random
from collections.abc import AsyncIterator
from datetime import date, datetime, time, timedelta
from typing import Any

import asyncpg
import pytest

from services.metrics import rebuild
from services.metrics.explaining.differences import Differences
from services.metrics.explaining.evidence import EvidencePages
from services.metrics.explaining.explain import Explainer
from services.metrics.explaining.series import SeriesMaker
from services.metrics.tables.refresh import Refresher
from shared.clock import VIETNAM, FixedClock
from shared.contracts.definitions import Catalogue
from tests.metrics.joined import AFTER, BEFORE, NEW, OBJECTIVES, World
from tests.metrics.province import ROOT, A, B, C, follow, moments

PEOPLE = [f"cccd:06609900000{n}" for n in range(3)]
LAST = AFTER + timedelta(days=9)


def happen(world: World, dice: random.Random) -> None:
    """Posts, models, helpers and material of old communes and of the new one."""
    for _ in range(60):
        day = dice.choice([BEFORE, BEFORE + timedelta(days=9), AFTER, AFTER + timedelta(days=3)])
        unit = dice.choice([A, B, C] if day < AFTER else [NEW, C])
        kind, data = dice.choice(
            [
                ("post.published", _page(dice.randrange(4))),
                ("model.recognised", {"model_ref": f"m{dice.randrange(2)}", "kind": "gia_dinh_so"}),
                ("staff.assigned", {"person_ref": dice.choice(PEOPLE), "role": "other"}),
                ("material.published", {"channel": dice.choice(["portal", "zalo"])}),
            ]
        )
        if kind == "staff.assigned" and dice.random() < 0.4:
            data |= {"to": (day + timedelta(days=dice.randrange(40))).isoformat()}
        world.post(kind, unit, data, day)


def _page(number: int) -> dict[str, Any]:
    return {"kind": "news", "channel": "fanpage", "url": f"https://a.example/{number}"}


def naive(world: World, name: str, on: date) -> dict[str, int]:
    """Things of each commune of the day, counted from the rows one by one."""
    kinds = {
        "posts": "post.published", "models": "model.recognised", "staff": "staff.assigned",
        "both": "material.published",
    }  # fmt: skip
    found: dict[str, dict[Any, set[Any]]] = {}
    for row in world.log.rows:
        if row.short_type != kinds[name] or row.occurred > on:
            continue
        if row.data.get("to") and row.data["to"] < on.isoformat():
            continue
        unit = NEW if on >= date(2026, 6, 1) and row.unitid in (A, B) else row.unitid
        data = row.data
        thing = data.get("url") or data.get("model_ref") or data.get("person_ref") or "it"
        found.setdefault(unit, {}).setdefault(thing, set()).add(data.get("channel"))
    if name == "both":
        return {u: 1 for u, of in found.items() if of["it"] == {"portal", "zalo"}}
    return {unit: len(of) for unit, of in found.items()}


@pytest.fixture(params=range(2))
async def told(
    request: pytest.FixtureRequest, pool: asyncpg.Pool, catalogue: Catalogue
) -> AsyncIterator[tuple[World, asyncpg.Pool]]:
    world = World(catalogue)
    happen(world, random.Random(request.param))
    await follow(pool, catalogue, world.log)
    yield world, pool


async def test_every_answer_says_the_same(
    told: tuple[World, asyncpg.Pool], catalogue: Catalogue
) -> None:
    world, pool = told
    all_moments = moments(pool, catalogue, LAST)
    joined = 0
    for name in ("posts", "models", "staff", "both"):
        for on in (BEFORE, BEFORE + timedelta(days=20), AFTER, LAST):
            expected = naive(world, name, on)
            units = [A, B, C] if on < AFTER else [NEW, C]
            async with all_moments.snapshot() as connection:
                moment = await all_moments.at(connection, "p", on, None)
                cells = await moment.cells(connection, [moment.objective(name)], units)
            assert {c.unit_id: c.value for c in cells} == {u: expected.get(u, 0) for u in units}
            for cell in cells:
                await _proven(all_moments, world, name, cell.unit_id, on, cell.value)
        joined += sum(naive(world, name, LAST).values())
        changes = await Differences(all_moments, lambda: world.log).ask(  # type: ignore[arg-type,return-value]
            plan="p", objective=name, unit=ROOT, before=(BEFORE, None), after=(LAST, None),
            tree="as_of", part="value", cursor=None, limit=500,
        )  # fmt: skip
        assert changes.unexplained == 0, changes
    assert joined > 6
    course = await SeriesMaker(all_moments).ask(
        plan="p", unit=ROOT, objectives=["posts", "both"], level="commune", start=BEFORE, end=LAST,
        every="week", known_at=None, tree="as_of",
    )  # fmt: skip
    for point in course.points:
        for cell in point.cells:
            if cell.unit_id != ROOT:
                expected = naive(world, cell.objective, point.as_of)
                assert cell.value == expected.get(cell.unit_id, 0), (point.as_of, cell)


async def _proven(
    all_moments: Any, world: World, name: str, unit: str, on: date, value: int | None
) -> None:
    pages, weight, cursor = EvidencePages(all_moments, lambda: world.log), 0, None  # type: ignore[arg-type,return-value]
    while True:
        page = await pages.ask(
            plan="p", objective=name, unit=unit, as_of=on, known_at=None, tree="as_of", part="value",
            cursor=cursor, limit=2,
        )  # fmt: skip
        assert len(page.events) <= 2
        weight += sum(event.weight for event in page.events)
        cursor = page.next
        if cursor is None:
            break
    assert (weight, page.counted) == (value, value), (name, unit, on)


async def test_the_tables_of_now_and_a_rebuild(
    told: tuple[World, asyncpg.Pool], catalogue: Catalogue
) -> None:
    world, pool = told
    refresher = Refresher(pool, catalogue, FixedClock(datetime.combine(LAST, time(9), VIETNAM)))
    ask = "SELECT objective, unit_id, value FROM indicators.cells WHERE unit_id = ANY($1)"

    async def shown() -> dict[tuple[str, str], int]:
        await refresher.refresh()
        return {(r["objective"], r["unit_id"]): r["value"] for r in await pool.fetch(ask, [NEW, C])}

    def expected() -> dict[tuple[str, str], int]:
        return {
            (name, unit): naive(world, name, LAST).get(unit, 0)
            for name in OBJECTIVES
            if name != "teams"
            for unit in (NEW, C)
        }

    def without_teams(found: dict[tuple[str, str], int]) -> dict[tuple[str, str], int]:
        return {key: value for key, value in found.items() if key[0] != "teams"}

    assert without_teams(await shown()) == expected()
    # What adds nothing to any tally still matters: a portal of A, a social channel of B.
    for unit, channel in ((A, "portal"), (B, "zalo"), (C, "portal"), (C, "zalo")):
        world.post("material.published", unit, {"channel": channel})
        world.post("post.published", unit, _page(7))
        await follow(pool, catalogue, world.log)
        assert without_teams(await shown()) == expected(), (unit, channel)
    report = await rebuild.rebuild(pool, world.log, catalogue)  # type: ignore[arg-type]
    assert (report.differences, report.evidence_differences) == ([], 0)
    assert without_teams(await shown()) == expected()


async def test_the_second_of_two_is_said_to_be_decided_by_the_first(
    pool: asyncpg.Pool, catalogue: Catalogue
) -> None:
    world = World(catalogue)
    world.post("post.published", A, _page(1))
    first = world.log.rows[-1].position
    world.post("post.published", B, _page(1), BEFORE + timedelta(days=1))
    second = world.log.rows[-1].position
    await follow(pool, catalogue, world.log)
    all_moments = moments(pool, catalogue, LAST)
    explainer = Explainer(pool, all_moments._definitions, world.log, all_moments._clock)  # type: ignore[arg-type]
    _, (one, other) = await explainer.explain([first, second])
    assert one.state == "counted"
    served = {entry.objective: entry for entry in other.objectives}
    assert (served["posts"].counts, served["posts"].decided_by) == (False, [first])
