"""Clients of an issuer post with their tokens: registered, bounded, listed, revoked like keys."""

import os
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.activities.app import create_app
from services.activities.settings import ActivitiesSettings
from shared.clock import FixedClock
from shared.settings import CommonSettings, TrustedIssuer
from tests.activities.fake import event
from tests.activities.posting import send
from tests.keys.conftest import Api
from tests.keys.issuer import AUDIENCE, Issuer


@pytest.fixture
async def issuer(clock: FixedClock) -> AsyncIterator[Issuer]:
    async with Issuer(clock) as found:
        yield found


@pytest.fixture
async def service(
    settings: ActivitiesSettings, clock: FixedClock, issuer: Issuer
) -> AsyncIterator[tuple[FastAPI, httpx.AsyncClient]]:
    """The whole service, which trusts the issuer."""
    trusted = [TrustedIssuer(issuer=issuer.address, audience=AUDIENCE)]
    app = create_app(settings.model_copy(update={"oidc_issuers": trusted}), clock)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://activities") as client,
    ):
        yield app, client


def order(issuer: Issuer, **more: Any) -> dict[str, Any]:
    return {
        "name": "vnpt",
        "roles": ["police"],
        "types": ["citizen.certified"],
        "sources": ["https://congan.daklak.example/"],
        "subtree": "66@2025",
        "issuer": issuer.address,
        "client_id": "vnpt",
        **more,
    }


@pytest.mark.security("V10.3.2")
async def test_a_client_posts_with_the_rights_it_was_given(
    api: Api, issuer: Issuer, clock: FixedClock
) -> None:
    token = issuer.token()
    assert (await send(api.client, token, event()))["code"] == "client-unknown"
    made = await api("POST", "/v1/keys/clients", order(issuer))
    assert (made["client_id"], made["issuer"]) == ("vnpt", issuer.address)
    assert (await send(api.client, token, event()))["status"] == "accepted"
    assert (await send(api.client, token, event(id="2", subject="75")))[
        "code"
    ] == "unit-outside-key"
    other = event(id="3", type="vn.hocvuso.festival.held", data={"participants": 3})
    assert (await send(api.client, token, other))["code"] == "type-not-permitted"
    self = await api.with_key(token)("GET", "/v1/keys/self")
    assert (self["prefix"], self["name"], self["roles"]) == (made["prefix"], "vnpt", ["police"])
    assert (await api.with_key(token)("GET", "/v1/keys"))["code"] == "administrator-only"
    again = await api("POST", "/v1/keys/clients", order(issuer))
    assert again["code"] == "client-exists"
    rotated = await api("POST", f"/v1/keys/{made['prefix']}/rotate")
    assert rotated["code"] == "key-is-client"
    uses = await api("GET", f"/v1/audit/uses/{made['prefix']}")
    assert {(u["path"], u["outcome"]) for u in uses} >= {("rest", "accepted"), ("rest", "denied")}
    acts = await api("GET", "/v1/audit", params={"action": "client"})
    assert [a["about"] for a in acts["acts"]] == [made["prefix"]]
    clock.at += timedelta(seconds=331)
    assert (await send(api.client, token, event(id="4")))["code"] == "token-expired"
    assert (await send(api.client, issuer.token(), event(id="4")))["status"] == "accepted"
    await api("DELETE", f"/v1/keys/{made['prefix']}")
    assert (await send(api.client, issuer.token(), event(id="5")))["code"] == "client-unknown"
    assert "prefix" in await api("POST", "/v1/keys/clients", order(issuer))


async def test_answers_of_bad_tokens(api: Api, issuer: Issuer, clock: FixedClock) -> None:
    await api("POST", "/v1/keys/clients", order(issuer))
    for token, status, expected in (
        (issuer.token(aud="other"), 401, "token-audience"),
        (issuer.token(client_id="other"), 403, "client-unknown"),
        (issuer.token(client_id=None), 403, "client-unknown"),
        (issuer.token(kid="other"), 401, "token-signature"),
        (issuer.token(exp=int(clock.now().timestamp()) - 60), 401, "token-expired"),
        (issuer.token(iss="https://other.example"), 401, "token-issuer-unknown"),
        ("eyJ.x.y", 401, "token-malformed"),
    ):
        answer = await api.with_key(token).ask("GET", "/v1/keys/self")
        assert (answer.status_code, answer.json()["code"]) == (status, expected)
        assert token not in answer.text
        assert ("www-authenticate" in answer.headers) == (status == 401)
    codes = {r["code"] for r in await api("GET", "/v1/audit/refused")}
    assert "token-audience" in codes and "client-unknown" in codes


@pytest.mark.security("V10.3.3", "V6.8.1")
async def test_a_client_bound_to_its_subject(api: Api, issuer: Issuer) -> None:
    """People who sign in through the same client do not get the client's rights."""
    await api("POST", "/v1/keys/clients", order(issuer, token_subject="service-account-vnpt"))
    assert (await api.with_key(issuer.token())("GET", "/v1/keys/self"))["name"] == "vnpt"
    person = issuer.token(sub="nguyen-van-a")
    assert (await api.with_key(person)("GET", "/v1/keys/self"))["code"] == "client-unknown"


async def test_orders_that_make_no_sense(api: Api, issuer: Issuer) -> None:
    for more, expected in (
        ({"issuer": "https://other.example"}, "issuer-not-trusted"),
        ({"roles": ["polcie"]}, "role-unknown"),
        ({"client_id": ""}, "invalid-parameter"),
        ({"scopes": ["log:read"]}, "invalid-parameter"),
    ):
        made = await api("POST", "/v1/keys/clients", {**order(issuer), **more})
        assert made["code"] == expected
    key = await api("POST", "/v1/keys", {"name": "pp", "roles": ["police"]})
    refused = await api.with_key(key["key"])("POST", "/v1/keys/clients", order(issuer))
    assert refused["code"] == "administrator-only"


def test_issuers_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "HOCVUSO_OIDC_ISSUERS" not in os.environ
    assert CommonSettings().oidc_issuers == []
    said = '[{"issuer": "https://sso.example/realms/a", "audience": "hocvuso"}]'
    monkeypatch.setenv("HOCVUSO_OIDC_ISSUERS", said)
    (found,) = CommonSettings().oidc_issuers
    assert (found.issuer, found.audience) == ("https://sso.example/realms/a", "hocvuso")
