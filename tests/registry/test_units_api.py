"""Units over REST."""

import unicodedata

import pytest

from tests.registry.conftest import Running


async def test_ready_when_the_definitions_are_here(registry: Running) -> None:
    answer = await registry.client.get("/health/ready")
    assert answer.status_code == 200, answer.text


async def search(registry: Running, q: str, **more: str) -> list[str]:
    answer = await registry.client.get("/v1/units", params={"q": q} | more)
    assert answer.status_code == 200, answer.text
    return [unit["unit_id"] for unit in answer.json()["units"]]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("Đắk Lắk", "66@2025"),
        ("dak lak", "66@2025"),
        ("ĐẮK LẮK", "66@2025"),
        (unicodedata.normalize("NFD", "Đắk Lắk"), "66@2025"),
        ("Ðắk Lắk", "66@2025"),  # with the Icelandic letter that looks the same
        ("Dak Lắk", "66@2025"),
        ("Đăk Lăk", "66@2025"),
        ("TỈNH đắk  lắk", "66@2025"),
        ("t. dak lak", "66@2025"),
        ("66", "66@2025"),
        ("66@2025", "66@2025"),
        ("buôn ma th", "24133@2025"),
        ("p buon ma thuot", "24133@2025"),
        ("Bưôn Ma Thuột", "24133@2025"),
        ("thuot buon ma", "24133@2025"),
        ("cu mgar", "24280@2025"),
        ("Cư M’gar", "24280@2025"),
        ("TP.HCM", "79@2025"),
        ("Qui Nhơn", "21583@2025"),
        ("thanh pho Dong Nai", "75@2025"),
        ("tỉnh Đồng Nai", "75@2025"),  # as it was called until 30/4/2026
        ("phường Long Thành", "26368@2025"),
    ],
)
async def test_search_as_people_type(registry: Running, typed: str, first: str) -> None:
    assert (await search(registry, typed))[0] == first


async def test_diacritics_that_are_typed_must_be_right(registry: Running) -> None:
    assert "30943@2025" in await search(registry, "long thanh")  # Long Thạnh
    assert "30943@2025" not in await search(registry, "Long Thành")
    tone = await search(registry, "Khánh Hoà")
    assert tone == await search(registry, "Khánh Hòa") and "56@2025" in tone
    assert await search(registry, "không có đâu") == await search(registry, "...") == []


async def test_former_units_are_found_when_asked_for(registry: Running) -> None:
    assert await search(registry, "Tỉnh Yên Bái") == ["04252@2025"]  # the ward of that name
    assert (await search(registry, "Tỉnh Yên Bái", former="true"))[0] == "15@2004"
    assert (await search(registry, "Tỉnh Yên Bái", on="2025-06-30"))[0] == "15@2004"


async def test_units_by_attribute_and_kind(registry: Running) -> None:
    said = {"unit_id": "25222@2025", "attribute": "remote", "value": True, "from": "2026-01-01"}
    await registry.happen(
        {
            "id": "remote-1", "source": "https://a.example", "type": "vn.hocvuso.unit.attributed",
            "subject": "25222@2025", "time": "2026-01-01T00:00:00+07:00",
            "data": said | {"source_ref": "QĐ 1/2026"},
        }
    )  # fmt: skip
    params = {"parent": "75", "attribute": "remote"}
    found = (await registry.client.get("/v1/units", params=params)).json()
    assert [u["unit_id"] for u in found["units"]] == ["25222@2025"]
    earlier = await registry.client.get("/v1/units", params=params | {"on": "2025-12-31"})
    assert earlier.json()["total"] == 0
    (told,) = (await registry.client.get("/v1/units/25222@2025/history")).json()["units"]
    assert told["attributes"] == [{"attribute": "remote", "from": "2026-01-01", "value": True}]
    established, attributed = told["events"]
    assert established["type"] == "unit.established"
    assert (attributed["source"], attributed["source_ref"]) == ("https://a.example", "QĐ 1/2026")
    assert attributed["says"] == {"attribute": "remote", "value": True, "from": "2026-01-01"}
    wards = (await registry.client.get("/v1/units", params={"parent": "75", "kind": "ward"})).json()
    assert wards["total"] > 10 and {u["kind"] for u in wards["units"]} == {"ward"}
    for name in ("attribute", "kind"):
        wrong = await registry.client.get("/v1/units", params={name: "far"})
        assert (wrong.status_code, wrong.json()["code"]) == (422, f"{name}-unknown")


async def test_renamed_on_30_4_2026(registry: Running) -> None:
    for on, name in (("2026-04-29", "Tỉnh Đồng Nai"), ("2026-04-30", "Thành phố Đồng Nai")):
        found = (await registry.client.get("/v1/units/75", params={"on": on})).json()
        assert found["name_vi"] == name


async def test_an_ambiguous_code_names_its_candidates(registry: Running) -> None:
    answer = await registry.client.get("/v1/units/15", params={"on": "2025-06-30"})
    assert answer.status_code == 422
    assert answer.json()["code"] == "unit-ambiguous"
    assert answer.json()["candidates"] == ["15@2004", "15@2025"]
    old = (await registry.client.get("/v1/units/15@2004")).json()
    assert old["name_vi"] == "Tỉnh Yên Bái"
    assert (await registry.client.get("/v1/units/15")).json()["name_vi"] == "Tỉnh Lào Cai"


async def test_unknown_unit(registry: Running) -> None:
    answer = await registry.client.get("/v1/units/99999")
    assert (answer.status_code, answer.json()["code"]) == (404, "unit-unknown")


async def test_children_and_history(registry: Running) -> None:
    children = (await registry.client.get("/v1/units/66/children")).json()
    assert children["total"] == 102
    history = (await registry.client.get("/v1/units/15/history")).json()
    old, new = history["units"]
    assert old["successors"] == [{"unit_id": "15@2025", "part": "whole", "name_vi": "Tỉnh Lào Cai"}]
    assert {p["unit_id"] for p in new["predecessors"]} == {"10@2004", "15@2004"}


async def test_a_declared_population_names_its_source(registry: Running) -> None:
    unit = (await registry.client.get("/v1/units/66")).json()
    (residents,) = unit["populations"]
    assert residents["number"] == 3_346_853
    assert "not verified" in residents["source_ref"]
