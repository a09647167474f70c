"""Hamlets whose names are the same or nearly: nobody adds one beside another without being asked. Pure.

A hamlet that is there twice grows every denominator of its commune, and its events are split
between two. So a new name that is spelt like one that is there is refused with the candidates,
until somebody who knows both says that it is another (`distinct`).
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

from shared.domain.tree import UnitTree
from shared.identity.names import near, same
from shared.problems import Problem

Candidate = tuple[str | None, str]
"""unit_id (None: new as well) and name of a hamlet that may be meant."""


def hamlets_like(
    tree: UnitTree, commune: str, name: str, on: date, but: str | None = None
) -> list[Candidate]:
    """The hamlets of a commune on a day whose names are the same as this, or nearly."""
    there = (u for u in tree.children(commune, on) if u.level == "hamlet" and u.unit_id != but)
    return like(name, ((u.unit_id, u.name(on)) for u in there))


def like(name: str, others: Iterable[Candidate]) -> list[Candidate]:
    """Those of these names that are the same as a name, or nearly."""
    return [(id, other) for id, other in others if same(other) == same(name) or near(other, name)]


def asked(found: dict[str, list[Candidate]], pointer: str, hint: str) -> Problem:
    """What is asked about names that may be doubles."""
    shown: list[dict[str, Any]] = [
        {
            "name_vi": name,
            "candidates": [{"unit_id": id, "name_vi": other} for id, other in candidates],
        }
        for name, candidates in found.items()
    ]
    return Problem(
        "hamlets-near-double",
        f"{len(shown)} of the names are spelt like hamlets that are there already, or like each"
        " other; nothing was written.",
        pointer=pointer,
        hint=f"`near` names the candidates. Take the name of the one that is meant; {hint}",
        extra={"near": shown, "rule": "near-double"},
    )
