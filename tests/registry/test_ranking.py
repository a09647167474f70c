"""Ranking: off until the province publishes a formula; then with the formula and every input."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.registry import fakes
from tests.registry.conftest import Running
from tests.registry.ranking import TERMS, formula

URL, PAGE = "/v1/plans/dak-lak-2026/ranking", "/plans/dak-lak-2026/ranking"


@pytest.fixture(scope="module")
async def published(registry: Running) -> AsyncIterator[Running]:
    await registry.happen(formula("rank-1", TERMS))
    yield registry
    await registry.happen(formula("rank-2", []))


async def test_there_is_none_without_a_formula(registry: Running) -> None:
    """The route, its page, and the link to it; also for a day before the formula held."""
    answer = await registry.client.get(URL)
    assert (answer.status_code, answer.json()["code"]) == (404, "ranking-not-published")
    page = await registry.client.get(PAGE)
    assert page.status_code == 404 and "chưa công bố công thức" in page.text
    assert "/ranking" not in (await registry.client.get("/plans/dak-lak-2026")).text


async def test_score_and_rank_follow_from_the_inputs_shown(published: Running) -> None:
    shown = (await published.client.get(URL)).json()
    assert shown["formula"]["terms"] == TERMS
    assert shown["formula"]["document_ref"] == "300/QĐ-UBND"
    assert len(shown["units"]) == shown["total"] == 102
    ranked = [u for u in shown["units"] if u["rank"] is not None]
    for one in ranked:
        parts = [min(i["value"] / i["required"], 1) for i in one["inputs"]]
        assert one["score"] == pytest.approx((2 * parts[0] + parts[1]) / 3, abs=1e-5)
        assert one["rank"] == 1 + sum(other["score"] > one["score"] for other in ranked)
    unknown = [u for u in shown["units"] if u["rank"] is None]
    assert unknown and all(any(i["reached"] is None for i in u["inputs"]) for u in unknown)
    before = await published.client.get(URL, params={"as_of": "2026-10-31"})
    assert before.json()["code"] == "ranking-not-published"


@pytest.mark.parametrize("limit", [1, 40, 102])
async def test_pages_put_together_are_the_whole(published: Running, limit: int) -> None:
    whole = (await published.client.get(URL)).json()
    found: list[Any] = []
    cursor, pages = None, 0
    while True:
        asked = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        answer = await published.client.get(URL, params=asked)
        tag = {"If-None-Match": answer.headers["ETag"]}
        assert (await published.client.get(URL, params=asked, headers=tag)).status_code == 304
        body = answer.json()
        found += body["units"]
        assert len(body["units"]) <= limit and body["total"] == 102
        cursor, pages = body["next"], pages + 1
        if cursor is None or pages > 5:
            break
    assert found == whole["units"][: len(found)]
    assert len(found) == (6 if limit == 1 else 102)
    bad = await published.client.get(URL, params={"cursor": "none of ours"})
    assert (bad.status_code, bad.json()["code"]) == (422, "cursor-malformed")


async def test_a_commune_is_told_its_own_rank_among_all(published: Running) -> None:
    state = published.app.state.registry
    rights = {"name": "c", "roles": ["commune"], "scopes": ["tables:read"], "subtree": "24133@2025"}
    published.activities.keys["hv_rank_c"] = rights
    headers = {"Authorization": "Bearer hv_rank_c"}
    state.settings.registry_open = False
    try:
        (own,) = (await published.client.get(URL, headers=headers)).json()["units"]
        text = (await published.client.get(PAGE, headers=headers)).text
    finally:
        state.settings.registry_open = True
    whole = (await published.client.get(URL)).json()["units"]
    assert own == next(u for u in whole if u["unit"] == "24133")
    assert "1 trong 102 đơn vị" in text and "24154@2025" not in text


async def test_the_page_shows_formula_and_inputs(published: Running) -> None:
    text = (await published.client.get(PAGE)).text
    assert "300/QĐ-UBND" in text and "Trọng số 2" in text
    assert text.count("<tr>") == 103
    assert f'href="{PAGE}"' in (await published.client.get("/plans/dak-lak-2026")).text
    assert fakes.TODAY.strftime("%d/%m/%Y") in text


async def test_a_formula_says_no_more_than_it_must(published: Running) -> None:
    """Without a document, the answer and the page stand all the same."""
    bare = formula("rank-bare", TERMS[:1], "2026-11-02")
    del bare["data"]["document_ref"]
    await published.happen(bare)
    try:
        shown = await published.client.get(URL)
        assert shown.status_code == 200 and shown.json()["formula"]["document_ref"] is None
        assert shown.json()["formula"]["terms"] == TERMS[:1]
        page = await published.client.get(PAGE)
        assert page.status_code == 200 and "Trọng số 2" in page.text
        assert "Công thức do tỉnh công bố</h2>" in page.text and "None" not in page.text
    finally:
        await published.happen(formula("rank-again", TERMS, "2026-11-03"))
