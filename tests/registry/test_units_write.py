"""Units change by events: merged, split, renamed, imported, listed; the tree of tomorrow shows it."""

from datetime import date
from typing import Any

import httpx
import pytest

from services.registry.units import hamlets
from shared.contracts.tree import UnitTree
from tests.registry import fakes
from tests.registry.conftest import Running

AUTH = {"Authorization": f"Bearer {fakes.KEY}"}
WRITE = {"dry_run": "false"}


async def change(registry: Running, *changes: dict[str, Any], **params: str) -> httpx.Response:
    return await registry.client.post(
        "/v1/units/changes",
        json={"changes": list(changes), "source_ref": "1/NQ"},
        headers=AUTH,
        params=params,
    )


async def unit(registry: Running, code: str, on: str | None = None) -> dict[str, Any]:
    answer = await registry.client.get(f"/v1/units/{code}", params={"on": on} if on else {})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_ward_renamed_on_a_day_keeps_its_id(registry: Running) -> None:
    asked = {"op": "rename", "unit": "24187", "name_vi": "Phường Mới", "on": "2026-11-10"}
    dry = (await change(registry, asked)).json()
    assert dry["written"] == 0
    (line,) = dry["difference"]
    assert line.endswith("-> Phường Mới (commune)")
    assert (await unit(registry, "24187"))["name_vi"] != "Phường Mới"
    assert (await change(registry, asked, **WRITE)).json()["written"] == 1
    await registry.settle()
    assert (await unit(registry, "24187"))["name_vi"] == "Phường Mới"
    assert (await unit(registry, "24187", "2026-11-09"))["name_vi"] != "Phường Mới"
    assert (await change(registry, asked, **WRITE)).json()["events"] == []


async def test_two_communes_merge_into_a_new_one(registry: Running) -> None:
    children = (await registry.client.get("/v1/units/75/children")).json()["units"]
    one, two = (u["code"] for u in children[-2:])
    asked = {
        "op": "merge", "units": [one, two], "on": "2026-11-15",
        "into": {"code": "99901", "name_vi": "Xã Hợp Nhất", "kind": "commune"},
    }  # fmt: skip
    answer = await change(registry, asked, **WRITE)
    assert [line[0] for line in answer.json()["difference"]] == ["+", "-", "-"]
    await registry.settle()
    new = await unit(registry, "99901")
    assert (new["parent"], new["valid_from"]) == ("75@2025", "2026-11-15")
    history = (await registry.client.get("/v1/units/99901/history")).json()["units"][0]
    assert {p["unit_id"] for p in history["predecessors"]} == {f"{one}@2025", f"{two}@2025"}
    assert (await unit(registry, f"{one}@2025"))["exists"] is False
    # The plan of the province goes on with the new commune.
    table = (await registry.client.get("/v1/plans/dong-nai-2026/table")).json()
    shown = {row["unit"] for row in table["rows"]}
    assert "99901" in shown and one not in shown


async def test_a_commune_is_split(registry: Running) -> None:
    children = (await registry.client.get("/v1/units/75/children")).json()["units"]
    whole = children[5]["unit_id"]
    asked = {
        "op": "split", "unit": whole, "on": "2026-11-16",
        "into": [{"code": "99902", "name_vi": "Xã Đông", "kind": "commune"},
                 {"code": "99903", "name_vi": "Xã Tây", "kind": "commune"}],
    }  # fmt: skip
    await change(registry, asked, **WRITE)
    await registry.settle()
    history = (await registry.client.get(f"/v1/units/{whole}/history")).json()["units"][0]
    assert [(s["unit_id"], s["part"]) for s in history["successors"]] == [
        ("99902@2025", "part"),
        ("99903@2025", "part"),
    ]


async def test_an_organisation_is_a_unit(registry: Running) -> None:
    asked = {
        "op": "establish", "code": "66.so-khcn", "name_vi": "Sở Khoa học và Công nghệ",
        "kind": "organisation", "organisation_kind": "department", "parent": "66",
        "on": "2026-01-01",
    }  # fmt: skip
    assert (await change(registry, asked, **WRITE)).status_code == 200
    await registry.settle()
    found = (
        await registry.client.get("/v1/units", params={"q": "so khoa hoc", "parent": "66"})
    ).json()
    assert [u["unit_id"] for u in found["units"]] == ["66.so-khcn@2025"]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"op": "rename", "unit": "24133", "kind": "province", "on": "2026-11-01"}, "change-impossible"),
        ({"op": "rename", "unit": "00000", "name_vi": "x", "on": "2026-11-01"}, "unit-unknown"),
        ({"op": "rename", "unit": "15@2004", "name_vi": "x", "on": "2026-11-01"}, "change-impossible"),
        ({"op": "establish", "code": "24133", "name_vi": "x", "kind": "ward", "parent": "66",
          "on": "2026-11-01"}, "change-impossible"),
        ({"op": "vanish", "unit": "24133"}, "invalid-parameter"),
    ],
)  # fmt: skip
async def test_impossible_changes(registry: Running, asked: dict[str, Any], code: str) -> None:
    answer = await change(registry, asked)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_importing_the_same_file_again_changes_nothing(registry: Running) -> None:
    children = (await registry.client.get("/v1/units/52/children")).json()["units"]
    lines = ["code,name_vi,kind,parent,remote"]
    lines += [f"{u['code']},{u['name_vi']},{u['kind']},52," for u in children[:3]]
    url, params = "/v1/units/import", {"on": "2026-11-18"}

    async def send(body: str, **more: str) -> dict[str, Any]:
        answer = await registry.client.post(
            url, content=body.encode(), headers=AUTH, params=params | more
        )
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    same = await send("\n".join(lines))
    assert (same["difference"], same["lines"], len(same["absent"])) == ([], 3, 132)
    lines[1] = lines[1].replace(children[0]["name_vi"], "Xã Khác Tên") + "yes"
    lines.append("99904,Xã Mới Lập,commune,52,")
    dry = await send("\n".join(lines))
    assert [line[0] for line in dry["difference"]] == ["~", "~", "+"]
    assert (await send("\n".join(lines), **WRITE))["written"] == 3
    await registry.settle()
    again = await send("\n".join(lines), **WRITE)
    assert (again["difference"], again["written"]) == ([], 0)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("name\nx", "file-invalid"),
        ("code,name_vi,kind,parent\n1,x,castle,66", "file-wrong"),
        ("code,name_vi,kind,parent\n24133,x,ward,75", "file-wrong"),
        ("code,name_vi,kind,parent\n99905,x,ward,nowhere", "file-wrong"),
    ],
)
async def test_bad_files(registry: Running, body: str, code: str) -> None:
    answer = await registry.client.post("/v1/units/import", content=body.encode(), headers=AUTH)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


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


async def send(registry: Running, lines: list[str], **params: str) -> httpx.Response:
    heading = "code,name_vi,kind,parent,remote,rural,ends_on,successors"
    return await registry.client.post(
        "/v1/units/import",
        content="\n".join([heading, *lines]).encode(),
        headers=AUTH,
        params={"on": "2026-11-19"} | params,
    )


async def test_a_file_may_end_units_and_say_attributes_of_new_ones(registry: Running) -> None:
    await send(registry, ["66-t1,Trường A,organisation,66,,,,", "66-t2,B,organisation,66,,,,",
                          "66-t4,D,organisation,66,,,,"], **WRITE)  # fmt: skip
    await registry.settle()
    lines = [
        "66-t1,Trường A,organisation,66,,,2026-11-20,66-t3",
        "66-t2,B,organisation,66,,,2026-11-20,66-t1 66-t3",
        "66-t4,D,organisation,66,,,2026-11-20,",
        "66-t3,Trường C,organisation,66,yes,no,,",
    ]
    dry = (await send(registry, lines)).json()
    assert [line[0] for line in dry["difference"]] == ["+", "~", "-", "-", "-"]
    assert (await send(registry, lines, **WRITE)).json()["written"] == 5
    await registry.settle()
    new = await unit(registry, "66-t3")
    assert {name: new["attributes"][name] for name in ("remote", "rural")} == {
        "remote": True, "rural": False,
    }  # fmt: skip
    for code, successors in (
        ("66-t1", [("66-t3@2025", "whole")]),
        ("66-t2", [("66-t1@2025", "part"), ("66-t3@2025", "part")]),
        ("66-t4", []),
    ):
        (told,) = (await registry.client.get(f"/v1/units/{code}/history")).json()["units"]
        assert told["valid_to"] == "2026-11-20"
        assert [(s["unit_id"], s["part"]) for s in told["successors"]] == successors
    assert (await send(registry, lines, **WRITE)).json()["events"] == []
    other = [lines[0].replace("2026-11-20", "2026-11-21")]
    answer = await send(registry, other)
    assert (answer.status_code, answer.json()["code"]) == (422, "file-wrong")


@pytest.mark.parametrize(
    "line",
    [
        "66-x1,X,organisation,66,,,2026-11-20,",
        "24133,Phường Buôn Ma Thuột,ward,66,,,soon,",
        "24133,Phường Buôn Ma Thuột,ward,66,,,2026-11-20,24133",
        "24133,Phường Buôn Ma Thuột,ward,66,,,2026-11-20,99999",
        "66-x1,X,organisation,66,perhaps,,,",
    ],
)
async def test_lines_that_cannot_be(registry: Running, line: str) -> None:
    answer = await send(registry, [line])
    assert (answer.status_code, answer.json()["code"]) == (422, "file-wrong"), answer.text
    assert [p["line"] for p in answer.json()["problems"]] == [2]
