"""What a kept statement is found by: masked agents, activities, registration, target. Pure.

Which parts count for which filter: xAPI 1.0.3, part 3, section 2.1.3.
"""

import uuid
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(slots=True)
class Index:
    """Values to look a statement up by; `agents` and `activity` strictly, the others broadly."""

    activity: str | None = None
    activity_type: str | None = None
    activities: list[str] = field(default_factory=list)
    agents: list[str] = field(default_factory=list)
    related: list[str] = field(default_factory=list)
    registration: uuid.UUID | None = None
    target: uuid.UUID | None = None


def index(kept: Json) -> Index:
    """The index of a kept (masked) statement."""
    found = Index()
    target = kept["object"]
    kind = target.get("objectType", "Activity")
    found.agents = _names(kept["actor"])
    if kind == "Activity":
        found.activity = target["id"]
        found.activity_type = target.get("definition", {}).get("type")
    elif kind in ("Agent", "Group"):
        found.agents += _names(target)
    elif kind == "StatementRef":
        found.target = uuid.UUID(target["id"])
    if "registration" in kept.get("context", {}):
        found.registration = uuid.UUID(kept["context"]["registration"])
    _broad(kept, found)
    found.related = _distinct(found.related + _names(kept.get("authority", {})))
    found.agents, found.activities = _distinct(found.agents), _distinct(found.activities)
    return found


def _broad(part: Json, found: Index) -> None:
    found.related += _names(part["actor"])
    target, context = part["object"], part.get("context", {})
    kind = target.get("objectType", "Activity")
    if kind == "Activity":
        found.activities.append(target["id"])
    elif kind in ("Agent", "Group"):
        found.related += _names(target)
    elif kind == "SubStatement":
        _broad(target, found)
    for name in ("instructor", "team"):
        found.related += _names(context.get(name, {}))
    for activities in context.get("contextActivities", {}).values():
        found.activities += [one["id"] for one in activities]


def _names(agent: Json) -> list[str]:
    own = [agent["account"]["name"]] if "account" in agent else []
    return own + [one["account"]["name"] for one in agent.get("member", ()) if "account" in one]


def _distinct(names: list[str]) -> list[str]:
    return sorted(set(names))
