"""Plan files: read, checked against the published schema, every filter compiled. Pure.

A plan whose filter names an unknown field, or whose measure cannot count what its target asks for,
is refused with the line: as first extracted, 16 of the 83 objectives would have counted nothing.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import yaml

from shared.contracts.definitions import Catalogue
from shared.domain.checking import check
from shared.domain.plan_document import why_refused
from shared.domain.plan_files.objectives import check_objectives
from shared.domain.plan_files.positions import Parsed, line_of, parse, pointer
from shared.domain.plan_files.positions import Path as DataPath
from shared.domain.plan_files.problems import PlanProblem, Report
from shared.domain.plan_files.references import check_references, near
from shared.domain.plan_files.short import NAMED, written_out

Json = dict[str, Any]

SEE = "see plans/plan.schema.json"
MOST_ERRORS = 200
"""More are not told of at once."""

SCHEMA_FILE = Path(__file__).parents[3] / "plans" / "plan.schema.json"


class PlanDocument(msgspec.Struct, frozen=True):
    """A plan as data. Use it only if `problems` is empty."""

    data: dict[str, Any]
    lines: Mapping[DataPath, int]
    problems: tuple[PlanProblem, ...]


def load_plan(file: Path, catalogue: Catalogue) -> PlanDocument:
    """Read and check one plan file."""
    return read_plan(file.read_text(encoding="utf-8"), catalogue)


def read_plan(text: str, catalogue: Catalogue) -> PlanDocument:
    """Parse and check the text of a plan (YAML, of which JSON is a part)."""
    try:
        parsed = parse(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problem = PlanProblem(line, "", "yaml", str(getattr(error, "problem", error)), "")
        return PlanDocument({}, {}, (problem,))
    return _checked(msgspec.structs.replace(parsed, data=written_out(parsed.data)), catalogue)


def check_plan(data: Any, catalogue: Catalogue) -> tuple[PlanProblem, ...]:
    """Check a plan that came as data (an event); its problems have paths but no lines."""
    return _checked(Parsed(data, {}), catalogue).problems


def _checked(parsed: Parsed, catalogue: Catalogue) -> PlanDocument:
    report = Report(parsed.lines)
    for twice in parsed.duplicates:
        report.add(twice.path, "duplicate_key", "this key stands twice", line=twice.line)
    _check_schema(parsed, report)
    if not report.problems:
        check_references(parsed.data, catalogue, report)
        check_objectives(parsed.data, catalogue, report)
    data = parsed.data if isinstance(parsed.data, dict) else {}
    found = sorted(report.problems, key=lambda problem: (problem.line or 0, problem.path))
    return PlanDocument(data, parsed.lines, tuple(found))


def why_plan_refused(plan: Any, data: Any, catalogue: Catalogue) -> PlanProblem | None:
    """The first thing for which a document cannot be a version of `plan`; None: it can be counted.

    Everything that is accepted passes here, and so does everything that is read.
    """
    refused = why_refused(plan, data)
    if refused is not None:
        return PlanProblem(None, refused.pointer, "plan", refused.detail, refused.hint)
    problems = check_plan(data, catalogue)
    if problems:
        return problems[0]
    wrong = next(iter(check(data, catalogue)), None)
    if wrong is None:
        return None
    return PlanProblem(None, wrong["pointer"], "measure", wrong["detail"])


def why_item_refused(
    plan: Json, section: str, index: int, catalogue: Catalogue
) -> PlanProblem | None:
    """What is wrong with one item of a plan whose others are right; None: nothing."""
    item = plan[section][index]
    report = Report({})
    place: DataPath = (section, index)
    for error in _item_validator(section).iter_errors(item):
        _add_schema_error(error, place, report)
    if not report.problems:
        check_references(plan, catalogue, report)
        if section == "objectives":
            alone = Report({})
            check_objectives({**plan, "objectives": [item]}, catalogue, alone)
            for found in check({**plan, "objectives": [item]}, catalogue):
                alone.add((), "measure", found["detail"])
                alone.problems[-1] = msgspec.structs.replace(
                    alone.problems[-1], path=found["pointer"]
                )
            here = f"/objectives/{index}"
            report.problems += [
                msgspec.structs.replace(p, path=p.path.replace("/objectives/0", here, 1))
                for p in alone.problems
            ]
    return next((problem for problem in report.problems if not is_limit(problem)), None)


def is_limit(problem: PlanProblem) -> bool:
    """Whether it says only that a last day is later than its extension, or that shares do not add
    up. An amendment may do so for one unit: an organisation is held to the extension where its day
    is read, and who is given another number leaves those of the others as they are."""
    return problem.code == "shares_sum" or (
        problem.code == "last_day" and problem.path.endswith("/extension")
    )


@lru_cache(maxsize=1)
def _schema() -> Json:
    schema: Json = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return schema


@lru_cache(maxsize=1)
def _validator() -> Any:
    return jsonschema_rs.Draft202012Validator(_schema(), validate_formats=True)


@lru_cache(maxsize=4)
def _item_validator(section: str) -> Any:
    name = _schema()["properties"][section]["items"]["$ref"]
    about = {"$schema": _schema()["$schema"], "$ref": name, "$defs": _schema()["$defs"]}
    return jsonschema_rs.Draft202012Validator(about, validate_formats=True)


def _check_schema(parsed: Parsed, report: Report) -> None:
    for error in islice(_validator().iter_errors(parsed.data), MOST_ERRORS):
        _add_schema_error(error, (), report)


def _add_schema_error(error: Any, place: DataPath, report: Report) -> None:
    path = (*place, *error.instance_path)
    unexpected = list(getattr(error.kind, "unexpected", ()))
    for name in unexpected:
        message = f"unknown key {name!r}"
        report.add((*path, name), "schema", message, SEE)
    if path[-1:] == ("measure",) and isinstance(error.instance, str):
        names = ", ".join(f'"{name}"' for name in NAMED)
        hint = near(error.instance, NAMED) or f"named are: {names}"
        report.add(path, "unknown_measure", f"no measure is called {error.instance!r}", hint)
        return
    if not unexpected:
        report.add(path, "schema", _message(error.kind) or error.message[:300], SEE)


def _message(kind: Any) -> str | None:
    """Of what is too long: the limit, not the whole of it."""
    what = {"maxItems": "items", "maxLength": "characters"}.get(str(getattr(kind, "name", "")))
    return None if what is None else f"it has more than {kind.limit} {what}"


__all__ = [
    "PlanDocument",
    "PlanProblem",
    "check_plan",
    "line_of",
    "load_plan",
    "pointer",
    "read_plan",
]
