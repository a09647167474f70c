"""A report about a named school or enterprise adds; only one for the whole unit replaces those below."""

from typing import Any

from services.metrics.counting.contribute import Contributor
from services.metrics.counting.states import state
from services.metrics.counting.windows import Window
from services.metrics.evaluating.cell import Cell
from services.metrics.evaluating.evaluate import Evaluator
from shared.contracts.definitions import Catalogue
from shared.domain.definitions import Definitions
from shared.domain.measures import Measure, reports, speaking
from shared.domain.places import Places, Sums
from tests.metrics.histories import BASE
from tests.metrics.memory_log import MemoryLog
from tests.metrics.province import ROOT, A, B, define, document, objective, of

PUPILS = objective("pupils", {"count": "sum", "of": [of("programme.completed")]})
WORKERS = objective("workers", {"count": "sum", "of": [of("report.submitted")]})


def cells(catalogue: Catalogue, posted: list[tuple[str, str, dict[str, Any]]]) -> dict[str, Cell]:
    """objective and unit -> cell, of events counted as live counting does."""
    log = MemoryLog(catalogue)
    define(log, document([PUPILS, WORKERS]))
    for kind, unit, data in posted:
        log.post(kind, unit, BASE, BASE, data)
    definitions = Definitions(catalogue)
    for row in log.rows:
        definitions.apply(row)
    plan = definitions.plan("p", BASE)
    assert plan is not None
    others = {one.id: one for one in plan.objectives}

    def sums(measure: Measure, _: Window, _root: str) -> Sums:
        subjects: dict[bytes, list[Any]] = {}
        contributor = Contributor({1: measure}, catalogue)
        for row in log.rows:
            evidence = contributor.evidence(row)
            if evidence is not None:
                subjects.setdefault(row.key, []).append(evidence)
        found: dict[str, tuple[int, int]] = {}
        for rows in subjects.values():
            for (unit, _), (n, total) in state(measure, 1, rows).items():
                before = found.get(unit, (0, 0))
                found[unit] = (before[0] + n, before[1] + total)
        return found

    places = Places(definitions.tree, BASE)
    evaluator = Evaluator(definitions, places, sums, BASE)
    return {
        f"{name} {cell.unit_id}": cell
        for name, one in others.items()
        for cell in evaluator.cells(one, ROOT, [ROOT, A, B], others)
    }


def school(unit: str, name: str, pupils: int) -> tuple[str, str, dict[str, Any]]:
    said = {"school": name, "target_groups": ["pupil"], "pupils_completed": pupils}
    return "programme.completed", unit, said


def report(unit: str, kind: str, people: int) -> tuple[str, str, dict[str, Any]]:
    said = {"reporter": f"{kind} {unit}", "reporter_kind": kind, "people_completed": people}
    return "report.submitted", unit, said


def test_an_upper_secondary_school_of_the_province_adds(catalogue: Catalogue) -> None:
    below = [school(A, "thcs", 200), school(B, "thcs", 111)]
    found = cells(catalogue, [*below, school(ROOT, "thpt", 3)])
    whole = found[f"pupils {ROOT}"]
    assert (whole.value, whole.flags) == (314, [])
    assert found[f"pupils {A}"].value == 200


def test_only_a_report_for_the_whole_unit_replaces(catalogue: Catalogue) -> None:
    below = [report(A, "commune", 20), report(B, "enterprise", 5)]
    named = cells(catalogue, [*below, report(ROOT, "enterprise", 7)])[f"workers {ROOT}"]
    assert (named.value, named.flags) == (32, [])
    whole = cells(catalogue, [*below, report(ROOT, "department", 40)])[f"workers {ROOT}"]
    assert (whole.value, whole.flags) == (40, ["own_report"])
    nothing = cells(catalogue, [*below, report(ROOT, "department", 0)])[f"workers {ROOT}"]
    assert (nothing.value, nothing.flags) == (0, ["own_report"]), "a report of nothing replaces too"
    at_a = cells(catalogue, [*below, report(A, "enterprise", 6)])
    assert (at_a[f"workers {A}"].value, at_a[f"workers {ROOT}"].value) == (26, 31)


def test_how_many_reports_there_are() -> None:
    mixed = (1 << 32) * 3 + 2
    assert (speaking(mixed), reports(mixed), reports(4)) == (2, 5, 4)
