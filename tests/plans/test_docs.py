"""docs/indicators.md explains the language with the plans' own objectives, so they must agree."""

import re
from pathlib import Path

import pytest

from shared.contracts.definitions import Catalogue
from shared.domain.plan_files.positions import parse
from tests.plans.files import PLANS

PAGE = Path(__file__).parents[2] / "docs" / "indicators.md"
BLOCKS = re.findall(r"```yaml\n# (\S+)/(\S+)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize(("plan", "objective", "text"), BLOCKS)
def test_an_example_is_what_the_plan_says(plan: str, objective: str, text: str) -> None:
    [item] = [o for o in PLANS[plan].data["objectives"] if o["id"] == objective]
    for key, value in parse(text).data.items():
        assert item[key] == value


def test_every_kind_is_explained() -> None:
    shown = [parse(text).data for _, _, text in BLOCKS]
    shapes = [item["measure"] for item in shown if "measure" in item]
    used = {
        key
        for plan in PLANS.values()
        for objective in plan.data["objectives"]
        for key in objective["measure"]
    }
    assert {key for shape in shapes for key in shape} == used
    overs = {key for shape in shapes for key in shape.get("over", {})}
    assert overs == {"population", "measure", "units", "attribute", "target_of"}


def test_the_page_names_every_group_that_implies_another() -> None:
    text = PAGE.read_text("utf-8")
    assert all(group in text for group in Catalogue.load().words.implied)
