"""A plan that cannot be counted is refused, with the line and a hint."""

from collections.abc import Callable
from pathlib import Path

import pytest

from shared.contracts.definitions import Catalogue
from shared.domain.plan_files.document import check_plan, read_plan
from shared.domain.plan_files.positions import parse
from shared.domain.plan_files.problems import PlanProblem

CATALOGUE = Catalogue.load()
PLAN = """\
id: a-plan
version: 1
title_vi: Kế hoạch
issuer: UBND
unit: 66@2025
period: {start: '2026-01-01', end: '2026-12-31'}
organisations:
  - {id: cong-an, name_vi: Công an, kind: police}
objectives:
  - id: certified
    text_vi: 80% người dân
    target: {value: 80, unit: percent, comparator: '>='}
    denominator: adults
    lead: [cong-an]
    deadline: '2026-11-30'
    deadline_exclusive: true
    period: {start: '2026-01-01', end: '2026-11-30'}
    counts_from: ever
    last_day: '2026-11-29'
    measure:
      count: distinct_persons
      of:
        - types: [citizen.certified]
          filter: {target_group: adult}
      over: {population: adults}
  - id: classes
    text_vi: 5 lớp mỗi xã
    target: {value: 5, unit: count, per: commune, comparator: '>=', units_required_percent: 100}
    lead: [cong-an]
    deadline: null
    period: {start: '2026-01-01', end: '2026-12-31'}
    counts_from: period
    last_day: null
    measure:
      count: events
      of:
        - types: [class.held]
      within_unit: {per: commune, threshold: target}
      over: {units: commune}
tasks:
  - {id: t-1, kind: task, title_vi: Việc, lead: [cong-an], deadline: null, objectives: [classes]}
reporting:
  - {id: r-1, kind: report, who: [cong-an], cadence: once, event: report.submitted, text_vi: Báo cáo}
"""


def problems(old: str = "", new: str = "") -> tuple[PlanProblem, ...]:
    assert old in PLAN
    return read_plan(PLAN.replace(old, new, 1), CATALOGUE).problems


def line(text: str) -> int:
    return PLAN[: PLAN.index(text)].count("\n") + 1


def test_an_unquoted_on_is_a_name() -> None:
    yearly = "deadline: {recurring: yearly, on: 10-10}"
    assert problems("lead: [cong-an], deadline: null", f"lead: [cong-an], {yearly}") == ()
    (wrong,) = problems("    counts_from: period", "    on: 3\n    counts_from: period")
    assert (wrong.path, wrong.code) == ("/objectives/1/on", "schema")
    (number,) = problems("version: 1", "version: 1\n2026: x")
    assert number.path == "/2026"


def test_a_good_plan() -> None:
    assert problems() == ()
    assert problems("text_vi: 80%", "short_vi: Người lớn đạt trên VNeID\n    text_vi: 80%") == ()


@pytest.mark.parametrize("name", ["x" * 26, "''", "' x'", "'x '", "7"])
def test_a_short_name_that_does_not_fit_a_column(name: str) -> None:
    found = problems("text_vi: 80%", f"short_vi: {name}\n    text_vi: 80%")
    assert {(p.path, p.code) for p in found} == {("/objectives/0/short_vi", "schema")}


@pytest.mark.parametrize(
    ("old", "new", "at", "code", "says"),
    [
        # filters
        (
            "{target_group: adult}",
            "{target_grop: adult}",
            "filter:",
            "filter_unknown_field",
            "target_grop",
        ),
        (
            "{target_group: adult}",
            "{target_group: adlt}",
            "filter:",
            "filter_unknown_value",
            "'adult'",
        ),
        (
            "{target_group: adult}",
            "{age: {'>': 5, '<': 4}}",
            "filter:",
            "filter_never",
            "can ever match",
        ),
        (
            "{target_group: adult}",
            "{platform: {'>': 5}}",
            "filter:",
            "filter_comparison",
            "compared",
        ),
        # types
        (
            "[citizen.certified]",
            "[citizen.certifed]",
            "types: [citizen",
            "unknown_type",
            "citizen.certified",
        ),
        (
            "event: report.submitted",
            "event: report.sent",
            "{id: r-1",
            "unknown_type",
            "report.sent",
        ),
        ("[class.held]", "[unit.established]", "types: [class", "measure", "nothing"),
        # what can be counted
        ("[citizen.certified]", "[post.published]", "types: [citizen", "measure", "no person"),
        ("count: distinct_persons", "count: sum", "types: [citizen", "measure", "no figure"),
        ("counts_from: period", "counts_from: state", "types: [class", "measure", "no state"),
        ("threshold: target", "threshold: 4", "within_unit", "measure", "`target`"),
        ("{units: commune}", "{units: hamlet}", "over: {units", "measure", "communes"),
        (
            "{population: adults}",
            "{population: adlts}",
            "over: {population",
            "unknown_population",
            "adlts",
        ),
        (
            "{population: adults}",
            "{population: residents}",
            "over: {population",
            "measure",
            "denominator",
        ),
        (
            "{population: adults}",
            "{target_of: classes}",
            "over: {population",
            "measure",
            "percentage",
        ),
        (
            "  - id: classes\n",
            "    recurrence: weekly\n  - id: classes\n",
            "measure:",
            "measure",
            "bucket",
        ),
        # days
        (
            "last_day: '2026-11-29'",
            "last_day: '2026-11-30'",
            "last_day: '2026",
            "last_day",
            "2026-11-29",
        ),
        ("end: '2026-12-31'}\norg", "end: '2025-12-31'}\norg", "period:", "period", "ends before"),
        (
            "counts_from: ever",
            "counts_from: date\n    from_date: '2025-04-01'",
            "counts_from: ever",
            "counts_from",
            "one day",
        ),
        # names
        ("id: a-plan", "id: a-plan\nparent_plan: a-plan", "version: 1", "cycle", "itself"),
        ("id: classes", "id: certified", "id: classes", "duplicate_id", "twice"),
        (
            "objectives: [classes]",
            "objectives: [clases]",
            "{id: t-1",
            "unknown_reference",
            "classes",
        ),
        ("lead: [cong-an]", "lead: [cong-am]", "lead:", "unknown_reference", "cong-an"),
        (
            "    lead: [cong-an]\n    deadline: '",
            "    sub_target_of: certified\n    lead: [cong-an]\n    deadline: '",
            "lead: [cong-an]",
            "cycle",
            "itself",
        ),
        (
            "over: {population: adults}",
            "over: {target_of: certified}",
            "over: {population: adults}",
            "cycle",
            "itself",
        ),
        (
            "over: {population: adults}",
            "over: {target_of: certifid}",
            "over: {population: adults}",
            "unknown_reference",
            "certified",
        ),
        # the schema
        ("value: 80", "value: 101", "target: {value: 80", "schema", "101"),
        ("value: 80", "value: 0", "target: {value: 80", "schema", "0"),
        ("66@2025", "'66'", "unit: 66", "schema", "66"),
        ("measure:", "mesure:", "measure:", "schema", "mesure"),
        ("id: a-plan", "id: a-plan\nid: b-plan", "version:", "duplicate_key", "twice"),
        ("title_vi: Kế hoạch", "title_vi: 'Kế hoạch", "title_vi", "yaml", ""),
    ],
)
def test_a_bad_plan_names_the_line(old: str, new: str, at: str, code: str, says: str) -> None:
    found = problems(old, new)
    assert found
    hits = [problem for problem in found if problem.code == code]
    assert hits, [str(problem) for problem in found]
    assert any(says in problem.message + problem.hint for problem in hits)
    if code != "yaml":
        assert line(at) in {problem.line for problem in hits}, [str(problem) for problem in hits]


def test_a_bad_filter_in_a_file_names_its_line(tmp_path: Path) -> None:
    file = Path(__file__).parents[2] / "plans" / "dak-lak-2026.yaml"
    lines = file.read_text(encoding="utf-8").splitlines()
    wanted = next(n for n, text in enumerate(lines) if "topic: digital_signature" in text)
    wanted = next(n for n in range(wanted + 1, len(lines)) if "topic: digital_sig" in lines[n])
    lines[wanted] = lines[wanted].replace("topic: digital_signature", "topic: signature")
    [problem] = read_plan("\n".join(lines), CATALOGUE).problems
    assert problem.line == wanted + 1
    assert problem.code == "filter_unknown_value"
    assert problem.path.endswith("/measure/of/0/filter/topic")


@pytest.mark.parametrize("data", [None, [], "plan", {"id": 3}, {"objectives": "none"}])
def test_anything_else_is_refused_politely(data: object) -> None:
    assert check_plan(data, CATALOGUE)


def test_an_unquoted_day_is_text() -> None:
    assert parse("day: 2026-01-01").data == {"day": "2026-01-01"}


def test_empty_text() -> None:
    assert read_plan("", CATALOGUE).problems


def shape(change: Callable[[str], str]) -> list[str]:
    return [problem.code for problem in read_plan(change(PLAN), CATALOGUE).problems]


def test_reported_totals_are_a_kind_of_counting() -> None:
    counted = """\
      count: distinct_persons
      of:
        - types: [citizen.certified]
          filter: {target_group: adult}
"""
    assert shape(lambda text: text.replace(counted, "      count: reported\n")) == []


def test_thresholds_inside_a_thing() -> None:
    per_commune = """\
      count: events
      of:
        - types: [class.held]
      within_unit: {per: commune, threshold: target}
      over: {units: commune}
"""
    per_mentor = """\
      count: distinct_things
      key: mentor
      of:
        - types: [mentor.assigned]
      inside: {distinct: mentee_ref, threshold: target}
      over: {population: mentors}
"""
    good = PLAN.replace(per_commune, per_mentor).replace("per: commune,", "per: mentor,")
    assert shape(lambda _: good) == []
    assert shape(lambda _: good.replace("mentee_ref", "mentees")) == ["unknown_field"]
    assert shape(
        lambda _: good.replace("      inside: {distinct: mentee_ref, threshold: target}\n", "")
    ) == ["measure"]
