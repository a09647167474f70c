"""Whether the province has opened a plan to everybody, and what is the newest that is public."""

from datetime import date, timedelta

from services.registry.state import State


def is_public(state: State, plan: str) -> bool:
    """Whether the province has opened a plan by today; its latest word holds."""
    today = state.clock.today()
    said = [
        s
        for s in state.newest.statements("disclosure.published")
        if s.data["plan"] == plan and date.fromisoformat(s.data["valid_from"]) <= today
    ]
    newest = max(said, key=lambda s: (s.data["valid_from"], s.position), default=None)
    return bool(newest and newest.data["public"])


def last_sunday(today: date) -> date:
    """The end of the last complete week."""
    return today - timedelta(days=today.isoweekday() % 7 or 7)
