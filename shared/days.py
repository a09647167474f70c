"""Days and times as callers write them: RFC 3339 only.

A model's `date` also takes a number as seconds since 1970, so `as_of=0` would be answered, for a
day that nobody asked for. What an address or a body takes is a `FullDate` or a `DateTime`.
"""

import re
from datetime import date, datetime
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator
from pydantic_core import PydanticCustomError


def _written(form: str, ours: type[date], error: str) -> BeforeValidator:
    matches = re.compile(form, re.ASCII).fullmatch

    def check(value: object) -> object:
        if isinstance(value, ours) or (isinstance(value, str) and matches(value)):
            return value
        raise PydanticCustomError(error, "not written as RFC 3339 says")

    return BeforeValidator(check)


FullDate = Annotated[date, _written(r"\d{4}-\d{2}-\d{2}", date, "date_form")]
"""A full-date (RFC 3339, section 5.6): 2026-06-30."""

DateTime = Annotated[AwareDatetime, _written(r"\d{4}-\d{2}-\d{2}.+", datetime, "datetime_form")]
"""A date-time (RFC 3339, section 5.6), never without its offset: 2026-06-30T09:12:00+07:00."""
