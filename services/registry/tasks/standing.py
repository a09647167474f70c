"""Where a task stands. Pure.

The plans name tasks, not what finishes them. Our reading, said with every answer: a task whose
objectives are all met is done; else its events prove that it is under way.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from services.registry.definitions import Statement
from shared.domain.deadlines import deadline_day

STATES = ("done", "proven", "started", "not_started", "no_proof_defined")
"""done: all its objectives are met. proven: every proving type has come in. started: some have.
not_started: none has. no_proof_defined: the plan's reading names neither objectives nor events."""


@dataclass(frozen=True)
class Proof:
    """What has come in of one proving type, over all units of the plan."""

    type: str
    reported: int
    first: date | None
    last: date | None


@dataclass(frozen=True)
class Standing:
    """A task's state as of a day."""

    state: str
    last_day: date | None
    late: bool
    proofs: list[Proof]
    objectives: list[dict[str, Any]]


def last_day(task: dict[str, Any], plan: str, issued: list[Statement]) -> date | None:
    """The last day that is on time; of `within 7 days of a document`, once that was issued."""
    deadline = task.get("deadline")
    relative = deadline.get("relative") if isinstance(deadline, dict) else None
    if relative is None:
        return deadline_day(task)
    for statement in issued:
        data = statement.data
        named = f"{plan}/{task['id']}" in data.get("starts_deadline_of", [])
        if named or data["document"] == relative["document"]:
            return date.fromisoformat(data["issued_on"]) + timedelta(days=relative["within_days"])
    return None


def standing(
    task: dict[str, Any],
    due: date | None,
    proofs: list[Proof],
    met: dict[str, bool | None],
    on: date,
) -> Standing:
    """The state of a task; `met` says of each objective of the plan whether it is met."""
    objectives = [{"id": name, "met": met.get(name)} for name in task.get("objectives") or []]
    come = [proof for proof in proofs if proof.reported]
    if objectives and all(o["met"] for o in objectives):
        state = "done"
    elif proofs and len(come) == len(proofs):
        state = "proven"
    elif come:
        state = "started"
    else:
        state = "not_started" if proofs or objectives else "no_proof_defined"
    late = due is not None and due < on and state in ("not_started", "started")
    return Standing(state, due, late, proofs, objectives)
