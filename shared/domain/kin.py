"""Which units lie elsewhere in the tree of a day than they did when facts were posted for them. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from weakref import WeakKeyDictionary

from shared.contracts.places import commune_of
from shared.domain.places import Places
from shared.domain.tree import UnitTree

KEPT = 64
"""So many answers are kept for each tree: milliseconds for a province, half a second for the nation."""


@dataclass(frozen=True)
class Kin:
    """`units`: those of any time below a root, and what came before or after them; `moved`: of these
    the ones that lie elsewhere in the tree of a day than their code says; `communes`: where."""

    units: frozenset[str]
    moved: frozenset[str]
    communes: frozenset[str]


_known: WeakKeyDictionary[UnitTree, dict[tuple[int, date, str], Kin]] = WeakKeyDictionary()


def kin_of(places: Places, root: str) -> Kin:
    """The kin of a unit in the tree of a day; kept while this state of the tree is."""
    kept = _known.setdefault(places.tree, {})
    key = (places.tree.position, places.day, root)
    found = kept.get(key)
    if found is None:
        units = frozenset(kin(places, [root]))
        moved = frozenset(name for name in units if is_moved(places, name))
        communes = frozenset(places.lies_in(name, "commune") for name in moved)
        if len(kept) >= KEPT:
            kept.clear()
        found = kept[key] = Kin(units, moved, communes)
    return found


def kin(places: Places, roots: Iterable[str]) -> set[str]:
    """The units of any time below `roots`, and all that came before or after them."""
    tree = places.tree
    found: set[str] = set()
    queue = list(roots)
    while queue:
        name = queue.pop()
        unit = tree.unit(name)
        if name in found or unit is None:
            continue
        found.add(name)
        queue.extend(below.unit_id for below in tree.children(name))
        queue.extend(successor.unit_id for successor in unit.successors)
        queue.extend(old for old, _ in tree.predecessors(name))
    return found


def is_moved(places: Places, unit_id: str) -> bool:
    """Whether a unit lies elsewhere in this tree than its code says."""
    if places.lies_in(unit_id, "unit") != unit_id:
        return True
    return places.lies_in(unit_id, "commune") != commune_of(unit_id)


def together(places: Places, units: Iterable[str], chosen: Iterable[str]) -> set[str]:
    """Of `units` all that share a commune, as posted or in this tree, with one of `chosen`, or with
    one that does so."""
    by_commune: dict[str, set[str]] = {}
    for name in units:
        for commune in {commune_of(name), places.lies_in(name, "commune")}:
            by_commune.setdefault(commune, set()).add(name)
    found: set[str] = set()
    queue = list(chosen)
    while queue:
        name = queue.pop()
        if name in found:
            continue
        found.add(name)
        for commune in (commune_of(name), places.lies_in(name, "commune")):
            queue.extend(by_commune.pop(commune, ()))
    return found
