"""When a person who was too young on the day of an event is old enough. Pure.

No birth date is ever asked for. An event may say on which day the person turns 16, as long as that
lies ahead, or in which year the person was born; who was born in a year is surely of an age by the
end of the year in which it is reached.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

TURNS_16_ON = "turns_16_on"
BIRTH_YEAR = "birth_year"


def old_enough_on(data: Mapping[str, Any], age: int) -> date | None:
    """The day from which the person of an event is `age`, if the event says it; None: it does not."""
    turns_16 = data.get(TURNS_16_ON)
    if turns_16 is not None:
        return years_after(date.fromisoformat(turns_16), age - 16)
    born = data.get(BIRTH_YEAR)
    return date(born + age, 12, 31) if born is not None else None


def years_after(day: date, years: int) -> date:
    """The same day so many years later (or, below 0, earlier); 29/2 is 1/3 where there is none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)
