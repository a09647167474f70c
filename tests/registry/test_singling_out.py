"""Everything that somebody without a key can get, put together: does it tell of one person?

Two kinds of proof. Two worlds whose true counts round alike must look the same, byte for byte, in
every answer, format and header of every week. And an attacker who knows the scheme and adds up all
published numbers (parents and children, groups within groups, weeks, plans over the same commune)
must not narrow any count below the five that rounding leaves; the same attacker breaks tables that
are rounded cell by cell, so it is no straw man.
"""

import io
import random
from collections.abc import AsyncIterator, Iterator
from datetime import date
from typing import Any

import httpx
import msgspec
import pytest
from openpyxl import load_workbook

from services.registry.tables.build import Place
from services.registry.tables.model import Cell
from services.registry.tables.public import counts_people, down, rounded
from tests.registry import fakes
from tests.registry.conftest import Running
from tests.registry.disclosing import PLAN, disclosure

SUNDAYS = ("2026-11-01", "2026-11-08", "2026-11-15")
OPEN = [
    "/", f"/plans/{PLAN}", f"/plans/{PLAN}?level=province", "/v1/plans", f"/v1/plans/{PLAN}",
    f"/v1/plans/{PLAN}/objectives", "/v1/units?parent=52", "/v1/units/52/children",
    "/v1/units/23563/history",
]  # fmt: skip


class World:
    """True counts: some number of people per commune, objective and week, and what lies between
    two multiples of 5 (`extra`), which nobody must learn."""

    def __init__(self, registry: Running, seed: int) -> None:
        self.registry = registry
        self.extra = random.Random(seed)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        state = self.registry.app.state.registry
        on = request.url.params["as_of"]
        assert request.url.params["known_at"] == on, "only what was known then"
        units = [u.unit_id for u in state.tree.children("52@2025", date.fromisoformat(on))]
        cells = []
        for objective in state.plan(PLAN).document["objectives"]:
            steady = random.Random(f"{objective['id']} {on}")
            people = counts_people(objective)
            total = 0
            for unit_id in units:
                more = self.extra.randrange(5) if people else 0
                value = steady.randrange(80) * 5 + more
                total += value
                cells.append(self._cell(unit_id, objective["id"], value, more, people))
            more = self.extra.randrange(5) if people else 0
            cells.append(self._cell("52@2025", objective["id"], total, more, people))
        position = 900 + (self.extra.randrange(50))
        return httpx.Response(200, json={"position": position, "cells": cells})

    def _cell(self, unit_id: str, name: str, value: int, more: int, people: bool) -> dict[str, Any]:
        return {
            "unit_id": unit_id, "objective": name, "value": value, "denominator": 400 + more,
            "ratio": value / (400 + more), "met": people and more > 2, "met_on_time": more > 3,
            "status": "behind" if more else "on_track" if people else "behind",
            "basis": "persons", "required_per_week": more, "flags": ["own_report"] if more else [],
            "target": 90.0, "target_unit": "percent", "not_attributable": more,
            "beside": [{"id": "x", "basis": "reported", "value": value}] if people else [],
        }  # fmt: skip


@pytest.fixture(scope="module")
async def disclosed(registry: Running) -> AsyncIterator[Running]:
    await registry.happen(disclosure("out-1", True))
    state = registry.app.state.registry
    state.settings.registry_open = False
    yield registry
    state.settings.registry_open = True
    await registry.happen(disclosure("out-2", False))
    registry.metrics["answer"] = fakes.no_metrics


def open_addresses() -> Iterator[str]:
    yield from OPEN
    for on in SUNDAYS:
        yield f"/plans/{PLAN}?as_of={on}"
        for level in ("province", "commune"):
            for format in ("json", "csv", "xlsx"):
                yield f"/v1/plans/{PLAN}/table?as_of={on}&level={level}&format={format}"


async def look(registry: Running, world: World) -> dict[str, Any]:
    """All open answers with their headers, as somebody sees who saw none before."""
    registry.metrics["answer"] = world
    state = registry.app.state.registry
    for kept in (state.public, state.encoded, state.tables):
        kept.clear()
    seen: dict[str, Any] = {}
    for address in open_addresses():
        answer = await registry.client.get(address)
        assert answer.status_code == 200, (address, answer.text[:300])
        body: Any = answer.content
        if "xlsx" in address:  # says in a corner when it was made
            sheet = load_workbook(io.BytesIO(answer.content)).active
            body = list(sheet.iter_rows(values_only=True))
        seen[address] = (dict(answer.headers), body)
    return seen


async def test_worlds_that_round_alike_look_the_same(disclosed: Running) -> None:
    first = await look(disclosed, World(disclosed, 1))
    for seed in (2, 3):
        other = await look(disclosed, World(disclosed, seed))
        different = [a for a in first if first[a] != other[a] and "xlsx" not in a]
        different += [a for a in first if "xlsx" in a and first[a][1] != other[a][1]]
        assert different == []


async def test_a_world_that_rounds_otherwise_looks_otherwise(disclosed: Running) -> None:
    """The comparison above can fail: five people more are seen."""
    world = World(disclosed, 1)
    first = await look(disclosed, world)
    randrange = random.Random.randrange
    world.extra = random.Random(1)
    world.extra.randrange = lambda n: randrange(world.extra, n) + 5  # type: ignore[method-assign,assignment]
    other = await look(disclosed, world)
    address = f"/v1/plans/{PLAN}/table?as_of={SUNDAYS[0]}&level=commune&format=json"
    assert first[address] != other[address]


async def test_nothing_open_counts_the_events_of_the_log(disclosed: Running) -> None:
    """A position between two definitions is an exact count: with one event in between, and one
    commune that goes from 0 to 5 in that week, five would be five."""
    seen = await look(disclosed, World(disclosed, 1))

    def names(value: Any) -> Iterator[str]:
        for name, held in value.items() if isinstance(value, dict) else ():
            yield name
            yield from names(held)
        for held in value if isinstance(value, list) else ():
            yield from names(held)

    for address, (headers, body) in seen.items():
        assert "x-position" not in headers
        if headers["content-type"] == "application/json":
            found = msgspec.json.decode(body)
            if "table" in address:
                assert (found.pop("position"), found.pop("reported")) == (0, 0)
            assert not {"position", "origin", "last_position"} & set(names(found)), address
    before = seen
    for n in range(3):
        disclosed.activities.append(
            {
                "id": f"between-{n}", "source": "https://mooc.example",
                "type": "vn.hocvuso.course.completed", "subject": "23563@2025",
                "time": "2026-11-10T09:00:00+07:00", "data": {},
            }
        )  # fmt: skip
    await disclosed.happen(disclosure("out-3", True))
    after = await look(disclosed, World(disclosed, 1))
    assert [a for a in after if "xlsx" not in a and after[a] != before[a]] == []


# -- the attacker ------------------------------------------------------------------------------

Bounds = dict[Any, list[int]]
Sum = tuple[list[Any], list[int]]


def narrow(bounds: Bounds, sums: list[Sum], orders: list[tuple[Any, Any]]) -> Bounds:
    """What follows for every count from `sum of parts lies in [low, high]` and `a <= b`."""
    found = {name: list(bound) for name, bound in bounds.items()}
    changed = True
    while changed:
        before = {name: tuple(bound) for name, bound in found.items()}
        for parts, (low, high) in sums:
            least = sum(found[p][0] for p in parts)
            most = sum(found[p][1] for p in parts)
            for p in parts:
                own_low, own_high = found[p]
                found[p][0] = max(own_low, low - (most - own_high))
                found[p][1] = min(own_high, high - (least - own_low))
        for small, large in orders:
            found[small][1] = min(found[small][1], found[large][1])
            found[large][0] = max(found[large][0], found[small][0])
        changed = any(tuple(found[name]) != before[name] for name in found)
    return found


def cell(value: int) -> Cell:
    return Cell(
        value, None, None, None, None, "behind", "persons", None, [], target=100.0,
        target_unit="count",
    )  # fmt: skip


GROUPS = ("adults", "elderly", "officials")
OBJECTIVES = [{"id": name, "measure": {"count": "distinct_persons", "of": []}} for name in GROUPS]


def published(truth: dict[tuple[int, str], int], communes: int) -> dict[tuple[Any, str], int]:
    """What the open table of a week says: (commune or "all", group) -> number."""
    ids = [f"c{n}" for n in range(communes)]
    place = Place(None, None, "commune", date.min, "", [(i, i, i) for i in ids])  # type: ignore[arg-type]
    cells = {ids[n]: {g: cell(truth[n, g]) for g in GROUPS} for n in range(communes)}
    cells["p"] = {g: cell(sum(truth[n, g] for n in range(communes))) for g in GROUPS}
    found = rounded(OBJECTIVES, cells, "p", place, "province")
    shown: dict[tuple[Any, str], int] = {
        (n, g): found[ids[n]][g].value or 0 for n in range(communes) for g in GROUPS
    }
    return shown | {("all", g): found["p"][g].value or 0 for g in GROUPS}


def attack(weeks: list[dict[tuple[Any, str], int]], communes: int, *, naive: bool) -> Bounds:
    """All weeks at once. `naive`: the whole was rounded by itself, so it bounds its parts; of ours
    the attacker knows that it says what its parts say."""
    bounds: Bounds = {}
    sums: list[Sum] = []
    orders: list[tuple[Any, Any]] = []
    for w, shown in enumerate(weeks):
        for g in GROUPS:
            parts = [(w, n, g) for n in range(communes)]
            for name in parts:
                value = shown[name[1], g]
                bounds[name] = [value, value + 4]
                if w:
                    orders.append(((w - 1, *name[1:]), name))
                if g != "adults":
                    orders.append((name, (w, name[1], "adults")))
            whole = shown["all", g]
            slack = 4 if naive else 4 * communes
            sums.append((parts, [whole, whole + slack]))
    return narrow(bounds, sums, orders)


def test_all_subtractions_together_leave_five_possibilities() -> None:
    dice = random.Random(5)
    broken = 0
    for _ in range(150):
        communes = dice.randrange(2, 6)
        truth = {}
        for n in range(communes):
            adults = dice.randrange(0, 14)
            truth |= {(n, "adults"): adults, (n, "elderly"): dice.randrange(adults + 1),
                      (n, "officials"): dice.randrange(adults + 1)}  # fmt: skip
        ours, cellwise = [], []
        for _week in range(4):
            shown = published(truth, communes)
            assert all(v % 5 == 0 for v in shown.values())
            ours.append(shown)
            wholes = {
                ("all", g): down(sum(truth[n, g] for n in range(communes))) or 0 for g in GROUPS
            }
            cellwise.append(shown | wholes)
            grown = {name: value + dice.randrange(3) for name, value in truth.items()}
            truth = {
                (n, g): min(v, grown[n, "adults"]) if g != "adults" else v
                for (n, g), v in grown.items()
            }
        assert all(b[1] - b[0] == 4 for b in attack(ours, communes, naive=False).values())
        told = attack(cellwise, communes, naive=True)
        broken += any(high - low < 4 for low, high in told.values())
    assert broken > 30


def test_the_attacker_reads_tables_that_are_rounded_cell_by_cell() -> None:
    """Five communes of "0" under a province of "20" have 4 each; ours shows 0 above them."""
    truth = {(n, g): 4 for n in range(5) for g in GROUPS}
    shown = published(truth, 5)
    told = attack([shown | {("all", g): 20 for g in GROUPS}], 5, naive=True)
    assert all(bound == [4, 4] for bound in told.values())
    assert shown["all", "adults"] == 0
    assert all(b == [0, 4] for b in attack([shown], 5, naive=False).values())


@pytest.mark.parametrize("plan", ["dak-lak-2026", "gia-lai-2026", "yen-bai-2025-2026"])
async def test_whatever_is_somebody_is_rounded(registry: Running, plan: str) -> None:
    """Groups, households, mentors, model citizens, lessons given to one person."""
    document = registry.app.state.registry.plan(plan).document
    plain = {o["id"] for o in document["objectives"] if not counts_people(o)}
    for objective in document["objectives"]:
        about = objective.get("population")
        if about not in ("communes", "remote_communes", "hamlets", "organisations", None):
            assert objective["id"] not in plain
    assert "commune-model-citizens" not in plain
