"""No event and no correction makes a unit lie in, or come from, itself; the tree stands anyway."""

import logging
from datetime import date
from typing import Any

import pytest

from services.activities.log.model import Candidate
from shared.contracts.record import DEFINITION_LANE, Content, LogRecord
from shared.domain.places import Places
from shared.domain.territory import covered, may_write
from shared.domain.tree import UnitTree
from shared.domain.units import Ignored
from tests.log.conftest import ADMINISTRATOR, DAK_LAK, TAN_LAP, Bench, amended, dissolved, unit
from tests.log.own_units import code

DAY = date(2026, 1, 1)
LAO_CAI, YEN_BAI = "15@2025", "15@2004"


def corrected(id: str, named: str, **data: Any) -> Candidate:
    changes = {"data": data}
    return amended("event.corrected", id, named, changes=changes, roles=ADMINISTRATOR)


@pytest.mark.parametrize(
    ("changed", "data", "expected", "pointer"),
    [
        (DAK_LAK, {"parent": DAK_LAK}, "unit-circle", "parent"),
        (DAK_LAK, {"parent": TAN_LAP}, "unit-circle", "parent"),
        ("VN@2025", {"parent": TAN_LAP}, "unit-circle", "parent"),
        (TAN_LAP, {"parent": "77777@2025"}, "unit-parent-unknown", "parent"),
        (TAN_LAP, {"unit_id": "24133@2025", "code": "24133"}, "unit-exists", "unit_id"),
        (TAN_LAP, {"unit_id": "24122@2025"}, "unit-id-malformed", "unit_id"),
        (TAN_LAP, {"parent": LAO_CAI}, None, ""),
    ],
)
async def test_a_correction_of_where_a_unit_lies(
    bench: Bench, changed: str, data: dict[str, Any], expected: str | None, pointer: str
) -> None:
    before = len((await bench.read())[0])
    (told,) = await bench.post(corrected("c1", f"unit-{changed}", **data))
    assert code(told) == expected
    if expected is not None:
        assert told.problem is not None and told.problem.hint
        assert told.problem.pointer == f"/data/changes/data/{pointer}"
        assert len((await bench.read())[0]) == before
    (after,) = await bench.post(unit("24199@2025", "Xã mới", "commune", DAK_LAK, "2025-07-01"))
    assert code(after) is None


async def test_a_unit_does_not_come_from_itself(bench: Bench) -> None:
    itself, back = dissolved(DAK_LAK, "2026-01-01", (DAK_LAK, "whole")), (YEN_BAI, "part")
    told = await bench.post(itself, dissolved(LAO_CAI, "2026-01-01", back))
    assert [code(o) for o in told] == ["unit-circle"] * 2
    assert told[0].problem is not None and told[0].problem.pointer == "/data/successors"
    (told_of_correction,) = await bench.post(
        corrected("c1", f"end-{YEN_BAI}", successors=[{"unit_id": YEN_BAI, "part": "whole"}]),
    )
    assert code(told_of_correction) == "unit-circle"
    (missing,) = await bench.post(corrected("c2", f"end-{YEN_BAI}", unit_id="99@2004"))
    assert code(missing) == "unit-unknown"


async def test_what_stands_again_may_not_close_a_circle_either(bench: Bench) -> None:
    """A correction is revoked, another moves the upper unit below, the first is to stand again."""
    district = unit("901@2025", "Huyện", "district", DAK_LAK, "2025-07-01")
    other = unit("902@2025", "Huyện khác", "district", DAK_LAK, "2025-07-01")
    down = corrected("c1", "unit-901@2025", parent="902@2025")
    gone = amended("event.revoked", "r1", "c1", roles=ADMINISTRATOR)
    up = corrected("c2", "unit-902@2025", parent="901@2025")
    assert [code(o) for o in await bench.post(district, other, down, gone, up)] == [None] * 5
    again = amended("event.revoked", "r2", "r1", roles=ADMINISTRATOR)
    (told,) = await bench.post(again)
    assert code(told) == "unit-circle"


# -- a circle that is in the log already ---------------------------------------------------------


class Rows:
    """Rows of unit events as an older door would have let them in."""

    def __init__(self) -> None:
        self.tree = UnitTree()
        self._position = 0

    def say(self, type: str, unit_id: str, origin: int | None = None, **data: Any) -> int:
        self._position += 1
        said = {"unit_id": unit_id} | data
        content = Content(
            type=type, unitid=unit_id, occurred=DAY, time=f"{DAY}T08:00:00+07:00", data=said
        )
        self.tree.apply(
            LogRecord(
                id=f"e{self._position}", source="https://partner.example", subject=unit_id,
                type=f"vn.hocvuso.{type if origin is None else 'event.corrected'}",
                time=content.time, epoch="e", position=self._position, prev=0,
                lane=DEFINITION_LANE, recorded=DAY, occurred=DAY, unitid=unit_id,
                origin=origin or self._position, revision=0 if origin is None else 1,
                keyindex=0, keykind="unit", key=unit_id.encode(), data=said,
                effective=None if origin is None else content,
            )
        )  # fmt: skip
        return self._position

    def unit(self, unit_id: str, parent: str | None, origin: int | None = None) -> int:
        name, _, era = unit_id.partition("@")
        more = {"parent": parent} if parent else {}
        data = {"code": name, "era": era, "name_vi": name, "kind": "district", "from": "2025-07-01"}
        return self.say("unit.established", unit_id, origin, **data, **more)

    def ended(self, unit_id: str, *successors: str) -> int:
        shares = [{"unit_id": name, "part": "whole"} for name in successors]
        return self.say("unit.dissolved", unit_id, dissolved_on="2026-01-01", successors=shares)


def walk_everything(tree: UnitTree) -> None:
    """Every question of every service; each has an end."""
    names = [found.unit_id for found in tree.units()]
    for name in names:
        tree.descendants(name, DAY)
        tree.ancestors(name)
        covered(tree, name)
        for other in names:
            may_write(tree, name, other)
        for day in (DAY, date(2025, 8, 1)):
            places = Places(tree, day)
            places.home(name), places.scope(name), places.within(name)
            own = dict.fromkeys(names, (1, 0))
            for wins in (False, True):
                places.roll(own, own_report_wins=wins, root=name)


@pytest.mark.parametrize("stale", [False, True])
def test_a_parent_below_is_left_out_and_told_once(
    stale: bool, caplog: pytest.LogCaptureFixture
) -> None:
    rows = Rows()
    top = rows.unit("a@2025", None)
    rows.unit("b@2025", "a@2025")
    rows.unit("c@2025", "b@2025")
    with caplog.at_level(logging.WARNING, "shared.domain.unit_fold"):
        rows.unit("a@2025", "c@2025", origin=top)
        if not stale:
            rows.tree.units()
        tree = rows.tree.copy()
        walk_everything(tree)
        walk_everything(rows.tree)
    # `a` comes first in the log: the link of `c`, which closes the circle, is the one left out.
    assert tree.ignored() == [Ignored(3, "c@2025", "parent", "b@2025")] == rows.tree.ignored()
    assert [u.unit_id for u in tree.descendants("c@2025")] == ["a@2025", "b@2025"]
    assert len(caplog.records) == 1 and "c@2025" in caplog.text


def test_a_circle_of_successors_is_left_out() -> None:
    rows = Rows()
    for name in "abc":
        rows.unit(f"{name}@2025", None)
    rows.ended("a@2025", "b@2025")
    rows.ended("b@2025", "c@2025", "b@2025")
    rows.ended("c@2025", "a@2025")
    walk_everything(rows.tree)
    left_out = [(one.unit_id, one.other) for one in rows.tree.ignored()]
    assert left_out == [("b@2025", "b@2025"), ("c@2025", "a@2025")]
    assert Places(rows.tree, DAY).home("a@2025").unit_id is None
    assert may_write(rows.tree, "c@2025", "a@2025") and not may_write(rows.tree, "a@2025", "c@2025")


def test_ended_twice_and_established_twice() -> None:
    rows = Rows()
    for name in "abc":
        rows.unit(f"{name}@2025", None)
    rows.ended("a@2025", "b@2025")
    rows.ended("a@2025", "c@2025")
    rows.unit("a@2025", "c@2025")
    walk_everything(rows.tree)
    assert rows.tree.predecessors("b@2025") == []
    assert rows.tree.predecessors("c@2025") == [("a@2025", "whole")]
    assert rows.tree.children("c@2025") == [] and len(rows.tree.with_code("a")) == 1
    assert rows.tree.ignored() == [Ignored(6, "a@2025", "unit_id", "a@2025")]


def test_a_chain_of_thousands_has_an_end_too() -> None:
    rows = Rows()
    above = None
    for number in range(3_000):
        rows.unit(f"{number}@2025", above)
        above = f"{number}@2025"
    assert len(rows.tree.descendants("0@2025")) == 2_999
