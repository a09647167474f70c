"""Who may post about units only of some kinds, and only of its own: a commune its hamlets. Pure.

The kinds are data of the event type (`posters_of_kind`); whether a unit is one of them, and in the
key's subtree, only the tree says. So it is checked in the append, under the lock.
"""

from typing import Any

from services.activities.log.model import Candidate
from shared.contracts.model import EventType
from shared.domain.territory import may_write
from shared.domain.tree import UnitTree
from shared.problems import Problem

FIXED = ("unit_id", "code", "era", "parent")
"""What a correction by such a poster must leave alone: which unit it is and where it lies."""


def check_own(kind: EventType, c: Candidate, tree: UnitTree, data: dict[str, Any]) -> None:
    """Raise Problem (403) unless these roles may post this about any unit, or all units that it
    names are of the kinds allowed and lie in the key's subtree."""
    if not kind.posters_of_kind:
        return  # whether the roles may post the type at all was asked at the door
    kinds = kind.kinds_for(c.roles)
    if kinds is None:
        return
    shown = " or ".join(sorted(kinds))
    if c.subtree is None:
        raise Problem(
            "subtree-missing",
            f"{kind.type} may be posted by this role only with a key that is bound to a unit.",
            status=403,
            hint="Ask the administrator for a key whose subtree is your commune.",
        )
    named = [("unit_id", data["unit_id"])]
    for field in ("successors", "predecessors"):
        named += [(field, share["unit_id"]) for share in data.get(field, [])]
    for field, unit_id in named:
        unit = tree.unit(unit_id)
        new = kind.type == "unit.established" and field == "unit_id"
        if unit is None and not new:
            raise Problem(
                "unit-unknown",
                f"{kind.type} names a unit that was never established.",
                pointer=f"/data/{field}",
                hint="Post unit.established first.",
            )
        said = [data["kind"]] if "kind" in data and field == "unit_id" else []
        if unit is not None:
            said += [was for _, _, was in unit.names]
        if not set(said) <= kinds:
            raise Problem(
                "unit-kind-not-permitted",
                f"This key may post {kind.type} about a {shown} only.",
                status=403,
                pointer=f"/data/{'kind' if new else field}",
                hint="Other units are changed by the administrator of the instance.",
            )
        place = data.get("parent") if unit is None else unit_id
        if place is None or not may_write(tree, place, c.subtree):
            raise Problem(
                "unit-outside-key",
                f"The key may post for {c.subtree} and the units below it only.",
                status=403,
                pointer=f"/data/{'parent' if unit is None else field}",
                hint="Name a unit below your own.",
            )


def check_correction(
    kind: EventType,
    c: Candidate,
    tree: UnitTree,
    before: dict[str, Any],
    after: dict[str, Any] | None,
) -> None:
    """The same for a correction or revocation: nobody may change into what it may not post."""
    if kind.kinds_for(c.roles) is None:
        return
    check_own(kind, c, tree, before)
    if after is None:
        return
    for field in FIXED:
        if before.get(field) != after.get(field):
            raise Problem(
                "not-yours-to-change",
                "This key may not turn the event into one about another unit or place.",
                status=403,
                pointer=f"/data/changes/data/{field}",
                hint="Revoke it and post a new one.",
            )
    check_own(kind, c, tree, after)
