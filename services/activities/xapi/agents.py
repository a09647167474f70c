"""Agents and groups: xAPI 1.0.3, part 2, section 2.4.2. Pure."""

from typing import Any

from services.activities.xapi import formats
from services.activities.xapi.problems import broken
from services.activities.xapi.shapes import Check, iri, list_of, shape, text, wire_text

IDENTIFIERS = ("mbox", "mbox_sha1sum", "openid", "account")
"""The inverse functional identifiers (section 2.4.2.3)."""


def check_party(value: Any, at: str) -> None:
    """An Agent, or a Group if it says so."""
    if isinstance(value, dict) and value.get("objectType") == "Group":
        check_group(value, at)
    else:
        check_agent(value, at)


def check_agent(value: Any, at: str) -> None:
    """An Agent: exactly one identifier."""
    shape(value, at, _AGENT)
    if value.get("objectType", "Agent") != "Agent":
        raise broken(f"{at}/objectType", "objectType is Agent or Group here (section 2.4.2).")
    if _identifiers(value) != 1:
        raise broken(at, _ONE, _WHICH)


def check_group(value: Any, at: str) -> None:
    """A Group: identified by exactly one identifier, or anonymous with its members."""
    shape(value, at, _GROUP)
    if value.get("objectType") != "Group":
        raise broken(f"{at}/objectType", "This must be a Group (section 2.4.2.2).")
    found = _identifiers(value)
    if found > 1:
        raise broken(at, _ONE, _WHICH)
    if not found and not value.get("member"):
        raise broken(f"{at}/member", "A Group without an identifier lists its members.")


def _identifiers(value: dict[str, Any]) -> int:
    return sum(name in value for name in IDENTIFIERS)


_ONE = "There must be exactly one of mbox, mbox_sha1sum, openid and account (section 2.4.2.3)."
_WHICH = "Keep the account, if there is one."


def _mbox(value: Any, at: str) -> None:
    if not isinstance(value, str) or not formats.is_mbox(value):
        raise broken(at, "This must be mailto: and an e-mail address (section 2.4.2.3).")


def _sha1(value: Any, at: str) -> None:
    if not isinstance(value, str) or not formats.is_sha1(value):
        raise broken(at, "This must be a SHA-1 digest in hexadecimal (section 2.4.2.3).")


def _account(value: Any, at: str) -> None:
    shape(value, at, {"homePage": iri, "name": text}, required=("homePage", "name"))


_AGENT: dict[str, Check] = {
    "objectType": text,
    "name": wire_text,
    "mbox": _mbox,
    "mbox_sha1sum": _sha1,
    "openid": iri,
    "account": _account,
}
_GROUP: dict[str, Check] = {**_AGENT, "member": list_of(check_agent)}
