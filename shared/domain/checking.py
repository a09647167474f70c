"""What is wrong with a plan before it is posted: every objective that could not be counted. Pure.

Each error has the objective, what is wrong, and where: an RFC 6901 pointer into the document.
"""

import re
from collections.abc import Iterator
from typing import Any

from shared.contracts.definitions import Catalogue
from shared.contracts.filters import FilterError, compile_filter
from shared.domain.compile import WRONG, Objective, compile_objective

Json = dict[str, Any]

_PLACE = re.compile(r" - at `\$(?P<path>[^`]*)`$")
"""Where msgspec says that a value has a wrong type: "... - at `$.measure.of[0].types`"."""


def check(document: Json, catalogue: Catalogue) -> list[Json]:
    """The objectives that cannot be counted although they say how: id, detail and pointer."""
    errors = []
    counted: dict[str, tuple[int, Objective]] = {}
    for index, raw in enumerate(document.get("objectives", [])):
        try:
            objective = compile_objective(document, raw, catalogue)
        except WRONG as error:
            said = isinstance(raw, dict) and "not_counted" in raw
            if not said:
                name = str(raw.get("id", "?")) if isinstance(raw, dict) else "?"
                detail = f"missing {error}" if isinstance(error, KeyError) else str(error)
                pointer = f"/objectives/{index}{_place(raw, error, catalogue)}"
                errors.append({"objective": name, "detail": detail, "pointer": pointer})
            continue
        if objective.reason is None:
            counted[objective.id] = (index, objective)
        elif "not_counted" not in raw:
            errors.append(
                {
                    "objective": objective.id,
                    "detail": objective.reason,
                    "pointer": f"/objectives/{index}",
                }
            )
    for name, (index, _) in counted.items():
        wrong = _wrong_target(name, counted)
        if wrong is not None:
            pointer = f"/objectives/{index}/measure/over/target_of"
            errors.append({"objective": name, "detail": wrong, "pointer": pointer})
    return sorted(errors, key=lambda one: int(one["pointer"].split("/")[2]))


def _wrong_target(name: str, counted: dict[str, tuple[int, Objective]]) -> str | None:
    """Why an objective can be no share of the target of the one it names."""
    first = counted[name][1].target_of
    if first is None:
        return None
    passed: list[str] = []
    at: str | None = first
    while at is not None and at in counted and at not in passed:
        passed.append(at)
        at = counted[at][1].target_of
    if name in passed:
        return f"{name!r} is a share of its own target ({' -> '.join([name, *passed])})"
    if first not in counted:
        return f"there is no counted objective {first!r}, of whose target this one is a share"
    if counted[first][1].population is None:
        return f"the target of {first!r} is no share of a population, so it is no number"
    return None


def _place(raw: Any, error: Exception, catalogue: Catalogue) -> str:
    if isinstance(error, FilterError):
        return _place_of_filter(raw, catalogue)
    found = _PLACE.search(str(error))
    if found is None:
        return "/measure" if isinstance(raw, dict) and "measure" in raw else ""
    return found["path"].replace("[", ".").replace("]", "").replace(".", "/")


def _place_of_filter(raw: Json, catalogue: Catalogue) -> str:
    """The first filter that cannot be compiled; the same order in which they are compiled."""
    for path, part in _parts(raw):
        try:
            compile_filter(part.get("filter") or {}, tuple(part["types"]), catalogue)
        except FilterError as error:
            unknown = any(name not in catalogue for name in part["types"])
            return f"{path}/types" if unknown else f"{path}/filter{error.path}"
    return "/measure"


def _parts(raw: Json) -> Iterator[tuple[str, Json]]:
    tallies = {"/measure": raw["measure"]}
    over = raw["measure"].get("over", {})
    if "measure" in over:
        tallies["/measure/over/measure"] = over["measure"]
    for index, beside in enumerate(raw.get("beside", ())):
        tallies[f"/beside/{index}/measure"] = beside["measure"]
    for path, tally in tallies.items():
        for index, part in enumerate(tally.get("of", ())):
            yield f"{path}/of/{index}", part
