"""Members of teams and squads as sums: of each the newest number, each adds to its unit; and an
activity is told by who held it."""

from typing import Any

import pytest

from services.metrics.counting.contribute import Contributor
from services.metrics.counting.states import state
from services.metrics.counting.windows import Window
from services.metrics.evaluating.evaluate import Evaluator
from shared.contracts.definitions import Catalogue
from shared.contracts.filters import FilterError, compile_filter
from shared.domain.closing import Proof
from shared.domain.compile import compile_plan
from shared.domain.definitions import Definitions
from shared.domain.measures import Measure
from shared.domain.places import Places, Sums
from tests.metrics.histories import BASE
from tests.metrics.memory_log import MemoryLog
from tests.metrics.province import ROOT, A, B, define, document, objective, of

Fact = tuple[str, str, dict[str, Any]]
HAMLET = f"{A.split('@')[0]}-001@2025"


def values(catalogue: Catalogue, measure: dict[str, Any], posted: list[Fact]) -> dict[str, int]:
    """The value of each unit, counted as live counting does."""
    log = MemoryLog(catalogue)
    define(log, document([objective("o", measure)]))
    for kind, unit, data in posted:
        log.post(kind, unit, BASE, BASE, data)
    definitions = Definitions(catalogue)
    for row in log.rows:
        definitions.apply(row)
    plan = definitions.plan("p", BASE)
    assert plan is not None
    (one,) = plan.objectives
    assert one.reason is None, one.reason

    def sums(asked: Measure, _: Window, _root: str) -> Sums:
        contributor, subjects = Contributor({1: asked}, catalogue), dict[bytes, list[Any]]()
        for row in log.rows:
            evidence = contributor.evidence(row)
            if evidence is not None:
                subjects.setdefault(row.key, []).append(evidence)
        found: dict[str, tuple[int, int]] = {}
        for rows in subjects.values():
            for (unit, _), (n, total) in state(asked, 1, rows).items():
                before = found.get(unit, (0, 0))
                found[unit] = (before[0] + n, before[1] + total)
        return found

    evaluator = Evaluator(definitions, Places(definitions.tree, BASE), sums, BASE)
    cells = evaluator.cells(one, ROOT, [ROOT, A, B], {one.id: one})
    return {cell.unit_id: cell.value or 0 for cell in cells}


def team(unit: str, ref: str, members: int) -> Fact:
    return "team.established", unit, {"team_ref": ref, "members": members}


def test_the_newest_number_of_each_team_adds(catalogue: Catalogue) -> None:
    posted = [team(A, "to-1", 7), team(A, "to-2", 5), team(A, "to-1", 9), team(B, "to-1", 4)]
    found = values(catalogue, {"count": "sum", "of": [of("team.established")]}, posted)
    assert found == {ROOT: 18, A: 14, B: 4}


def test_a_team_of_the_province_takes_nothing_from_those_below(catalogue: Catalogue) -> None:
    posted = [team(ROOT, "tinh", 20), team(A, "to-1", 7)]
    found = values(catalogue, {"count": "sum", "of": [of("team.established")]}, posted)
    assert found == {ROOT: 27, A: 7, B: 0}


def test_members_who_join_later_add(catalogue: Catalogue) -> None:
    posted: list[Fact] = [("team.reinforced", A, {"members_added": n}) for n in (3, 2)]
    found = values(catalogue, {"count": "sum", "of": [of("team.reinforced")]}, posted)
    assert found == {ROOT: 5, A: 5, B: 0}


def test_squads_are_counted_by_who_set_them_up(catalogue: Catalogue) -> None:
    posted: list[Fact] = [
        ("squad.established", A, {"squad_ref": "1", "members": 12, "held_by": "youth_union"}),
        ("squad.established", A, {"squad_ref": "2", "members": 30, "held_by": "womens_union"}),
        ("squad.established", B, {"squad_ref": "3", "members": 8}),
    ]
    mine = of("squad.established", held_by="youth_union")
    assert values(catalogue, {"count": "sum", "of": [mine]}, posted) == {ROOT: 12, A: 12, B: 0}
    things = {"count": "distinct_things", "key": "squad", "of": [of("squad.established")]}
    assert values(catalogue, things, posted) == {ROOT: 3, A: 2, B: 1}


def test_devices_of_a_batch_add_and_persons_are_persons(catalogue: Catalogue) -> None:
    posted: list[Fact] = [
        ("device.given", A, {"kind": "smartphone", "number": 50}),
        ("device.given", A, {"kind": "tablet", "number": 5}),
        ("device.given", B, {"kind": "smartphone", "person_ref": "cccd:a"}),
    ]
    phones = of("device.given", kind="smartphone")
    assert values(catalogue, {"count": "sum", "of": [phones]}, posted)[ROOT] == 50
    assert values(catalogue, {"count": "distinct_persons", "of": [phones]}, posted)[ROOT] == 1


def test_figures_of_things_and_of_reporters_are_not_mixed(catalogue: Catalogue) -> None:
    mixed = {"count": "sum", "of": [of("team.established"), of("report.submitted")]}
    (refused,) = compile_plan(document([objective("o", mixed)]), catalogue)
    assert "of reporters and of things" in str(refused.reason)


def test_who_held_it_is_a_filter_of_measures_and_of_tasks(catalogue: Catalogue) -> None:
    held = compile_filter({"held_by": "womens_union"}, ("class.held", "activity.held"), catalogue)
    for node in held.nodes.values():
        assert node.matches({"held_by": "womens_union"})
        assert not node.matches({"held_by": "youth_union"}) and not node.matches({})
    wanted = {"held_by": ["youth_union", "trade_union"]}
    proof = Proof(types=("class.held",), where="area", filter=wanted)
    assert proof.compiled(catalogue).nodes["class.held"].matches({"held_by": "trade_union"})
    with pytest.raises(FilterError, match="womens_union"):
        compile_filter({"held_by": "women_union"}, ("class.held",), catalogue)
