"""A commune keeps the list of its hamlets itself: establishes, renames, ends them, and no other unit."""

from typing import Any

import pytest

from services.activities.log.model import Candidate
from tests.log.conftest import TAN_LAP, Bench, amended, candidate
from tests.log.own_units import code

OTHER = "24133@2025"
COMMUNE = frozenset({"commune"})


def by(subtree: str | None = TAN_LAP, **more: Any) -> dict[str, Any]:
    return {"roles": COMMUNE, "subtree": subtree, "partner": "clerk"} | more


def hamlet(number: int, commune: str = TAN_LAP, **data: Any) -> dict[str, Any]:
    code = f"{commune.partition('@')[0]}-{number:03}"
    found = {
        "unit_id": f"{code}@2025", "code": code, "era": "2025", "name_vi": f"Buôn {number}",
        "kind": "hamlet", "parent": commune, "from": "2026-01-01",
    }  # fmt: skip
    return found | data


def established(data: dict[str, Any], **more: Any) -> Candidate:
    return candidate("unit.established", f"new-{data['unit_id']}", data, subject=TAN_LAP, **more)


def ended(unit_id: str, *successors: str, **more: Any) -> Candidate:
    data = {
        "unit_id": unit_id,
        "dissolved_on": "2026-05-01",
        "successors": [{"unit_id": s, "part": "whole"} for s in successors],
    }
    return candidate("unit.dissolved", f"end-{unit_id}", data, subject=unit_id, **more)


def renamed(unit_id: str, id: str = "", **data: Any) -> Candidate:
    said = {"unit_id": unit_id, "from": "2026-04-01"} | data
    return candidate("unit.renamed", f"name-{unit_id}{id}", said, subject=unit_id, **by())


async def test_its_own_hamlets_from_the_first_day_to_the_last(bench: Bench) -> None:
    first, second = hamlet(1), hamlet(2)
    told = await bench.post(
        established(first, **by()),
        established(second, **by()),
        renamed(first["unit_id"], name_vi="Buôn Mới"),
        ended(second["unit_id"], first["unit_id"], **by()),
    )
    assert [code(o) for o in told] == [None] * 4


@pytest.mark.parametrize(
    ("data", "rights", "expected"),
    [
        (hamlet(1), by(None), "subtree-missing"),
        (hamlet(1, OTHER), by(), "unit-outside-key"),
        (hamlet(1), by("24133@2025"), "unit-outside-key"),
        (hamlet(1, kind="organisation"), by(), "unit-kind-not-permitted"),
        (hamlet(1, kind="ward"), by(), "unit-kind-not-permitted"),
        (hamlet(1, predecessors=[{"unit_id": TAN_LAP, "part": "part"}]), by(),
         "unit-kind-not-permitted"),
        (hamlet(1, predecessors=[{"unit_id": "24121-009@2025", "part": "part"}]), by(),
         "unit-unknown"),
        (hamlet(1), by(roles=frozenset({"administrator"})), None),
    ],
)  # fmt: skip
async def test_what_it_may_not_establish(
    bench: Bench, data: dict[str, Any], rights: dict[str, Any], expected: str | None
) -> None:
    (told,) = await bench.post(established(data, **rights))
    assert code(told) == expected
    if expected == "unit-kind-not-permitted":
        assert told.problem is not None and told.problem.status == 403


async def test_a_hamlet_without_a_commune_is_nobodys(bench: Bench) -> None:
    data = hamlet(1)
    del data["parent"]
    (told,) = await bench.post(established(data, **by()))
    assert code(told) == "unit-outside-key"


async def test_its_commune_and_other_units_are_not_its_to_change(bench: Bench) -> None:
    other = hamlet(1, OTHER)
    own = hamlet(1)
    told = await bench.post(
        established(other, roles=frozenset({"administrator"})),
        established(own, **by()),
        renamed(TAN_LAP, name_vi="Phường Khác"),
        renamed(other["unit_id"], name_vi="Buôn Khác"),
        renamed(own["unit_id"], kind="ward"),
        ended(TAN_LAP, OTHER, **by()),
        ended(own["unit_id"], other["unit_id"], **by()),
        ended(own["unit_id"], OTHER, **by()),
    )
    assert [code(o) for o in told] == [
        None, None, "unit-kind-not-permitted", "unit-outside-key", "unit-kind-not-permitted",
        "unit-kind-not-permitted", "unit-outside-key", "unit-kind-not-permitted",
    ]  # fmt: skip


async def test_no_correction_turns_a_hamlet_into_something_else(bench: Bench) -> None:
    own = hamlet(1)
    named = f"new-{own['unit_id']}"
    await bench.post(established(own, **by()))

    async def correct(number: int, **changes: Any) -> str | None:
        said = amended("event.corrected", f"c-{number}", named, changes={"data": changes}, **by())
        return code((await bench.post(said))[0])

    assert await correct(1, kind="province") == "unit-kind-not-permitted"
    assert await correct(2, parent="66@2025") == "not-yours-to-change"
    assert await correct(3, unit_id="66@2025") == "not-yours-to-change"
    assert await correct(4, predecessors=[{"unit_id": OTHER, "part": "part"}]) == (
        "unit-kind-not-permitted"
    )
    assert await correct(5, name_vi="Buôn Đúng") is None
    colleague = by(partner="another-clerk")
    (told,) = await bench.post(amended("event.revoked", "r-1", named, **colleague))
    assert code(told) is None
    (told,) = await bench.post(amended("event.revoked", "r-2", f"unit-{OTHER}", **by()))
    assert code(told) == "not-yours-to-change"
