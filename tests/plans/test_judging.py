"""What may be accepted as a plan or an amendment: all that is counted, and nothing else."""

import copy
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from shared.contracts.definitions import Catalogue
from shared.domain.definitions import Definitions
from shared.domain.judging import (
    DefinitionRefused,
    check_amendment,
    check_document,
    check_plan_holds,
    check_version,
)
from shared.domain.objectives import Objective
from tests.metrics.memory_log import MemoryLog
from tests.plans.files import PLANS

Json = dict[str, Any]
CATALOGUE = Catalogue.load()
PLAN = "dak-lak-2026"
DOCUMENT = PLANS[PLAN].data
ROOT, WARD, SCHOOL, FAR = "66@2025", "24133@2025", "s1@2025", "15@2025"
DAY = date(2026, 1, 5)
GOAL = next(
    o
    for o in DOCUMENT["objectives"]
    if o.get("measure", {}).get("over", {}).get("population") and o["last_day"] == "2026-11-29"
)["id"]
COUNTED: Json = next(o for o in DOCUMENT["objectives"] if "measure" in o)
TASK = DOCUMENT["tasks"][0]["id"]
DUTY = DOCUMENT["reporting"][0]["id"]
BODY = DOCUMENT["organisations"][0]["id"]


class World:
    """A log of definitions, and what it means."""

    def __init__(self) -> None:
        self.log = MemoryLog(CATALOGUE)
        for unit, kind, parent in (
            (ROOT, "province", None),
            (FAR, "province", None),
            (WARD, "ward", ROOT),
            (SCHOOL, "organisation", WARD),
        ):
            data: Json = {"unit_id": unit, "code": unit.partition("@")[0], "era": "2025",
                          "name_vi": unit, "kind": kind, "from": "2025-07-01"}  # fmt: skip
            self.add("unit.established", data | ({"parent": parent} if parent else {}), unit)
        self.publish(DOCUMENT)

    def add(self, kind: str, data: Json, unit: str = ROOT, day: date = DAY) -> int:
        return self.log.post(kind, unit, day, day, data)

    def publish(self, document: Json, day: date = DAY) -> int:
        data = {"plan": document["id"], "version": document["version"], "document": document}
        return self.add("plan.published", data, document["unit"], day)

    def now(self) -> Definitions:
        found = Definitions(CATALOGUE)
        for row in self.log.rows:
            found.apply(row)
        return found

    def judge(self, kind: str, data: Json, day: date = DAY) -> None:
        """As the door does; a good one is appended."""
        before = self.now()
        if kind == "plan.published":
            check_document(data, before)
            check_version(data, before)
        else:
            check_amendment(data, before)
        origin = self.add(kind, data, day=day)
        try:
            check_plan_holds(data["plan"], before, self.now(), origin)
        except DefinitionRefused:
            self.log.revise_definition(origin, day)
            raise

    def amend(self, day: date = DAY, **data: Any) -> None:
        said = {"plan": PLAN, "valid_from": day.isoformat()} | data
        self.judge("plan.amended", said, day)

    def objective(self, on: date, name: str = GOAL, unit: str = ROOT) -> Objective:
        plan = self.now().plan(PLAN, on)
        assert plan is not None
        return next(o for o in plan.objectives if o.id == name).of(unit)


def refusal(attempt: Callable[[], None]) -> tuple[str, str | None]:
    with pytest.raises(DefinitionRefused) as caught:
        attempt()
    assert caught.value.detail
    return caught.value.code, caught.value.pointer


WRONG: dict[str, tuple[Json, str]] = {
    "a target in words": ({"changes": {"target": {"value": "tám mươi"}}}, "/changes/target/value"),
    "a target of 400 %": ({"changes": {"target": {"value": 400}}}, "/changes/target/value"),
    "a target of nothing": ({"changes": {"target": {"value": 0}}}, "/changes/target/value"),
    "no target": ({"changes": {"target": None}}, "/changes"),
    "another id": ({"changes": {"id": "x"}}, "/changes/id"),
    "no id": ({"changes": {"id": None}}, "/changes/id"),
    "counts from nonsense": ({"changes": {"counts_from": "nonsense"}}, "/changes/counts_from"),
    "a last day as people write it": ({"changes": {"last_day": "30/11/2026"}}, "/changes/last_day"),
    "a deadline in words": ({"changes": {"deadline": "soon"}}, "/changes/deadline"),
    "a month 13": ({"changes": {"deadline": "2026-13-01"}}, "/changes/deadline"),
    "a deadline before the period": ({"changes": {"deadline": "2020-01-01"}}, "/changes"),
    "an extension without a day": (
        {"changes": {"extension": {"last_day": None}}},
        "/changes/extension",
    ),
    "an unknown body": ({"changes": {"lead": ["nobody"]}}, "/changes/lead"),
    "an unknown key": ({"changes": {"colour": "red"}}, "/changes/colour"),
    "an unknown type": (
        {"changes": {"measure": {"of": [{"types": ["class.hold"]}]}}},
        "/changes/measure/of",
    ),
    "a target of itself": (
        {
            "changes": {
                "measure": {"over": {"population": None, "target_of": GOAL}},
                "target": {"unit": "percent_of_target", "of_objective": GOAL},
            }
        },
        "/changes/target/of_objective",
    ),
    "an unknown objective": ({"objective": "none", "changes": {"note": "x"}}, "/objective"),
    "an unknown plan": ({"plan": "none", "changes": {"note": "x"}}, "/plan"),
    "nothing": ({"changes": {}}, "/changes"),
    "two items": ({"task": TASK, "changes": {"note": "x"}}, "/task"),
    "an unknown unit": ({"for_unit": "99999@2025", "changes": {"note": "x"}}, "/for_unit"),
    "another province": ({"for_unit": FAR, "changes": {"note": "x"}}, "/for_unit"),
    "what is there": ({"action": "add", "changes": {"note": "x"}}, "/objective"),
    "half an objective": (
        {"objective": "new", "action": "add", "changes": {"text_vi": "x"}},
        "/changes",
    ),
    "a task that is done": ({"objective": None, "task": TASK, "changes": {"state": "done"}}, "/changes/state"),
    "a task of nobody known": (
        {"objective": None, "task": TASK, "changes": {"lead": ["nobody"]}},
        "/changes/lead",
    ),
    "a duty of nobody known": (
        {"objective": None, "obligation": DUTY, "changes": {"who": ["nobody"]}},
        "/changes/who",
    ),
    "a duty on the 30th of February": (
        {"objective": None, "obligation": DUTY, "changes": {"due": "2026-02-30"}},
        "/changes/due",
    ),
    "a duty of another millennium": (
        {"objective": None, "obligation": DUTY, "changes": {"due": "9999-12-31"}},
        "/changes/due",
    ),
    "a task before the first day there is": (
        {
            "objective": None,
            "task": TASK,
            "changes": {"deadline": "0001-01-01", "deadline_exclusive": True},
        },
        "/changes/deadline",
    ),
    "a task on the 30th of every February": (
        {
            "objective": None,
            "task": TASK,
            "changes": {"deadline": {"recurring": "yearly", "on": "02-30"}},
        },
        "/changes/deadline",
    ),
    "a task within a million days": (
        {
            "objective": None,
            "task": TASK,
            "changes": {
                "deadline": {
                    "relative": {
                        "after": "central_document.issued", "document": "d", "within_days": 10**6,
                    }
                }
            },
        },
        "/changes/deadline",
    ),
    "a body of one unit": (
        {"objective": None, "organisation": BODY, "for_unit": WARD, "changes": {"name_vi": "x"}},
        "/for_unit",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_an_amendment_that_cannot_be_counted_is_refused_with_its_place(name: str) -> None:
    data, pointer = WRONG[name]
    world = World()
    found = refusal(lambda: world.amend(**({"objective": GOAL} | data)))[1]
    assert found is not None and found.startswith(pointer), found
    plan = world.now().plan(PLAN, date(2026, 6, 1))
    assert plan is not None and plan.document["objectives"] == DOCUMENT["objectives"]


def test_items_are_added_changed_and_ended_from_a_day_on() -> None:
    world = World()
    new = {**next(o for o in DOCUMENT["objectives"] if o["id"] == GOAL)}
    del new["id"]
    start, end = date(2026, 3, 1), date(2026, 5, 1)
    body = {"name_vi": "Hội Phụ nữ", "kind": "mass_organisation"}
    world.amend(start, organisation="hoi-phu-nu", action="add", changes=body)
    world.amend(start, objective="new", action="add", changes=new | {"lead": ["hoi-phu-nu"]})
    world.amend(start, objective=GOAL, changes={"target": {"value": 41}})
    world.amend(start, obligation=DUTY, changes={"who": ["hoi-phu-nu"]})
    assert refusal(lambda: world.amend(end, organisation="hoi-phu-nu", action="end"))[1] == (
        "/organisation"
    ), "somebody must owe the duty"
    world.amend(end, obligation=DUTY, action="end")
    world.amend(end, organisation="hoi-phu-nu", action="end")
    world.amend(end, objective="new", action="end")
    days = {day: world.now().plan(PLAN, day) for day in (DAY, start, end)}
    for day, plan in days.items():
        assert plan is not None
        there = day == start
        assert ("new" in {o.id for o in plan.objectives}) is there
        assert ("hoi-phu-nu" in {o["id"] for o in plan.document["organisations"]}) is there
        assert (DUTY in {o["id"] for o in plan.document["reporting"]}) is (day < end)
        assert plan.document["version"] == DOCUMENT["version"]


def test_a_unit_may_have_an_objective_more_and_one_less() -> None:
    world = World()
    new = {**next(o for o in DOCUMENT["objectives"] if o["id"] == GOAL)}
    del new["id"]
    world.amend(objective="own", action="add", for_unit=WARD, changes=new)
    world.amend(objective=GOAL, action="end", for_unit=WARD)
    assert [world.objective(DAY, "own", u).asked for u in (ROOT, WARD)] == [False, True]
    assert [world.objective(DAY, GOAL, u).asked for u in (ROOT, WARD)] == [True, False]
    plan = world.now().plan(PLAN, DAY)
    assert plan is not None
    for unit, names in ((ROOT, (GOAL,)), (WARD, ("own",))):
        shown = {o["id"] for o in plan.for_unit(unit)["objectives"]}
        assert shown & {GOAL, "own"} == set(names)


def test_versions_follow_each_other() -> None:
    world = World()
    data = {"plan": PLAN, "version": 1, "document": DOCUMENT}
    world.judge("plan.published", data)  # the same again changes nothing
    other = copy.deepcopy(DOCUMENT) | {"title_vi": "Khác"}
    code = refusal(lambda: world.judge("plan.published", data | {"document": other}))
    assert code == ("plan-version-exists", "/version")
    code = refusal(lambda: world.judge("plan.published", data | {"version": 2}))
    assert code == ("plan-version-mismatch", "/version")
    world.judge("plan.published", data | {"version": 3, "document": other | {"version": 3}})
    code = refusal(
        lambda: world.judge("plan.published", data | {"version": 2, "document": other | {"version": 2}})
    )  # fmt: skip
    assert code == ("plan-version-too-low", "/version")
    nowhere = {**other, "id": "n", "unit": "77@2025", "version": 1}
    code = refusal(
        lambda: world.judge("plan.published", {"plan": "n", "version": 1, "document": nowhere})
    )
    assert code == ("unit-unknown", "/document/unit")


def test_a_version_must_keep_what_amendments_change() -> None:
    world = World()
    world.amend(objective=GOAL, changes={"target": {"value": 41}})
    left = [o for o in DOCUMENT["objectives"] if o["id"] != GOAL]
    without: Json = {**DOCUMENT, "version": 2, "objectives": left}
    data = {"plan": PLAN, "version": 2, "document": without}
    code, _ = refusal(lambda: world.judge("plan.published", data))
    assert code in ("plan-amendment-conflict", "plan-document-invalid")


def test_a_million_objectives_are_refused_at_once() -> None:
    many = [{"id": f"o{n}"} for n in range(1_000_000)]
    data = {"plan": PLAN, "version": 1, "document": {**DOCUMENT, "objectives": many}}
    assert refusal(lambda: check_document(data, Definitions(CATALOGUE)))[1] == (
        "/document/objectives"
    )


@pytest.mark.parametrize(
    ("inside", "value", "at"),
    [
        (("measure", "of"), [COUNTED["measure"]["of"][0]] * 21, "/measure/of"),
        (("measure", "of", 0, "types"), ["citizen.certified"] * 300_000, "/measure/of/0/types"),
        (
            ("measure", "of", 0, "filter"),
            {"any": [{"age": {">": 1}}] * 200_000},
            "/measure/of/0/filter",
        ),
        (("text_vi",), "x" * 5_000_000, "/text_vi"),
        (("overlaps",), [GOAL] * 201, "/overlaps"),
    ],
)
def test_what_is_too_long_is_refused_by_its_limit_and_not_repeated(
    inside: tuple[Any, ...], value: Any, at: str
) -> None:
    index = DOCUMENT["objectives"].index(COUNTED)
    document = copy.deepcopy(DOCUMENT)
    place = document["objectives"][index]
    for step in inside[:-1]:
        place = place[step]
    place[inside[-1]] = value
    data = {"plan": PLAN, "version": 1, "document": document}
    with pytest.raises(DefinitionRefused) as refused:
        check_document(data, Definitions(CATALOGUE))
    assert refused.value.pointer == f"/document/objectives/{index}{at}"
    assert len(refused.value.detail) < 100


def test_what_was_valid_at_the_deadline_decides() -> None:
    """5 of everybody, 8 of one unit from a day after the deadline on: the 5 were asked for."""
    world = World()
    last = date(2026, 11, 29)
    before = world.objective(last, unit=WARD).target
    world.amend(
        last + timedelta(days=2), objective=GOAL, for_unit=WARD, changes={"target": {"value": 99}}
    )
    for day in (last, last + timedelta(days=1), last + timedelta(days=9)):
        assert world.objective(day, unit=WARD).target == before
    world.amend(
        last - timedelta(days=9), objective=GOAL, for_unit=WARD, changes={"target": {"value": 77}}
    )
    assert world.objective(last - timedelta(days=10), unit=WARD).target == before
    for day in (last, last + timedelta(days=9)):
        assert world.objective(day, unit=WARD).target.value == 77
        assert world.objective(day, unit=ROOT).target == before  # fmt: skip


@pytest.mark.parametrize("late", [True, False])
def test_an_extension_recorded_after_the_deadline_leaves_the_old_one(late: bool) -> None:
    world = World()
    last, new = date(2026, 11, 29), date(2026, 12, 20)
    recorded = last + timedelta(days=3 if late else -3)
    world.amend(recorded, objective=GOAL, changes={"deadline": "2026-12-21"})
    for day in (recorded, new, new + timedelta(days=5)):
        found = world.objective(day)
        assert found.last_day == new
        assert [o.last_day for o in found.earlier] == ([last] if late else [])
