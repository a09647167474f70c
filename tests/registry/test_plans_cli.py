"""`hocvuso plans`: differences in words, a plan for the next year, a commune's own plan."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from services.registry import cli
from services.registry.plans.compare import differences
from services.registry.plans.renew import renewed
from shared.contracts.definitions import Catalogue
from shared.domain.plan_files.document import load_plan
from tests.registry import fakes

RUN = CliRunner()
NAMES = sorted(path.stem for path in fakes.PLANS.glob("*.yaml"))


def plan(name: str) -> dict[str, Any]:
    return dict(load_plan(fakes.PLANS / f"{name}.yaml", Catalogue.load()).data)


def test_differences_are_found_by_id() -> None:
    old = {"a": 1, "list": [{"id": "x", "v": 1}, {"id": "y", "text_vi": "Hai"}], "gone": 2}
    new = {"a": 1, "list": [{"id": "z", "text_vi": "Ba"}, {"id": "x", "v": 2}], "more": 3}
    assert sorted(differences(old, new)) == [
        "+ list[z]: Ba", "+ more: 3", "- gone: 2", "- list[y]: Hai", "~ list[x].v: 1 -> 2",
    ]  # fmt: skip
    assert differences(old, old) == []


@pytest.mark.parametrize("name", NAMES)
def test_the_next_years_plan_is_valid(name: str, tmp_path: Path) -> None:
    answer = RUN.invoke(
        cli.app,
        ["plans", "new", "--from", str(fakes.PLANS / f"{name}.yaml"), "--year", "2027",
         "--folder", str(tmp_path)],
    )  # fmt: skip
    assert answer.exit_code == 0, answer.output
    (file,) = tmp_path.glob("*.yaml")
    new = yaml.safe_load(file.read_text())
    assert new["id"].endswith("-2027")
    assert new["period"]["start"].startswith("2027")
    assert len(new["objectives"]) == len(plan(name)["objectives"])
    again = RUN.invoke(
        cli.app,
        ["plans", "new", "--from", str(fakes.PLANS / f"{name}.yaml"), "--year", "2027",
         "--folder", str(tmp_path)],
    )  # fmt: skip
    assert again.exit_code == 1


def test_days_move_and_words_stay() -> None:
    old = plan("dak-lak-2026")
    new, named = renewed(old, 2028)
    days = {o["id"]: o["last_day"] for o in new["objectives"]}
    assert days["adults-certified-vneid"] == "2028-11-29"
    texts = [o["text_vi"] for o in new["objectives"]]
    assert texts == [o["text_vi"] for o in old["objectives"]]
    assert all("/" in place for place in named)
    assert new["legal_basis_detail"] == old["legal_basis_detail"]


def test_a_communes_plan_under_its_provinces() -> None:
    new, _ = renewed(plan("dak-lak-2026"), 2026, unit="24133@2025")
    assert (new["id"], new["unit"], new["parent_plan"]) == (
        "dak-lak-24133-2026", "24133@2025", "dak-lak-2026",
    )  # fmt: skip


def test_a_wrong_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text("id: x")
    answer = RUN.invoke(cli.app, ["plans", "validate", str(tmp_path / "wrong.yaml")])
    assert answer.exit_code == 1
