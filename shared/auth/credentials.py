"""Keys `hv_PREFIX_SECRET` and sessions `hvs_ID_SECRET`: 256 bits of secret, stored as SHA-256.

High-entropy secrets need no slow hash; comparison is in constant time.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from shared.problems import Problem


@dataclass(frozen=True)
class NewKey:
    """A key just made: `text` is shown once, `prefix` and `digest` are stored."""

    text: str
    prefix: str
    digest: bytes


def make_key() -> NewKey:
    """A new random key."""
    return _make("hv")


def make_session() -> NewKey:
    """A new random session of a browser; `prefix` is its public id."""
    return _make("hvs")


def _make(kind: str) -> NewKey:
    prefix = secrets.token_hex(4)
    text = f"{kind}_{prefix}_{secrets.token_urlsafe(32)}"
    return NewKey(text, prefix, digest(text))


def digest(text: str) -> bytes:
    """What is stored of a key."""
    return hashlib.sha256(text.encode()).digest()


def matches(text: str, stored: bytes) -> bool:
    """Whether a presented key is the stored one, in constant time."""
    return hmac.compare_digest(digest(text), stored)


def is_token(text: str) -> bool:
    """Whether a bearer credential is a JSON Web Token, not a key of hocvuso."""
    return text.startswith("eyJ") and text.count(".") == 2


def is_session(text: str) -> bool:
    """Whether a bearer credential is a session of a browser."""
    return text.startswith("hvs_")


def bearer(header: str | None, *, tokens: bool = False) -> str:
    """The key or session in an `Authorization: Bearer ...` header; 401 problems otherwise.

    `tokens`: a JSON Web Token may stand there too (see `is_token`); nothing of it is checked here.
    """
    if header is None:
        raise Problem(
            "key-missing",
            "This address needs a key.",
            status=401,
            hint="Send the header `Authorization: Bearer hv_...`; the administrator makes keys"
            " with `hocvuso keys create`.",
        )
    scheme, _, text = header.partition(" ")
    text = text.strip()
    good = text.startswith(("hv_", "hvs_")) and text.count("_") >= 2
    # What is no plain ASCII is in no key of ours, and in no header that could pass it on.
    plain = text.isascii() and text.isprintable()
    if scheme.lower() != "bearer" or not plain or not (good or (tokens and is_token(text))):
        raise Problem(
            "key-malformed",
            "The Authorization header does not hold a hocvuso key.",
            status=401,
            hint="Its form is `Authorization: Bearer hv_PREFIX_SECRET`.",
        )
    return text


def key_prefix(text: str) -> str:
    """The visible part by which a key or session is looked up."""
    return text.split("_", 2)[1]


def ended_session() -> Problem:
    """The one answer for unknown and ended sessions alike."""
    return Problem(
        "session-ended",
        "The session is unknown or has ended.",
        status=401,
        hint="Sign in again with the key.",
    )


def wrong_key() -> Problem:
    """The one answer for unknown, expired and revoked keys alike."""
    return Problem(
        "key-wrong",
        "The key is unknown, expired or revoked.",
        status=401,
        hint="Check that the whole key was copied; ask the administrator for a new one.",
    )
