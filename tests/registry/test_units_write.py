"""Units change by events: merged, split, renamed, imported, listed; the tree of tomorrow shows it."""

import re
from typing import Any

import httpx
import pytest

from tests.registry.conftest import Running
from tests.registry.unit_writes import AUTH, WRITE, change, unit


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


async def test_sending_a_change_again_changes_nothing(registry: Running) -> None:
    """Also when the answer to the first was lost: whoever sends it again is not refused."""
    new = {"code": "66-nha-van-hoa", "name_vi": "Nhà văn hóa", "kind": "organisation"}
    asked = [
        {"op": "establish", "parent": "66", "on": "2026-11-02", **new},
        {"op": "establish", "parent": "66", "on": "2026-11-02", **new, "code": "66-thu-vien"},
        {"op": "merge", "units": ["66-thu-vien"], "into": "66-nha-van-hoa", "on": "2026-11-03"},
    ]
    for change_ in asked:
        assert (await change(registry, change_, **WRITE)).json()["written"] == 1
        await registry.settle()
        again = (await change(registry, change_, **WRITE)).json()
        assert (again["events"], again["difference"]) == ([], [])


async def test_a_name_may_be_mended_on_the_same_day(registry: Running) -> None:
    before = (await unit(registry, "24208"))["name_vi"]
    for name in ("Xã Sai Chính Tả", "Xã Đúng", before, "Xã Đúng"):
        asked = {"op": "rename", "unit": "24208", "name_vi": name, "on": "2026-11-20"}
        assert (await change(registry, asked, **WRITE)).json()["written"] == 1
        await registry.settle()
        assert (await unit(registry, "24208"))["name_vi"] == name
    for value in (True, False, True):
        asked = {"op": "attribute", "unit": "24208", "attribute": "rural", "on": "2026-11-20"}
        await change(registry, asked | {"value": value}, **WRITE)
        await registry.settle()
        assert (await unit(registry, "24208"))["attributes"]["rural"] is value


async def test_what_lies_below_a_unit_that_ends_is_said(registry: Running) -> None:
    asked = {"op": "merge", "units": ["24133"], "into": "24121", "on": "2026-11-21"}
    said = (await change(registry, asked)).json()
    (warning,) = said["warnings"]
    said_of = r"\d+ units below 24133@2025 \(24133-001@2025 \.\.\.\) stay below it"
    assert re.match(said_of, warning), warning


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
    (department,) = found["units"]
    assert department["unit_id"] == "66.so-khcn@2025"
    assert (department["level"], department["organisation_kind"]) == ("organisation", "department")
    params = {"parent": "66", "kind": "department"}
    found = (await registry.client.get("/v1/units", params=params)).json()
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
        ({"op": "merge", "units": ["24133"], "into": "66", "on": "2026-11-01"}, "change-impossible"),
        ({"op": "merge", "units": ["24133", "66"], "into": "24121", "on": "2026-11-01"},
         "change-impossible"),
        ({"op": "split", "unit": "24133", "into": ["24121", "24121"], "on": "2026-11-01"},
         "change-impossible"),
        ({"op": "split", "unit": "24133", "into": ["24121", "24133-001"], "on": "2026-11-01"},
         "change-impossible"),
        ({"op": "establish", "code": "99990", "name_vi": "x", "kind": "hamlet", "parent": "66",
          "on": "2026-11-01"}, "change-impossible"),
        ({"op": "establish", "code": "99990", "name_vi": "x", "kind": "hamlet", "parent": "24133",
          "on": "2026-11-01"}, "change-impossible"),
        ({"op": "establish", "code": "99990", "name_vi": "x", "kind": "ward", "parent": "24133",
          "on": "2026-11-01"}, "change-impossible"),
        ({"op": "establish", "code": "x1", "name_vi": "x", "kind": "organisation", "parent": "66",
          "organisation_kind": "club", "on": "2026-11-01"}, "change-impossible"),
        ({"op": "attribute", "unit": "24133", "attribute": "far", "value": True,
          "on": "2026-11-01"}, "change-impossible"),
        ({"op": "rename", "unit": "15", "name_vi": "x", "on": "2025-06-01"}, "unit-ambiguous"),
        ({"op": "rename", "unit": "24133", "name_vi": "x", "on": "2026-02-30"}, "invalid-parameter"),
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

    for between in (";", "\t"):
        other = [line.replace(",", between) for line in ["", *lines][1:]]
        assert (await send("\ufeff" + "\r\n".join([*other, between * 4])))["difference"] == []
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
        ("code,name_vi,kind,parent\n4,Phường Ba Đình,ward,01", "file-wrong"),
        ("code,name_vi,kind,parent\n99905,x,ward,66\n99905,y,ward,66", "file-wrong"),
        ("code,name_vi,kind,parent\n99905,x,ward", "file-wrong"),
        ('code,name_vi,kind,parent\n99905,"x', "file-invalid"),
    ],
)
async def test_bad_files(registry: Running, body: str, code: str) -> None:
    answer = await registry.client.post("/v1/units/import", content=body.encode(), headers=AUTH)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


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
