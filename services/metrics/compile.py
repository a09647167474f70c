"""From a plan's objectives to measures (what is counted) and evaluations (what it means). Pure.

No objective has code of its own. What cannot be counted becomes an objective with a reason, so
that one wrong line never takes the other objectives down; `check` lists all errors beforehand.
"""

from datetime import date
from typing import Any, Literal

import msgspec

from services.metrics.measures import Measure, Part
from shared.contracts.definitions import Catalogue, DefinitionError
from shared.contracts.filters import FilterError, compile_filter

Json = dict[str, Any]

_KEY_OF_COUNT = {"distinct_persons": "person", "distinct_organisations": "organisation"}


class CompileError(ValueError):
    """Why an objective cannot be counted."""


class Threshold(msgspec.Struct, frozen=True):
    """A number that must be reached (`strict`: exceeded)."""

    value: int
    strict: bool = False

    def met(self, count: int, whole: int = 1, parts: int = 1) -> bool:
        """Whether count / whole >= value / parts, in exact integers (`whole` > 0)."""
        left, right = count * parts, self.value * whole
        return left > right if self.strict else left >= right

    def required(self, whole: int = 1, parts: int = 1) -> int:
        """The smallest count that meets it."""
        exact, rest = divmod(self.value * whole, parts)
        return exact + 1 if self.strict or rest else exact


class Within(msgspec.Struct, frozen=True):
    """A unit of this level counts when its own count reaches the threshold."""

    level: str
    threshold: Threshold
    attribute: str | None = None


class Objective(msgspec.Struct, frozen=True, kw_only=True):
    """How the tallies of one objective become a cell.

    `target` is in percent of what `population`, `over`, `target_of` or the units of `within` give,
    or (none of these) a plain count for the plan's own unit. `window_start`: first day that counts.
    """

    plan: str
    version: int
    id: str
    reason: str | None = None
    measure: Measure | None = None
    figure: Literal["n", "total"] = "n"
    basis: str = "events"
    target: Threshold = Threshold(0)
    target_unit: str = "count"
    window_start: date | None = None
    first_day: date | None = None
    last_day: date | None = None
    bucket: Literal["week", "month"] | None = None
    within: Within | None = None
    population: str | None = None
    over: Measure | None = None
    over_figure: Literal["n", "total"] = "n"
    target_of: str | None = None
    organisations: bool = False

    def measures(self) -> list[Measure]:
        """What must be counted for it."""
        return [m for m in (self.measure, self.over) if m is not None]


def compile_plan(document: Json, catalogue: Catalogue) -> list[Objective]:
    """Every objective of a plan, counted or with the reason why not."""
    found = []
    for raw in document.get("objectives", []):
        name = str(raw.get("id", "?"))
        try:
            found.append(compile_objective(document, raw, catalogue))
        except (CompileError, FilterError, DefinitionError, KeyError, TypeError, ValueError) as e:
            reason = f"missing {e}" if isinstance(e, KeyError) else str(e)
            found.append(_not_counted(document, name, reason))
    return found


def check(document: Json, catalogue: Catalogue) -> list[Json]:
    """The objectives of a plan that cannot be counted although they say how: id and reason."""
    said = {str(o.get("id")) for o in document.get("objectives", []) if "not_counted" in o}
    return [
        {"objective": objective.id, "detail": objective.reason}
        for objective in compile_plan(document, catalogue)
        if objective.reason is not None and objective.id not in said
    ]


def _not_counted(document: Json, name: str, reason: str) -> Objective:
    return Objective(
        plan=str(document.get("id", "?")),
        version=int(document.get("version", 1)),
        id=name,
        reason=reason,
        target_unit="",
    )


def compile_objective(document: Json, raw: Json, catalogue: Catalogue) -> Objective:
    """One objective; raises CompileError, FilterError or KeyError saying what is wrong."""
    if "measure" not in raw:
        return _not_counted(document, raw["id"], raw.get("not_counted", "no measure"))
    measure, target = raw["measure"], raw["target"]
    period = raw.get("period") or document["period"]
    counts_from = raw["counts_from"]
    start = {
        "period": date.fromisoformat(period["start"]),
        "date": date.fromisoformat(raw["from_date"]) if "from_date" in raw else None,
    }.get(counts_from)
    over = measure.get("over", {})
    value = Threshold(int(target["value"]), target["comparator"] == ">")
    objective = Objective(
        plan=document["id"],
        version=int(document["version"]),
        id=raw["id"],
        measure=_measure(document, raw, measure, start, catalogue),
        figure="total" if measure["count"] in ("sum", "reported") else "n",
        basis=_basis(measure),
        target=value,
        target_unit=target["unit"],
        window_start=start,
        first_day=date.fromisoformat(period["start"]),
        last_day=date.fromisoformat(raw["last_day"]) if raw.get("last_day") else None,
        bucket=measure.get("bucket"),
        population=over.get("population"),
        over=_measure(document, raw, over["measure"], start, catalogue)
        if "measure" in over
        else None,
        over_figure="total" if over.get("measure", {}).get("count") == "sum" else "n",
        target_of=over.get("target_of"),
        organisations=measure["count"] == "distinct_organisations" and "population" in over,
    )
    share = Threshold(int(target.get("units_required_percent", 100)))
    if "within_unit" in measure:
        within = measure["within_unit"]
        needed = Within(within["per"], _threshold(within, value), over.get("attribute"))
        required = value if target["unit"] == "percent_of_units" else share
        objective = msgspec.structs.replace(
            objective, within=needed, target=required, target_unit="percent"
        )
    elif "per" in target:
        objective = msgspec.structs.replace(objective, target=share, target_unit="percent")
    return objective


def _threshold(raw: Json, target: Threshold) -> Threshold:
    if raw["threshold"] == "target":
        return target
    return Threshold(int(raw["threshold"]), raw.get("comparator", ">=") == ">")


def _basis(measure: Json) -> str:
    if "within_unit" in measure:
        return "units"
    return {
        "distinct_persons": "persons",
        "distinct_organisations": "organisations",
        "distinct_things": {"household": "households", "mentor": "mentors"}.get(
            measure.get("key", ""), "things"
        ),
        "sum": "reported",
        "reported": "reported",
    }.get(measure["count"], "events")


def _measure(
    document: Json, raw: Json, tally: Json, start: date | None, catalogue: Catalogue
) -> Measure:
    count, bucket = tally["count"], tally.get("bucket")
    if count == "reported":
        wanted = {"objective": raw["id"], "plan": document["id"]}
        parts: tuple[Part, ...] = (Part(("figure.reported",), wanted),)
        _filters(parts, catalogue)
        return Measure(kind="latest", parts=parts, keys=("report",), since=start, bucket=bucket)
    parts = tuple(Part(tuple(p["types"]), p.get("filter") or {}) for p in tally["of"])
    _filters(parts, catalogue)
    types = [catalogue[name] for part in parts for name in part.types]
    if count == "events":
        keys = {alternative.kind for kind in types for alternative in kind.count_keys[0]}
        return Measure(
            kind="events",
            parts=parts,
            keys=tuple(sorted(keys)),
            since=start,
            bucket=bucket,
        )
    if count == "sum":
        figures = {kind.figures for kind in types}
        if len(figures) != 1 or figures == {"none"}:
            raise CompileError("sums figures that do not behave alike, or of types without any")
        if figures == {"add"}:
            return Measure(kind="add", parts=parts, keys=("event",), since=start, bucket=bucket)
        return Measure(kind="latest", parts=parts, keys=("report",), since=start, bucket=bucket)
    key = _KEY_OF_COUNT.get(count) or tally.get("key")
    if key is None:
        raise CompileError(f"unknown count {count!r}")
    for kind in types:
        if key not in kind.key_kinds():
            raise CompileError(f"{kind.type} has no {key} to count")
    inside, apart = tally.get("inside"), tally.get("within_unit", {}).get("per")
    if inside is not None:
        if tally.get("match") == "all":
            raise CompileError("`inside` and `match: all` cannot both be asked of a thing")
        target = raw["target"]
        needed = _threshold(inside, Threshold(int(target["value"]), target["comparator"] == ">"))
        return Measure(
            kind="crossing",
            parts=parts,
            keys=(key,),
            since=start,
            bucket=bucket,
            apart=apart,
            field=inside["distinct"],
            among=tuple(sorted(inside.get("among", ()))),
            threshold=needed.required(),
        )
    return Measure(
        kind="distinct",
        parts=parts,
        keys=(key,),
        whole=tally.get("match") == "all",
        since=start,
        bucket=bucket,
        apart=apart,
    )


def _filters(parts: tuple[Part, ...], catalogue: Catalogue) -> None:
    for part in parts:
        compile_filter(part.filter, part.types, catalogue)
