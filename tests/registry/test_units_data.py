"""What the files of `units/` say, as a tree: the facts that go wrong most easily."""

from collections import Counter
from datetime import date

import pytest

from services.registry.units.catalogue import DEFAULT_FOLDER, stages
from shared.domain.territory import may_write
from shared.domain.tree import UnitTree
from shared.domain.units import UnknownUnit

OLD, NEW = date(2025, 6, 30), date(2025, 7, 1)


def test_how_many_units_there_are(tree: UnitTree) -> None:
    def levels(root: str, on: date) -> Counter[str]:
        return Counter(u.level for u in tree.descendants(root, on))

    new = levels("VN@2025", NEW)
    assert (new["province"], new["commune"]) == (34, 3321)
    old = levels("VN@2004", OLD)
    assert (old["province"], old["district"], old["commune"]) == (63, 696, 10_035)
    kinds = Counter(u.kind(NEW) for u in tree.descendants("VN@2025", NEW, "commune"))
    assert kinds == {"ward": 687, "commune": 2621, "special_zone": 13}


@pytest.mark.parametrize(("code", "communes"), [("66", 102), ("75", 95), ("52", 135), ("15", 99)])
def test_the_provinces_of_the_plans(tree: UnitTree, code: str, communes: int) -> None:
    assert len(tree.children(f"{code}@2025", NEW)) == communes


def test_code_15_was_yen_bai_and_is_lao_cai(tree: UnitTree) -> None:
    assert [u.name(u.valid_from) for u in tree.with_code("15")] == ["Tỉnh Yên Bái", "Tỉnh Lào Cai"]
    assert tree.resolve("15", NEW).unit_id == "15@2025"
    assert tree.resolve("15", OLD, era="2004").unit_id == "15@2004"
    with pytest.raises(UnknownUnit) as caught:
        tree.resolve("15", OLD)
    assert caught.value.code == "unit-ambiguous"


def test_yen_bai_covers_51_of_the_communes_of_lao_cai(tree: UnitTree) -> None:
    covered = [u for u in tree.children("15@2025", NEW) if may_write(tree, u.unit_id, "15@2004")]
    assert len(covered) == 51


def test_communes_that_were_split(tree: UnitTree) -> None:
    old = tree.descendants("VN@2004", OLD, "commune")
    split = [u for u in old if len(u.successors) > 1]
    assert len(split) == 471
    assert all(s.part == "part" for u in split for s in u.successors)
    assert all(u.successors for u in old)


def test_codes_used_in_both_eras(tree: UnitTree) -> None:
    new = tree.descendants("VN@2025", NEW, "commune")
    reused = [u for u in new if tree.unit(f"{u.code}@2004") is not None]
    assert len(reused) == 3315
    same = [u for u in reused if tree.same_territory(tree.unit(f"{u.code}@2004"), u)]
    assert len(same) == 132


def test_renames_of_30_april_2026(tree: UnitTree) -> None:
    before, after = date(2026, 4, 29), date(2026, 4, 30)
    changed = [u for u in tree.units() if u.exists(after) and u.name(before) != u.name(after)]
    assert len(changed) == 11
    assert all(u.unit_id == "75@2025" or u.parent == "75@2025" for u in changed)
    assert tree.unit("26368@2025").name(before) == "Xã Long Thành"
    assert (tree.unit("26368@2025").name(after), tree.unit("26368@2025").kind(after)) == (
        "Phường Long Thành",
        "ward",
    )


def test_only_island_districts_have_successors(tree: UnitTree) -> None:
    districts = tree.descendants("VN@2004", OLD, "district")
    islands = {d.unit_id for d in districts if d.successors}
    assert islands == {"318@2004", "471@2004", "498@2004", "536@2004", "755@2004"}
    assert all(not tree.children(island, OLD) for island in islands)
    assert not any(d.exists(NEW) for d in districts)
    # Territory still tells: a commune of today lies in the district it came from.
    assert may_write(tree, "24133@2025", "643@2004")


def test_hamlets_have_stable_codes_under_their_commune(tree: UnitTree) -> None:
    assert len(tree.children("24133@2025", NEW)) == 88
    assert tree.unit("24133-001@2025").name(NEW) == "Buôn Akŏ Dhŏng"


def test_populations_are_never_guessed() -> None:
    declared = stages()[-1].events
    assert len(declared) == 3329
    assert {event["data"]["population"] for event in declared} == {"residents"}
    blank = {"01147@2025"}  # published figure implausible
    assert not blank & {event["subject"] for event in declared}


def test_the_licences_of_the_sources_travel_with_the_data() -> None:
    texts = [path.read_text() for path in sorted((DEFAULT_FOLDER / "LICENSES").iterdir())]
    assert len(texts) == 2
    assert all("MIT License" in text for text in texts)
