"""What is distinct in every unit, once units have merged: the same post, model or helper in two
communes that become one counts once there, and a portal of one and a social channel of the other
are both.

Tallies know the units for which facts were posted, and no tree. So the few things that lie in units
which moved are counted twice from their evidence, as posted and as they lie in the tree of the
answer, and the difference is added to the sums. Where no unit with such evidence has moved, which
one look into an index tells, nothing is read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from services.metrics.counting.contribute import THING, Evidence
from services.metrics.counting.states import Place, State, identity, state
from services.metrics.counting.windows import Window
from services.metrics.evaluating.versions import VERSIONS, known_evidence, load_versions
from services.metrics.projecting.store import Combinations, Subject
from shared.db import Connection
from shared.domain.kin import kin_of, together
from shared.domain.knowledge import Until
from shared.domain.measures import Measure
from shared.domain.places import Places, Sums

_HAVE_EVIDENCE = f"""
SELECT u.unit_id FROM unnest($1::text[]) AS u (unit_id)
WHERE EXISTS (SELECT FROM evidence e WHERE e.unit_id = u.unit_id AND e.detail ? '{THING}')
   OR EXISTS (SELECT FROM evidence_past e WHERE e.unit_id = u.unit_id AND e.detail ? '{THING}')
"""
_SUBJECTS = f"""
SELECT DISTINCT lane, subject FROM {VERSIONS} v
WHERE unit_id = ANY($1::text[]) AND detail ? '{THING}'
"""


@dataclass(frozen=True)
class Joined:
    """What a tree joins of the evidence that the plan of a unit, `root`, covers.

    `moved`: the units that lie elsewhere now, with or without evidence; `communes`: where. `mates`:
    subjects that may be one thing somewhere, for each of them all; `deltas`: what the tree changes of
    the states of each measure, to be added to sums of tallies.
    """

    places: Places
    root: str
    moved: frozenset[str] = frozenset()
    communes: frozenset[str] = frozenset()
    mates: Mapping[Subject, tuple[Subject, ...]] = field(default_factory=dict)
    deltas: Mapping[int, State] = field(default_factory=dict)

    def concerns(self, unit_id: str) -> bool:
        """Whether evidence of a unit may be joined with that of another."""
        return unit_id in self.moved or self.places.lies_in(unit_id, "commune") in self.communes

    def keeps(self, row: Evidence) -> bool:
        """Whether the plan covers the evidence: what others count joins nothing here."""
        return self.places.covers(self.root, row.unit_id, self.root)

    def add_to(self, sums: Sums, measure: int, window: Window) -> Sums:
        """The sums of a measure in a window, by the unit of the facts, as the tree has it."""
        deltas = self.deltas.get(measure)
        if not deltas:
            return sums
        found = dict(sums)
        for (unit_id, day), (n, total) in deltas.items():
            if (window.start is None or window.start <= day) and day <= window.end:
                before = found.get(unit_id, (0, 0))
                found[unit_id] = (before[0] + n, before[1] + total)
        return {unit_id: pair for unit_id, pair in found.items() if pair != (0, 0)}


async def load_joined(
    connection: Connection,
    measures: Mapping[int, Measure],
    places: Places,
    root: str,
    until: Until,
) -> Joined:
    """What the tree joins for the plan of `root`, as known then."""
    placed = {number: measure for number, measure in measures.items() if measure.placed}
    if not placed:
        return Joined(places, root)
    near = kin_of(places, root)
    nothing = Joined(places, root, near.moved, near.communes)
    rows = await connection.fetch(_HAVE_EVIDENCE, sorted(near.moved)) if near.moved else []
    if not rows:
        return nothing
    units = sorted(together(places, near.units, [row["unit_id"] for row in rows]))
    subjects = [(row["lane"], row["subject"]) for row in await connection.fetch(_SUBJECTS, units)]
    versions = await load_versions(connection, subjects, Combinations())
    rows_of = {subject: known_evidence(found, until) for subject, found in versions.items()}
    return join(placed, nothing, rows_of)


def join(
    measures: Mapping[int, Measure], nothing: Joined, rows_of: Mapping[Subject, list[Evidence]]
) -> Joined:
    """What its tree joins of these subjects, where `nothing` is joined yet. Pure."""
    place = nothing.places.lies_in
    inside = {
        subject: kept
        for subject, rows in rows_of.items()
        if (kept := [row for row in rows if nothing.keeps(row)])
    }
    mates = _mates(measures, place, inside)
    deltas: dict[int, State] = {}
    for number, measure in measures.items():
        change: State = {}
        for group in set(mates.values()):
            for subject in group:
                _add(change, state(measure, number, inside[subject]), -1)
            rows = [row for subject in group for row in inside[subject]]
            _add(change, state(measure, number, rows, place), 1)
        deltas[number] = {key: weight for key, weight in change.items() if weight != (0, 0)}
    return replace(nothing, mates=mates, deltas=deltas)


def mates_of_either(first: Joined, last: Joined) -> dict[Subject, tuple[Subject, ...]]:
    """The subjects that one tree joins at either of two moments, with all that they may be one thing
    with: what was taken back between is joined with others only before, what came only after."""
    group_of: dict[Subject, set[Subject]] = {}
    for group in (*set(first.mates.values()), *set(last.mates.values())):
        whole = set(group).union(*(group_of.get(subject, ()) for subject in group))
        for subject in whole:
            group_of[subject] = whole
    made = {id(group): tuple(sorted(group)) for group in group_of.values()}
    return {subject: made[id(group)] for subject, group in group_of.items()}


def _mates(
    measures: Mapping[int, Measure], place: Place, rows_of: Mapping[Subject, list[Evidence]]
) -> dict[Subject, tuple[Subject, ...]]:
    """For each subject that the tree may count otherwise those with which it shares a thing there,
    itself among them. One that names no unit is alone, and only matters inside units."""
    by_thing: dict[str, set[Subject]] = {}
    group_of: dict[Subject, set[Subject]] = {}
    for subject, rows in rows_of.items():
        for row in rows:
            thing = identity(row, place)
            if thing:
                by_thing.setdefault(thing, set()).add(subject)
            elif not any(n in measures and measures[n].apart for n in row.marks[::2]):
                continue
            group_of.setdefault(subject, {subject})
    for several in by_thing.values():
        whole = set[Subject]().union(*(group_of[subject] for subject in several))
        for subject in whole:
            group_of[subject] = whole
    made = {id(group): tuple(sorted(group)) for group in group_of.values()}
    return {subject: made[id(group)] for subject, group in group_of.items()}


def _add(to: State, part: State, sign: int) -> None:
    for key, (n, total) in part.items():
        before = to.get(key, (0, 0))
        to[key] = (before[0] + sign * n, before[1] + sign * total)
