"""Reading a file of units: nothing overlooked, real numbers of lines, one spelling of names."""

import unicodedata
from typing import Any

import pytest

from services.registry.units.import_file import Line, read_units
from shared.problems import Problem
from tests.registry import fakes
from tests.registry.conftest import Running

HEAD = "code,name_vi,kind,parent"


def line(number: int, code: str = "99905", name: str = "Xã A") -> Line:
    return Line(number, {"code": code, "name_vi": name, "kind": "commune", "parent": "66"})


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (f"{HEAD}\n99905,Xã A,commune,66", [line(2)]),
        (f"\n\n{HEAD}\n\n99905,Xã A,commune,66\n\n\n99906,Xã B,commune,66",
         [line(5), line(8, "99906", "Xã B")]),
        (f",,,\n  \n{HEAD},\n,,,,\n99905, Xã A ,commune,66,", [line(5)]),
        (f"sep=;\n{HEAD}\n99905,Xã A,commune,66".replace(",", ";"), [line(3)]),
        (f"\ufeff{HEAD}\r\n99905,Xã A,commune,66\r\n", [line(2)]),
        (f"{HEAD}\n99905,Xã A,commune,66\n99906,\"Xã\nB\",commune,66\n99907,Xã C,commune,66",
         [line(2), line(3, "99906", "Xã\nB"), line(5, "99907", "Xã C")]),
        (f"{HEAD}\n99905,{unicodedata.normalize('NFD', 'Xã A')},commune,66", [line(2)]),
        ("CODE,Name_vi,kind,parent_code\n99905,Xã A,commune,66", [line(2)]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_lines_have_their_numbers(text: str, lines: list[Line], encoding: str) -> None:
    found = read_units(text.encode(encoding))
    assert (found.lines, found.wrong) == (lines, [])


@pytest.mark.parametrize(
    ("text", "rule", "number", "says"),
    [
        (f"{HEAD},remot\n1,x,ward,66,yes", "column-unknown", 1, "did you mean remote"),
        (f"\n\n{HEAD},ghi chú\n1,x,ward,66,", "column-unknown", 3, "columns: code"),
        (f"{HEAD},code\n1,x,ward,66,2", "column-twice", 1, "stands twice"),
        (f"{HEAD}\n\n1,x,ward,66,extra", "cells-too-many", 3, "4"),
        (f"{HEAD}\n1,Xã A, phía đông,ward,66", "cells-too-many", 2, "quotes"),
    ],
)
def test_nothing_is_overlooked(text: str, rule: str, number: int, says: str) -> None:
    (wrong,) = read_units(text.encode()).wrong
    assert (wrong["rule"], wrong["line"]) == (rule, number)
    assert says in wrong["problem"]


@pytest.mark.parametrize(
    ("body", "says"),
    [(b"PK\x03\x04rest", "workbook"), (HEAD.encode() + "\nXã".encode("cp1258", "ignore") + b"\xe3",
     "UTF-8"), (b"", "missing"), (b"name\nx", "missing"), (f'{HEAD}\n1,"x'.encode(), "CSV")],
)  # fmt: skip
def test_no_file_of_units(body: bytes, says: str) -> None:
    with pytest.raises(Problem) as caught:
        read_units(body)
    assert caught.value.code == "file-invalid" and says in caught.value.detail


async def ask(registry: Running, *lines: str, heading: str = HEAD) -> dict[str, Any]:
    answer = await registry.client.post(
        "/v1/units/import",
        content="\n".join([heading, *lines]).encode(),
        headers={"Authorization": f"Bearer {fakes.KEY}"},
        params={"on": "2026-11-18"},
    )
    return dict(answer.json())


async def test_the_same_name_decomposed_is_no_change(registry: Running) -> None:
    there = (await registry.client.get("/v1/units/24133")).json()
    apart = unicodedata.normalize("NFD", there["name_vi"])
    assert apart != there["name_vi"]
    said = await ask(registry, f"24133,{apart},{there['kind']},66")
    assert (said["events"], said["lines"]) == ([], 1)
    renamed = {"op": "rename", "unit": "24133", "name_vi": f" {apart} ", "on": "2026-11-18"}
    answer = await registry.client.post(
        "/v1/units/changes",
        json={"changes": [renamed]},
        headers={"Authorization": f"Bearer {fakes.KEY}"},
    )
    assert answer.json()["events"] == []


async def test_lines_whose_cells_would_do_nothing(registry: Running) -> None:
    there = (await registry.client.get("/v1/units/24133")).json()
    name, kind = there["name_vi"], there["kind"]
    heading = f"{HEAD},organisation_kind,ends_on,successors"
    said = await ask(
        registry,
        f"24133,{name},{kind},66,,,24163",
        "",
        f"24163,Xã Khác Hẳn,{kind},66,,2026-11-20,24133",
        f"24121,{name},{kind},66,school,,",
        heading=heading,
    )
    assert said["code"] == "file-wrong"
    assert [(p["line"], p["rule"]) for p in said["problems"]] == [
        (2, "successors-without-day"), (4, "ends-and-changes"), (5, "organisation-kind-stays"),
    ]  # fmt: skip
