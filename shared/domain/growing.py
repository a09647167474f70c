"""What an instance adds to the catalogue by definition events: which catalogue they make of the one
that ships, and whether another one may be added. Pure.

Words only ever join a list: events that the log holds, and plans, may name them.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from shared.contracts.definitions import Catalogue

Json = dict[str, Any]

EXTENDED = "list.extended"
GROWING_TYPES = frozenset({EXTENDED})
GROUPS = "target_group"
MOST_WORDS = 200
"""Words that an instance may add to one list."""

Entry = tuple[str, str, str, tuple[str, ...]]
"""List, value, title, what it implies."""


class NotGrown(ValueError):
    """Why a definition cannot be added. `pointer`: the place in its data."""

    def __init__(self, code: str, pointer: str, detail: str, hint: str) -> None:
        super().__init__(f"{code} {pointer}: {detail}")
        self.code, self.pointer, self.detail, self.hint = code, pointer, detail, hint


def entries_of(data: Json) -> list[Entry]:
    """What a `list.extended` adds."""
    return [
        (data["list_name"], entry["value"], entry["title_vi"], tuple(entry.get("implies", ())))
        for entry in data["entries"]
    ]


def grown(shipped: Catalogue, extensions: Iterable[Json]) -> Catalogue:
    """The catalogue of an instance that said these, in the order of the log; the first to add a
    value is the one that counts."""
    entries = tuple(entry for data in extensions for entry in entries_of(data))
    return _grown(shipped, entries) if entries else shipped


@lru_cache(maxsize=64)
def _grown(shipped: Catalogue, entries: tuple[Entry, ...]) -> Catalogue:
    lists: dict[str, dict[str, str]] = {}
    implied: dict[str, tuple[str, ...]] = {}
    for name, value, title, implies in entries:
        if lists.setdefault(name, {}).setdefault(value, title) is title and implies:
            implied.setdefault(value, implies)
    return shipped.grown(lists, implied)


def check_extension(data: Json, catalogue: Catalogue, before: Json | None = None) -> None:
    """Raise NotGrown unless a `list.extended` may be added to a catalogue; `before`: what the same
    event said until now, whose words are in the catalogue already and stay."""
    kept = {entry[1]: entry for entry in entries_of(before)} if before is not None else {}
    if before is not None and data["list_name"] != before["list_name"]:
        raise _stays("/list_name")
    name = data["list_name"]
    known = dict(catalogue.words.enums[name])
    own = len(catalogue.words.own.get(name, frozenset()))
    titles = {_folded(title): value for value, title in known.items() if value not in kept}
    for value in kept:
        known.pop(value, None)
    for index, (_, value, title, implies) in enumerate(entries_of(data)):
        at = f"/entries/{index}"
        if value in known:
            raise NotGrown(
                "list-entry-exists",
                f"{at}/value",
                f"The list {name} has this value already, or the event names it twice.",
                "Use the value that is there, or choose another name.",
            )
        if _folded(title) in titles:
            raise NotGrown(
                "list-entry-exists",
                f"{at}/title_vi",
                f"The list {name} has a value with this title: {titles[_folded(title)]}.",
                "Use that value, or give a title that tells the two apart.",
            )
        _check_implied(name, value, implies, catalogue, known, at)
        earlier = kept.pop(value, None)
        if earlier is not None and set(earlier[3]) != set(implies):
            raise _stays(f"{at}/implies")
        own += earlier is None
        if own > MOST_WORDS:
            raise NotGrown(
                "list-full",
                "/entries",
                f"An instance adds at most {MOST_WORDS} words to a list.",
                "Lists are for what is counted apart; names belong into fields of the event.",
            )
        known[value], titles[_folded(title)] = title, value
    if kept:
        raise _stays("/entries")


def _check_implied(
    name: str,
    value: str,
    implies: tuple[str, ...],
    catalogue: Catalogue,
    known: Mapping[str, str],
    at: str,
) -> None:
    if implies and name != GROUPS:
        raise NotGrown(
            "list-implies-invalid",
            f"{at}/implies",
            "Only a target group implies others.",
            "Leave `implies` out.",
        )
    groups = catalogue.words.enums[GROUPS].keys() | known.keys()
    for index, group in enumerate(implies):
        if group == value or group not in groups:
            raise NotGrown(
                "list-implies-invalid",
                f"{at}/implies/{index}",
                "It is no target group that was there before this one.",
                "Name groups that ship, or that were added before: adult, worker ...",
            )


def _stays(pointer: str) -> NotGrown:
    return NotGrown(
        "list-entry-stays",
        pointer,
        "Words that were added to a list stay, with what they imply: events and plans may name them.",
        "A correction may change titles and add entries.",
    )


def _folded(title: str) -> str:
    return " ".join(title.casefold().split())


def with_own_groups(filter: Any, catalogue: Catalogue) -> Any:
    """A filter that names the instance's own target groups beside those that they imply. So a
    measure says itself what it counts, and is another one once such a group is added."""
    own = catalogue.words.own.get(GROUPS, frozenset())
    if not own or not isinstance(filter, dict):
        return filter
    return {name: _with_own(name, wanted, own, catalogue) for name, wanted in filter.items()}


def _with_own(name: str, wanted: Any, own: frozenset[str], catalogue: Catalogue) -> Any:
    """One entry of a filter; what no filter may say stays, to be refused where filters are read."""
    if name == GROUPS:
        groups = wanted if isinstance(wanted, list) else [wanted]
        named = {group for group in groups if isinstance(group, str)}
        meant = {g for group in named for g in catalogue.words.groups_that_are(group)}
        more = sorted((meant & own) - named)
        return [*groups, *more] if more else wanted
    if name in ("all", "any", "none") and isinstance(wanted, list):
        return [with_own_groups(part, catalogue) for part in wanted]
    if name == "by_type" and isinstance(wanted, dict):
        return {type: with_own_groups(part, catalogue) for type, part in wanted.items()}
    return with_own_groups(wanted, catalogue) if name == "if_given" else wanted
