"""Days and times as callers write them: RFC 3339 only.

A model's `date` also takes a number as seconds since 1970, so `as_of=0` would be answered, for a
day that nobody asked for. What an address or a body takes is a `Day` or a `DateTime`.
"""

import re
from datetime import date, datetime
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator
from pydantic_core import PydanticCustomError

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _day(value: object) -> object:
    if isinstance(value, str) and not _DAY.fullmatch(value):
        value = None
    if not isinstance(value, date | str):
        raise PydanticCustomError("date_form", "this is not a day")
    return value


def _moment(value: object) -> object:
    if isinstance(value, str) and not _DAY.match(value):
        value = None
    if not isinstance(value, datetime | str):
        raise PydanticCustomError("datetime_form", "this is not a time")
    return value


FullDate = Annotated[date, BeforeValidator(_day)]
"""A full-date (RFC 3339, section 5.6): 2026-06-30."""

DateTime = Annotated[AwareDatetime, BeforeValidator(_moment)]
"""A date-time (RFC 3339, section 5.6), never without its offset: 2026-06-30T09:12:00+07:00."""
