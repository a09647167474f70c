"""The form of an event type: its fields, what was typed as data, and every fault at once. Pure.

Made from the type's definition, so a new type has a form without more work. What the schema of the
type would refuse is said beside its field before anything is sent; activities judges it again.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import jsonschema_rs

from services.registry.progress.reasons import types_of
from services.registry.web.language import gettext, language, title
from shared.contracts.definitions import Catalogue
from shared.contracts.live import of_process
from shared.contracts.model import EventType, FieldSpec

HIDDEN = frozenset({"plan_hint", "reporter", "reporter_kind", "opening"})
SHOWN = frozenset(
    {"enum", "enum_list", "code", "text", "integer", "number", "date", "boolean", "identity"}
)
Form = dict[str, list[str]]
Faults = dict[str, str]
"""Name of a field in the form -> what is wrong with it."""


@dataclass(frozen=True)
class Field:
    """One field. `name`: as posted; `schemes`: of an identity; `main`: shown before the details;
    `needed`: required, or what makes the event what it is."""

    name: str
    spec: FieldSpec
    schemes: tuple[str, ...] = ()
    main: bool = True
    needed: bool = False

    @property
    def key(self) -> str:
        """Its name in the form."""
        return f"data.{self.name}"

    @property
    def label(self) -> str:
        return title(self.spec)

    @property
    def options(self) -> list[tuple[str, str]]:
        """Values of a list and their words; lists have Vietnamese words only."""
        titles = self.spec.enum_titles_vi
        return [
            (value, (titles[i] if i < len(titles) else "") or value)
            for i, value in enumerate(self.spec.enum)
        ]


@dataclass
class Typed:
    """What a form says: `data` of the event, and the faults seen so far."""

    data: dict[str, Any] = field(default_factory=dict)
    faults: Faults = field(default_factory=dict)


def kinds(roles: frozenset[str] | None) -> list[EventType]:
    """Types of facts that a person with these roles may post, by title."""
    found = [
        kind
        for kind in of_process().values()
        if kind.lane == "fact"
        and kind.group != "meta"
        and (roles is None or kind.may_be_posted_by(roles))
        and all(f.kind in SHOWN for f in kind.fields.values() if f.required)
    ]
    return sorted(found, key=lambda kind: (kind.group, kind.title_vi))


def fields_of(kind: EventType, objectives: Iterable[dict[str, Any]] = ()) -> list[Field]:
    """Everything the form asks for; first what is needed, then what `objectives` look at."""
    named = {identity.stored: identity for identity in kind.identities}
    asked = {name for one in objectives for name in _filtered(kind.type, one)}
    needed = {name for names in kind.one_of for name in names}
    if kind.sum_field in needed:
        needed = {kind.sum_field}  # a number of people is what nearly everybody can give
    found = []
    for stored, spec in kind.fields.items():
        if spec.kind in SHOWN and stored not in HIDDEN:
            identity = named.get(stored)
            name = identity.name if identity else stored
            main = (
                spec.required
                or name in needed
                or name == kind.sum_field
                or bool({name, name.removesuffix("s")} & asked)
            )
            schemes = identity.schemes if identity else ()
            found.append(Field(name, spec, schemes, main, spec.required or name in needed))
    first = (kind.sum_field, *sorted(needed))
    return sorted(
        found,
        key=lambda f: (not f.main, not f.spec.required, f.name != first[0], f.name not in first),
    )


def _filtered(type: str, objective: dict[str, Any]) -> set[str]:
    """The names that the filters of an objective use for a type."""
    if type not in types_of(objective):
        return set()
    parts = (objective.get("measure") or {}).get("of", [])
    return {n for p in parts if type in p["types"] for n in _names(p.get("filter") or {}, type)}


def _names(filter: dict[str, Any], type: str) -> set[str]:
    found = set()
    for name, wanted in filter.items():
        if name == "by_type":
            found |= _names(wanted.get(type, {}), type)
        elif name not in ("if_given", "none", "any", "all"):  # these hold without the field, too
            found.add(name)
    return found


def defaults(type: str, objective: dict[str, Any]) -> Form:
    """What a form that is opened for an objective has ticked already: the one value that counts."""
    catalogue, found = of_process(), Form()
    for part in (objective.get("measure") or {}).get("of", []):
        if type not in part["types"]:
            continue
        wanted = {**(part.get("filter") or {})}
        wanted |= wanted.pop("by_type", {}).get(type, {})
        for name, value in wanted.items():
            for key in (name, f"{name}s"):
                spec = catalogue[type].fields.get(key)
                if spec is not None and isinstance(value, str) and value in spec.enum:
                    found[f"data.{key}"] = [value]
    return found


def read(kind: EventType, fields: list[Field], form: Form) -> Typed:
    """What a filled-in form says, with every fault; empty fields say nothing."""
    typed = Typed()
    for one in fields:
        values = [text for value in form.get(one.key, []) if (text := value.strip())]
        if not values:
            continue
        if one.schemes:
            scheme = form.get(f"{one.key}.scheme", [one.schemes[0]])[0]
            typed.data[one.name] = {"scheme": scheme, "value": values[0]}
        elif one.spec.kind == "enum_list":
            typed.data[one.name] = values
        elif one.spec.kind == "boolean":
            typed.data[one.name] = values[0] == "true"
        elif one.spec.kind in ("integer", "number"):
            figure = number(values[0])
            if figure is None or (one.spec.kind == "integer" and isinstance(figure, float)):
                typed.faults[one.key] = _number_fault(one.spec.kind)
            else:
                typed.data[one.name] = figure
        else:
            typed.data[one.name] = values[0]
    _check(kind, fields, typed)
    return typed


_GROUPED = {"vi": r"[0-9]{1,3}(?:\.[0-9]{3})+", "en": r"[0-9]{1,3}(?:,[0-9]{3})+"}


def number(text: str) -> int | float | None:
    """A number as the pages print it: `1.234` is 1234 and `8,5` is 8.5 (in English the other way
    round); None for what is none."""
    text = re.sub(r"[\s\u00a0\u202f]", "", text)
    name = language.get()
    thousands, decimal = (".", ",") if name == "vi" else (",", ".")
    match = re.fullmatch(rf"-?(?:[0-9]{{1,18}}|{_GROUPED[name]})(?:[.,][0-9]{{1,9}})?", text)
    if match is None:
        return None
    if re.fullmatch(rf"-?{_GROUPED[name]}(?:{re.escape(decimal)}[0-9]{{1,9}})?", text):
        text = text.replace(thousands, "")
    text = text.replace(",", ".")
    return float(text) if "." in text else int(text)


def printed(value: int | float) -> str:
    """A number as a form shows it, whole: `1234`, `8,5`."""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text.replace(".", ",") if language.get() == "vi" else text


def _number_fault(kind: str) -> str:
    if kind == "integer":
        return gettext("Ghi một số nguyên, như 12 hoặc 1.234.")
    return gettext("Ghi một con số, như 1.234 hoặc 8,5.")


@lru_cache(maxsize=256)
def _validator(type: str, catalogue: Catalogue) -> Any:
    schema = catalogue.data_schema(type)
    return jsonschema_rs.validator_for(schema, validate_formats=True)


def _check(kind: EventType, fields: list[Field], typed: Typed) -> None:
    """Add what the schema of the type refuses."""
    by_name = {one.name: one for one in fields}
    for error in _validator(kind.type, of_process().now).iter_errors(typed.data):
        rule = type(error.kind).__name__
        if rule == "Required":
            one = by_name.get(error.kind.property)
        elif rule == "AnyOf" and not error.instance_path:
            names = sorted({n for group in kind.one_of for n in group if n in by_name})
            if names and by_name[names[0]].key not in typed.faults:
                first = min((by_name[n] for n in names), key=fields.index)
                words = "; ".join(by_name[n].label for n in names)
                told = gettext("Cần ghi ít nhất một trong các ô: %(fields)s.")
                typed.faults.setdefault(first.key, told % {"fields": words})
            continue
        else:
            one = by_name.get(str(error.instance_path[0])) if error.instance_path else None
        if one is not None:
            typed.faults.setdefault(one.key, _fault(rule, one, typed.data.get(one.name)))


def _fault(rule: str, one: Field, value: Any) -> str:
    if rule == "Required":
        return gettext("Cần điền ô này.")
    if rule in ("Minimum", "ExclusiveMinimum", "Maximum", "ExclusiveMaximum"):
        return gettext("Con số này nhỏ hơn hoặc lớn hơn mức cho phép.")
    if rule == "MaxLength" and isinstance(value, str):
        told = gettext("Dài %(length)s ký tự, quá mức cho phép; hãy rút ngắn.")
        return told % {"length": len(value)}
    if rule == "Format" and one.spec.kind == "date":
        return gettext("Ghi ngày, tháng, năm.")
    if rule in ("Enum", "Const"):
        return gettext("Chọn một mục trong danh sách.")
    if one.schemes:
        return gettext("Mã số chưa đúng: số định danh cá nhân (CCCD) có 12 chữ số.")
    if rule == "Type" and one.spec.kind in ("integer", "number"):
        return _number_fault(one.spec.kind)
    if one.spec.kind == "code":
        return gettext("Chỉ ghi chữ thường không dấu, chữ số và dấu gạch nối.")
    return gettext("Ô này chưa đúng dạng; xem lại nội dung đã ghi.")


def day_of_form(form: Form, today: date) -> date | None:
    """The day that was chosen: today, yesterday or another one; None when there is none."""
    when = form.get("when", [""])[0]
    if when in ("today", "yesterday"):
        return today - timedelta(days=when == "yesterday")
    text = form.get("day", [""])[0].strip()
    try:
        return date.fromisoformat(text)
    except ValueError:
        match = re.fullmatch(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})", text)
    try:
        return date(int(match[3]), int(match[2]), int(match[1])) if match else None
    except ValueError:
        return None
