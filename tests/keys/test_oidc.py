"""Tokens against a real issuer: what is taken, and every way in which one is refused."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from shared import oidc
from shared.clock import FixedClock
from shared.oidc import Identity, Issuers
from shared.problems import Problem
from shared.settings import TrustedIssuer
from tests.keys.issuer import AUDIENCE, EC, ED, OTHER_RSA, P384, RSA, WEAK_RSA, Issuer, jwk


@pytest.fixture
async def issuer(clock: FixedClock) -> AsyncIterator[Issuer]:
    async with Issuer(clock) as found:
        yield found


@pytest.fixture
async def issuers(issuer: Issuer, clock: FixedClock) -> AsyncIterator[Issuers]:
    async with httpx.AsyncClient(timeout=2, trust_env=False) as client:
        trusted = [TrustedIssuer(issuer=issuer.address, audience=AUDIENCE)]
        yield Issuers(trusted, client, clock)


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys are old at once."""
    monkeypatch.setattr(oidc, "UNKNOWN_KEY_S", -1.0)
    monkeypatch.setattr(oidc, "FRESH_S", -1.0)
    monkeypatch.setattr(oidc, "LONGEST_BACKOFF_S", 0.0)


async def code(issuers: Issuers, token: str) -> tuple[str, int]:
    with pytest.raises(Problem) as refused:
        await issuers.verify(token)
    assert token not in str(refused.value.body())
    return refused.value.code, refused.value.status


def forged(header: dict[str, Any], claims: str, secret: bytes | None) -> str:
    """A token as an attacker makes it: any header, an HMAC or no signature."""
    part = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    body = f"{part}.{claims}"
    signature = hmac.new(secret, body.encode(), hashlib.sha256).digest() if secret else b""
    return f"{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


@pytest.mark.parametrize(("key", "algorithm"), [(RSA, "RS256"), (EC, "ES256"), (ED, "EdDSA")])
async def test_good_tokens(issuer: Issuer, issuers: Issuers, key: Any, algorithm: str) -> None:
    issuer.keys = [jwk(RSA, "one"), jwk(EC, "two"), jwk(ED, "three")]
    kid = {"RS256": "one", "ES256": "two", "EdDSA": "three"}[algorithm]
    for _ in range(3):
        found = await issuers.verify(issuer.token(key, algorithm=algorithm, kid=kid, roles=["a"]))
        assert isinstance(found, Identity)
        assert (found.subject, found.client_id) == ("service-account-vnpt", "vnpt")
        assert found.claims["roles"] == ["a"]
    assert issuer.asked == {"openid-configuration": 1, "keys": 1}
    alone = issuer.token(key, algorithm=algorithm, kid=None, client_id=None, azp="app")
    assert (await issuers.verify(alone)).client_id == "app"
    several = issuer.token(key, algorithm=algorithm, kid=kid, aud=["other", AUDIENCE])
    assert await issuers.verify(several)


@pytest.mark.security("V9.2.1", "V9.2.2", "V9.2.3", "V10.3.1")
async def test_claims_that_are_refused(issuer: Issuer, issuers: Issuers, clock: FixedClock) -> None:
    now = int(clock.now().timestamp())
    for claims, expected in (
        ({"exp": now - 31}, "token-expired"),
        ({"exp": now - 10**6}, "token-expired"),
        ({"nbf": now + 31}, "token-not-yet-valid"),
        ({"aud": "https://other.example"}, "token-audience"),
        ({"aud": ["https://other.example"]}, "token-audience"),
        ({"aud": None}, "token-malformed"),
        ({"sub": None}, "token-malformed"),
        ({"exp": None}, "token-malformed"),
        ({"iss": "https://other.example"}, "token-issuer-unknown"),
        ({"iss": issuer.address + "/"}, "token-issuer-unknown"),
        ({"iss": None}, "token-malformed"),
    ):
        assert await code(issuers, issuer.token(**claims)) == (expected, 401), claims
    for claims in ({"exp": now - 29}, {"nbf": now + 29}, {"exp": now + 0.5}):
        await issuers.verify(issuer.token(**claims))
    for kind in ("logout+jwt", "dpop+jwt"):
        assert (await code(issuers, issuer.token(header={"typ": kind})))[0] == "token-malformed"


@pytest.mark.security("V9.1.2", "V6.8.2")
async def test_no_algorithm_but_ours(issuer: Issuer, issuers: Issuers) -> None:
    issuer.keys = [jwk(RSA, "one"), jwk(EC, "two")]
    claims = issuer.token().split(".")[1]
    public = RSA.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for header in ({"alg": "none"}, {"alg": "None"}, {"alg": "nOnE", "kid": "one"}, {}):
        assert (await code(issuers, forged(header, claims, None)))[0] in (
            "token-algorithm",
            "token-malformed",
        )
    for secret in (public, public.strip(), json.dumps(jwk(RSA, "one")).encode(), b"one"):
        for algorithm in ("HS256", "HS512"):
            header = {"alg": algorithm, "kid": "one", "typ": "at+jwt"}
            assert (await code(issuers, forged(header, claims, secret)))[0] == "token-algorithm"
        header = {"alg": "RS256", "kid": "one"}
        assert (await code(issuers, forged(header, claims, secret)))[0] == "token-signature"
    for algorithm in ("RS512", "PS256"):
        assert (await code(issuers, issuer.token(algorithm=algorithm)))[0] == "token-algorithm"
    # A key of one kind is never tried for another's algorithm.
    assert (await code(issuers, issuer.token(EC, algorithm="ES256", kid="one")))[0] == (
        "token-signature"
    )


@pytest.mark.security("V9.1.1", "V9.1.3")
@pytest.mark.filterwarnings("ignore:The RSA key is 1024 bits")
async def test_keys_that_are_not_the_issuers(issuer: Issuer, issuers: Issuers) -> None:
    issuer.keys = [
        jwk(RSA, "one"),
        jwk(WEAK_RSA, "weak"),
        jwk(OTHER_RSA, "for encryption", use="enc"),
        jwk(OTHER_RSA, "for PS256", alg="PS256"),
        jwk(P384, "p384"),
        {"kty": "oct", "kid": "oct", "k": "c2VjcmV0"},
        {"kty": "RSA", "kid": "broken", "n": "?", "e": "AQAB"},
        {"kty": "EC"},
        "nonsense",  # type: ignore[list-item]
    ]
    assert await issuers.verify(issuer.token())
    for key, kid in (
        (OTHER_RSA, "one"),
        (OTHER_RSA, "for encryption"),
        (OTHER_RSA, "for PS256"),
        (WEAK_RSA, "weak"),
        (OTHER_RSA, "broken"),
        (OTHER_RSA, "nobody's"),
    ):
        assert (await code(issuers, issuer.token(key, kid=kid)))[0] == "token-signature", kid
    embedded = {"jwk": jwk(OTHER_RSA, "one"), "jku": "https://evil.example/keys"}
    token = issuer.token(OTHER_RSA, header=embedded)
    assert (await code(issuers, token))[0] == "token-signature"
    tampered = issuer.token().split(".")
    tampered[1] = issuer.token(client_id="administrator").split(".")[1]
    assert (await code(issuers, ".".join(tampered)))[0] == "token-signature"


async def test_without_key_id_only_where_there_is_no_choice(
    issuer: Issuer, issuers: Issuers, hurry: None
) -> None:
    assert await issuers.verify(issuer.token(kid=None))
    issuer.keys.append(jwk(OTHER_RSA, "two"))
    assert (await code(issuers, issuer.token(kid=None)))[0] == "token-signature"


@pytest.mark.parametrize(
    "text",
    ["eyJ..", "eyJhbGciOiJSUzI1NiJ9.e30", "eyJhbGciOiJSUzI1NiJ9.W10.x", "eyJ.\u00e9.x",
     "eyJhbGciOiJSUzI1NiJ9." + base64.urlsafe_b64encode(b"[" * 9_000).decode() + ".x",
     "eyJ" + "x" * 20_000 + ".y.z"],
)  # fmt: skip
async def test_nonsense(issuers: Issuers, text: str) -> None:
    assert await code(issuers, text) == ("token-malformed", 401)


async def test_new_keys_are_found_and_old_ones_forgotten(
    issuer: Issuer, issuers: Issuers, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = issuer.token()
    await issuers.verify(old)
    issuer.keys = [jwk(OTHER_RSA, "two")]
    new = issuer.token(OTHER_RSA, kid="two")
    # Just fetched: an unknown key id does not make it ask again and again.
    for _ in range(3):
        assert (await code(issuers, new))[0] == "token-signature"
    assert issuer.asked["keys"] == 1
    monkeypatch.setattr(oidc, "UNKNOWN_KEY_S", 0.0)
    assert await issuers.verify(new)
    assert issuer.asked["keys"] == 2
    assert (await code(issuers, old))[0] == "token-signature"


@pytest.mark.security("V16.5.2")
async def test_an_issuer_that_is_down(
    issuer: Issuer, issuers: Issuers, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer.answer = Response(status_code=500)
    for _ in range(5):
        with pytest.raises(Problem) as refused:
            await issuers.verify(issuer.token())
        assert (refused.value.code, refused.value.status) == ("issuer-unreachable", 503)
        assert refused.value.retryable and refused.value.retry_after == 1
    assert issuer.asked == {"openid-configuration": 1}, "it must not be asked for every token"
    issuer.answer = None
    monkeypatch.setattr(oidc.time, "monotonic", lambda clock=oidc.time.monotonic: clock() + 2)
    assert await issuers.verify(issuer.token())
    # With keys at hand, tokens are checked as long as those are believed.
    issuer.answer = Response(status_code=500)
    monkeypatch.setattr(oidc, "FRESH_S", -1.0)
    assert await issuers.verify(issuer.token())
    monkeypatch.setattr(oidc, "STALE_S", -1.0)
    assert await code(issuers, issuer.token()) == ("issuer-unreachable", 503)


@pytest.mark.security("V10.5.3", "API10")
async def test_documents_that_are_not_believed(
    issuer: Issuer, issuers: Issuers, hurry: None
) -> None:
    for about in (
        {"issuer": "https://other.example"},
        {"jwks_uri": "http://169.254.169.254/keys"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": None},
        {"jwks_uri": f"{issuer.address}/missing"},
    ):
        issuer.about = about
        assert (await code(issuers, issuer.token()))[0] == "issuer-unreachable", about
    issuer.about = {}
    for answer in (
        RedirectResponse("https://evil.example/"),
        Response("no json"),
        Response("[]"),
        Response(b'"' + b"x" * oidc.LARGEST_DOCUMENT + b'"'),
    ):
        issuer.answer = answer
        assert (await code(issuers, issuer.token()))[0] == "issuer-unreachable"
    issuer.answer = None
    issuer.keys = {"not": "a list"}  # type: ignore[assignment]
    assert (await code(issuers, issuer.token()))[0] == "issuer-unreachable"
    issuer.keys = [jwk(RSA, "one")]
    assert await issuers.verify(issuer.token())


async def test_several_audiences_of_one_issuer(issuer: Issuer, clock: FixedClock) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        trusted = [TrustedIssuer(issuer=issuer.address, audience=a) for a in ("a", "b")]
        issuers = Issuers(trusted, client, clock)
        for audience in ("a", "b"):
            assert await issuers.verify(issuer.token(aud=audience))
        assert (await code(issuers, issuer.token(aud="c")))[0] == "token-audience"
        clock.at += timedelta(seconds=331)
        assert await issuers.verify(issuer.token(aud="a"))


@pytest.mark.security("API7", "V1.3.6", "V13.2.4", "V13.2.5")
@pytest.mark.parametrize(
    "address",
    ["http://sso.example/realm", "ftp://sso.example", "sso.example", "https://u:p@sso.example",
     "https://sso.example/?a=b", "https://sso.example/#x", "http://127.0.0.1.evil.example/"],
)  # fmt: skip
def test_issuers_that_cannot_be_trusted(address: str) -> None:
    with pytest.raises(ValidationError):
        TrustedIssuer(issuer=address, audience="a")
