"""Whether two statements are the same one: xAPI 1.0.3, part 2, section 2.3.1. Pure.

Left out is all that the section lets differ: what a store sets (id, stored, authority, version),
definitions of activities, displays of verbs, attachments, the order of group members, the case of
what has none. The timestamp is compared apart, since a statement without one gets one. What is kept
for comparison is only a keyed digest.
"""

import re
from typing import Any

import rfc8785

from services.activities.xapi.activities import kind_of
from services.activities.xapi.formats import to_time
from services.activities.xapi.rules import VOIDED

Json = dict[str, Any]
_ASSIGNED = ("id", "stored", "authority", "version", "timestamp", "attachments")
_SECONDS = re.compile(r"([.,]\d\d)\d+(?=S)")
_LISTS = ("parent", "grouping", "category", "other")


def canonical(statement: Json) -> bytes:
    """What of a statement is compared, by RFC 8785: one form for all spellings of the same."""
    return rfc8785.dumps(_plain(_statement(statement)))


def as_sent(statement: Json) -> bytes:
    """The same with defaults said or not, as they came: what was compared at first, from which the
    ids of statements without one are made."""
    return rfc8785.dumps(_statement(statement))


def _plain(value: Any, name: str = "") -> Any:
    """Without what means nothing: an objectType that is the default of its place, and the offset
    in which an instant is written."""
    if isinstance(value, list):
        return [_plain(item, name) for item in value]
    if isinstance(value, str) and name == "timestamp":
        found = to_time(value)
        return found[0].isoformat() if found else value
    if not isinstance(value, dict):
        return value
    kind = value.get("objectType")
    default = kind == "Activity" or (kind == "Agent" and name != "object")
    return {
        key: item if key == "extensions" else _plain(item, key)
        for key, item in value.items()
        if not (default and key == "objectType")
    }


def _statement(statement: Json) -> Json:
    kept = {name: value for name, value in statement.items() if name not in _ASSIGNED}
    kept["actor"] = _agent(kept["actor"])
    kept["verb"] = {"id": kept["verb"]["id"]}
    kept["object"] = _object(kept["object"])
    if "context" in kept:
        kept["context"] = _context(kept["context"])
    if "duration" in kept.get("result", {}):
        cut = _SECONDS.sub(r"\1", kept["result"]["duration"])  # section 4.6: to 0.01 seconds
        kept["result"] = {**kept["result"], "duration": cut}
    return kept


def _agent(agent: Json) -> Json:
    kept = dict(agent)
    if "mbox" in kept:
        local, _, domain = kept["mbox"].rpartition("@")
        kept["mbox"] = f"{local}@{domain.lower()}"
    if "mbox_sha1sum" in kept:
        kept["mbox_sha1sum"] = kept["mbox_sha1sum"].lower()
    if "member" in kept:
        kept["member"] = sorted((_agent(one) for one in kept["member"]), key=rfc8785.dumps)
    return kept


def _object(target: Json) -> Json:
    kind = kind_of(target)
    if kind == "Activity":
        return {name: value for name, value in target.items() if name != "definition"}
    if kind in ("Agent", "Group"):
        return _agent(target)
    if kind == "StatementRef":
        return {**target, "id": target["id"].lower()}
    inner = _statement(target)
    if "timestamp" in target:
        inner["timestamp"] = target["timestamp"]
    return inner


def _context(context: Json) -> Json:
    kept = dict(context)
    for name in ("instructor", "team"):
        if name in kept:
            kept[name] = _agent(kept[name])
    if "registration" in kept:
        kept["registration"] = kept["registration"].lower()
    if "statement" in kept:
        kept["statement"] = _object(kept["statement"])
    if "contextActivities" in kept:
        activities = kept["contextActivities"]
        kept["contextActivities"] = {
            name: [_object(one) for one in as_list(activities[name])]
            for name in _LISTS
            if name in activities
        }
    return kept


def as_list(value: Any) -> list[Any]:
    """An activity alone means a list of one (section 2.4.6.2)."""
    return value if isinstance(value, list) else [value]


def voids(statement: Json) -> str | None:
    """The id of the statement that this one voids, in lower case."""
    if statement["verb"]["id"] != VOIDED:
        return None
    return str(statement["object"]["id"]).lower()
