"""Who a group is (N30): by the kind of the group, from a day on; a kind that nobody knows is refused."""

import json
from datetime import date
from typing import Any

import pytest

from services.registry.plans.bodies import CALLED, LEVEL_OF_KIND, REGISTERED, bodies
from shared.domain.territory import answering as territory
from shared.domain.tree import UnitTree
from shared.domain.units import Unit
from tests.registry import fakes

DAY = date(2026, 11, 21)
NAMED = {
    "ubnd-tinh": {"name_vi": "UBND tỉnh", "kind": "province_authority"},
    "so-a": {"name_vi": "Sở A", "kind": "department"},
    "so-b": {"name_vi": "Sở B", "kind": "department"},
    "ban-a": {"name_vi": "Ban A", "kind": "party_body"},
    "hoi-a": {"name_vi": "Hội A", "kind": "mass_organisation"},
    "hoi-b": {"name_vi": "Hội B", "kind": "mass_organisation"},
}


def group(kind: str, **more: Any) -> dict[str, Any]:
    return {"name_vi": "Các cơ quan", "kind": kind, "group": True, **more}


def found(one: dict[str, Any], units: list[Unit], on: date = DAY) -> dict[str, bool]:
    return {b.id: b.listed for b in bodies(["all"], NAMED | {"all": one}, units, on)}


@pytest.fixture(scope="module")
def province(tree: UnitTree) -> list[Unit]:
    return [u for name in territory(tree, "66@2025") if (u := tree.unit(name)) and u.exists(DAY)]


@pytest.fixture(scope="module")
def nation(tree: UnitTree) -> list[Unit]:
    return [u for u in tree.units() if u.exists(DAY) and u.level in ("province", "commune")]


def test_groups_of_departments_party_bodies_and_organisations_are_those_of_the_plan() -> None:
    assert found(group("department"), []) == {"so-a": True, "so-b": True}
    assert found(group("party_body"), []) == {"ban-a": True}
    assert found(group("mass_organisation"), []) == {"hoi-a": True, "hoi-b": True}
    assert found(group("department", members=["so-b"]), []) == {"so-b": True}


def test_the_front_and_the_organisations_are_the_front_besides() -> None:
    told = found(group("mass_organisation", includes_itself=True), [])
    assert told == {"hoi-a": True, "hoi-b": True, "all": True}


def test_nobody_is_left_out_silently() -> None:
    """Fewer than the plan counts, or none of that kind: somebody is unknown."""
    assert found(group("department", count=14), []) == {"so-a": True, "so-b": True, "all": False}
    assert found(group("department", count=2), []) == {"so-a": True, "so-b": True}
    assert found(group("media"), []) == {"all": False}


@pytest.mark.parametrize(
    "kind", ["commune", "commune_party_committee", "commune_mass_organisation"]
)
def test_one_for_each_commune(province: list[Unit], kind: str) -> None:
    owing = bodies(["all"], {"all": group(kind)}, province, DAY)
    assert len(owing) == 102 and all(b.listed and b.unit_id == b.id for b in owing)
    (ward,) = [b for b in owing if b.id == "24133@2025"]
    assert ward.name_vi == CALLED.get(kind, "{}").format("Phường Buôn Ma Thuột")


@pytest.mark.parametrize("kind", ["province", "province_authority", "province_party_committee"])
def test_one_for_each_province(nation: list[Unit], kind: str) -> None:
    assert len(found(group(kind), nation)) == 34


def test_registered_organisations_belong_to_the_group_of_their_kind() -> None:
    school = Unit(
        unit_id="66.thpt-a@2026", code="66.thpt-a", era="2026", level="organisation", parent="66@2025",
        valid_from=date(2026, 9, 1), names=[(date(2026, 9, 1), "THPT A", "organisation")],
        facts={"organisation_kind": "school"},
    )  # fmt: skip
    assert set(found(group("school"), [school])) == {"66.thpt-a@2026"}
    assert found(group("enterprise"), [school]) == {"all": False}


def test_kinds_are_a_closed_list() -> None:
    schema = json.loads((fakes.PLANS / "plan.schema.json").read_text())
    kinds = set(schema["$defs"]["organisation"]["properties"]["kind"]["enum"])
    assert set(LEVEL_OF_KIND) | set(REGISTERED) <= kinds and "comune" not in kinds


def test_there_are_no_districts_since_july_2025() -> None:
    """Before, a group of districts that are not in the tree is unknown; since then it is nobody."""
    assert found(group("district"), [], date(2025, 6, 30)) == {"all": False}
    assert found(group("district"), [], date(2025, 7, 1)) == {}
