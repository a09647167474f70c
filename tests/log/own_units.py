"""Codes of units that a commune made itself."""

from services.activities.log.model import Outcome


def code(outcome: Outcome) -> str | None:
    return outcome.problem.code if outcome.problem else None
