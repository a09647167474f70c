"""Which group of people or places an objective is about: the groups of columns of the wide table. Pure."""

from collections.abc import Iterable
from typing import Any

TOPICS = {
    "people": "Người dân",
    "officials": "Cán bộ, công chức",
    "learners": "Học sinh, sinh viên",
    "workers": "Người lao động",
    "places": "Xã, phường, thôn",
    "other": "Việc chung",
}
"""Topic -> its title, in the order of the page."""

_WORDS = (
    ("officials", ("civil_servant", "official")),
    ("learners", ("pupil", "student", "school")),
    ("workers", ("worker", "enterprise", "coop", "business")),
    ("places", ("commune", "hamlet", "ward", "village", "team", "cnscd", "organisation")),
    ("people", ("adult", "resident", "citizen", "household", "visitor", "smartphone", "mentor",
                "person", "people", "elder", "women", "children")),
)  # fmt: skip


def topic_of(objective: dict[str, Any]) -> str:
    """The topic by the population that the objective is a share of, else by where it holds, else by
    its own name; `other` where none of them says it."""
    per = (objective.get("target") or {}).get("per")
    told = (objective.get("denominator"), objective.get("population"), per, objective.get("id"))
    for text in filter(None, told):
        for topic, words in _WORDS:
            if any(word in str(text) for word in words):
                return topic
    return "other"


def by_topic(objectives: Iterable[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    """(title, ids of its objectives in the plan's order) of every topic that has any."""
    found: dict[str, list[str]] = {topic: [] for topic in TOPICS}
    for objective in objectives:
        found[topic_of(objective)].append(objective["id"])
    return [(TOPICS[topic], ids) for topic, ids in found.items() if ids]
