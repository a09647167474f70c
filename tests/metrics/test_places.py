"""Units through time: who shows the facts of units that are gone, and that nothing is lost."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.contracts.definitions import Catalogue
from shared.domain.places import Home, Places
from shared.domain.tree import UnitTree
from tests.metrics.memory_log import MemoryLog

MERGED = date(2025, 7, 1)
OLD, NEW = date(2025, 6, 30), date(2026, 1, 1)
DAY = date(2026, 1, 1)


@pytest.fixture(scope="session")
def tree(catalogue: Catalogue) -> UnitTree:
    """Old provinces 15 and 10 become 15@2025. Of 15's communes, a and b are whole, s is split."""
    log = MemoryLog(catalogue)

    def unit(unit_id: str, kind: str, parent: str | None) -> None:
        code, _, era = unit_id.partition("@")
        since = "2025-07-01" if era == "2025" else "2004-01-01"
        data: dict[str, Any] = {"unit_id": unit_id, "code": code, "era": era, "name_vi": code}
        data |= {"kind": kind, "from": since} | ({"parent": parent} if parent else {})
        log.post("unit.established", unit_id, DAY, DAY, data)

    def gone(unit_id: str, *successors: tuple[str, str]) -> None:
        parts = [{"unit_id": name, "part": part} for name, part in successors]
        data = {"unit_id": unit_id, "dissolved_on": "2025-07-01", "successors": parts}
        log.post("unit.dissolved", unit_id, DAY, DAY, data)

    for old in ("15@2004", "10@2004"):
        unit(old, "province", None)
    unit("d@2004", "district", "15@2004")
    for name in "abs":
        unit(f"{name}@2004", "commune", "d@2004")
    unit("l@2004", "commune", "10@2004")
    unit("15@2025", "province", None)
    for name in ("A", "B", "L"):
        unit(f"{name}@2025", "commune", "15@2025")
    unit("h@2025", "hamlet", "A@2025")
    gone("15@2004", ("15@2025", "whole"))
    gone("10@2004", ("15@2025", "whole"))
    gone("d@2004")
    gone("a@2004", ("A@2025", "whole"))
    gone("b@2004", ("B@2025", "whole"))
    gone("s@2004", ("A@2025", "part"), ("B@2025", "part"))
    gone("l@2004", ("L@2025", "whole"))
    found = UnitTree()
    for row in log.rows:
        found.apply(row)
    return found


OWN = {
    "a@2004": (1, 0),
    "b@2004": (2, 0),
    "s@2004": (4, 0),
    "d@2004": (8, 0),
    "l@2004": (16, 0),
    "A@2025": (32, 0),
    "h@2025": (64, 0),
    "15@2025": (128, 0),
    "15@2004": (256, 0),
}


def test_whole_successors_take_over_and_splits_stay_above(tree: UnitTree) -> None:
    places = Places(tree, NEW)
    assert places.home("a@2004") == Home("A@2025", False)
    assert places.home("s@2004") == Home("15@2025", True)
    assert places.home("d@2004").remainder
    assert Places(tree, OLD).home("A@2025").unit_id == "d@2004"
    assert places.home("nowhere@2025") == Home(None, True)


def test_children_own_and_not_attributable_are_the_parent(tree: UnitTree) -> None:
    rolled = Places(tree, NEW).roll(OWN, own_report_wins=False, root="15@2025")
    values = {name: n for name, (n, _) in rolled.values.items()}
    assert (values["A@2025"], values["B@2025"], values["L@2025"]) == (97, 2, 16)
    own = OWN["15@2025"][0] + OWN["15@2004"][0]
    children = values["A@2025"] + values["B@2025"] + values["L@2025"]
    assert rolled.remainders["15@2025"] == OWN["s@2004"][0] + OWN["d@2004"][0]
    assert children + own + rolled.remainders["15@2025"] == values["15@2025"]
    assert values["15@2025"] == sum(n for n, _ in OWN.values())


def test_an_old_provinces_plan_covers_what_its_territory_became(tree: UnitTree) -> None:
    places = Places(tree, NEW)
    shown = [unit.unit_id for unit in places.scope("15@2004")]
    assert shown == ["15@2004", "A@2025", "B@2025"]
    assert places.units_below("15@2004", "commune") == ["A@2025", "B@2025"]
    rolled = places.roll(OWN, own_report_wins=False, root="15@2004")
    everything = 1 + 2 + 4 + 8 + 32 + 64 + 256
    assert rolled.values["15@2004"] == (everything, 0)
    assert rolled.remainders["15@2004"] == 4 + 8
    children = rolled.values["A@2025"][0] + rolled.values["B@2025"][0]
    assert children + OWN["15@2004"][0] + rolled.remainders["15@2004"] == everything


def test_before_the_merger_the_old_tree_shows_them(tree: UnitTree) -> None:
    places = Places(tree, OLD)
    own = {name: sums for name, sums in OWN.items() if name.endswith("@2004")}
    rolled = places.roll(own, own_report_wins=False, root="15@2004")
    assert rolled.values["15@2004"][0] == 1 + 2 + 4 + 8 + 256
    assert rolled.values["d@2004"][0] == 1 + 2 + 4 + 8
    assert not rolled.remainders


def test_a_units_own_report_replaces_those_below(tree: UnitTree) -> None:
    places = Places(tree, NEW)
    own = {"A@2025": (1, 50), "h@2025": (2, 30), "B@2025": (1, 7)}
    rolled = places.roll(own, own_report_wins=True, root="15@2025")
    assert rolled.values["A@2025"] == (1, 50)
    assert rolled.values["15@2025"] == (2, 57)
    assert rolled.replaced == {"A@2025"}


def test_own_reports_replace_those_below_for_an_old_province_too(tree: UnitTree) -> None:
    own = {"A@2025": (1, 50), "h@2025": (2, 30), "B@2025": (1, 7), "s@2004": (1, 5)}
    places = Places(tree, NEW)
    rolled = places.roll(own, own_report_wins=True, root="15@2004")
    assert rolled.values["15@2004"] == (3, 62)
    assert places.speaking("15@2004", {name: n for name, (n, _) in own.items()}, "15@2004") == [
        "A@2025",
        "B@2025",
        "s@2004",
    ]
    rolled = places.roll(own | {"15@2004": (1, 9)}, own_report_wins=True, root="15@2004")
    assert rolled.values["15@2004"] == (1, 9) and "15@2004" in rolled.replaced


FACTS = st.dictionaries(
    st.sampled_from([*OWN, "A@2025", "B@2025", "L@2025", "10@2004", "nowhere@2025"]),
    st.tuples(st.integers(0, 9), st.integers(0, 99)),
)


@settings(max_examples=200, deadline=None)
@given(FACTS, st.sampled_from([OLD, NEW]), st.sampled_from(["15@2004", "10@2004", "15@2025"]))
def test_the_parts_are_the_whole_whatever_the_facts(
    tree: UnitTree, own: dict[str, tuple[int, int]], day: date, root: str
) -> None:
    places = Places(tree, day)
    rolled = places.roll(own, own_report_wins=False, root=root)
    values = {name: n for name, (n, _) in rolled.values.items()}
    covered = {name for name in own if places.covers(root, name, root)}
    assert values.get(root, 0) == sum(own[name][0] for name in covered)
    for unit in places.scope(root):
        name = unit.unit_id
        if not unit.exists(day):
            continue
        children = sum(values.get(child.unit_id, 0) for child in places.children(name))
        here = sum(
            n
            for at, (n, _) in own.items()
            if places.home(at) == Home(name, False) and at in covered
        )
        parts = children + here + rolled.remainders.get(name, 0)
        assert values.get(name, 0) == parts, name
    if not places.exists(root):
        shown = sum(values.get(name, 0) for name in places.units_below(root, "commune"))
        mine = own.get(root, (0, 0))[0] if root in covered else 0
        assert values.get(root, 0) == shown + mine + rolled.remainders.get(root, 0)
