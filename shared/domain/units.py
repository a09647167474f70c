"""A unit through time: what `unit.*` events say of one, and how they fail to name one.

A unit is known by `unit_id` = code@era; a code alone is ambiguous (15 was Yên Bái and is Lào Cai).
"""

from dataclasses import dataclass, field
from datetime import date

LEVEL_OF_KIND = {
    "nation": "nation",
    "province": "province",
    "city": "province",
    "district": "district",
    "ward": "commune",
    "commune": "commune",
    "township": "commune",
    "special_zone": "commune",
    "hamlet": "hamlet",
    "organisation": "organisation",
}
"""Five kinds of place share three levels; the level never changes, the kind may (xã -> phường)."""

UNIT_TYPES = frozenset({"unit.established", "unit.renamed", "unit.dissolved", "unit.attributed"})


class UnknownUnit(Exception):
    """A code that names no single unit on that day.

    `code` is stable: unit-unknown, unit-not-valid, unit-ambiguous. `candidates` are unit_ids.
    """

    def __init__(self, code: str, detail: str, hint: str, candidates: list[str]) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.hint = hint
        self.candidates = candidates


@dataclass(frozen=True)
class Successor:
    """Where a dissolved unit went: `part` is whole or part (of its territory)."""

    unit_id: str
    part: str


@dataclass(frozen=True)
class Ignored:
    """A link that the tree leaves out, because with it a unit would lie in, or come from, itself;
    or a unit that was established twice (`field` is unit_id). `origin` is the event's position."""

    origin: int
    unit_id: str
    field: str
    other: str


@dataclass
class Unit:
    """One node of the tree; `valid_to` is the first day on which it no longer exists. Not to be
    changed: copies of the tree share it."""

    unit_id: str
    code: str
    era: str
    level: str
    parent: str | None
    valid_from: date
    valid_to: date | None = None
    names: list[tuple[date, str, str]] = field(default_factory=list)
    successors: tuple[Successor, ...] = ()
    attributes: dict[str, list[tuple[date, bool]]] = field(default_factory=dict)
    facts: dict[str, object] = field(default_factory=dict)

    def exists(self, on: date) -> bool:
        """Whether the unit exists on that day."""
        return self.valid_from <= on and (self.valid_to is None or on < self.valid_to)

    def name(self, on: date) -> str:
        """Its Vietnamese name on that day (its first one before it existed)."""
        return self._named(on)[1]

    def kind(self, on: date) -> str:
        """Its kind (ward, commune, city ...) on that day."""
        return self._named(on)[2]

    def has(self, attribute: str, on: date) -> bool | None:
        """Whether it has an attribute on that day; None when nobody has ever said so."""
        known = [value for since, value in self.attributes.get(attribute, []) if since <= on]
        return known[-1] if known else None

    def _named(self, on: date) -> tuple[date, str, str]:
        return next((n for n in reversed(self.names) if n[0] <= on), self.names[0])
