"""What cannot be a parameter or a member of a body, as problem details that say how to mend it."""

from collections.abc import Mapping
from typing import Any

import asyncpg

DAYS = ("date_",)
TIMES = ("datetime_", "timezone_")
NUL = (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError)
TOO_FAR = ("out of int64 range", "out of int32 range", "out of int16 range")


def words(error: Mapping[str, Any]) -> tuple[str, str]:
    """The rule that was broken and the fix, for one error of the validation of a request.

    The framework's own words about days speak of datetimes with zero time; a reader needs the form.
    """
    kind, name = str(error["type"]), str(error["loc"][-1])
    if kind.startswith(DAYS):
        return "this is not a day.", f"Write {name} like 2026-06-30 (year, month, day)."
    if kind.startswith(TIMES):
        return "this is not a time.", f"Write {name} like 2026-06-30T09:12:00+07:00."
    return str(error["msg"]), "See /docs for the parameters of this address."


def unstorable(error: asyncpg.DataError) -> tuple[str, str] | None:
    """Rule and fix where the database cannot even compare with what the caller sent, else None.

    A NUL is in no text that PostgreSQL has, and a number beyond 64 bits in no column: nothing of
    ours can be meant by them, and sending them again does not help.
    """
    if isinstance(error, NUL):
        return "a text holds the character U+0000.", "Leave it out."
    if any(far in str(error) for far in TOO_FAR):
        return "a number is beyond 64 bits.", "Give one that an answer named."
    return None
