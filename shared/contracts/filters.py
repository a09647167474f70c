"""The filter language of plans: pure, checked against the catalogue, never silently empty.

    target_group: worker              target_groups contains it, or a group that implies it
    target_group: [pupil, student]    ... one of them
    min_age: 16                       age >= 16
    of_age: 16                        age >= 16 on the day, or later where the event says when
    kind: closing                     the field has this value (a list field: contains it)
    channel: [zalo, fanpage]          ... one of these
    members_added: {">": 0}           a comparison: > >= < <= =
    all: [F, G]   any: [F, G]         both; one of them
    none: [F, G]                      neither holds; what is not said is not denied
    if_given: {platform: vneid}       each field named is absent, or passes
    by_type: {training.attended: F}   F restricts events of this type only

The parts of one mapping must all hold. An absent field satisfies no value and no comparison.
A filter is refused if it names a field or value that one of its types lacks (it would silently
count nothing for that type): use `by_type` where types differ. It is refused too if nothing can
ever match it. 16 of the 83 filters first extracted from the plans failed these rules.
"""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import msgspec

from shared.contracts.ages import BIRTH_YEAR, TURNS_16_ON
from shared.contracts.definitions import Catalogue
from shared.contracts.filter_nodes import (
    COMPARISONS,
    Compare,
    Every,
    Given,
    Node,
    Not,
    OneOf,
    Some,
    can_match,
    fields_of,
)
from shared.contracts.model import FieldSpec

_COMBINATORS = frozenset({"all", "any", "none"})


MOST_WORDS = 1_000
DEEPEST = 20


class FilterError(ValueError):
    """Why a filter is refused. `path` is a JSON pointer into the filter."""

    def __init__(self, path: str, message: str, hint: str = "", code: str = "filter") -> None:
        super().__init__(f"{path or '/'}: {message}" + (f" ({hint})" if hint else ""))
        self.path = path
        self.message = message
        self.hint = hint
        self.code = code


class Filter(msgspec.Struct, frozen=True):
    """A compiled filter: one condition per type."""

    nodes: dict[str, Node]

    def matches(self, data: Mapping[str, Any], type_name: str | None = None) -> bool:
        """Whether stored data (latest version) passes. The type may be left out if all types of
        the filter have the same condition."""
        if type_name is None:
            first, *others = self.nodes.values()
            if any(node != first for node in others):
                raise ValueError("a filter with by_type needs to know the type of the event")
            return first.matches(data)
        node = self.nodes.get(type_name)
        return node is not None and node.matches(data)

    def fields(self, type_name: str) -> frozenset[str]:
        """The data fields that decide for this type: what evidence must keep."""
        return fields_of(self.nodes[type_name])


def compile_filter(
    filter: Mapping[str, Any] | None, types: Sequence[str], catalogue: Catalogue
) -> Filter:
    """Check a filter as written in a plan and compile it; raises `FilterError`."""
    if not types:
        raise FilterError("", "a filter needs at least one event type", code="no_type")
    if not _is_small(filter):
        raise FilterError("", f"a filter has at most {MOST_WORDS} words, {DEEPEST} deep")
    for name in types:
        if name not in catalogue:
            raise FilterError("", f"unknown event type {name!r}", _near(name, list(catalogue)))
    rest = dict(filter or {})
    by_type = rest.pop("by_type", {})
    if not isinstance(by_type, Mapping):
        raise FilterError("/by_type", "must map event types to filters")
    for name in by_type:
        if name not in types:
            raise FilterError(
                _at("/by_type", name), f"{name!r} is not counted here", _near(name, list(types))
            )
    nodes: dict[str, Node] = {}
    for name in types:
        compiler = _Compiler(name, catalogue, several=len(types) > 1)
        node = Every(
            (
                compiler.mapping(rest, ""),
                compiler.mapping(by_type.get(name, {}), f"/by_type/{name}"),
            )
        )
        if not can_match(node, catalogue[name].fields):
            raise FilterError(
                "",
                f"no event of {name} can ever match",
                "its parts contradict each other",
                "never",
            )
        nodes[name] = node
    return Filter(nodes)


def _is_small(filter: Any) -> bool:
    """Whether a filter is short enough to be compiled, and to be tried on every event."""
    waiting, words = [(filter, 0)], 0
    while waiting:
        part, depth = waiting.pop()
        words += 1
        inside = part.values() if isinstance(part, Mapping) else part
        inside = inside if isinstance(part, Mapping | list | tuple) else ()
        if words + len(waiting) + len(inside) > MOST_WORDS or depth > DEEPEST:
            return False
        waiting += [(one, depth + 1) for one in inside]
    return True


def _at(path: str, *parts: object) -> str:
    """A JSON pointer (RFC 6901) one or more steps deeper."""
    steps = (str(part).replace("~", "~0").replace("/", "~1") for part in parts)
    return "/".join([path, *steps])


def _near(word: str, known: Sequence[str]) -> str:
    close = get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else "one of: " + ", ".join(sorted(known))


class _Compiler:
    """Compiles for one event type."""

    def __init__(self, type_name: str, catalogue: Catalogue, *, several: bool) -> None:
        self.type = type_name
        self.words = catalogue.words
        self.fields = catalogue.filterable(type_name)
        self.all_fields = catalogue[type_name].fields
        self.several = several

    def mapping(self, filter: Any, path: str) -> Node:
        if not isinstance(filter, Mapping):
            raise FilterError(path, "must be a mapping of fields to values", code="shape")
        return Every(tuple(self.entry(str(k), v, _at(path, k)) for k, v in filter.items()))

    def entry(self, key: str, value: Any, path: str) -> Node:
        if key in _COMBINATORS:
            if not isinstance(value, list) or not value:
                raise FilterError(path, "must be a list of filters, not empty", code="shape")
            parts = tuple(self.mapping(part, _at(path, i)) for i, part in enumerate(value))
            match key:
                case "all":
                    return Every(parts)
                case "any":
                    return Some(parts)
                case _:
                    return Not(Some(parts))
        if key == "by_type":
            raise FilterError(path, "by_type stands at the top of a filter", code="shape")
        if key == "target_group":
            return self.target_group(value, path)
        if key in ("min_age", "max_age", "of_age"):
            return self.age(key, value, path)
        if key == "if_given":
            return self.if_given(value, path)
        spec = self.spec(key, path)
        if isinstance(value, Mapping):
            return self.comparisons(spec, value, path)
        values = value if isinstance(value, list) else [value]
        if not values:
            raise FilterError(path, "an empty list matches nothing", code="never")
        for i, item in enumerate(values):
            self.check_value(spec, item, _at(path, i) if isinstance(value, list) else path)
        return OneOf(spec.name, frozenset(values), spec.kind.endswith("_list"))

    def spec(self, name: str, path: str) -> FieldSpec:
        spec = self.fields.get(name)
        if spec is None:
            hint = _near(name, list(self.fields))
            if self.several:
                hint += "; use by_type where the types differ"
            raise FilterError(
                path, f"{self.type} has no field {name!r} to filter by", hint, "unknown_field"
            )
        return spec

    def target_group(self, value: Any, path: str) -> Node:
        spec = self.spec("target_groups", path)
        groups = value if isinstance(value, list) else [value]
        wanted: set[str] = set()
        for group in groups:
            self.check_value(spec, group, path)
            wanted |= self.words.groups_that_are(group)
        if not wanted:
            raise FilterError(path, "an empty list matches nothing", code="never")
        return OneOf(spec.name, frozenset(wanted), many=True)

    def age(self, key: str, value: Any, path: str) -> Node:
        spec = self.spec("age", path)
        text = str(value)
        if isinstance(value, bool) or not text.isascii() or not text.isdigit():
            raise FilterError(path, f"{value!r} is not a whole number of years", code="value")
        compared = Compare(spec.name, "<=" if key == "max_age" else ">=", int(text))
        later = [name for name in (TURNS_16_ON, BIRTH_YEAR) if name in self.all_fields]
        if key == "of_age" and later:
            return Some((compared, *(Given(name) for name in later)))
        return compared

    def if_given(self, value: Any, path: str) -> Node:
        if not isinstance(value, Mapping) or not value:
            raise FilterError(path, "must be a mapping of fields to values", code="shape")
        parts: list[Node] = []
        for name, wanted in value.items():
            field = self.spec("target_groups" if name == "target_group" else str(name), path).name
            passes = self.entry(str(name), wanted, _at(path, name))
            parts.append(Some((Not(Given(field)), passes)))
        return Every(tuple(parts))

    def comparisons(self, spec: FieldSpec, value: Mapping[str, Any], path: str) -> Node:
        if spec.kind not in ("integer", "number"):
            raise FilterError(
                path,
                f"{spec.name!r} is not a number and cannot be compared",
                "write the value or a list of values",
                "comparison",
            )
        parts = []
        for sign, bound in value.items():
            if sign not in COMPARISONS:
                known = " ".join(COMPARISONS)
                raise FilterError(
                    _at(path, sign), f"unknown comparison {sign!r}", f"one of {known}", "comparison"
                )
            if isinstance(bound, bool) or not isinstance(bound, int | float):
                raise FilterError(_at(path, sign), f"{bound!r} is not a number", code="value")
            parts.append(Compare(spec.name, sign, bound))
        if not parts:
            raise FilterError(path, "an empty comparison", code="shape")
        return Every(tuple(parts))

    def check_value(self, spec: FieldSpec, value: Any, path: str) -> None:
        if spec.enum:
            if value not in spec.enum:
                raise FilterError(
                    path,
                    f"{value!r} is no value of {spec.name!r} in {self.type}",
                    _near(str(value), spec.enum),
                    "unknown_value",
                )
            return
        if not _is_of_kind(value, spec):
            raise FilterError(
                path, f"{value!r} is not a {spec.kind} as {spec.name!r} is", code="value"
            )


def _is_of_kind(value: Any, spec: FieldSpec) -> bool:
    """Whether a value has the type of a field without a closed list (a bool is no number)."""
    match spec.kind:
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case _:
            return isinstance(value, str)
