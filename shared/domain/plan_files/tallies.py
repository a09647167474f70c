"""Whether a tally can be counted from the event types it names."""

from typing import Any

from shared.contracts.definitions import Catalogue
from shared.contracts.filters import FilterError, compile_filter
from shared.contracts.model import EventType
from shared.domain.plan_files.positions import Path
from shared.domain.plan_files.problems import Report
from shared.domain.plan_files.references import near

Json = dict[str, Any]

_KEY_OF_COUNT = {"distinct_persons": "person", "distinct_organisations": "organisation"}


def check_tally(
    tally: Json, counts_from: str, path: Path, catalogue: Catalogue, report: Report
) -> None:
    """Types, filters, keys and figures of one tally."""
    for at, part in enumerate(tally.get("of", [])):
        place: Path = (*path, "of", at)
        unknown = [name for name in part["types"] if name not in catalogue]
        for name in unknown:
            position = part["types"].index(name)
            report.add(
                (*place, "types", position),
                "unknown_type",
                f"unknown event type {name!r}",
                near(name, catalogue.keys()),
            )
        if unknown:
            continue
        kinds = [catalogue[name] for name in part["types"]]
        _filter(part, place, catalogue, report)
        for kind in kinds:
            _countable(tally, kind, counts_from, place, report)
        if tally["count"] == "sum" and len({kind.figures for kind in kinds}) > 1:
            message = "types whose figures replace and types whose figures add are mixed"
            report.add((*place, "types"), "measure", message)
        elif tally["count"] == "sum" and len({kind.figure_keys() for kind in kinds}) > 1:
            message = "figures of reporters and figures of things are mixed"
            report.add((*place, "types"), "measure", message)
        if "inside" in tally:
            _inside(tally["inside"], kinds, (*path, "inside"), report)


def _filter(part: Json, path: Path, catalogue: Catalogue, report: Report) -> None:
    try:
        compile_filter(part.get("filter"), part["types"], catalogue)
    except FilterError as error:
        steps: list[str | int] = []
        for step in error.path.split("/")[1:]:
            plain = step.replace("~1", "/").replace("~0", "~")
            steps.append(int(plain) if plain.isdecimal() else plain)
        report.add((*path, "filter", *steps), f"filter_{error.code}", error.message, error.hint)


def _countable(tally: Json, kind: EventType, counts_from: str, path: Path, report: Report) -> None:
    count = tally["count"]
    if kind.lane == "definition" or kind.group == "meta":
        report.add(path, "measure", f"{kind.type} says nothing that could be counted")
        return
    wanted = _KEY_OF_COUNT.get(count, tally.get("key"))
    if wanted is not None and wanted not in kind.key_kinds():
        has = ", ".join(sorted(kind.key_kinds()))
        report.add(path, "measure", f"{kind.type} has no {wanted} to count", f"it has: {has}")
    if count == "sum":
        if kind.figures == "none":
            report.add(path, "measure", f"{kind.type} carries no figure to add up")
        elif not kind.figure_keys():
            report.add(path, "measure", f"{kind.type} does not say whose figure it is")
    if counts_from == "state" and kind.state is None:
        report.add(path, "measure", f"{kind.type} is no state: it has no first and last day")


def _inside(inside: Json, kinds: list[EventType], path: Path, report: Report) -> None:
    """The field whose different values are counted within one subject."""
    name = inside["distinct"]
    for kind in kinds:
        spec = kind.fields.get(name)
        if spec is None:
            hint = near(name, kind.fields)
            report.add((*path, "distinct"), "unknown_field", f"{kind.type} has no {name!r}", hint)
            continue
        for at, value in enumerate(inside.get("among", [])):
            if value not in spec.enum:
                message = f"{value!r} is no value of {name!r}"
                report.add((*path, "among", at), "unknown_value", message, near(value, spec.enum))
