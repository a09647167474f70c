"""Whether each objective's reading fits its target, its deadline and the catalogue.

The rules are those of docs/indicators.md; one compiler reads every objective by them, so what
passes here can be counted without code of its own.
"""

from datetime import date, timedelta
from typing import Any

from shared.contracts.definitions import Catalogue
from shared.domain.plan_files.positions import Path
from shared.domain.plan_files.problems import Report
from shared.domain.plan_files.references import check_span
from shared.domain.plan_files.tallies import check_tally

Json = dict[str, Any]

_BUCKETS = {"weekly": "week", "monthly": "month"}


def check_objectives(plan: Json, catalogue: Catalogue, report: Report) -> None:
    """Every objective, and everything shown beside it."""
    check_span(plan["period"], ("period",), report)
    for index, objective in enumerate(plan["objectives"]):
        path: Path = ("objectives", index)
        _days(objective, path, report)
        if "measure" not in objective:
            continue
        measure = objective["measure"]
        _steps(objective, (*path, "target"), report)
        check_tally(measure, objective["counts_from"], (*path, "measure"), catalogue, report)
        _shape(objective, measure, (*path, "measure"), catalogue, report)
        counted = measure.get("over", {}).get("measure")
        if counted is not None:
            place = (*path, "measure", "over", "measure")
            check_tally(counted, objective["counts_from"], place, catalogue, report)
        for at, beside in enumerate(objective.get("beside", [])):
            place = (*path, "beside", at, "measure")
            check_tally(beside["measure"], "ever", place, catalogue, report)


def expected_last_day(objective: Json) -> str | None:
    """The last day that is in time: a deadline "before" a day excludes it (Đắk Lắk: "Trước
    ngày 30/11/2026"); a rhythm has none."""
    deadline = objective["deadline"]
    if not isinstance(deadline, str):
        return None
    day = date.fromisoformat(deadline)
    if objective.get("deadline_exclusive"):
        day -= timedelta(days=1)
    return day.isoformat()


def _days(objective: Json, path: Path, report: Report) -> None:
    check_span(objective["period"], (*path, "period"), report)
    last, expected = objective["last_day"], expected_last_day(objective)
    if last != expected:
        report.add(
            (*path, "last_day"), "last_day", f"the deadline says {expected}, this says {last}"
        )
    if last is not None and last < objective["period"]["start"]:
        report.add((*path, "last_day"), "last_day", "lies before the period")
    if objective.get("from_date") != objective.get("cumulative_from"):
        report.add(
            (*path, "counts_from"), "counts_from", "cumulative_from and from_date are one day"
        )
    extension = objective.get("extension")
    if extension is not None and (last is None or extension["last_day"] < last):
        report.add((*path, "extension"), "last_day", "an extension ends no earlier than last_day")


def _steps(objective: Json, path: Path, report: Report) -> None:
    """Steps rise in order and end in the target; shares add up to it."""
    target = objective["target"]
    course, shares = target.get("course", ()), target.get("shares")
    inside = objective["measure"].get("inside", {}).get("threshold") == "target"
    days = [step["by"] for step in course]
    if course and days != sorted(set(days)):
        report.add((*path, "course"), "course", "its days do not rise from step to step")
    if course and (days[-1], course[-1]["value"]) != (objective["last_day"], target["value"]):
        message = f"its last step is {course[-1]['value']} by {days[-1]}, the target is"
        message += f" {target['value']} by {objective['last_day']}"
        report.add((*path, "course"), "course", message, "let both say the same")
    if course and days[0] < objective["period"]["start"]:
        report.add((*path, "course", 0, "by"), "course", "the first step ends before the period")
    if course and (objective.get("recurrence") or inside or shares):
        message = "a target with a rhythm, of things inside a unit or with shares has no steps"
        report.add((*path, "course"), "course", message)
    if inside and target["comparator"] == "<=":
        report.add((*path, "comparator"), "measure", "what is counted inside a unit is no limit")
    if shares is None:
        return
    if target["unit"] != "count" or "per" in target or target["comparator"] == "<=":
        message = "only a plain number that is to be reached is handed down"
        report.add((*path, "shares"), "shares", message)
    elif sum(shares.values()) != target["value"]:
        message = f"the shares add up to {sum(shares.values())}, the target is {target['value']}"
        report.add((*path, "shares"), "shares_sum", message, "change the target or the shares")


def _shape(
    objective: Json, measure: Json, path: Path, catalogue: Catalogue, report: Report
) -> None:
    """The measure gives what the target's unit asks for."""
    target = objective["target"]
    unit, per = target["unit"], target.get("per")
    over = measure.get("over", {})
    within = measure.get("within_unit")
    inside = measure.get("inside")

    def wrong(where: tuple[str, ...], message: str, hint: str = "") -> None:
        report.add((*path, *where), "measure", message, hint)

    if measure.get("bucket") != _BUCKETS.get(objective.get("recurrence", "")):
        wrong(("bucket",), "bucket and recurrence go together (week, month)")
    for name, part in (("within_unit", within), ("inside", inside)):
        if part is not None and part["threshold"] == "target":
            if per is None:
                wrong((name, "threshold"), "the target has no `per` to take the threshold from")
            if "comparator" in part:
                wrong((name, "comparator"), "the comparator is the target's already")
    if within is not None and within["per"] == "province":
        plain = measure["count"] in ("events", "sum") and "attribute" not in over
        if not plain:
            wrong(("count",), "of provinces events and sums are counted, and all provinces")
    if within is not None and over.get("units") != within["per"]:
        wrong(("over",), f"is a share of {within['per']}s, as within_unit says")
    if per in ("commune", "hamlet"):
        thresholds = [part["threshold"] for part in (within, inside) if part is not None]
        if within is None or within["per"] != per or "target" not in thresholds:
            wrong(("within_unit",), f"the target is per {per}: a threshold must be `target`")
    elif per is not None:
        if within is not None or "population" not in over:
            wrong(("over",), f"a target per {per} is over the declared population")
        if target["value"] > 1 and (inside is None or inside["threshold"] != "target"):
            wrong(("inside",), f"the target per {per} is more than one")
    elif unit == "count" and over:
        wrong(("over",), "a target that is a plain number has no denominator")
    elif unit == "percent" and not over.keys() & {"population", "measure"}:
        wrong(("over",), "a percentage needs a population or a counted denominator")
    elif unit == "percent_of_target" and over.get("target_of") != target.get("of_objective"):
        wrong(("over",), "must be the target of the objective that `target` names")
    elif unit == "percent_of_units" and within is None:
        counts = measure["count"] == "distinct_organisations" and "population" in over
        if not counts:
            wrong(("within_unit",), "a share of units needs within_unit, or organisations")
    _population(objective, over, path, catalogue, report)


def _population(
    objective: Json, over: Json, path: Path, catalogue: Catalogue, report: Report
) -> None:
    name = over.get("population")
    if name is None:
        return
    if name not in catalogue.words.enums["population"]:
        report.add((*path, "over", "population"), "unknown_population", f"unknown: {name!r}")
    denominator = objective.get("denominator")
    if denominator is not None and denominator != name:
        message = f"the denominator of the objective is {denominator!r}"
        report.add((*path, "over", "population"), "measure", message)
