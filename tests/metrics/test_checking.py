"""A plan is checked before it is posted: what cannot be counted, and where it says so."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.contracts.definitions import Catalogue
from shared.domain.checking import check
from shared.domain.compile import compile_plan
from tests.metrics.province import document, objective, of

PLANS = sorted((Path(__file__).parents[2] / "plans").glob("*.yaml"))
CLASSES = {"count": "events", "of": [of("class.held")]}
PERSONS = {"count": "distinct_persons", "of": [of("citizen.certified")]}
ADULTS = PERSONS | {"over": {"population": "adults"}}


def share_of(name: str) -> dict[str, Any]:
    return PERSONS | {"over": {"target_of": name}}


@pytest.mark.parametrize("file", PLANS, ids=lambda file: file.stem)
def test_the_plans_have_no_errors(catalogue: Catalogue, file: Path) -> None:
    assert check(yaml.safe_load(file.read_text()), catalogue) == []


@pytest.mark.parametrize(
    ("objectives", "wrong", "at", "says"),
    [
        ([objective("a", share_of("a"))], "a", "/measure/over/target_of", "a -> a"),
        (
            [objective("a", ADULTS), objective("b", share_of("nobody"))],
            "b", "/measure/over/target_of", "'nobody'",
        ),
        (
            [objective("a", CLASSES), objective("b", share_of("a"))],
            "b", "/measure/over/target_of", "no share of a population",
        ),
        ([objective("a", CLASSES | {"of": [of("class.hold")]})], "a", "/measure/of/0/types", ""),
        (
            [objective("a", CLASSES | {"of": [of("class.held"), of("class.held", tone="red")]})],
            "a", "/measure/of/1/filter/tone", "tone",
        ),
        (
            [objective("a", CLASSES | {"over": {"measure": {
                "count": "events", "of": [of("class.held", tone="red")]}}})],
            "a", "/measure/over/measure/of/0/filter/tone", "tone",
        ),
        (
            [objective("a", CLASSES, beside=[{"id": "x", "measure": {
                "count": "events", "of": [of("class.held", tone="red")]}}])],
            "a", "/beside/0/measure/of/0/filter/tone", "tone",
        ),
        (
            [objective("a", CLASSES, target={"value": 0, "unit": "count", "comparator": ">="})],
            "a", "/target/value", "",
        ),
        ([objective("a", CLASSES | {"count": "guesses"})], "a", "/measure/count", ""),
        ([objective("a", PERSONS | {"of": [of("post.published")]})], "a", "/measure", "person"),
    ],
)  # fmt: skip
def test_what_is_wrong_and_where(
    catalogue: Catalogue, objectives: list[dict[str, Any]], wrong: str, at: str, says: str
) -> None:
    (error,) = check(document(objectives), catalogue)
    index = [one["id"] for one in objectives].index(wrong)
    assert (error["objective"], error["pointer"]) == (wrong, f"/objectives/{index}{at}")
    assert says in error["detail"]


def test_every_objective_of_a_circle_is_named(catalogue: Catalogue) -> None:
    plan = document(
        [
            objective("good", ADULTS),
            objective("one", share_of("two")),
            objective("two", share_of("three")),
            objective("three", share_of("one")),
            objective("outside", share_of("one")),
        ]
    )
    before = copy.deepcopy(plan)
    errors = {e["objective"]: e["detail"] for e in check(plan, catalogue)}
    assert list(errors) == ["one", "two", "three", "outside"]
    assert "one -> two -> three -> one" in errors["one"]
    assert "no share of a population" in errors["outside"]
    assert plan == before
    assert all(one.reason is None for one in compile_plan(plan, catalogue))


@pytest.mark.parametrize("raw", [None, 3, [], {}, {"id": "x"}, {"id": "x", "measure": []}])
def test_what_is_no_objective_at_all(catalogue: Catalogue, raw: Any) -> None:
    plan = document([]) | {"objectives": [raw]}
    (error,) = check(plan, catalogue)
    assert compile_plan(plan, catalogue)[0].reason
    assert error["pointer"].startswith("/objectives/0")
