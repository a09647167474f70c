"""Conditions that filters are made of, and the proof that one can match at all."""

import math
import operator
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

import msgspec

from shared.contracts.model import FieldSpec

Data = Mapping[str, Any]

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
}


class OneOf(msgspec.Struct, frozen=True):
    """The field is one of the values; a list field (`many`) contains one of them."""

    field: str
    values: frozenset[Any]
    many: bool = False

    def matches(self, data: Data) -> bool:
        value = data.get(self.field)
        if self.many:
            return value is not None and not self.values.isdisjoint(value)
        return value is not None and value in self.values


class Compare(msgspec.Struct, frozen=True):
    """The number compares as said; an absent one never does."""

    field: str
    sign: str
    bound: float

    def matches(self, data: Data) -> bool:
        value = data.get(self.field)
        return value is not None and COMPARISONS[self.sign](value, self.bound)


class Given(msgspec.Struct, frozen=True):
    """The field is there at all."""

    field: str

    def matches(self, data: Data) -> bool:
        return data.get(self.field) is not None


class Every(msgspec.Struct, frozen=True):
    """All parts hold; nothing at all always holds."""

    parts: tuple["Node", ...]

    def matches(self, data: Data) -> bool:
        return all(part.matches(data) for part in self.parts)


class Some(msgspec.Struct, frozen=True):
    """At least one part holds."""

    parts: tuple["Node", ...]

    def matches(self, data: Data) -> bool:
        return any(part.matches(data) for part in self.parts)


class Not(msgspec.Struct, frozen=True):
    """The part does not hold (also because the field is absent)."""

    part: "Node"

    def matches(self, data: Data) -> bool:
        return not self.part.matches(data)


Node = OneOf | Compare | Given | Every | Some | Not
Leaf = OneOf | Compare | Given
Literals = tuple[tuple[Leaf, bool], ...]

_LIMIT = 10_000


def fields_of(node: Node) -> frozenset[str]:
    """Every field that the condition reads."""
    match node:
        case OneOf() | Compare() | Given():
            return frozenset({node.field})
        case Not():
            return fields_of(node.part)
        case Every() | Some():
            return frozenset().union(*(fields_of(part) for part in node.parts))


def can_match(node: Node, fields: Mapping[str, FieldSpec]) -> bool:
    """Whether any data allowed by the schema satisfies the condition.

    Searches the alternatives (disjunctive normal form) lazily, one satisfiable one is enough; a
    filter with more contradictory alternatives than anyone writes gets the benefit of the doubt.
    """
    alternatives = _alternatives(node, True)
    for literals in islice(alternatives, _LIMIT):
        if _satisfiable(literals, fields):
            return True
    return next(alternatives, None) is not None


def _alternatives(node: Node, positive: bool) -> Iterator[Literals]:
    match node:
        case OneOf() | Compare() | Given():
            yield ((node, positive),)
        case Not():
            yield from _alternatives(node.part, not positive)
        case Every() | Some():
            if isinstance(node, Every) is positive:
                yield from _product(node.parts, positive)
            else:
                for part in node.parts:
                    yield from _alternatives(part, positive)


def _product(parts: tuple[Node, ...], positive: bool) -> Iterator[Literals]:
    if not parts:
        yield ()
        return
    for first in _alternatives(parts[0], positive):
        for rest in _product(parts[1:], positive):
            yield first + rest


def _satisfiable(literals: Literals, fields: Mapping[str, FieldSpec]) -> bool:
    names = {leaf.field for leaf, _ in literals}
    return all(
        _field_satisfiable([item for item in literals if item[0].field == name], fields[name])
        for name in names
    )


def _field_satisfiable(literals: list[tuple[Leaf, bool]], spec: FieldSpec) -> bool:
    given = {positive for leaf, positive in literals if isinstance(leaf, Given)}
    values = [item for item in literals if not isinstance(item[0], Given)]
    wanted = [leaf for leaf, positive in values if positive]
    denied = [leaf for leaf, positive in values if not positive]
    if False in given:
        return not spec.required and not wanted and True not in given
    if not wanted:
        # Absent satisfies every denial; a field that must be there has to have some other value.
        return not (spec.required or given) or _another_value(denied, spec)
    excluded = frozenset().union(*(leaf.values for leaf in denied if isinstance(leaf, OneOf)))
    choices = [leaf.values - excluded for leaf in wanted if isinstance(leaf, OneOf)]
    if spec.kind.endswith("_list"):
        return all(choices)
    if choices:
        common = frozenset.intersection(*choices)
        checks = [(leaf, True) for leaf in wanted if isinstance(leaf, Compare)]
        checks += [(leaf, False) for leaf in denied if isinstance(leaf, Compare)]
        return any(
            all(leaf.matches({leaf.field: value}) is wish for leaf, wish in checks)
            for value in common
        )
    return _interval([leaf for leaf in wanted if isinstance(leaf, Compare)], denied, spec)


def _another_value(denied: list[Leaf], spec: FieldSpec) -> bool:
    excluded = frozenset().union(*(leaf.values for leaf in denied if isinstance(leaf, OneOf)))
    if spec.enum:
        return bool(set(spec.enum) - excluded)
    if spec.kind == "boolean":
        return bool({True, False} - excluded)
    return _interval([], denied, spec)


_OPPOSITE = {">": "<=", ">=": "<", "<": ">=", "<=": ">"}


def _interval(wanted: list[Compare], denied: list[Leaf], spec: FieldSpec) -> bool:
    """Whether a number is left within the schema's bounds; whole numbers are tried at the edges."""
    low = -math.inf if spec.minimum is None else float(spec.minimum)
    high = math.inf if spec.maximum is None else float(spec.maximum)
    low_open = high_open = False
    opposite = [
        Compare(leaf.field, _OPPOSITE[leaf.sign], leaf.bound)
        for leaf in denied
        if isinstance(leaf, Compare) and leaf.sign != "="
    ]
    for leaf in [*wanted, *opposite]:
        if leaf.sign in (">", ">=", "=") and (leaf.bound, leaf.sign == ">") > (low, low_open):
            low, low_open = leaf.bound, leaf.sign == ">"
        if leaf.sign in ("<", "<=", "=") and (-leaf.bound, leaf.sign == "<") > (-high, high_open):
            high, high_open = leaf.bound, leaf.sign == "<"
    if spec.kind == "integer":
        if math.isfinite(low):
            low, low_open = (math.floor(low) + 1 if low_open else math.ceil(low)), False
        if math.isfinite(high):
            high, high_open = (math.ceil(high) - 1 if high_open else math.floor(high)), False
    if low > high or (low == high and (low_open or high_open)):
        return False
    single = {leaf.bound for leaf in denied if isinstance(leaf, Compare) and leaf.sign == "="}
    single |= frozenset().union(*(leaf.values for leaf in denied if isinstance(leaf, OneOf)))
    if spec.kind == "integer" and high - low <= len(single):
        return any(number not in single for number in range(int(low), int(high) + 1))
    return low != high or low not in single
