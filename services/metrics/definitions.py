"""Units, plans and populations as the log defines them, as known up to some position.

A fold of the rows of the definition lane; feed only the rows recorded until a day to know what was
known then. Per (origin, key) the newest revision counts; a void one is as if never posted.
"""

from bisect import bisect_right
from datetime import date
from typing import Any

from services.metrics.compile import Objective, compile_plan
from services.metrics.measures import Measure
from shared.contracts.definitions import Catalogue
from shared.contracts.record import Content, LogRecord
from shared.contracts.tree import UNIT_TYPES, UnitTree

Json = dict[str, Any]

PLAN_TYPES = frozenset({"plan.published", "plan.amended"})
KEPT_TYPES = UNIT_TYPES | PLAN_TYPES | {"population.declared"}


class Definitions:
    """What the definition lane says. `position`: the last row taken."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self.tree = UnitTree()
        self.position = 0
        self._contents: dict[tuple[int, bytes], Content | None] = {}
        self._populations: dict[tuple[str, str], list[tuple[date, int, int]]] | None = None
        self._compiled: dict[tuple[str, date], tuple[Json, list[Objective]]] = {}

    def copy(self) -> "Definitions":
        """The same definitions, which later rows of these ones do not change."""
        found = Definitions(self._catalogue)
        found.tree, found.position = self.tree.copy(), self.position
        found._contents = dict(self._contents)
        return found

    def apply(self, record: LogRecord) -> None:
        """Take the next row."""
        self.position = max(self.position, record.position)
        kind = record.effective.type if record.effective is not None else record.short_type
        if kind in UNIT_TYPES or record.void:
            self.tree.apply(record)
        if kind in PLAN_TYPES or record.void:
            self._compiled.clear()
        if kind in KEPT_TYPES - UNIT_TYPES or record.void:
            self._contents[record.origin, record.key] = record.effective_content()
            self._populations = None

    # -- plans -------------------------------------------------------------------------------

    def plan_ids(self) -> list[str]:
        """Every plan ever published."""
        return sorted({c.data["plan"] for _, c in self._of("plan.published")})

    def plan(self, plan: str, on: date) -> tuple[Json, list[Objective]] | None:
        """The newest version of a plan with the amendments valid on a day, compiled."""
        known = self._compiled.get((plan, on))
        if known is not None:
            return known
        versions = [c for _, c in self._of("plan.published") if c.data["plan"] == plan]
        if not versions:
            return None
        document = versions[-1].data["document"]
        for _, change in self._of("plan.amended"):
            data = change.data
            if data["plan"] == plan and date.fromisoformat(data["valid_from"]) <= on:
                document = _amended(document, data)
        if len(self._compiled) > 200:
            self._compiled.clear()
        compiled = self._compiled[plan, on] = (document, compile_plan(document, self._catalogue))
        return compiled

    def measures(self) -> dict[str, Measure]:
        """What all versions of all plans, with any amendments, need counted, by fingerprint."""
        found: dict[str, Measure] = {}
        days = {date.min, date.max}
        days |= {date.fromisoformat(c.data["valid_from"]) for _, c in self._of("plan.amended")}
        documents = [c.data["document"] for _, c in self._of("plan.published")]
        for plan in self.plan_ids():
            documents += [found_plan[0] for day in days if (found_plan := self.plan(plan, day))]
        for document in documents:
            for objective in compile_plan(document, self._catalogue):
                for measure in objective.all_measures():
                    found[measure.fingerprint()] = measure
        return found

    # -- populations -------------------------------------------------------------------------

    def population(self, unit_id: str, code: str, on: date) -> int | None:
        """The number last declared for a unit on or before a day (later as_of, then position)."""
        if self._populations is None:
            self._populations = {}
            for origin, content in self._of("population.declared"):
                data = content.data
                entry = (date.fromisoformat(data["as_of"]), origin, int(data["number"]))
                place = (content.unitid, data["population"])
                self._populations.setdefault(place, []).append(entry)
            for declared in self._populations.values():
                declared.sort()
        entries = self._populations.get((unit_id, code), [])
        at = bisect_right(entries, on, key=lambda entry: entry[0])
        return entries[at - 1][2] if at else None

    def _of(self, kind: str) -> list[tuple[int, Content]]:
        return sorted(
            (
                (origin, content)
                for (origin, _), content in self._contents.items()
                if content is not None and content.type == kind
            ),
            key=lambda item: item[0],
        )


def _amended(document: Json, amendment: Json) -> Json:
    """The document with one merge patch (RFC 7396) over one objective; tasks do not matter here."""
    name = amendment.get("objective")
    if name is None or amendment.get("for_unit") is not None:
        return document
    objectives = [
        merge(o, amendment["changes"]) if o.get("id") == name else o
        for o in document.get("objectives", [])
    ]
    return {**document, "objectives": objectives}


def merge(target: Any, patch: Any) -> Any:
    """JSON merge patch (RFC 7396)."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result
