"""What is kept of a statement: everything a count may need, nothing that tells who it was. Pure.

Agents become masks (people.py). Left out are: answers of learners (`result.response`), questions
and solutions, attachments, texts of activities that no mapping knows, extensions that no mapping
knows. Whatever else holds an identity or phone number or an e-mail address is withheld, and so is
the id of an activity that is a person. docs/decisions/0013 says why.
"""

import re
from typing import Any

from services.activities.xapi.activities import kind_of
from services.activities.xapi.compare import as_list
from services.activities.xapi.mapping import Mapping
from services.activities.xapi.people import Masks, tells
from shared.identity.leaks import number_leaks

Json = dict[str, Any]
WITHHELD = "[withheld]"
_FRACTION = re.compile(r"(?:(?<=:\d\d)\.\d+|(?<=^1\.0)\.\d+)")
_LONG = re.compile(r"\d{9}")


class Masking:
    """Masks statements; the mapping says which activities and extensions are known."""

    def __init__(self, mapping: Mapping, masks: Masks) -> None:
        self._types = mapping.known_activities
        self._people = mapping.person_activities
        self._extensions = mapping.known_extensions
        self._masks = masks

    def statement(self, statement: Json, partner: str) -> Json:
        """A statement (or SubStatement) as it is kept."""
        kept: Json = {
            name: statement[name]
            for name in ("objectType", "id", "stored", "timestamp", "version")
            if name in statement
        }
        for name in ("stored", "timestamp", "version"):
            if tells(kept.get(name, "")):  # a fraction of a second of any length
                kept[name] = _FRACTION.sub("", kept[name])
        kept["actor"] = self._masks.agent(statement["actor"], partner)
        kept["verb"] = self._verb(statement["verb"])
        kept["object"] = self._object(statement["object"], partner)
        if "result" in statement:
            kept["result"] = self._result(statement["result"])
        if "context" in statement:
            kept["context"] = self._context(statement["context"], partner)
        return kept

    def _verb(self, verb: Json) -> Json:
        kept: Json = {"id": self._iri(verb["id"])}
        if "display" in verb:
            kept["display"] = _clean(verb["display"])
        return kept

    def _object(self, target: Json, partner: str) -> Json:
        kind = kind_of(target)
        if kind in ("Agent", "Group"):
            return self._masks.agent(target, partner)
        if kind == "StatementRef":
            return dict(target)
        if kind == "SubStatement":
            return self.statement(target, partner)
        return self._activity(target)

    def _activity(self, activity: Json) -> Json:
        definition = activity.get("definition", {})
        type_name = definition.get("type")
        is_person = type_name in self._people
        kept: Json = {"objectType": "Activity", "id": self._iri(activity["id"], hide=is_person)}
        shown: Json = {}
        if type_name is not None:
            shown["type"] = self._iri(type_name)
        if "interactionType" in definition:
            shown["interactionType"] = definition["interactionType"]
        if type_name in self._types:
            for name in ("name", "description"):
                if name in definition:
                    shown[name] = _clean(definition[name])
        extensions = self._known(definition.get("extensions", {}))
        if extensions:
            shown["extensions"] = extensions
        if shown:
            kept["definition"] = shown
        return kept

    def _iri(self, text: str, *, hide: bool = False) -> str:
        """An identifier as it is kept: itself, unless it tells or may tell who somebody is."""
        return self._masks.iri(text) if hide or tells(text) else text

    def _result(self, result: Json) -> Json:
        names = ("success", "completion", "duration")
        kept = {name: result[name] for name in names if name in result}
        if _LONG.search(kept.get("duration", "")):
            del kept["duration"]
        if "score" in result:
            score = result["score"].items()
            kept["score"] = {name: value for name, value in score if not number_leaks(value)}
        return kept

    def _context(self, context: Json, partner: str) -> Json:
        names = ("registration", "revision", "platform", "language", "statement")
        kept: Json = {name: _clean(context[name]) for name in names if name in context}
        for name in ("instructor", "team"):
            if name in context:
                kept[name] = self._masks.agent(context[name], partner)
        activities = context.get("contextActivities", {})
        if activities:
            kept["contextActivities"] = {
                name: [self._activity(one) for one in as_list(value)]
                for name, value in activities.items()
            }
        extensions = self._known(context.get("extensions", {}))
        if extensions:
            kept["extensions"] = extensions
        return kept

    def _known(self, extensions: Json) -> Json:
        return {
            name: _clean(value) for name, value in extensions.items() if name in self._extensions
        }


def _clean(value: Any) -> Any:
    """A value whose texts hold no identity or phone number."""
    if isinstance(value, str):
        return WITHHELD if tells(value) else value
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {name: _clean(item) for name, item in value.items() if not tells(name)}
    return value
