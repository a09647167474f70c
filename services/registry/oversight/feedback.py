"""Citizens' feedback until it is answered. Pure."""

from datetime import date
from typing import Any

from services.registry.journal.store import Fact

STATES = ("open", "overdue", "resolved", "rejected")


def state_of(fact: Fact, on: date) -> str:
    """As its event says; open feedback whose day for an answer has passed is overdue."""
    status = fact.data.get("status", "open")
    until = fact.data.get("answer_by")
    if status == "open" and fact.data.get("answered_on"):
        return "resolved"
    if status == "open" and until and date.fromisoformat(until) < on:
        return "overdue"
    return str(status)


def feedback_json(fact: Fact, on: date) -> dict[str, Any]:
    """As shown; `event` leads to its receipt."""
    names = ("feedback_ref", "channel", "topic", "text", "answer_by", "answered_on")
    return {
        "unit_id": fact.unit_id,
        "on": fact.occurred,
        "recorded": fact.recorded,
        "state": state_of(fact, on),
        **{name: fact.data[name] for name in names if name in fact.data},
        "event": {"source": fact.source, "id": fact.id, "position": fact.position},
    }
