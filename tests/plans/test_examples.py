"""The plans that ship as examples: written the short way, and countable."""

from pathlib import Path

import pytest

from services.registry.units.catalogue import DEFAULT_FOLDER
from shared.contracts.definitions import Catalogue
from shared.domain.plan_files.document import load_plan, why_plan_refused

FOLDER = Path(__file__).parents[2] / "examples" / "plans"
FILES = sorted(FOLDER.glob("*.yaml"))
CATALOGUE = Catalogue.load()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_example_is_accepted(file: Path) -> None:
    plan = load_plan(file, CATALOGUE)
    assert plan.problems == ()
    assert plan.data["id"] == file.stem
    assert why_plan_refused(file.stem, plan.data, CATALOGUE) is None
    code, _, era = plan.data["unit"].partition("@")
    units = (DEFAULT_FOLDER / f"units-{era}.csv").read_text(encoding="utf-8")
    place = file.stem.rpartition("-2025")[0]
    names = {
        "dong-thap": "Đồng Tháp",
        "tuyen-quang-2025": "Tuyên Quang",
        "tuyen-quang": "Tuyên Quang",
    }
    assert any(line.startswith(f"{code},") and names[place] in line for line in units.splitlines())


def test_there_are_examples() -> None:
    assert {file.stem for file in FILES} == {"dong-thap-2025", "tuyen-quang-2025-2026"}
