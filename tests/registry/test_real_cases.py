"""The reform of 1/7/2025 and the changes of 30/4/2026, through the HTTP API, unit by unit."""

import csv
from collections import defaultdict
from pathlib import Path
from typing import Any

from tests.registry.conftest import Running
from tests.registry.unit_writes import AUTH, WRITE

UNITS = Path(__file__).parents[2] / "units"


def rows(name: str) -> list[dict[str, str]]:
    with (UNITS / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


async def get(registry: Running, path: str, **params: str | int) -> Any:
    answer = await registry.client.get(path, params=params)
    return answer.json() | {"http": answer.status_code}


async def everything(registry: Running, **params: str | int) -> dict[str, dict[str, Any]]:
    """All pages of a list of units, by unit_id."""
    found: dict[str, dict[str, Any]] = {}
    more: dict[str, str | int] = {}
    while True:
        page = await get(registry, "/v1/units", limit=5000, **params, **more)
        found |= {unit["unit_id"]: unit for unit in page["units"]}
        if page["next"] is None:
            assert len(found) == page["total"]
            return found
        more = {"cursor": page["next"]}


async def test_province_15_before_and_after(registry: Running) -> None:
    before = await get(registry, "/v1/units/15", on="2025-06-30")
    assert (before["http"], before["code"]) == (422, "unit-ambiguous")
    assert before["candidates"] == ["15@2004", "15@2025"]
    old = await get(registry, "/v1/units/15@2004", on="2025-06-30")
    assert (old["name_vi"], old["exists"]) == ("Tỉnh Yên Bái", True)
    new = await get(registry, "/v1/units/15", on="2025-07-01")
    assert (new["unit_id"], new["name_vi"]) == ("15@2025", "Tỉnh Lào Cai")
    assert (await get(registry, "/v1/units/15@2004"))["exists"] is False
    assert (await get(registry, "/v1/units/10", on="2025-06-30"))["name_vi"] == "Tỉnh Lào Cai"
    gone = await get(registry, "/v1/units/10")
    assert (gone["http"], gone["code"]) == (422, "unit-not-valid")
    assert "15@2025" in gone["hint"]
    children = await get(registry, "/v1/units/15@2004/children", on="2025-06-30")
    assert {unit["level"] for unit in children["units"]} == {"district"}
    ended = await get(registry, "/v1/units/15@2004/children")
    assert (ended["http"], ended["code"]) == (422, "unit-not-valid")


async def test_every_split_commune_tells_its_parts(registry: Running) -> None:
    parts: dict[str, set[str]] = defaultdict(set)
    for row in rows("succession.csv"):
        if row["part"] == "part":
            parts[row["old"]].add(row["new"])
    assert len(parts) == 471
    for unit_id, into in parts.items():
        (told,) = (await get(registry, f"/v1/units/{unit_id}/history"))["units"]
        assert {s["unit_id"] for s in told["successors"]} == into
        assert {s["part"] for s in told["successors"]} == {"part"}
        assert told["valid_to"] == "2025-07-01"


async def test_every_code_of_both_eras_is_told_apart(registry: Running) -> None:
    old = await everything(registry, level="commune", on="2025-06-30")
    new = await everything(registry, level="commune", on="2025-07-01")
    assert (len(old), len(new)) == (10_035, 3_321)
    both = {unit["code"] for unit in old.values()} & {unit["code"] for unit in new.values()}
    assert len(both) == 3_315
    same = set()
    for code in sorted(both):
        before = await get(registry, f"/v1/units/{code}", on="2025-06-30")
        if before["http"] == 200:
            same.add(code)
            assert before["unit_id"] == f"{code}@2004"
        else:
            assert before["code"] == "unit-ambiguous"
            assert before["candidates"] == [f"{code}@2004", f"{code}@2025"]
    assert len(same) == 132
    # Today the bare code means today's unit.
    for code in sorted(both)[::100]:
        assert (await get(registry, f"/v1/units/{code}"))["unit_id"] == f"{code}@2025"


async def test_yen_bais_plan_covers_51_communes_of_todays_lao_cai(registry: Running) -> None:
    table = await get(registry, "/v1/plans/yen-bai-2025-2026/table", level="commune")
    shown = {row["unit_id"] for row in table["rows"]}
    today = {u["unit_id"] for u in (await get(registry, "/v1/units/15/children"))["units"]}
    assert (len(shown), len(today), len(shown - today)) == (51, 99, 0)
    from_yen_bai = set()
    for unit_id in today:
        (told,) = (await get(registry, f"/v1/units/{unit_id}/history"))["units"]
        for before in told["predecessors"]:
            old = await get(registry, f"/v1/units/{before['unit_id']}")
            if "15@2004" in {above["unit_id"] for above in old["ancestors"]}:
                from_yen_bai.add(unit_id)
    assert shown == from_yen_bai
    outside = sorted(today - shown)[0]
    refused = await get(registry, "/v1/plans/yen-bai-2025-2026/table", unit=outside)
    assert (refused["http"], refused["code"]) == (422, "unit-outside-plan")


async def test_dong_nai_became_a_city_and_ten_communes_wards(registry: Running) -> None:
    renames = rows("renames.csv")
    assert len(renames) == 11
    for row in renames:
        before = await get(registry, f"/v1/units/{row['unit_id']}", on="2026-04-29")
        after = await get(registry, f"/v1/units/{row['unit_id']}", on="2026-04-30")
        assert (after["name_vi"], after["kind"]) == (row["name_vi"], row["kind"])
        kinds = ("province", "city") if row["unit_id"] == "75@2025" else ("commune", "ward")
        assert (before["kind"], after["kind"]) == kinds
        assert before["name_vi"] != after["name_vi"]
        assert (before["code"], before["level"]) == (after["code"], after["level"])
        (told,) = (await get(registry, f"/v1/units/{row['unit_id']}/history"))["units"]
        assert (told["names"][-1]["from"], told["events"][-1]["source_ref"]) == (
            "2026-04-30", row["legal_basis"],
        )  # fmt: skip
    wards = [
        len(await everything(registry, parent="75", kind="ward", on=day))
        for day in ("2026-04-29", "2026-04-30")
    ]
    assert wards[1] - wards[0] == 10


async def test_importing_the_whole_file_of_units_changes_nothing(registry: Running) -> None:
    """As of the day that the file is of; on a later day it would take the renames back."""
    body = (UNITS / "units-2025.csv").read_bytes()
    for _ in range(2):
        answer = await registry.client.post(
            "/v1/units/import", content=body, headers=AUTH, params={"on": "2025-07-01"} | WRITE
        )
        said = answer.json()
        assert answer.status_code == 200, said
        assert (said["lines"], said["difference"], said["written"]) == (3_356, [], 0), said
        assert said["absent"] == []
    later = await registry.client.post(
        "/v1/units/import", content=body, headers=AUTH, params={"on": "2026-05-01"}
    )
    renamed = {row["unit_id"] for row in rows("renames.csv")}
    assert {event["data"]["unit_id"] for event in later.json()["events"]} == renamed
