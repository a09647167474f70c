"""Units over REST."""

from tests.registry.conftest import Running


async def test_ready_when_the_definitions_are_here(registry: Running) -> None:
    answer = await registry.client.get("/health/ready")
    assert answer.status_code == 200, answer.text


async def test_search_with_and_without_diacritics(registry: Running) -> None:
    for q in ("Đắk Lắk", "dak lak", "ĐẮK LẮK"):
        found = (await registry.client.get("/v1/units", params={"q": q})).json()
        assert found["units"][0]["unit_id"] == "66@2025", q
    found = (await registry.client.get("/v1/units", params={"q": "Đăk Lăk"})).json()
    assert all(unit["unit_id"] != "66@2025" for unit in found["units"])


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
