"""Activities and their definitions: xAPI 1.0.3, part 2, section 2.4.4.1. Pure."""

from typing import Any

from services.activities.xapi import formats
from services.activities.xapi.problems import broken
from services.activities.xapi.shapes import (
    Check,
    extensions,
    iri,
    language_map,
    list_of,
    shape,
    text,
    wire_text,
)

INTERACTIONS = (
    *("true-false", "choice", "fill-in", "long-fill-in", "matching"),
    *("performance", "sequencing", "likert", "numeric", "other"),
)
GROUP_ACTIVITY = "GroupActivity"
"""What Open edX calls a problem of several questions (see `rules`): an Activity all the same."""

COMPONENTS = ("choices", "scale", "source", "target", "steps")


def check_activity(value: Any, at: str, *, or_uuid: bool = False) -> None:
    """An Activity; `or_uuid`: its id may be a bare UUID (see `rules`)."""
    shape(value, at, _ID_TAKEN if or_uuid else _ACTIVITY, required=("id",))
    if kind_of(value) != "Activity":
        raise broken(f"{at}/objectType", "This must be an Activity (section 2.4.4.1).")


def kind_of(target: dict[str, Any]) -> Any:
    """What an object of a statement is; an Activity where it says nothing (section 2.4.4)."""
    kind = target.get("objectType", "Activity")
    return "Activity" if kind == GROUP_ACTIVITY else kind


def _iri_or_uuid(value: Any, at: str) -> None:
    if not isinstance(value, str) or not formats.is_uuid(value):
        iri(value, at)


def _definition(value: Any, at: str) -> None:
    shape(value, at, _DEFINITION)
    if "interactionType" not in value:
        for name in ("correctResponsesPattern", *COMPONENTS):
            if name in value:
                raise broken(f"{at}/interactionType", "An interaction names its interactionType.")


def _interaction(value: Any, at: str) -> None:
    if value not in INTERACTIONS:
        raise broken(at, f"interactionType is one of: {', '.join(INTERACTIONS)}.")


def _component(value: Any, at: str) -> None:
    shape(value, at, {"id": text, "description": language_map}, required=("id",))


_each_component = list_of(_component)


def _components(value: Any, at: str) -> None:
    _each_component(value, at)
    ids = [item["id"] for item in value]
    if len(ids) != len(set(ids)):
        raise broken(at, "The ids of interaction components are distinct (section 2.4.4.1).")


_DEFINITION: dict[str, Check] = {
    "name": language_map,
    "description": language_map,
    "type": iri,
    "moreInfo": iri,
    "extensions": extensions,
    "interactionType": _interaction,
    "correctResponsesPattern": list_of(wire_text),
    **dict.fromkeys(COMPONENTS, _components),
}
_ACTIVITY: dict[str, Check] = {"objectType": text, "id": iri, "definition": _definition}
_ID_TAKEN: dict[str, Check] = {**_ACTIVITY, "id": _iri_or_uuid}
