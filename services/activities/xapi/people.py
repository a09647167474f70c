"""Who an agent is: one text per identity, the person of an event, and what is shown instead. Pure.

Nothing here is stored or answered but the masks: `masked-` and 128 bits of a keyed digest that
differs from partner to partner, so that no answer lets two partners compare their learners.
"""

import base64
import hashlib
import re
from typing import Any
from urllib.parse import unquote, urlsplit

from services.activities.privacy import Pseudonyms
from shared.identity.leaks import leaks

Json = dict[str, Any]
HOME = "https://hocvuso.vn/xapi"
MASKED = "masked-"
LONGEST_VALUE = 128
_MAIL = re.compile(r"[^\s@/:?&=+,;<>()]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


def identity(agent: Json) -> tuple[str, ...] | None:
    """The identity of an agent or identified group; None for an anonymous group.

    An address and its digest are one identity (xAPI 1.0.3, part 2, section 2.4.2.3).
    """
    if "account" in agent:
        return ("account", agent["account"]["homePage"], agent["account"]["name"])
    if "mbox" in agent:
        return ("mbox", hashlib.sha1(agent["mbox"].lower().encode()).hexdigest())  # noqa: S324
    if "mbox_sha1sum" in agent:
        return ("mbox", agent["mbox_sha1sum"].lower())
    if "openid" in agent:
        return ("openid", agent["openid"])
    return None


def person(agent: Json, scheme: str) -> Json | None:
    """The `{"scheme", "value"}` of an actor; None for groups.

    `scheme` says what the names of accounts are on this platform. An account that is only an
    account is `HOMEPAGE#NAME`, so that `1` on two platforms is two people.
    """
    who = identity(agent)
    if who is None or agent.get("objectType") == "Group":
        return None
    if who[0] == "account" and scheme != "account":
        return {"scheme": scheme, "value": who[2]}
    value = {"account": "#".join(who[1:]), "mbox": f"mbox:{who[1]}", "openid": who[1]}[who[0]]
    if len(value) > LONGEST_VALUE:
        value = f"sha256:{hashlib.sha256(value.encode()).hexdigest()}"
    return {"scheme": "account", "value": value}


def tells(text: str) -> bool:
    """Whether a text holds an identity or phone number or an e-mail address, also URL-encoded."""
    plain = unquote(text)
    return leaks(text) or leaks(plain) or _MAIL.search(plain) is not None


def shown_home(agent: Json) -> str:
    """The home page that may be shown: of the platform, never of a person on it."""
    if "account" not in agent:
        return HOME
    page: str = agent["account"]["homePage"]
    parts = urlsplit(page)
    if parts.scheme not in ("http", "https"):
        return HOME
    origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    if tells(origin):
        return HOME
    plain = not (parts.query or parts.fragment or "@" in page or "~" in page or tells(page))
    return page if plain else origin


class Masks:
    """Makes what stands for an agent in everything that is kept and answered."""

    def __init__(self, pseudonyms: Pseudonyms) -> None:
        self._mac = pseudonyms.content_mac

    def name(self, agent: Json, partner: str) -> str | None:
        """The masked name of an agent, the same for the same identity; None when anonymous."""
        who = identity(agent)
        if who is None:
            return None
        if who[0] == "account" and who[2].startswith(MASKED):
            return who[2]  # as an answer showed it
        return MASKED + self._digest("agent", partner, *who)

    def iri(self, text: str) -> str:
        """What stands for an IRI that must not be kept."""
        return f"{HOME}/withheld/{self._digest('iri', text)}"

    def _digest(self, *parts: str) -> str:
        mac = self._mac("\0".join(("xapi", *parts)).encode())
        return base64.b32encode(mac[:16]).decode().rstrip("=").lower()

    def agent(self, agent: Json, partner: str) -> Json:
        """An agent or group as it is kept: an account with a masked name."""
        shown: Json = {"objectType": agent.get("objectType", "Agent")}
        name = self.name(agent, partner)
        if name is not None:
            shown["account"] = {"homePage": shown_home(agent), "name": name}
        if "member" in agent:
            shown["member"] = [self.agent(one, partner) for one in agent["member"]]
        return shown

    def names(self, agent: Json, partner: str) -> list[str]:
        """The masked names by which a query may find an agent, or a group by its members."""
        found = [self.name(agent, partner)]
        found += [self.name(one, partner) for one in agent.get("member", ())]
        return [name for name in found if name is not None]
