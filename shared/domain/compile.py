"""From a plan's objectives to measures (what is counted) and evaluations (what it means). Pure.

No objective has code of its own. What cannot be counted becomes an objective with a reason, so
that one wrong line never takes the other objectives down; `checking` lists all errors beforehand.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Literal

import msgspec

from shared.contracts.definitions import Catalogue, DefinitionError
from shared.contracts.filters import FilterError, compile_filter
from shared.contracts.model import EventType
from shared.domain.growing import with_own_groups
from shared.domain.measures import Measure, Part
from shared.domain.objectives import Beside, Within
from shared.domain.objectives import Objective as Objective
from shared.domain.objectives import Threshold as Threshold
from shared.domain.shape import check_shape
from shared.domain.steps import step_before

Json = dict[str, Any]

_KEY_OF_COUNT = {"distinct_persons": "person", "distinct_organisations": "organisation"}


NOTHING_ISSUED: Mapping[str, date] = {}
FIGURE_REPORTED = "figure.reported"


class CompileError(ValueError):
    """Why an objective cannot be counted."""


WRONG = (
    CompileError,
    FilterError,
    DefinitionError,
    AttributeError,
    LookupError,
    OverflowError,
    TypeError,
    ValueError,
    msgspec.ValidationError,
)
"""What `compile_objective` may raise."""


def compile_plan(
    document: Json, catalogue: Catalogue, issued: Mapping[str, date] = NOTHING_ISSUED
) -> list[Objective]:
    """Every objective of a plan, counted or with the reason why not."""
    found = []
    for raw in document.get("objectives", []):
        name = str(raw.get("id", "?")) if isinstance(raw, dict) else "?"
        try:
            found.append(compile_objective(document, raw, catalogue, issued))
        except WRONG as e:
            reason = f"missing {e}" if isinstance(e, KeyError) else str(e)
            found.append(not_counted(document, name, reason))
    return found


def not_counted(document: Json, name: str, reason: str) -> Objective:
    """An objective that stands in the plan and is not counted, with the reason."""
    return Objective(
        plan=str(document.get("id", "?")),
        version=int(document.get("version", 1)),
        id=name,
        reason=reason,
        target_unit="",
    )


def compile_objective(
    document: Json, raw: Json, catalogue: Catalogue, issued: Mapping[str, date] = NOTHING_ISSUED
) -> Objective:
    """One objective; raises CompileError, FilterError or KeyError saying what is wrong.

    `issued`: the days on which documents were issued that start a deadline.
    """
    if "measure" not in raw:
        return not_counted(document, raw["id"], raw.get("not_counted", "no measure"))
    check_shape(raw)
    measure, target = raw["measure"], raw["target"]
    period = raw.get("period") or document["period"]
    counts_from = raw["counts_from"]
    start = {
        "period": date.fromisoformat(period["start"]),
        "date": date.fromisoformat(raw["from_date"]) if "from_date" in raw else None,
    }.get(counts_from)
    over = measure.get("over", {})
    value = threshold(target["value"], target["comparator"])
    objective = Objective(
        plan=document["id"],
        version=int(document["version"]),
        id=raw["id"],
        measure=_measure(document, raw, measure, start, catalogue),
        figure=_figure(measure),
        basis=_basis(measure),
        target=value,
        target_unit=target["unit"],
        window_start=start,
        first_day=date.fromisoformat(period["start"]),
        last_day=last_day(raw, issued),
        final_day=date.fromisoformat(period["end"]) if "end" in period else None,
        latest_day=date.fromisoformat(raw["extension"]["last_day"]) if "extension" in raw else None,
        bucket=measure.get("bucket"),
        population=over.get("population"),
        over=_measure(
            document, raw, {"bucket": measure.get("bucket")} | over["measure"], start, catalogue
        )
        if "measure" in over
        else None,
        over_figure=_figure(over.get("measure", {})),
        target_of=over.get("target_of"),
        organisations=measure["count"] == "distinct_organisations" and "population" in over,
        beside=_beside(document, raw, start, catalogue),
        encouraged=bool(raw.get("encouraged")),
        risen_from=step_before(raw),
    )
    share = Threshold(int(target.get("units_required_percent", 100)))
    if "within_unit" in measure:
        within = measure["within_unit"]
        needed = Within(
            within["per"],
            _threshold(within, value),
            over.get("attribute"),
            bool(within.get("own")),
        )
        required = value if target["unit"] == "percent_of_units" else share
        objective = msgspec.structs.replace(
            objective, within=needed, target=required, target_unit="percent"
        )
    elif "per" in target:
        objective = msgspec.structs.replace(objective, target=share, target_unit="percent")
    return objective


def _figure(tally: Json) -> Literal["n", "total"]:
    return "total" if tally.get("count") in ("sum", "reported") else "n"


def last_day(raw: Json, issued: Mapping[str, date]) -> date | None:
    """The last day that is in time; for a deadline that a document starts, once it is issued."""
    if raw.get("last_day"):
        return date.fromisoformat(raw["last_day"])
    deadline = raw.get("deadline")
    relative = deadline.get("relative") if isinstance(deadline, dict) else None
    started = issued.get(relative["document"]) if relative else None
    return started + timedelta(days=int(relative["within_days"])) if relative and started else None


def _beside(
    document: Json, raw: Json, start: date | None, catalogue: Catalogue
) -> tuple[Beside, ...]:
    """What the plan wants shown beside, and what authorities report of it as a total."""
    found = []
    rhythm = {"bucket": raw["measure"].get("bucket")}
    for said in raw.get("beside", ()):
        tally = rhythm | said["measure"]
        measure = _measure(document, raw, tally, start, catalogue)
        found.append(Beside(said["id"], measure, _figure(tally), _basis(tally)))
    if raw["measure"]["count"] != "reported":
        reported = _measure(document, raw, {"count": "reported"} | rhythm, start, catalogue)
        found.append(Beside(FIGURE_REPORTED, reported, "total", "reported"))
    return tuple(found)


def _threshold(raw: Json, target: Threshold) -> Threshold:
    if raw["threshold"] == "target":
        return target
    return threshold(raw["threshold"], raw.get("comparator", ">="))


def threshold(value: int | float, comparator: str) -> Threshold:
    """A number with its sign; 80.0 is 80."""
    whole = int(value)
    return Threshold(whole if whole == value else value, comparator == ">", comparator == "<=")


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
        parts: tuple[Part, ...] = (Part((FIGURE_REPORTED,), wanted),)
        _filters(parts, catalogue)
        return Measure(kind="latest", parts=parts, keys=("report",), since=start, bucket=bucket)
    parts = tuple(
        Part(tuple(p["types"]), with_own_groups(p.get("filter") or {}, catalogue))
        for p in tally["of"]
    )
    of_age = None
    if count != "sum":
        parts, of_age = _grown(parts)
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
            of_age=of_age,
        )
    if count == "sum":
        figures = {kind.figures for kind in types}
        if len(figures) != 1 or figures == {"none"}:
            raise CompileError("sums figures that do not behave alike, or of types without any")
        if figures == {"add"}:
            return Measure(kind="add", parts=parts, keys=("event",), since=start, bucket=bucket)
        whose = {kind.figure_keys() for kind in types}
        if len(whose) != 1 or whose == {frozenset()}:
            raise CompileError("sums figures of reporters and of things, or nobody's")
        named = any(kind.partial for kind in types)
        mine = tuple(sorted(whose.pop()))
        return Measure(
            kind="latest", parts=parts, keys=mine, since=start, bucket=bucket, named=named
        )
    key = _KEY_OF_COUNT.get(count) or tally.get("key")
    if key is None:
        raise CompileError(f"unknown count {count!r}")
    for kind in types:
        if key not in kind.key_kinds():
            raise CompileError(f"{kind.type} has no {key} to count")
    inside, apart = tally.get("inside"), tally.get("within_unit", {}).get("per")
    if apart == "province":
        raise CompileError("of provinces events and sums are counted")
    if inside is not None:
        if tally.get("match") == "all":
            raise CompileError("`inside` and `match: all` cannot both be asked of a thing")
        target = raw["target"]
        needed = _threshold(inside, threshold(target["value"], target["comparator"]))
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
            of_age=of_age,
            placed=_placed(types, key, apart),
        )
    return Measure(
        kind="distinct",
        parts=parts,
        keys=(key,),
        whole=tally.get("match") == "all",
        since=start,
        bucket=bucket,
        apart=apart,
        placed_by_first=tally.get("match") == "all" and _is_part_of_its_whole(tally),
        of_age=of_age,
        placed=_placed(types, key, apart),
    )


def _placed(types: list[EventType], key: str, apart: str | None) -> bool:
    """Whether things are told apart by their unit: inside units, or since their key names one."""
    return apart is not None or any(
        field.name in ("$unit_id", "$commune_id")
        for kind in types
        for alternatives in kind.count_keys
        for alternative in alternatives
        if alternative.kind == key
        for field in alternative.fields
    )


def _grown(parts: tuple[Part, ...]) -> tuple[tuple[Part, ...], int | None]:
    """Where all conditions ask for the same least age, whoever is younger on the day of an event
    counts from that age on: the conditions without their age, and the age."""
    ages = {str(part.filter.get("min_age")) for part in parts}
    age = ages.pop()
    if ages or not age.isascii() or not age.isdigit():
        return parts, None
    grown = tuple(
        Part(
            part.types,
            {"of_age" if key == "min_age" else key: said for key, said in part.filter.items()},
        )
        for part in parts
    )
    return grown, int(age)


def _is_part_of_its_whole(tally: Json) -> bool:
    """Whether the denominator counts those who fulfil the first condition of the numerator."""
    whole = tally.get("over", {}).get("measure", {})
    same = all(whole.get(key) == tally.get(key) for key in ("count", "key"))
    return same and whole.get("of") == tally["of"][:1] and whole.get("match") != "all"


def _filters(parts: tuple[Part, ...], catalogue: Catalogue) -> None:
    for part in parts:
        compile_filter(part.filter, part.types, catalogue)
