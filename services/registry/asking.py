"""Parameters that several lists take alike."""

from typing import Annotated

from fastapi import Query

from services.registry.answers import Cursor, IfNoneMatch, Limit
from services.registry.parameters import AsOf, KnownAt, On


class AskedPage:
    """Which page of a list, and what the reader has of it already."""

    def __init__(
        self, cursor: Cursor = None, limit: Limit = 1000, if_none_match: IfNoneMatch = None
    ) -> None:
        self.cursor, self.limit, self.if_none_match = cursor, limit, if_none_match


class AskedUnits:
    """The units of a level below one of a plan's units, as of a day and as known on a day."""

    def __init__(
        self,
        unit: Annotated[
            str | None, Query(description="code or code@era; default the plan's")
        ] = None,
        level: Annotated[str | None, Query(description="level of the units looked at")] = None,
        as_of: AsOf = None,
        known_at: KnownAt = None,
    ) -> None:
        self.unit, self.level, self.as_of, self.known_at = unit, level, as_of, known_at


class AskedEvents:
    """What happened in a unit and below it, until a day and as known on a day."""

    def __init__(
        self,
        unit: Annotated[
            str | None, Query(max_length=80, description="code or code@era: it and below it")
        ] = None,
        on: On = None,
        known_at: KnownAt = None,
    ) -> None:
        self.unit, self.on, self.known_at = unit, on, known_at
