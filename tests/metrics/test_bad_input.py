"""What cannot be counted or divided is flagged; everything else goes on being counted."""

from datetime import date
from typing import Any

import asyncpg
import pytest

from services.metrics.evaluating.cell import Cell
from services.registry.web.words import flags
from shared.contracts.definitions import Catalogue
from shared.domain.plan_files.document import why_plan_refused
from tests.metrics.bad_input import CLASSES, GOOD, PERSONS
from tests.metrics.histories import BASE
from tests.metrics.memory_log import MemoryLog
from tests.metrics.province import (
    ROOT,
    A,
    declare,
    define,
    document,
    follow,
    moments,
    objective,
    of,
)


async def cell(
    pool: asyncpg.Pool,
    catalogue: Catalogue,
    log: MemoryLog,
    name: str = "good",
    known_at: date | None = None,
) -> Cell:
    await follow(pool, catalogue, log)
    found = moments(pool, catalogue, BASE)
    async with found.snapshot() as connection:
        moment = await found.at(connection, "p", BASE, known_at)
        (answer,) = await moment.cells(connection, [moment.objective(name)], [ROOT])
    return answer


def certify(log: MemoryLog) -> None:
    person = {"person_ref": "cccd:1", "target_groups": ["adult"]}
    log.post("citizen.certified", A, BASE, BASE, person)


@pytest.mark.parametrize("number", [0, -5])
async def test_a_population_of_nobody_divides_nothing(
    pool: asyncpg.Pool, catalogue: Catalogue, number: int
) -> None:
    log = MemoryLog(catalogue)
    define(log, document([GOOD]))
    declare(log, ROOT, "adults", number, BASE)
    certify(log)
    found = await cell(pool, catalogue, log)
    assert (found.value, found.ratio, found.met, found.status) == (1, None, None, "unknown")
    assert found.flags == ["exceeds_denominator", "denominator_zero", "missing:adults"]


async def test_a_ratio_over_nothing_is_unknown(pool: asyncpg.Pool, catalogue: Catalogue) -> None:
    log = MemoryLog(catalogue)
    over = {"measure": {"count": "events", "of": [of("class.held")]}}
    ratio = {"count": "events", "of": [of("class.held", target_group="adult")], "over": over}
    define(log, document([objective("ratio", ratio)]))
    found = await cell(pool, catalogue, log, "ratio")
    assert (found.value, found.denominator, found.ratio, found.met) == (0, 0, None, None)
    assert found.flags == ["nothing_to_divide_by"]


WRONG: dict[str, dict[str, Any]] = {
    "unknown type": objective("bad", {"count": "events", "of": [of("class.hold")]}),
    "unknown field": objective("bad", {"count": "events", "of": [of("class.held", colour="red")]}),
    "unknown value": objective(
        "bad", {"count": "events", "of": [of("class.held", target_group="adlt")]}
    ),
    "unknown count": objective("bad", {"count": "guesses", "of": [of("class.held")]}),
    "no person": objective("bad", {"count": "distinct_persons", "of": [of("post.published")]}),
    "no figure": objective("bad", {"count": "sum", "of": [of("citizen.certified")]}),
    "impossible target": objective("bad", CLASSES, target={"value": "many", "comparator": ">="}),
    "no target": objective("bad", CLASSES, target={}),
    "inside and all": objective(
        "bad",
        {
            "count": "distinct_things",
            "key": "mentor",
            "match": "all",
            "of": [of("mentor.assigned")],
            "inside": {"distinct": "mentee_ref", "threshold": 2},
        },
    ),
}


CIRCLES = {
    "a target of itself": [objective("one", {**PERSONS, "over": {"target_of": "one"}})],
    "targets of each other": [
        objective("one", {**PERSONS, "over": {"target_of": "two"}}),
        objective("two", {**PERSONS, "over": {"target_of": "one"}}),
    ],
}


@pytest.mark.parametrize("wrong", [*WRONG, *CIRCLES])
async def test_a_version_with_a_wrong_objective_is_as_if_never_published(
    pool: asyncpg.Pool, catalogue: Catalogue, wrong: str
) -> None:
    log = MemoryLog(catalogue)
    define(log, document([GOOD]))
    certify(log)
    objectives = [WRONG[wrong]] if wrong in WRONG else CIRCLES[wrong]
    bad = document([*objectives, GOOD], version=2)
    refused = why_plan_refused("p", bad, catalogue)
    assert refused is not None and refused.path.startswith("/objectives/0"), refused
    log.post("plan.published", ROOT, BASE, BASE, {"plan": "p", "version": 2, "document": bad})
    found = await cell(pool, catalogue, log)
    assert (found.value, found.plan_version) == (1, 1)


async def test_a_cell_names_the_input_that_nobody_has_declared(
    pool: asyncpg.Pool, catalogue: Catalogue
) -> None:
    def per(level: str, **more: str) -> dict[str, Any]:
        within = {"per": level, "threshold": 1, "comparator": ">="}
        return {**CLASSES, "within_unit": within, "over": {"units": level, **more}}

    mentors = {"count": "distinct_things", "key": "mentor", "of": [of("mentor.assigned")]}
    inputs = {
        "mentors": {**mentors, "over": {"population": "mentors"}},
        "hamlets": per("hamlet"),
        "far": per("commune", attribute="remote"),
    }
    log = MemoryLog(catalogue)
    of_units = {"value": 50, "unit": "percent_of_units", "comparator": ">="}
    share = {
        "value": 50,
        "unit": "percent_of_target",
        "comparator": ">=",
        "of_objective": "mentors",
    }
    targets = {"hamlets": {"target": of_units}, "far": {"target": of_units}}
    objectives = [objective(name, one, **targets.get(name, {})) for name, one in inputs.items()]
    inputs["share"] = {**PERSONS, "over": {"target_of": "mentors"}}
    objectives.append(objective("share", inputs["share"], target=share))
    define(log, document(objectives))
    found = {name: (await cell(pool, catalogue, log, name)).flags for name in inputs}
    assert found == {
        "mentors": ["denominator_missing", "missing:mentors"],
        "share": ["denominator_missing", "missing:mentors"],
        "hamlets": ["hamlets_incomplete", "missing:hamlets"],
        "far": ["attribute_unknown", "missing:remote"],
    }
    said = flags([flag for all_flags in found.values() for flag in all_flags])
    for words in ("số liệu nền", "cần khai báo: Thôn, buôn", "cần khai báo: Vùng sâu, vùng xa"):
        assert words in said, said
    assert "missing" not in said


async def test_a_circle_of_units_in_the_log_takes_no_table_down(
    pool: asyncpg.Pool, catalogue: Catalogue, caplog: pytest.LogCaptureFixture
) -> None:
    """As an older door let it in: the link that closes the circle is left out, and told."""
    log = MemoryLog(catalogue)
    define(log, document([GOOD]))
    declare(log, ROOT, "adults", 4, BASE)
    certify(log)
    before = await cell(pool, catalogue, log)
    circle = {"o1@2025": "o2@2025", "o2@2025": "o1@2025", "o3@2025": "o3@2025"}
    for unit_id, parent in circle.items():
        said = {"unit_id": unit_id, "code": unit_id[:2], "era": "2025", "name_vi": unit_id}
        said |= {"kind": "commune", "parent": parent, "from": "2025-07-01"}
        log.post("unit.established", unit_id, BASE, BASE, said)
    for unit_id, heir in circle.items():
        share = {"unit_id": heir, "part": "whole"}
        said = {"unit_id": unit_id, "dissolved_on": str(BASE), "successors": [share]}
        log.post("unit.dissolved", unit_id, BASE, BASE, said)
    person = {"person_ref": "cccd:2", "target_groups": ["adult"]}
    for unit_id in (A, *circle):
        log.post("citizen.certified", unit_id, BASE, BASE, person)
    after = await cell(pool, catalogue, log)
    assert (before.value, after.value, after.ratio) == (1, 2, 0.5)
    told = [r.getMessage() for r in caplog.records if r.name == "shared.domain.unit_fold"]
    assert len(told) == 4 and all("o2@2025" in text or "o3@2025" in text for text in told), told
