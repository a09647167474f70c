"""One injected clock: every "now" and "today" of hocvuso comes from here.

Days are days in Asia/Ho_Chi_Minh (UTC+7, no daylight saving), whatever the machine's zone.
"""

import os
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")


class Clock(Protocol):
    """Tells the time; tests inject their own."""

    def now(self) -> datetime:
        """The current instant, aware, in UTC."""
        ...

    def today(self) -> date:
        """The current day in Vietnam."""
        ...


class ShiftedClock:
    """The system's clock moved by a fixed span (zero in production)."""

    def __init__(self, shift: timedelta = timedelta()) -> None:
        self._shift = shift

    def now(self) -> datetime:
        return datetime.now(UTC) + self._shift

    def today(self) -> date:
        return vietnam_day(self.now())


class FixedClock:
    """A clock that stands still until it is told otherwise; for tests."""

    def __init__(self, at: datetime) -> None:
        self.at = at.astimezone(UTC)

    def now(self) -> datetime:
        return self.at

    def today(self) -> date:
        return vietnam_day(self.at)


def vietnam_day(instant: datetime) -> date:
    """The Vietnamese calendar day of an aware instant."""
    return instant.astimezone(VIETNAM).date()


def clock_from_environment() -> Clock:
    """The clock of this process.

    `HOCVUSO_CLOCK_SHIFT_SECONDS` moves it by whole seconds, so that a whole system can be run
    as if it were another year; unset means the real time.
    """
    return ShiftedClock(timedelta(seconds=int(os.environ.get("HOCVUSO_CLOCK_SHIFT_SECONDS", "0"))))
