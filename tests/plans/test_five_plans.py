"""The five plans as they ship: complete, verbatim, and countable without special cases."""

import hashlib
import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from shared.contracts.filters import compile_filter
from shared.domain.plan_files.document import check_plan, load_plan
from shared.domain.plan_files.objectives import expected_last_day
from tests.plans.files import CATALOGUE, FOLDER, PLANS

# Frozen from the plans as they were first extracted: whole items by digest, the rest in words.
ORIGINALS = json.loads(Path(__file__).with_name("originals.json").read_text(encoding="utf-8"))
ADDED = {
    "counts_from",
    "from_date",
    "last_day",
    "extension",
    "measure",
    "beside",
    "reading_note",
    "not_counted",
    "short_vi",
}
OBJECTIVES = [
    (plan, objective)
    for plan, document in PLANS.items()
    for objective in document.data["objectives"]
]
IDS = [f"{plan}/{objective['id']}" for plan, objective in OBJECTIVES]


SHOW_A_SKILL = {"training.attended", "course.completed", "assessment.passed", "skill.confirmed"}


def digest(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def tallies(objective: dict[str, Any]) -> list[dict[str, Any]]:
    """The objective's measure, its counted denominator, and what is shown beside it."""
    measure = objective["measure"]
    found = [measure, *(beside["measure"] for beside in objective.get("beside", []))]
    counted = measure.get("over", {}).get("measure")
    return [*found, counted] if counted else found


def test_the_originals_are_those_of_the_five() -> None:
    assert set(PLANS) == set(ORIGINALS)


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.yaml")), ids=lambda file: file.stem)
def test_every_plan_that_ships_loads_without_problems(file: Path) -> None:
    plan = load_plan(file, CATALOGUE)
    assert [str(problem) for problem in plan.problems] == []
    assert plan.data["id"] == file.stem
    assert check_plan(plan.data, CATALOGUE) == ()


def test_counts() -> None:
    totals = [
        sum(len(plan.data[section]) for plan in PLANS.values())
        for section in ("objectives", "tasks", "reporting")
    ]
    assert totals == [83, 196, 36]


OURS = frozenset({"closing", "filter"})


@pytest.mark.parametrize("name", list(ORIGINALS))
def test_nothing_that_a_plan_says_was_changed(name: str) -> None:
    data, original = PLANS[name].data, ORIGINALS[name]
    assert [item["id"] for item in data["objectives"]] == [o["id"] for o in original["objectives"]]
    for item, frozen in zip(data["objectives"], original["objectives"], strict=True):
        for key in ("id", "target", "deadline", "text_vi"):
            assert item[key] == frozen[key]
        assert item.get("deadline_exclusive", False) == frozen["deadline_exclusive"]
        said = {key: value for key, value in item.items() if key not in ADDED}
        assert digest(said) == frozen["whole"], f"{item['id']} differs from the plan"
    for section in ("tasks", "reporting"):
        # What closes a task and which events meet a duty are our readings, beside the plan's words.
        words = [{k: v for k, v in one.items() if k not in OURS} for one in data[section]]
        assert {item["id"]: digest(item) for item in words} == original[section]
    # Whom a group means is our reading, beside the plan's words.
    groups = [
        {k: v for k, v in o.items() if k not in ("members", "includes_itself")}
        for o in data["organisations"]
    ]
    said = {**data, "organisations": groups}
    assert {key: digest(said[key]) for key in original["rest"]} == original["rest"]


def test_units() -> None:
    units = {name: plan.data["unit"] for name, plan in PLANS.items()}
    assert units == {
        "dak-lak-2026": "66@2025",
        "gia-lai-2026": "52@2025",
        "dong-nai-2026": "75@2025",
        "tan-lap-100-days-2025": "24121@2025",
        "yen-bai-2025-2026": "15@2004",
    }
    assert PLANS["yen-bai-2025-2026"].data["covers_successors"] is True


@pytest.mark.parametrize(("plan", "objective"), OBJECTIVES, ids=IDS)
def test_every_objective_is_counted(plan: str, objective: dict[str, Any]) -> None:
    assert "not_counted" not in objective
    assert objective["last_day"] == expected_last_day(objective)
    for tally in tallies(objective):
        for part in tally["of"]:
            compiled = compile_filter(part.get("filter"), part["types"], CATALOGUE)
            assert set(compiled.nodes) == set(part["types"])


@pytest.mark.parametrize(("plan", "objective"), OBJECTIVES, ids=IDS)
def test_it_counts_the_events_that_the_plan_was_read_to_name(
    plan: str, objective: dict[str, Any]
) -> None:
    read = objective["measured_by"]
    named = set(read["events"]) | set(read.get("also_record", []))
    counted = {
        name for tally in tallies(objective) for part in tally["of"] for name in part["types"]
    }
    assert named <= counted
    over = objective["measure"].get("over", {}).get("measure", {"of": []})
    more = {name for part in over["of"] for name in part["types"]}
    if not named.isdisjoint(SHOW_A_SKILL) or "pupil" in str(objective["measure"]):
        # The same words are read the same way in all plans, and attendance never stands alone.
        more |= SHOW_A_SKILL
    assert counted - named <= more


@pytest.mark.parametrize(("plan", "objective"), OBJECTIVES, ids=IDS)
def test_no_objective_is_deaf(plan: str, objective: dict[str, Any]) -> None:
    """For each event type of each measure there is an event that the schema allows and that
    counts: no filter can never match."""
    for tally in tallies(objective):
        for part in tally["of"]:
            compiled = compile_filter(part.get("filter"), part["types"], CATALOGUE)
            for name in part["types"]:
                fields = sorted(compiled.fields(name))
                assert any(
                    compiled.matches(dict(zip(fields, values, strict=True)), name)
                    for values in product(*(candidates(name, field) for field in fields))
                ), f"{name} never counts"


def candidates(name: str, field: str) -> list[Any]:
    """Values that the schema allows, enough to satisfy any sensible filter; None is absent."""
    spec = CATALOGUE[name].fields[field]
    match spec.kind:
        case "enum":
            return list(spec.enum)
        case "enum_list":
            return [list(spec.enum)]
        case "boolean":
            return [True, False]
        case "integer" | "number":
            return [0, 20]
        case _:
            return ["cds-experts", "mua-he-so", "binh-dan-hoc-vu-so"]
