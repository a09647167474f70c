"""Pseudonyms: identity numbers come in, keyed references go on; nothing else of them remains.

`{"scheme": "cccd", "value": "066..."}` becomes `"cccd:BASE32"`, 160 bits of HMAC-SHA-256 under a key
that never rotates: with another key everybody would be counted again. The same key, for another
purpose, makes the MAC by which equal content is known again (a plain digest of an identity number
can be inverted by trying all of them). Which spellings are one person says `shared.identity`.
"""

import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.clock import Clock, ShiftedClock
from shared.contracts.model import Identity
from shared.db import Connection
from shared.identity.former import former
from shared.identity.numbers import Impossible, normal
from shared.problems import Problem

_KEY_BYTES = 32


class PseudonymKeyError(RuntimeError):
    """The pseudonym key is missing, malformed or not the one this log was written with."""


def read_key(path: Path | None) -> bytes:
    """The key from its file: 64 hexadecimal digits. Raises PseudonymKeyError."""
    if path is None:
        raise PseudonymKeyError(
            "HOCVUSO_PSEUDONYM_KEY_FILE is not set. Name a file with 64 hexadecimal digits; the"
            " same file for the whole life of this log."
        )
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except FileNotFoundError:
        raise PseudonymKeyError(
            f"The pseudonym key file {path} does not exist. Restore it from its backup; only for"
            " an empty log may a new one be made (openssl rand -hex 32)."
        ) from None
    except ValueError:
        raise PseudonymKeyError(
            f"The pseudonym key file {path} does not hold 64 hex digits."
        ) from None
    if len(key) != _KEY_BYTES:
        raise PseudonymKeyError(
            f"The pseudonym key file {path} holds {len(key)} bytes, not {_KEY_BYTES}."
        )
    return key


@dataclass
class Noticed:
    """What is seen of persons while they become references, and never again: `former`, the
    references under which earlier versions knew each; `doubts`, what looks wrong in a value."""

    former: dict[str, tuple[str, ...]] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)


_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_BASE32_PAIRS = [first + second for first in _BASE32 for second in _BASE32]
_SHIFTS = range(150, -1, -10)


def _base32(mac: bytes) -> str:
    """RFC 4648 base 32 of 20 bytes; the standard library's takes three times as long."""
    number = int.from_bytes(mac, "big")
    return "".join([_BASE32_PAIRS[number >> shift & 1023] for shift in _SHIFTS])


class Pseudonyms:
    """Makes references and content MACs with one key."""

    def __init__(self, key: bytes, clock: Clock | None = None) -> None:
        """`clock` tells the year, after which nobody is born yet; the system's when left out."""

        def derived(purpose: bytes) -> bytes:
            return hmac.digest(key, b"hocvuso " + purpose + b" v1", "sha256")

        self._reference_key = derived(b"reference")
        self._content_key = derived(b"content")
        self.fingerprint = derived(b"fingerprint")
        self._clock = clock or ShiftedClock()
        # Nobody outside this process can make one: what is posted never passes for a reference.
        self._token = f"ref-{secrets.token_hex(16)}-"

    def reference(self, scheme: str, value: str) -> str | None:
        """`scheme:BASE32` of a value; None when the value cannot be one of its scheme."""
        try:
            return self.of(scheme, normal(scheme, value, self._clock.today().year).value)
        except Impossible:
            return None

    def of(self, scheme: str, spelt: str) -> str:
        mac = hmac.digest(self._reference_key, f"{scheme}\0{spelt}".encode(), "sha256")
        return f"{scheme}:{_base32(mac[:20])}"

    def content_mac(self, canonical: bytes) -> bytes:
        """The MAC of a partner's normalised input (RFC 8785 bytes)."""
        return hmac.digest(self._content_key, canonical, "sha256")

    def token(self, reference: str) -> str:
        """A value that `stored` takes for this reference: for events that are judged again."""
        return self._token + reference

    def stored(
        self, identity: Identity, posted: Mapping[str, Any], pointer: str, noticed: Noticed
    ) -> str:
        """The reference that takes the place of a posted `{"scheme", "value"}`.

        Values of schemes that are no identity numbers are kept as they are. Raises Problem.
        """
        scheme, value = posted["scheme"], posted["value"]
        if scheme not in identity.schemes:
            raise Problem(
                "value-not-allowed",
                "The scheme is not one that this field takes.",
                pointer=f"{pointer}/scheme",
                hint=f"Allowed: {', '.join(identity.schemes)}.",
            )
        if value.startswith(self._token):
            kept = str(value).removeprefix(self._token)
            if identity.is_secret(scheme) and kept.startswith(f"{scheme}:"):
                return kept
            raise Problem(
                "masked-value-needed",
                "The value is kept as a reference, but this field stores values of this scheme.",
                pointer=f"{pointer}/value",
                hint="Give it in `changes`, with scheme and value.",
            )
        if not identity.is_secret(scheme):
            return f"{scheme}:{unicodedata.normalize('NFC', value).strip()}"
        try:
            spelt = normal(scheme, value, self._clock.today().year)
        except Impossible as impossible:
            raise Problem(
                "reference-malformed",
                impossible.why,
                pointer=f"{pointer}/value",
                hint=impossible.fix,
                extra={"rule": impossible.rule},
            ) from None
        reference = self.of(scheme, spelt.value)
        noticed.doubts += [f"{pointer}/value: {doubt}" for doubt in spelt.doubts]
        before = former(scheme, value, spelt.value)
        if before:
            noticed.former[reference] = tuple(self.of(scheme, spelling) for spelling in before)
        return reference


async def bind_key(connection: Connection, pseudonyms: Pseudonyms) -> None:
    """Tie the database to the key on the first start; refuse another key ever after.

    Raises PseudonymKeyError.
    """
    await connection.execute(
        "INSERT INTO privacy (key_fingerprint) VALUES ($1) ON CONFLICT DO NOTHING",
        pseudonyms.fingerprint,
    )
    stored: bytes = await connection.fetchval("SELECT key_fingerprint FROM privacy WHERE one")
    if not hmac.compare_digest(stored, pseudonyms.fingerprint):
        raise PseudonymKeyError(
            "This log was written with another pseudonym key (fingerprint"
            f" {short_fingerprint(stored)}, the key now given has"
            f" {short_fingerprint(pseudonyms.fingerprint)}). Starting would count everybody again,"
            " so nothing was started and nothing was changed. Put the original key back into"
            " HOCVUSO_PSEUDONYM_KEY_FILE."
        )


def short_fingerprint(fingerprint: bytes) -> str:
    """Enough of a fingerprint to tell two keys apart, in a message."""
    return hashlib.sha256(fingerprint).hexdigest()[:12]
