"""Statements to post, made afresh for each use; written for these tests."""

import copy
import uuid
from typing import Any

Json = dict[str, Any]
ADL = "http://adlnet.gov/expapi/verbs/"
COURSE = "http://adlnet.gov/expapi/activities/course"
UNIT = "https://hocvuso.vn/xapi/unit"
GROUPS = "https://hocvuso.vn/xapi/target-groups"
PLATFORM = "https://hocvuso.vn/xapi/platform"


def statement(**changes: Any) -> Json:
    """A statement that is counted; `changes` replace members, None removes one."""
    made: Json = {
        "id": str(uuid.uuid4()),
        "actor": {
            "objectType": "Agent",
            "name": "Nguyễn Thị Học",
            "account": {"homePage": "https://mooc.example", "name": "hoc.nguyen"},
        },
        "verb": {"id": ADL + "completed", "display": {"en-US": "completed", "vi": "hoàn thành"}},
        "object": {
            "objectType": "Activity",
            "id": "https://mooc.example/course/kns-co-ban",
            "definition": {"type": COURSE, "name": {"vi": "Kỹ năng số cơ bản"}},
        },
        "context": {"extensions": {UNIT: "24133", GROUPS: ["adult"], PLATFORM: "other_mooc"}},
        "timestamp": "2026-06-30T09:12:00+07:00",
        **copy.deepcopy(changes),
    }
    return {name: value for name, value in made.items() if value is not None}


def unknown(**changes: Any) -> Json:
    """A statement that no entry of the mapping takes."""
    return statement(verb={"id": "https://example.org/verbs/smiled"}, **changes)


def voiding(id: str, **changes: Any) -> Json:
    """A statement that voids another."""
    return statement(
        verb={"id": ADL + "voided"},
        object={"objectType": "StatementRef", "id": id},
        context=None,
        **changes,
    )


def put(statement: Json, path: str, value: Any) -> Json:
    """The statement with a value at a path like `actor/account/name`; Ellipsis removes it."""
    changed = copy.deepcopy(statement)
    *parents, last = [int(p) if p.isdigit() else p for p in path.replace("::", "\0").split("/")]
    node: Any = changed
    for name in parents:
        node = node.setdefault(_name(name), {}) if isinstance(node, dict) else node[name]
    if value is ...:
        node.pop(_name(last), None)
    else:
        node[_name(last)] = value
    return changed


def _name(part: Any) -> Any:
    return part.replace("\0", "/") if isinstance(part, str) else part
