"""The data rules of a statement: xAPI 1.0.3, part 2 (adlnet/xAPI-Spec, xAPI-Data.md). Pure.

`check` raises Problem `statement-invalid` (400) at the first rule that is broken, with a pointer
into the statement; no value is ever repeated. Three things are taken that the text would refuse,
since Open edX sends them: an activity of `contextActivities` whose id is a bare UUID (special
exams), the objectType GroupActivity (problems of several questions) and a score whose min equals
its max (problems worth nothing).
"""

from collections.abc import Callable, Mapping
from typing import Any

from services.activities.ingest.broken_rules import escape
from services.activities.xapi import formats
from services.activities.xapi.activities import check_activity, kind_of
from services.activities.xapi.agents import IDENTIFIERS, check_agent, check_group, check_party
from services.activities.xapi.problems import broken
from services.activities.xapi.shapes import (
    boolean,
    extensions,
    iri,
    language,
    language_map,
    list_of,
    number,
    shape,
    text,
    uuid,
    whole_number,
    wire_text,
)

VOIDED = "http://adlnet.gov/expapi/verbs/voided"
Json = dict[str, Any]
Check = Callable[[Any, str], None]


def check(statement: Any) -> None:
    """Raise Problem unless this is a statement by every rule."""
    if not isinstance(statement, dict):
        raise broken("", "A statement is a JSON object.")
    _no_nulls(statement, "")
    _statement(statement, "", _STATEMENT)


def _no_nulls(value: Any, at: str) -> None:
    """Section 2.2: no null, except inside extensions."""
    if value is None:
        raise broken(at, "null is allowed inside extensions only.", "Leave the member out.")
    if isinstance(value, list):
        for index, item in enumerate(value):
            _no_nulls(item, f"{at}/{index}")
    elif isinstance(value, dict):
        for name, item in value.items():
            if name != "extensions":
                _no_nulls(item, f"{at}/{escape(name)}")


def _statement(value: Json, at: str, allowed: Mapping[str, Check]) -> None:
    shape(value, at, allowed, required=("actor", "verb", "object"))
    target = value["object"]
    kind = kind_of(target)
    if value["verb"]["id"] == VOIDED and kind != "StatementRef":
        raise broken(
            f"{at}/object",
            "A voiding statement names the voided one as a StatementRef (section 2.3.2).",
            'Write {"objectType": "StatementRef", "id": "..."}.',
        )
    if kind != "Activity":
        for name in ("revision", "platform"):
            if name in value.get("context", {}):
                raise broken(
                    f"{at}/context/{name}",
                    f"{name} may only be there when the object is an Activity (section 2.4.6).",
                )


def _verb(value: Any, at: str) -> None:
    shape(value, at, {"id": iri, "display": language_map}, required=("id",))


def _reference(value: Any, at: str) -> None:
    shape(value, at, {"objectType": text, "id": uuid}, required=("objectType", "id"))
    if value["objectType"] != "StatementRef":
        raise broken(f"{at}/objectType", "This must be a StatementRef (section 2.4.4.3).")


def _substatement(value: Any, at: str) -> None:
    for name in ("id", "stored", "version", "authority"):
        if name in value:
            raise broken(f"{at}/{name}", f"A SubStatement has no {name} (section 2.4.4.3).")
    inner = value.get("object")
    if isinstance(inner, dict) and inner.get("objectType") == "SubStatement":
        raise broken(f"{at}/object", "A SubStatement holds no SubStatement (section 2.4.4.3).")
    _statement(value, at, _SUBSTATEMENT)


def _object(value: Any, at: str) -> None:
    if not isinstance(value, dict):
        raise broken(at, "This must be an object.")
    kind = kind_of(value)
    found = _OBJECTS.get(kind) if isinstance(kind, str) else None
    if found is None:
        raise broken(
            f"{at}/objectType",
            f"objectType is one of: {', '.join(_OBJECTS)} (section 2.4.4).",
        )
    found(value, at)


_OBJECTS: dict[str, Check] = {
    "Activity": check_activity,
    "Agent": check_agent,
    "Group": check_group,
    "StatementRef": _reference,
    "SubStatement": _substatement,
}


def _score(value: Any, at: str) -> None:
    shape(value, at, {"scaled": number, "raw": number, "min": number, "max": number})
    if not -1 <= value.get("scaled", 0) <= 1:
        raise broken(f"{at}/scaled", "scaled lies between -1 and 1 (section 2.4.5.1).")
    low, high = value.get("min"), value.get("max")
    if low is not None and high is not None and low > high:
        raise broken(f"{at}/min", "min is not more than max (section 2.4.5.1).")
    raw = value.get("raw")
    if raw is not None and ((low is not None and raw < low) or (high is not None and raw > high)):
        raise broken(f"{at}/raw", "raw lies between min and max (section 2.4.5.1).")


def _duration(value: Any, at: str) -> None:
    if not isinstance(value, str) or not formats.is_duration(value):
        raise broken(at, "This must be a duration of ISO 8601, like PT1H30M (section 4.6).")


def _time(value: Any, at: str) -> None:
    if not isinstance(value, str) or formats.to_time(value) is None:
        raise broken(
            at,
            "This must be a timestamp of ISO 8601 (section 4.5).",
            "Write it like 2026-06-30T09:12:00+07:00.",
        )


def _version(value: Any, at: str) -> None:
    if not isinstance(value, str) or not formats.is_version(value):
        raise broken(at, "The version of a statement begins with 1.0. (section 2.4.10).")


def _result(value: Any, at: str) -> None:
    shape(value, at, _RESULT)


_RESULT: dict[str, Check] = {
    "score": _score,
    "success": boolean,
    "completion": boolean,
    "response": wire_text,
    "duration": _duration,
    "extensions": extensions,
}


def _context_activities(value: Any, at: str) -> None:
    shape(value, at, dict.fromkeys(("parent", "grouping", "category", "other"), _activities))


def _activities(value: Any, at: str) -> None:
    if isinstance(value, list):
        for index, item in enumerate(value):
            check_activity(item, f"{at}/{index}", or_uuid=True)
    else:
        check_activity(value, at, or_uuid=True)


def _context(value: Any, at: str) -> None:
    shape(value, at, _CONTEXT)


_CONTEXT: dict[str, Check] = {
    "registration": uuid,
    "instructor": check_party,
    "team": check_group,
    "contextActivities": _context_activities,
    "revision": wire_text,
    "platform": wire_text,
    "language": language,
    "statement": _reference,
    "extensions": extensions,
}


def _authority(value: Any, at: str) -> None:
    check_party(value, at)
    if value.get("objectType") != "Group":
        return
    members = value.get("member", ())
    if len(members) != 2:
        raise broken(at, "An authority that is a Group has two members (section 2.4.9).")
    if any(name in value for name in IDENTIFIERS):
        raise broken(at, "An authority that is a Group is anonymous (section 2.4.9).")
    if sum("account" in member for member in members) < 1:
        raise broken(
            f"{at}/member",
            "One member of an authority that is a Group is the OAuth consumer, by its account"
            " (section 2.4.9).",
            "Leave authority out: it is set from the key.",
        )


def _attachment(value: Any, at: str) -> None:
    shape(value, at, _ATTACHMENT, required=tuple(n for n in _ATTACHMENT if n not in _OPTIONAL))


def _media_type(value: Any, at: str) -> None:
    if not isinstance(value, str) or not formats.is_media_type(value):
        raise broken(at, "This must be an Internet media type (section 2.4.11).")


def _sha2(value: Any, at: str) -> None:
    if not isinstance(value, str) or not formats.is_sha2(value):
        raise broken(at, "This must be a SHA-2 digest in hexadecimal (section 2.4.11).")


_ATTACHMENT: dict[str, Check] = {
    "usageType": iri,
    "display": language_map,
    "description": language_map,
    "contentType": _media_type,
    "length": whole_number,
    "sha2": _sha2,
    "fileUrl": iri,
}
_OPTIONAL = ("description", "fileUrl")
_SUBSTATEMENT: dict[str, Check] = {
    "objectType": text,
    "actor": check_party,
    "verb": _verb,
    "object": _object,
    "result": _result,
    "context": _context,
    "timestamp": _time,
    "attachments": list_of(_attachment),
}
_STATEMENT: dict[str, Check] = {
    **{name: rule for name, rule in _SUBSTATEMENT.items() if name != "objectType"},
    "id": uuid,
    "stored": _time,
    "authority": _authority,
    "version": _version,
}
