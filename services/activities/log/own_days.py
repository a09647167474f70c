"""The day on which an event happened: the one its own data names, else that of `time`. Pure.

Many things are sent days after they happened, and some systems can only stamp the time of sending.
Where a type has a field for the day (`day` in its definition), that field says it. The unit is the one
whose code the sender uses on the day of `time`.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from shared.clock import Clock, vietnam_day
from shared.contracts.ages import TURNS_16_ON, years_after
from shared.contracts.model import EventType
from shared.contracts.subjects import day_field
from shared.problems import Problem

EARLIEST_YEAR = 2000


def happened_on(
    kind: EventType, data: Mapping[str, Any], sent: date, clock: Clock, at: str = "/data"
) -> date:
    """The day of an event with this (stored) data whose `time` is on the day `sent`.

    Raises Problem, with a pointer below `at`: a day ahead of today or before the year 2000, or a
    16th birthday that is over (it would be a birth date that nothing needs) or cannot be yet.
    """
    own = day_field(kind, data)
    day = sent if own is None else own
    if own is not None and own > sent and own > vietnam_day(clock.now()):
        raise Problem(
            "time-in-future",
            f"{kind.day} lies in the future.",
            pointer=f"{at}/{kind.day}",
            hint="Post events after they happened; check the year.",
        )
    if own is not None and own.year < EARLIEST_YEAR:
        raise Problem(
            "time-too-early",
            f"{kind.day} lies before the year {EARLIEST_YEAR}.",
            pointer=f"{at}/{kind.day}",
            hint="Check the year.",
        )
    if TURNS_16_ON in kind.fields and data.get(TURNS_16_ON) is not None:
        turns = date.fromisoformat(data[TURNS_16_ON])
        if not day < turns <= years_after(day, 16):
            raise Problem(
                "value-out-of-range",
                f"{TURNS_16_ON} is only for a person who is under 16 on the day of the event.",
                pointer=f"{at}/{TURNS_16_ON}",
                hint="Leave it out and send the age: a birth date must not be stored."
                if turns <= day
                else "Check the year.",
            )
    return day
