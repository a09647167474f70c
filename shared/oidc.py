"""Access tokens of OpenID Connect issuers: who a signed JSON Web Token speaks for.

Only RS256, ES256 and EdDSA (Ed25519), and each only with a published key of its own kind, so that
neither `none` nor an HMAC over a public key can pass (RFC 8725). Keys come from the issuer's
discovery document (OpenID Connect Discovery 1.0, section 4) and JWK set (RFC 7517).
"""

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa

from shared.clock import Clock
from shared.problems import Problem
from shared.settings import TrustedIssuer, is_safe_address

ALGORITHMS = {("RSA", None): "RS256", ("EC", "P-256"): "ES256", ("OKP", "Ed25519"): "EdDSA"}
"""Kind and curve of a key -> the one algorithm it is used with."""

LEEWAY_S = 30
"""Clocks may differ by so much."""

LONGEST_TOKEN = 16 * 1024
LARGEST_DOCUMENT = 512 * 1024
SMALLEST_RSA_BITS = 2048
FRESH_S = 600.0
"""A JWK set is fetched anew after this; so long is a withdrawn key believed."""

UNKNOWN_KEY_S = 10.0
"""For a key that is not in the set, it is fetched anew at most this often."""

STALE_S = 86_400.0
"""While the issuer does not answer, its last keys are believed for this long."""

LONGEST_BACKOFF_S = 60.0


@dataclass(frozen=True, slots=True)
class Identity:
    """What a verified token says. `client_id`: the client it was issued to (RFC 9068 `client_id`,
    or `azp`); `claims`: everything, for roles and names."""

    issuer: str
    subject: str
    client_id: str | None
    expires_at: datetime
    claims: dict[str, Any]


class Issuers:
    """The issuers that are trusted, and their keys."""

    def __init__(
        self, trusted: Sequence[TrustedIssuer], client: httpx.AsyncClient, clock: Clock
    ) -> None:
        self._clock = clock
        self._issuers = {
            issuer: _KeySet(issuer, client) for issuer in {entry.issuer for entry in trusted}
        }
        self._audiences: dict[str, list[str]] = {}
        for entry in trusted:
            self._audiences.setdefault(entry.issuer, []).append(entry.audience)

    def trusts(self, issuer: str) -> bool:
        """Whether tokens of this issuer are taken."""
        return issuer in self._issuers

    async def verify(self, token: str) -> Identity:
        """Who the token speaks for. Raises Problem: 401 for the token, 503 for the issuer."""
        algorithm, kid, issuer = _peek(token)
        keys = self._issuers.get(issuer)
        if keys is None:
            raise _refuse(
                "token-issuer-unknown",
                "The token's issuer is not trusted here.",
                "The operators name trusted issuers in HOCVUSO_OIDC_ISSUERS.",
            )
        for key in await keys.candidates(algorithm, kid):
            try:
                claims = jwt.decode(
                    token,
                    key,
                    algorithms=[algorithm],
                    issuer=issuer,
                    audience=self._audiences[issuer],
                    leeway=LEEWAY_S,
                    # Times are checked against the injected clock, below.
                    options={
                        "require": ["exp", "iss", "aud", "sub"],
                        "verify_exp": False,
                        "verify_nbf": False,
                        "verify_iat": False,
                    },
                )
            except jwt.InvalidSignatureError:
                continue
            except jwt.InvalidAudienceError:
                raise _refuse(
                    "token-audience",
                    "The token was issued for another audience.",
                    f"Ask the issuer for a token with aud {' or '.join(self._audiences[issuer])}.",
                ) from None
            except jwt.InvalidTokenError as error:
                raise _malformed(f"It breaks a rule: {type(error).__name__}.") from None
            return self._identity(claims, issuer)
        raise _refuse(
            "token-signature",
            "The token's signature is not one of the issuer's keys.",
            "Ask the issuer for a new token; right after it changed keys, try again in 10 seconds.",
        )

    def _identity(self, claims: dict[str, Any], issuer: str) -> Identity:
        now = self._clock.now().timestamp()
        expires = _instant(claims, "exp")
        if expires is None or expires + LEEWAY_S <= now:
            raise _refuse(
                "token-expired", "The token has expired.", "Ask the issuer for a new one."
            )
        begins = _instant(claims, "nbf")
        if begins is not None and begins - LEEWAY_S > now:
            raise _refuse(
                "token-not-yet-valid",
                "The token is not valid yet.",
                "Check the clocks of the issuer and of this server.",
            )
        client = next(
            (claims[n] for n in ("client_id", "azp") if isinstance(claims.get(n), str)), None
        )
        end = datetime.fromtimestamp(min(expires, 253_402_300_799), UTC)
        return Identity(issuer, claims["sub"], client, end, claims)


def _peek(token: str) -> tuple[str, str | None, str]:
    """Algorithm, key id and issuer that a token claims; nothing of it is believed yet."""
    if len(token) > LONGEST_TOKEN:
        raise _malformed("It is too long.")
    try:
        whole = jwt.decode_complete(token, options={"verify_signature": False})
    except (jwt.InvalidTokenError, ValueError, RecursionError) as error:
        raise _malformed(f"It cannot be read: {type(error).__name__}.") from None
    header, claims = whole["header"], whole["payload"]
    algorithm, kid, issuer = header.get("alg"), header.get("kid"), claims.get("iss")
    if algorithm not in ALGORITHMS.values():
        raise _refuse(
            "token-algorithm",
            "The token is not signed with an algorithm that is taken here.",
            f"Have the issuer sign with {', '.join(ALGORITHMS.values())}.",
        )
    kind = str(header.get("typ", "JWT")).lower().removeprefix("application/")
    if kind not in ("jwt", "at+jwt"):
        raise _malformed("Its typ is not that of an access token.")
    if not isinstance(issuer, str) or (kid is not None and not isinstance(kid, str)):
        raise _malformed("It names no issuer.")
    return algorithm, kid, issuer


def _instant(claims: dict[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _malformed(f"Its {name} is no number of seconds.")
    return float(value)


class _KeySet:
    """The published keys of one issuer: fetched when first needed, again when they get old."""

    def __init__(self, issuer: str, client: httpx.AsyncClient) -> None:
        self._issuer = issuer
        self._client = client
        self._keys: list[tuple[str, str | None, Any]] = []
        self._fetched: float | None = None
        self._failures = 0
        self._not_before = 0.0
        self._lock = asyncio.Lock()

    async def candidates(self, algorithm: str, kid: str | None) -> list[Any]:
        """The keys that may have signed. Raises Problem (503) when none were ever fetched."""
        if self._age() > FRESH_S:
            await self._refresh(FRESH_S)
        found = self._find(algorithm, kid)
        if not found and self._age() > UNKNOWN_KEY_S:
            await self._refresh(UNKNOWN_KEY_S)
            found = self._find(algorithm, kid)
        return found

    def _age(self) -> float:
        return math.inf if self._fetched is None else time.monotonic() - self._fetched

    def _find(self, algorithm: str, kid: str | None) -> list[Any]:
        """By id; a token without one may be signed by the issuer's only key of that kind."""
        found = [key for alg, name, key in self._keys if alg == algorithm and kid in (None, name)]
        return found if kid is not None or len(found) == 1 else []

    async def _refresh(self, older_than: float) -> None:
        async with self._lock:
            if self._age() <= older_than:
                return  # another request did it meanwhile
            if time.monotonic() >= self._not_before:
                try:
                    self._keys = await self._fetch()
                    self._fetched, self._failures = time.monotonic(), 0
                    return
                except (httpx.HTTPError, ValueError):
                    self._failures += 1
                    wait = min(2.0 ** (self._failures - 1), LONGEST_BACKOFF_S)
                    self._not_before = time.monotonic() + wait
            if self._age() > STALE_S:
                raise Problem(
                    "issuer-unreachable",
                    "The token's issuer does not answer, so the token cannot be checked.",
                    status=503,
                    hint="Send the same request again in a moment; a key of hocvuso still works.",
                    retryable=True,
                    retry_after=max(1, math.ceil(self._not_before - time.monotonic())),
                )

    async def _fetch(self) -> list[tuple[str, str | None, Any]]:
        """Raises httpx.HTTPError or ValueError."""
        address = self._issuer.rstrip("/") + "/.well-known/openid-configuration"
        about = await self._document(address)
        if about.get("issuer") != self._issuer:
            raise ValueError("the discovery document is another issuer's")
        uri = about.get("jwks_uri")
        if not isinstance(uri, str) or not is_safe_address(uri):
            raise ValueError("jwks_uri is not https")
        listed = (await self._document(uri)).get("keys")
        if not isinstance(listed, list):
            raise ValueError("the JWK set holds no list of keys")
        return [key for entry in listed if (key := _usable(entry)) is not None]

    async def _document(self, address: str) -> dict[str, Any]:
        body = bytearray()
        async with self._client.stream("GET", address, follow_redirects=False) as answer:
            if answer.status_code != 200:
                raise ValueError(f"HTTP {answer.status_code}")
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > LARGEST_DOCUMENT:
                    raise ValueError("too large")
        return msgspec.json.decode(bytes(body), type=dict[str, Any])


def _usable(entry: Any) -> tuple[str, str | None, Any] | None:
    """Algorithm, id and key of an entry of a JWK set; None for what signs nothing we take."""
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return None
    curve = entry.get("crv") if entry.get("kty") != "RSA" else None
    algorithm = ALGORITHMS.get((str(entry.get("kty")), curve))
    if algorithm is None or entry.get("alg", algorithm) != algorithm:
        return None
    try:
        key = jwt.PyJWK.from_dict(entry, algorithm=algorithm).key
    except (jwt.PyJWTError, ValueError):
        return None
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < SMALLEST_RSA_BITS:
        return None
    kid = entry.get("kid")
    return algorithm, kid if isinstance(kid, str) else None, key


def _refuse(code: str, detail: str, hint: str) -> Problem:
    return Problem(code, detail, status=401, hint=hint)


def _malformed(detail: str) -> Problem:
    return Problem(
        "token-malformed",
        f"The bearer token is no access token. {detail}",
        status=401,
        hint="Send the access_token of the client credentials grant, whole and unchanged.",
    )
