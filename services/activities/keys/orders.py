"""What the administrator may say of a key or client, and whether it makes sense."""

import re
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.definitions import Catalogue
from shared.contracts.topics import EVENT_TYPE_PREFIX
from shared.days import DateTime
from shared.in_clear import refuse_in_clear
from shared.problems import Problem

Text = Annotated[str, Field(min_length=1, max_length=256)]
Scope = Literal[
    "events:write",
    "events:stream",
    "xapi:write",
    "quarantine:replay",
    "staff:invite",
    "tables:read",
]
"""What partners may be given. Those of services are made by `migrate` alone."""

NAME = r"^[a-z0-9][a-z0-9._-]{1,63}$"
"""Names of partners."""

_SOURCE_PREFIX = re.compile(r"https?://[^/\s?#]+|urn:[A-Za-z0-9]", re.IGNORECASE)


class RightsOrder(BaseModel):
    """The rights to give. Keys and clients of one partner carry the same `name`."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(pattern=NAME)]
    roles: Annotated[list[Text], Field(min_length=1, max_length=20)]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=10)] = Field(
        ["events:write", "events:stream"],
        description="what it opens: ways in, and tables:read for reading",
    )
    types: Annotated[list[Text], Field(min_length=1, max_length=100)] | None = Field(
        None, description="short names; `course.*` for all that begin so"
    )
    sources: Annotated[list[Text], Field(min_length=1, max_length=100)] | None = Field(
        None, description="URI prefixes"
    )
    subtree: Annotated[str, Field(pattern=r"^[0-9A-Za-z._-]{1,64}@(2004|2025)$")] | None = Field(
        None, description="unit_id (code@era): may post for it and all below"
    )
    era: Literal["2004", "2025"] | None = Field(None, description="era of bare unit codes")
    expires_at: DateTime | None = None

    def rights(self) -> dict[str, Any]:
        """As the store takes them."""
        return {
            "roles": self.roles,
            "scopes": list(self.scopes),
            "types": self.types and [t.removeprefix(EVENT_TYPE_PREFIX) for t in self.types],
            "sources": self.sources,
            "subtree": self.subtree,
            "era": self.era,
            "expires_at": self.expires_at,
        }


class KeyOrder(RightsOrder):
    """The key to make."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "cong-an-dak-lak",
                    "roles": ["police"],
                    "sources": ["https://congan.daklak.example/"],
                    "subtree": "66@2025",
                }
            ]
        },
    )


class Narrowing(BaseModel):
    """What a key loses."""

    model_config = ConfigDict(extra="forbid")

    without: Annotated[list[Scope], Field(min_length=1, max_length=10)]


class Rotation(BaseModel):
    """How a key is rotated."""

    model_config = ConfigDict(extra="forbid")

    overlap: Annotated[str, Field(pattern=r"^[0-9]{1,4}[smhd]$")] = Field(
        "24h", description="how long the old key goes on working: 90s, 30m, 24h, 7d; at most 90d"
    )

    def span(self) -> timedelta:
        """The overlap; raises Problem when it is longer than 90 days."""
        unit = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}[self.overlap[-1]]
        span = timedelta(**{unit: int(self.overlap[:-1])})
        if span > timedelta(days=90):
            raise Problem(
                "overlap-too-long",
                "Two keys work side by side for at most 90 days.",
                pointer="/overlap",
                hint="Write 90d or less.",
            )
        return span


def check_rights(
    roles: Sequence[str],
    types: Sequence[str] | None,
    catalogue: Catalogue,
    never: Collection[str] = ("any",),
    sources: Sequence[str] | None = None,
) -> None:
    """Raise Problem (422) for roles (those in `never` among them) or types that there are not, and
    for source prefixes under which no source of an event could ever be."""
    known = [role for role in catalogue.words.roles if role not in never]
    for index, role in enumerate(roles):
        if role not in known:
            raise Problem(
                "role-unknown",
                "There is no such role here.",
                pointer=f"/roles/{index}",
                hint=f"Roles: {', '.join(known)}.",
            )
    for index, name in enumerate(types or []):
        short = name.removeprefix(EVENT_TYPE_PREFIX)
        if not any(
            t == short or (short[-1:] == "*" and t.startswith(short[:-1])) for t in catalogue
        ):
            raise Problem(
                "type-unknown",
                "There is no such event type.",
                pointer=f"/types/{index}",
                hint="GET /v1/types lists them.",
            )
    for index, prefix in enumerate(sources or []):
        if not _SOURCE_PREFIX.match(prefix):
            raise Problem(
                "source-malformed",
                "No source of an event can begin so: sources are absolute http(s) or urn URIs.",
                pointer=f"/sources/{index}",
                hint="Write the beginning of the source, like https://congan.daklak.example/.",
            )


def check_partner(name: str) -> None:
    """Raise Problem (422) unless it can be a partner's name."""
    refuse_in_clear(name, "/partner")
    if not re.fullmatch(NAME, name):
        raise Problem(
            "partner-malformed",
            "This is no name of a partner.",
            pointer="/partner",
            hint="Names have 2 to 64 of a-z, 0-9, dot, dash, underscore.",
        )
