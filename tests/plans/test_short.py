"""A plan written the short way says what the full one says."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from services.registry.cli import app
from shared.contracts.definitions import Catalogue
from shared.domain.checking import check
from shared.domain.plan_files.document import read_plan
from shared.domain.plan_files.short import NAMED, written_out

CATALOGUE = Catalogue.load()
HEAD = """\
id: ngan-2026
title_vi: Kế hoạch
issuer: UBND tỉnh
unit: 66@2025
period: {start: 2026-01-01, end: 2026-12-31}
organisations: [{id: cong-an, name_vi: Công an tỉnh, kind: police}]
objectives:
"""


def one(measure: str, target: str = "{value: 80}", more: str = "") -> str:
    return HEAD + (
        f"  - {{id: a, text_vi: Lời, target: {target}, measure: '{measure}', deadline: 2026-11-30{more}}}\n"
    )


@pytest.mark.parametrize("name", list(NAMED))
def test_every_named_measure_can_be_counted(name: str) -> None:
    plan = read_plan(one(name), CATALOGUE)
    assert plan.problems == ()
    assert check(plan.data, CATALOGUE) == []


def test_four_things_are_enough() -> None:
    short: Any = read_plan(one("người lớn được xác nhận trên VNeID"), CATALOGUE).data
    assert short["objectives"][0] == {
        "id": "a",
        "text_vi": "Lời",
        "target": {"value": 80, "unit": "percent", "comparator": ">="},
        "lead": [],
        "deadline": "2026-11-30",
        "last_day": "2026-11-30",
        "period": {"start": "2026-01-01", "end": "2026-12-31"},
        "counts_from": "ever",
        "measure": {
            "count": "distinct_persons",
            "of": [
                {
                    "types": ["citizen.certified"],
                    "filter": {"target_group": "adult", "if_given": {"platform": "vneid"}},
                }
            ],
            "over": {"population": "adults"},
        },
    }
    assert (short["version"], short["tasks"], short["reporting"]) == (1, [], [])
    assert written_out(short) == short


def test_a_plain_number_has_no_denominator_and_before_excludes_the_day() -> None:
    text = one(
        "người lớn được xác nhận trên VNeID",
        "{value: 1000000, unit: count}",
        ", deadline_exclusive: true",
    )
    plan = read_plan(text, CATALOGUE)
    assert plan.problems == ()
    objective = plan.data["objectives"][0]
    assert "over" not in objective["measure"]
    assert objective["last_day"] == "2026-11-29"


def test_explain_shows_what_it_says_in_full(tmp_path: Path) -> None:
    file = tmp_path / "ngan-2026.yaml"
    file.write_text(one("số lớp mỗi xã", "{value: 5}"), encoding="utf-8")
    shown = CliRunner().invoke(app, ["plans", "explain", str(file)])
    assert shown.exit_code == 0
    (said,) = yaml.safe_load(shown.stdout)
    assert said == read_plan(file.read_text(encoding="utf-8"), CATALOGUE).data["objectives"][0]
    assert said["target"]["per"] == "commune" and "&id" not in shown.stdout
    nobody = CliRunner().invoke(app, ["plans", "explain", str(file), "--objective", "b"])
    assert nobody.exit_code == 1


def test_a_misspelt_name_is_answered_with_the_right_one() -> None:
    (problem,) = read_plan(one("người lớn được xác nhận VNeID"), CATALOGUE).problems
    assert (problem.line, problem.path) == (8, "/objectives/0/measure")
    assert "người lớn được xác nhận trên VNeID" in problem.hint
