"""The base of the generated event classes, and things with an identity.

Values that may name a person never appear in a `repr`, so that a log line or a traceback that
shows an event does not show whom it is about.
"""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal

from hocvuso_client.identity import numbers


class EventData:
    """The data of one event; subclasses are generated, one per type, in `events`."""

    __slots__ = ()
    TYPE: ClassVar[str]
    """The short name, like citizen.certified."""
    VERSION: ClassVar[str]
    """The version of the type's schema that the class was made from."""

    def to_data(self) -> dict[str, Any]:
        """As JSON members; what is None is left out. Raises TypeError for a wrong kind of day."""
        return members(self)


class Part:
    """An object inside an event's data."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Person(Part):
    """A person by an identifier of one scheme; only a keyed pseudonym of it is ever stored."""

    scheme: Literal["cccd", "phone", "account", "vneid", "student", "staff", "learner"]
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Household(Part):
    """A household by an identifier of its own or of its head."""

    scheme: Literal["household", "cccd", "phone", "account"]
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Device(Part):
    """A device, where its user is not known."""

    scheme: Literal["device", "imei", "phone"]
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Organisation(Part):
    """An organisation; a tax number is hidden like a person's, since households have one too."""

    scheme: Literal["tax", "unit", "code"]
    value: str = field(repr=False)


def cccd(number: str) -> Person:
    """A person by the citizen identity number, however its 12 digits are grouped.

    The number is a text: as an integer it would lose its leading zeros. Raises ValueError for what
    is nobody's number (too short, a placeholder, born in the future).
    """
    text = _text(number)
    if len(text) < 12 and text.isdecimal():
        raise ValueError(
            f"an identity number (CCCD) has 12 digits; this has {len(text)}."
            " Were leading zeros lost?"
        )
    return Person("cccd", numbers.identity_number(text, dt.datetime.now(dt.UTC).year).value)


def phone(number: str) -> Person:
    """A person by a Vietnamese phone number, however it is written: spaces and dots are taken out,
    prefixes of before 2018 become those of today. Raises ValueError for what is no such number."""
    text = re.sub(r"[ .\-]", "", _text(number))
    today = numbers.phone(text).value
    # Ids may be made of the content: what is written as today's numbers are stays as it is.
    if text.lstrip("+") in (today.lstrip("+"), "0" + today.removeprefix("+84")):
        return Person("phone", text)
    return Person("phone", "0" + today.removeprefix("+84"))


def vneid(account: str) -> Person:
    """A person by a VNeID account."""
    return Person("vneid", _text(account))


def account(name: str) -> Person:
    """A person by an account of the source's own system."""
    return Person("account", _text(name))


def student(number: str) -> Person:
    """A pupil or student by the number of the school's register."""
    return Person("student", _text(number))


def staff(number: str) -> Person:
    """A member of staff by number."""
    return Person("staff", _text(number))


def learner(number: str) -> Person:
    """A learner by the number of a learning platform."""
    return Person("learner", _text(number))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"an identifier is a text, not {type(value).__name__}")
    text = value.strip()
    if not text:
        raise ValueError("an identifier is not empty")
    return text


def members(thing: Any) -> dict[str, Any]:
    """A generated class or a part of one as JSON members."""
    found = {}
    for item in fields(thing):
        value = getattr(thing, item.name)
        if value is not None:
            # `from` is a word of Python: the field is from_.
            found[item.name.removesuffix("_")] = to_json(value, item.name)
    return found


def to_json(value: Any, name: str) -> Any:
    """A value as JSON knows it."""
    if isinstance(value, dt.datetime):
        return moment(value, name)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, (Part, EventData)):
        return members(value)
    if isinstance(value, Mapping):
        return {key: to_json(item, name) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(item, name) for item in value]
    return value


def moment(value: dt.datetime, name: str) -> str:
    """RFC 3339. Raises ValueError for a datetime without an offset: it could be any day."""
    if value.utcoffset() is None:
        raise ValueError(
            f'{name} has no time zone; give it one, like datetime.now(ZoneInfo("Asia/Ho_Chi_Minh"))'
        )
    return value.isoformat()
