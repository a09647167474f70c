"""What belongs to a unit. Pure.

Questions that sound alike have several answers, each with its reason:

* `covered`: what a plan of the unit covers, and whose numbers a key of the unit may read. The unit,
  all that ever lay below it, and what these became, as far as it is not more than they were. Lào Cai
  took in Yên Bái among others: of its communes those that were Yên Bái's are covered, itself is not.
* `answering`: who reports on a plan, and proves its tasks. Also the units that took in a part: the
  departments of Lào Cai carry Yên Bái's plan on.
* `may_write`: for whom a key of the unit may post. Also for units that took only a part of it: who
  reports goes on reporting through a merger, and adds to numbers that it need not see.
* what a cell sums (`shared.domain.places`): on a day, the facts of units as they are shown then.
"""

from shared.domain.tree import UnitTree

LEVELS = {
    name: depth
    for depth, name in enumerate(
        ("nation", "province", "district", "commune", "hamlet", "organisation")
    )
}


def covered(tree: UnitTree, root: str) -> frozenset[str]:
    """unit_ids, of any time, that are the unit, or part of it, or became of it."""
    top = tree.unit(root)
    if top is None:
        return frozenset()
    found = {root} | {unit.unit_id for unit in tree.descendants(root)}
    queue = list(found)
    while queue:
        unit = tree.unit(queue.pop())
        for successor in unit.successors if unit else ():
            name = successor.unit_id
            new = tree.unit(name)
            if name in found or new is None:
                continue
            # A merger of provinces is more than the old province that went into it.
            if LEVELS[new.level] <= LEVELS[top.level] and not all(
                old in found for old, _ in tree.predecessors(name)
            ):
                continue
            below = {name} | {u.unit_id for u in tree.descendants(name)}
            queue.extend(below - found)
            found |= below
    return frozenset(found)


def answering(tree: UnitTree, root: str) -> frozenset[str]:
    """`covered`, and the units that took over any part of it, without what else lies below them."""
    found = list(covered(tree, root))
    for name in found:
        unit = tree.unit(name)
        found += [s.unit_id for s in unit.successors if s.unit_id not in found] if unit else []
    return frozenset(found)


def is_covered(tree: UnitTree, unit_id: str, bound: str) -> bool:
    """Whether a key of `bound` may read, and let others read, the numbers of a unit."""
    return unit_id in covered(tree, bound)


def may_write(tree: UnitTree, unit_id: str, bound: str) -> bool:
    """Whether `unit_id` is `bound`, lies below it, or took over any part of such a unit."""
    former = [unit_id]
    for name in former:
        if name == bound or any(a.unit_id == bound for a in tree.ancestors(name)):
            return True
        former += [old for old, _ in tree.predecessors(name) if old not in former]
    return False
