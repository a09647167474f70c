"""A measure: something countable from events. It knows no plan, target or tree.

Plans are compiled to measures and evaluations; two plans that word the same thing share one
measure, recognised by its fingerprint. What each kind means is in `fold.py`.
"""

import hashlib
from datetime import date
from functools import cached_property
from typing import Any, Literal

import msgspec

NAMED = 1 << 32
"""The n of a `latest` counts reports: one about a named school or enterprise weighs this much, one
that speaks for its whole unit 1. So one number says how many there are of either."""


def speaking(n: int) -> int:
    """How many reports, of an n of a `latest`, speak for their whole unit."""
    return n % NAMED


def reports(n: int) -> int:
    """How many reports there are in an n of a `latest`."""
    return n // NAMED + n % NAMED


Kind = Literal["events", "distinct", "crossing", "latest", "add"]
"""events: each event. distinct: each subject once (`whole`: only with all parts). crossing: each
subject that has at least `threshold` different things. latest / add: sums of a figure, where a
reporter's latest report replaces the earlier, or adds."""


class Part(msgspec.Struct, frozen=True):
    """One line of `of`: these event types, restricted by a filter as written in the plan."""

    types: tuple[str, ...]
    filter: dict[str, Any] = {}


class Measure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, dict=True):
    """What to count. `keys`: kinds of count key whose rows it takes (one row per event).

    `since`: evidence before this day does not exist for it. `bucket`: counted anew in every week or
    month. `apart`: a subject counts once in every commune (or hamlet) of its evidence. `field`: the
    data field whose values are the things of a crossing; `among`: only these. `named`: there may be
    reports about named schools or enterprises, which speak for no whole unit. `placed_by_first`: a
    subject with all parts counts where its earliest evidence of the first part is, as in a measure
    of that part alone (whose subset it so is, in every unit). `of_age`: who is younger on the day
    of an event counts from the day of that age on, if the event says which. `placed`: what is
    distinct is distinct in every unit of the tree in which it is shown.
    """

    kind: Kind
    parts: tuple[Part, ...]
    keys: tuple[str, ...]
    whole: bool = False
    since: date | None = None
    bucket: Literal["week", "month"] | None = None
    apart: Literal["commune", "hamlet"] | None = None
    field: str | None = None
    among: tuple[str, ...] = ()
    threshold: int = 1
    named: bool = False
    placed_by_first: bool = False
    of_age: int | None = None
    placed: bool = False

    @property
    def need(self) -> int:
        """The parts (as bits) that a subject must have; 0 for any."""
        return (1 << len(self.parts)) - 1 if self.whole else 0

    @property
    def grouped(self) -> bool:
        """Whether a subject's evidence is taken apart before it is counted."""
        if self.bucket is not None:
            return True
        return self.apart is not None and self.kind in ("distinct", "crossing")

    def fingerprint(self) -> str:
        """The same for the same wording, whatever plan it stands in."""
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        canonical = msgspec.json.encode(msgspec.to_builtins(self), order="deterministic")
        return hashlib.sha256(canonical).hexdigest()

    def types(self) -> frozenset[str]:
        """Every event type that can serve it."""
        return frozenset(name for part in self.parts for name in part.types)


def from_definition(definition: dict[str, Any]) -> Measure:
    """A measure as stored in the table `measure`."""
    return msgspec.convert(definition, Measure)


def to_definition(measure: Measure) -> dict[str, Any]:
    """What is stored of a measure."""
    plain: dict[str, Any] = msgspec.to_builtins(measure)
    return plain
