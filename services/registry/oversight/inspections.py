"""Inspections followed from what was found to the re-check. Pure."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from services.registry.journal.store import Fact

STATES = ("no_remedy_needed", "to_remedy", "overdue", "remedied")


@dataclass(frozen=True)
class Inspection:
    """One inspection with its re-checks, oldest first. `state`: no_remedy_needed (none was asked
    for), to_remedy, overdue (the day for it has passed), remedied (a re-check says so)."""

    fact: Fact
    checks: tuple[Fact, ...]
    state: str

    def json(self) -> dict[str, Any]:
        """As shown; `event` leads to its receipt."""
        return {**_json(self.fact), "state": self.state, "checks": [_json(f) for f in self.checks]}


def inspections(facts: list[Fact], on: date) -> list[Inspection]:
    """Every inspection that follows no other, newest first; re-checks name theirs in `follows`."""
    checks: dict[str, list[Fact]] = {}
    known = {f.data["inspection_ref"] for f in facts if f.data.get("inspection_ref")}
    first = []
    for fact in facts:
        follows = fact.data.get("follows")
        if follows in known and follows != fact.data.get("inspection_ref"):
            checks.setdefault(str(follows), []).append(fact)
        else:
            first.append(fact)
    found = []
    for fact in first:
        own = _chain(fact, checks)
        found.append(Inspection(fact, own, _state([fact, *own], on)))
    return sorted(found, key=lambda i: (i.fact.occurred, i.fact.position), reverse=True)


def _chain(fact: Fact, checks: dict[str, list[Fact]]) -> tuple[Fact, ...]:
    """Its re-checks, and those that follow them."""
    found: list[Fact] = []
    queue = [fact]
    while queue:
        for check in checks.pop(queue.pop(0).data.get("inspection_ref", ""), []):
            found.append(check)
            queue.append(check)
    return tuple(sorted(found, key=lambda f: (f.occurred, f.position)))


def _state(rounds: list[Fact], on: date) -> str:
    asked = [f for f in rounds if f.data.get("remedy") or f.data.get("remedy_by")]
    if any(f.data.get("remedied") for f in rounds[-1:]):
        return "remedied"
    if not asked:
        return "no_remedy_needed"
    until = asked[-1].data.get("remedy_by")
    return "overdue" if until and date.fromisoformat(until) < on else "to_remedy"


def _json(fact: Fact) -> dict[str, Any]:
    names = (
        "inspection_ref", "inspector", "findings", "remedy", "remedy_by", "remedied", "document_ref",
    )  # fmt: skip
    return {
        "unit_id": fact.unit_id,
        "on": fact.occurred,
        "recorded": fact.recorded,
        **{name: fact.data[name] for name in names if name in fact.data},
        "event": {"source": fact.source, "id": fact.id, "position": fact.position},
    }
