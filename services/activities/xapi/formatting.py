"""The formats in which statements are answered (xAPI 1.0.3, part 3, section 2.1.3). Pure."""

from typing import Any

from services.activities.xapi.agents import IDENTIFIERS

Json = dict[str, Any]


def formatted(statement: Json, name: str, languages: str) -> Json:
    """A kept statement in the format `ids`, `exact` or `canonical`.

    `exact` is what is kept: agents masked, some texts left out (masking.py). `canonical` has one
    language in each map, by the Accept-Language header.
    """
    if name == "ids":
        return ids_only(statement)
    return one_language(statement, wanted(languages)) if name == "canonical" else statement


def ids_only(statement: Json) -> Json:
    """Of agents, activities, verbs and groups nothing but what identifies them."""
    kept = {**statement, "verb": {"id": statement["verb"]["id"]}}
    kept["object"] = _bare(statement["object"])
    for name in ("actor", "authority"):
        if name in kept:
            kept[name] = _party(kept[name])
    if "context" in kept:
        kept["context"] = _context(kept["context"])
    return kept


def _context(context: Json) -> Json:
    kept = dict(context)
    for name in ("instructor", "team"):
        if name in kept:
            kept[name] = _party(kept[name])
    if "contextActivities" in kept:
        kept["contextActivities"] = {
            name: [_bare(one) for one in activities]
            for name, activities in kept["contextActivities"].items()
        }
    return kept


def _party(party: Json) -> Json:
    """An agent or group by its identifier; an anonymous group by its members."""
    group = party.get("objectType") == "Group"
    kept = {"objectType": "Group"} if group else {}
    found = {name: party[name] for name in IDENTIFIERS if name in party}
    if group and not found:
        found = {"member": [_party(one) for one in party.get("member", ())]}
    return kept | found


def _bare(target: Json) -> Json:
    kind = target.get("objectType", "Activity")
    if kind == "Activity":
        return {"id": target["id"]}
    if kind in ("Agent", "Group"):
        return {"objectType": kind, **_party(target)}
    return ids_only(target) if kind == "SubStatement" else target


def wanted(header: str) -> list[str]:
    """The languages of an Accept-Language header, best first, in lower case."""
    ranked = []
    for place, part in enumerate(header.split(",")):
        tag, _, parameter = part.strip().partition(";")
        try:
            quality = float(parameter.strip().removeprefix("q=") or 1)
        except ValueError:
            quality = 0.0
        if tag and quality > 0:
            ranked.append((-quality, place, tag.strip().lower()))
    return [tag for _, _, tag in sorted(ranked)]


def one_language(value: Any, languages: list[str], name: str = "") -> Any:
    """A value in which every language map has its one best entry."""
    if isinstance(value, list):
        return [one_language(item, languages) for item in value]
    if not isinstance(value, dict):
        return value
    if name in ("display", "name", "description") and value:
        tag = _best(list(value), languages)
        return {tag: value[tag]}
    return {
        key: item if key == "extensions" else one_language(item, languages, key)
        for key, item in value.items()
    }


def _best(tags: list[str], languages: list[str]) -> str:
    for language in languages:
        for tag in tags:
            low = tag.lower()
            if language in ("*", low) or low.startswith(f"{language}-"):
                return tag
    return tags[0]
