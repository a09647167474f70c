"""A commune pastes the list of its hamlets, out of a spreadsheet or a document."""

from datetime import date
from typing import Any

import pytest

from services.registry.units import hamlets
from shared.domain.tree import UnitTree
from tests.registry.conftest import Running
from tests.registry.unit_writes import AUTH, WRITE, change, unit


async def test_a_commune_pastes_its_hamlets(registry: Running) -> None:
    url = "/v1/units/24154/hamlets"
    pasted = {"names": "1. Buôn Một\n2) Buôn  Hai\n\n- Thôn 3\nbuôn một"}
    answer = await registry.client.post(url, json=pasted, headers=AUTH, params=WRITE)
    said = answer.json()
    assert [u["unit_id"] for u in said["new"]] == [f"24154-00{n}@2025" for n in (1, 2, 3)]
    assert said["twice"] == ["buôn một"]
    await registry.settle()
    refused = await registry.client.post(
        url, json={"names": ["Buôn Một"], "complete": True}, headers=AUTH
    )
    assert refused.json()["code"] == "hamlets-absent"
    both = [{"op": "rename", "unit": "24154-001", "name_vi": "Buôn Mới", "on": "2026-11-21"},
            {"op": "merge", "units": ["24154-002"], "into": "24154-003@2025", "on": "2026-11-21"}]  # fmt: skip
    assert (await change(registry, *both, **WRITE)).status_code == 200
    await registry.settle()
    more = {"names": ["Buôn Mới", "Thôn 3", "Thôn 4"], "complete": True}
    said = (await registry.client.post(url, json=more, headers=AUTH, params=WRITE)).json()
    # The code of the merged one is not given again.
    assert [u["unit_id"] for u in said["new"]] == ["24154-004@2025"]
    assert said["events"][-1]["data"]["number"] == 3
    await registry.settle()
    populations = (await unit(registry, "24154"))["populations"]
    assert [p["number"] for p in populations if p["population"] == "hamlets"] == [3]


async def test_hamlets_belong_to_communes(registry: Running) -> None:
    answer = await registry.client.post("/v1/units/66/hamlets", json={"names": ["a"]}, headers=AUTH)
    assert answer.json()["code"] == "unit-not-commune"


def test_names_with_other_diacritics_are_other_hamlets(tree: UnitTree) -> None:
    commune = tree.unit("24133@2025")
    assert commune is not None
    names = ["BUÔN AKŎ  DHŎNG", "Buôn Ako Dhong"]
    found = hamlets.listed(tree, commune, names, date(2026, 11, 21))
    assert [name for name, _ in found.known] == ["24133-001@2025"]
    assert [code for code, _ in found.new] == ["24133-089"]
    assert len(found.absent) == 87


SHEET = """\
DANH SÁCH THÔN, BUÔN, TỔ DÂN PHỐ

STT\tTrưởng thôn\tTên thôn, buôn\tSố hộ\tĐiện thoại
1\tNguyễn Văn A\tBuôn Akŏ Dhŏng\t320\t0905000001
2\tH'Linh Niê\tThôn 2\t150\t0905000002
\t\t\t470\t
"""


@pytest.mark.parametrize(
    ("text", "names", "skipped"),
    [
        (SHEET, ["Buôn Akŏ Dhŏng", "Thôn 2"], [1, 3, 6]),
        ("1\tThôn Một\t30\r\n2\tThôn Hai\t40\r\n", ["Thôn Một", "Thôn Hai"], []),
        ("1. Thôn Một\n2) Thôn Hai;\n03- Thôn Ba.\n4/ Thôn 4", ["Thôn Một", "Thôn Hai", "Thôn Ba", "Thôn 4"], []),
        ("•\u00a0Thôn  1\x0b– Thôn 2\u2028\u200bThôn\u00a03\ufeff", ["Thôn 1", "Thôn 2", "Thôn 3"], []),
        ("1 Thôn A\n2 Thôn B", ["Thôn A", "Thôn B"], []),
        ("Tổ dân phố 1\n12 Km", ["Tổ dân phố 1", "12 Km"], []),
        ("Bu\u00f4n To\u031bng\n“Buôn Tong”", ["Buôn Tơng", "Buôn Tong"], []),
        ("1\n2\n\n" + "x" * 101, [], [1, 2, 4]),
    ],
)  # fmt: skip
def test_names_as_they_are_pasted(text: str, names: list[str], skipped: list[int]) -> None:
    assert hamlets.pasted(text) == hamlets.Pasted(names, skipped)


async def test_a_list_is_complete_until_that_is_taken_back(registry: Running) -> None:
    url = "/v1/units/24235/hamlets"

    async def state() -> tuple[str, int | None, int]:
        found = (await registry.client.get(url)).json()
        return found["state"], found["declared"], len(found["hamlets"])

    async def paste(complete: bool | None) -> int:
        body = {"names": "Thôn 1\nThôn 2"} | ({} if complete is None else {"complete": complete})
        answer = await registry.client.post(url, json=body, headers=AUTH, params=WRITE)
        assert answer.status_code == 200, answer.text
        await registry.settle()
        return int(answer.json()["written"])

    assert await state() == ("absent", None, 0)
    for complete, written, expected in (
        (None, 2, ("incomplete", None, 2)),
        (None, 0, ("incomplete", None, 2)),
        (True, 1, ("complete", 2, 2)),
        (True, 0, ("complete", 2, 2)),
        (None, 0, ("complete", 2, 2)),
        (False, 1, ("incomplete", None, 2)),
        (False, 0, ("incomplete", None, 2)),
        (True, 1, ("complete", 2, 2)),
    ):
        assert (await paste(complete), await state()) == (written, expected)


async def test_the_register_keeps_former_names_and_merged_hamlets(registry: Running) -> None:
    found = (await registry.client.get("/v1/units/24133/hamlets")).json()
    assert (found["unit_id"], found["state"], len(found["hamlets"])) == (
        "24133@2025", "incomplete", 88,
    )  # fmt: skip
    assert found["hamlets"][0]["code"] == "24133-001"
    after = (await registry.client.get("/v1/units/24154/hamlets")).json()
    assert [h["successors"] for h in after["former"]] == [["24154-003@2025"]]
    assert [n["name_vi"] for n in after["hamlets"][0]["names"]] == ["Buôn Một", "Buôn Mới"]


@pytest.mark.parametrize(
    ("code", "body", "problem"),
    [
        ("66", {"names": "a"}, "unit-not-commune"),
        ("24154-001", {"names": "a"}, "unit-not-commune"),
        ("24133@2004", {"names": "Thôn"}, "unit-not-valid"),
        ("24133@2004", {"names": "Thôn", "on": "2025-01-01"}, "change-impossible"),
        ("99999", {"names": "a"}, "unit-unknown"),
        ("24133", {"names": "\n \n"}, "hamlets-malformed"),
        ("24133", {"names": [f"Thôn {n}" for n in range(501)]}, "hamlets-malformed"),
        ("24133", {"names": 5}, "invalid-parameter"),
        ("24133", {"names": "a", "complete": "so"}, "invalid-parameter"),
        ("24133", {"names": "a", "on": "tomorrow"}, "invalid-parameter"),
    ],
)
async def test_lists_that_cannot_be(
    registry: Running, code: str, body: dict[str, object], problem: str
) -> None:
    answer = await registry.client.post(f"/v1/units/{code}/hamlets", json=body, headers=AUTH)
    assert answer.json()["code"] == problem, answer.text
    assert answer.status_code == (404 if problem == "unit-unknown" else 422)
    assert answer.json()["pointer"] and answer.json()["hint"]


def test_one_name_spelt_otherwise_is_one_hamlet(tree: UnitTree) -> None:
    commune = tree.unit("24133@2025")
    assert commune is not None
    there = [u.name(date(2026, 11, 21)) for u in tree.children("24133@2025")]
    spelt = [name.upper().replace("BUÔN", "BUÔN ") for name in there[:3]]
    found = hamlets.listed(tree, commune, spelt, date(2026, 11, 21))
    assert (found.new, found.near, len(found.known)) == ([], {}, 3)


async def test_a_near_double_is_asked_about(registry: Running) -> None:
    url = "/v1/units/24217/hamlets"

    async def paste(*names: str, distinct: list[str] | None = None, **more: Any) -> Any:
        pasted = {"names": list(names), "distinct": distinct or [], **more}
        return (await registry.client.post(url, json=pasted, headers=AUTH, params=WRITE)).json()

    said = await paste("Tổ dân phố Hòa Bình", "Thôn Đông")
    assert len(said["new"]) == 2
    await registry.settle()
    said = await paste("TDP Hoà  Bình", "Thôn Ðông", complete=True)
    assert (said["new"], len(said["known"])) == ([], 2)
    refused = await paste("Hòa Bình", "Thôn Dông", "Thôn Tây")
    assert refused["code"] == "hamlets-near-double"
    assert [(n["name_vi"], [c["unit_id"] for c in n["candidates"]]) for n in refused["near"]] == [
        ("Hòa Bình", ["24217-001@2025"]),
        ("Thôn Dông", ["24217-002@2025"]),
    ]
    said = await paste("Thôn Dông", "Thôn Tây", distinct=["thôn dông"])
    assert [u["name_vi"] for u in said["new"]] == ["Thôn Dông", "Thôn Tây"]
    await registry.settle()
    # The other ways to a new name ask too.
    made = {"op": "establish", "code": "24217-009", "name_vi": "Thôn Tay", "kind": "hamlet",
            "parent": "24217", "on": "2026-11-21"}  # fmt: skip
    answer = await change(registry, made, **WRITE)
    assert answer.json()["code"] == "hamlets-near-double"
    renamed = {"op": "rename", "unit": "24217-001", "name_vi": "Thôn Tây ", "on": "2026-11-21"}
    answer = await change(registry, renamed, **WRITE)
    assert answer.json()["code"] == "hamlets-near-double"
    assert (await change(registry, {**made, "distinct": True}, **WRITE)).status_code == 200
