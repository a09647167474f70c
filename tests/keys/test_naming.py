"""What a request names and nobody knows is refused, or said beside the answer; never zeros alone."""

from typing import Any

import pytest

from tests.activities.fake import event
from tests.activities.posting import send
from tests.keys.conftest import Api

SOURCE = "https://congan.daklak.example/vneid"
ORDER = {"name": "cong-an", "roles": ["police"]}


@pytest.mark.parametrize(
    ("path", "more"),
    [("/v1/keys", {"name": "cong-an"}), ("/v1/intake/cong-an", {})],
)
async def test_a_unit_that_nobody_knows_binds_no_key(
    api: Api, path: str, more: dict[str, str]
) -> None:
    method = "POST" if path == "/v1/keys" else "PUT"
    wrong = {"roles": ["police"], "subtree": "99999@2025", **more}
    answer = await api.ask(method, path, json=wrong)
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["pointer"]) == (
        422, "unit-unknown", "/subtree",
    )  # fmt: skip
    made = await api.ask(method, path, json={**wrong, "subtree": "66@2025"})
    assert made.is_success


async def test_a_client_of_an_issuer_is_bound_to_a_known_unit(api: Api) -> None:
    order = {**ORDER, "subtree": "99999@2025", "issuer": "https://i.example", "client_id": "c"}
    assert (await api("POST", "/v1/keys/clients", order))["code"] == "unit-unknown"


@pytest.mark.parametrize(
    "prefix", ["vnpt", "congan.daklak.example/", "https://", "ftp://x.example"]
)
async def test_a_source_under_which_no_event_can_be(api: Api, prefix: str) -> None:
    for method, path, order in (
        ("POST", "/v1/keys", {**ORDER, "sources": [SOURCE, prefix]}),
        ("PUT", "/v1/intake/vnpt", {"roles": ["telecom"], "sources": [SOURCE, prefix]}),
    ):
        problem = await api(method, path, order)
        assert (problem["code"], problem["pointer"]) == ("source-malformed", "/sources/1")
    for good in (SOURCE, "https://a.example", "urn:vnpt:"):
        made = await api("POST", "/v1/keys", {**ORDER, "sources": [good]})
        assert "key" in made


async def test_a_quota_of_nobody_says_so(api: Api) -> None:
    await api("POST", "/v1/keys", ORDER)
    assert (await api("PUT", "/v1/quotas/cong-an", {"per_day": 5_000}))["warnings"] == []
    (warning,) = (await api("PUT", "/v1/quotas/cong-a", {"per_day": 5_000}))["warnings"]
    assert "cong-an" in warning


async def test_reconciliation_of_a_misspelt_source_or_partner(api: Api) -> None:
    await send(api.client, api.key, event())
    day = {"day": "2026-07-01", "seconds": 0}

    async def warnings(method: str = "GET", path: str = "", **more: Any) -> list[str]:
        answer = await api.ask(
            method, f"/v1/reconciliations{path}", params={**day, **more},
            **({"content": b"a\n", "headers": {"Content-Type": "text/plain"}} if path else {}),
        )  # fmt: skip
        return list(answer.json()["warnings"])

    assert await warnings(source=SOURCE) == []
    # A day on which nothing came is no mistake.
    assert await warnings(source=SOURCE, day="2026-06-30") == []
    (said,) = await warnings(source=SOURCE + "e")
    assert f"Did you mean {SOURCE}?" in said
    await api("POST", "/v1/keys", ORDER)
    (said,) = await warnings(source=SOURCE, partner="cong-am")
    assert "Did you mean cong-an?" in said
    (said,) = await warnings("POST", "/manifest", source=SOURCE.replace("congan", "conga"))
    assert SOURCE in said
    csv = await api.ask("GET", "/v1/reconciliations", params={**day, "source": SOURCE + "e",
                                                              "format": "csv"})  # fmt: skip
    assert "warnings,1,Nothing was ever received" in csv.text


async def test_a_partner_is_told_nothing_of_other_sources(api: Api) -> None:
    await send(api.client, api.key, event())
    made = await api("POST", "/v1/keys", ORDER)
    asked = {"source": SOURCE + "e", "day": "2026-07-01", "seconds": 0}
    answer = await api.with_key(made["key"]).ask("GET", "/v1/reconciliations", params=asked)
    (warning,) = answer.json()["warnings"]
    assert SOURCE not in warning


async def test_filters_of_the_quarantine(api: Api) -> None:
    await send(api.client, api.key, event(subject="99999"))

    async def warnings(**params: str) -> list[str]:
        return list((await api.ask("GET", "/v1/quarantine", params=params)).json()["warnings"])

    assert await warnings(code="unit-unknown") == await warnings(source=SOURCE) == []
    assert "code" in (await warnings(code="unit-unknwon"))[0]
    assert "event type" in (await warnings(type="citizen.certifed"))[0]
    assert "partner" in (await warnings(partner="nobody"))[0]
    assert SOURCE in (await warnings(source=SOURCE + "e"))[0]
    page = await api("POST", "/v1/quarantine/replay", {"code": "unit-unknwon"})
    assert page["accepted"] == page["rejected"] == 0 and "code" in page["warnings"][0]
