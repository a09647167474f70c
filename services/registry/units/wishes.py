"""The changes of units that can be asked for: their shapes."""

import unicodedata
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from shared.days import FullDate
from shared.json_types import Truth

Code = Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$")]


def nfc(text: str) -> str:
    """One spelling of a name: composed letters, single spaces. Macs write Vietnamese decomposed."""
    return " ".join(unicodedata.normalize("NFC", text).split())


Name = Annotated[str, AfterValidator(nfc), Field(min_length=1, max_length=300)]
Kind = Literal[
    "nation", "province", "city", "district", "ward", "commune", "township", "special_zone",
    "hamlet", "organisation",
]  # fmt: skip

DISTINCT = "a hamlet that is spelt nearly alike is another one: said by who knows both"


class NewUnit(BaseModel):
    """A unit to establish."""

    model_config = ConfigDict(extra="forbid")

    code: Code
    name_vi: Name
    kind: Kind
    organisation_kind: str | None = None
    attributes: list[str] = Field([], max_length=20, description="what it has from its first day")
    distinct: Truth = Field(False, description=DISTINCT)


class Establish(NewUnit):
    """Begin a unit (an organisation, too) below another."""

    op: Literal["establish"]
    parent: str
    on: FullDate


class Rename(BaseModel):
    """Give a unit another name or kind from a day on."""

    model_config = ConfigDict(extra="forbid")

    op: Literal["rename"]
    unit: str
    name_vi: Name | None = None
    kind: Kind | None = None
    on: FullDate
    distinct: Truth = Field(False, description=DISTINCT)


class Merge(BaseModel):
    """Several units become one: a new one, or one of those that are there."""

    model_config = ConfigDict(extra="forbid")

    op: Literal["merge"]
    units: Annotated[list[str], Field(min_length=1, max_length=100)]
    into: NewUnit | str
    on: FullDate


class Split(BaseModel):
    """One unit becomes several; each takes a part."""

    model_config = ConfigDict(extra="forbid")

    op: Literal["split"]
    unit: str
    into: Annotated[list[NewUnit | str], Field(min_length=2, max_length=100)]
    on: FullDate


class Attribute(BaseModel):
    """A unit has, or loses, an attribute from a day on."""

    model_config = ConfigDict(extra="forbid")

    op: Literal["attribute"]
    unit: str
    attribute: str
    value: Truth
    on: FullDate


Change = Annotated[Establish | Rename | Merge | Split | Attribute, Field(discriminator="op")]
