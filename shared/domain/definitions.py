"""Units, plans and populations as the log defines them, as known up to some position.

A fold of the rows of the definition lane; feed only the rows recorded until a day to know what was
known then. Per (origin, key) the newest revision counts; a void one is as if never posted.
"""

from bisect import bisect_right
from datetime import date
from typing import Any

from shared.contracts.definitions import Catalogue
from shared.contracts.record import Content, LogRecord
from shared.domain.amendments import Amendment, amended_plan
from shared.domain.compile import compile_plan
from shared.domain.measures import Measure
from shared.domain.objectives import Objective
from shared.domain.plan_document import why_refused
from shared.domain.tree import UnitTree
from shared.domain.units import UNIT_TYPES

Json = dict[str, Any]

PUBLISHED = "plan.published"
PLAN_TYPES = frozenset({PUBLISHED, "plan.amended"})
ISSUED = "central_document.issued"
KEPT_TYPES = UNIT_TYPES | PLAN_TYPES | {"population.declared", ISSUED}


class Definitions:
    """What the definition lane says. `position`: the last row taken."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self.tree = UnitTree()
        self._tree_shared = False
        self.position = 0
        self._contents: dict[tuple[int, bytes], Content | None] = {}
        self._by_kind: dict[str, list[tuple[int, Content]]] = {}
        self._populations: dict[tuple[str, str], list[tuple[date, int, int]]] | None = None
        self._compiled: dict[tuple[int, ...], tuple[Json, list[Objective]]] = {}

    def copy(self) -> "Definitions":
        """The same definitions, which later rows of these ones do not change; and vice versa."""
        found = Definitions(self._catalogue)
        found.tree, found.position = self.tree, self.position
        found._contents = dict(self._contents)
        found._by_kind, found._populations = self._by_kind, self._populations
        found._compiled = self._compiled
        self._tree_shared = found._tree_shared = True
        return found

    def apply(self, record: LogRecord) -> None:
        """Take the next row."""
        self.position = max(self.position, record.position)
        kind = record.effective.type if record.effective is not None else record.short_type
        if kind in UNIT_TYPES or record.void:
            if self._tree_shared:
                self.tree, self._tree_shared = self.tree.copy(), False
            self.tree.apply(record)
            self._compiled = {}
        if kind in KEPT_TYPES - UNIT_TYPES or record.void:
            self._contents[record.origin, record.key] = record.effective_content()
            # New ones: copies, and questions under way, go on with those they have.
            self._compiled, self._by_kind, self._populations = {}, {}, None

    # -- plans -------------------------------------------------------------------------------

    def plan_ids(self) -> list[str]:
        """Every plan ever published that can be one."""
        return sorted({content.data["plan"] for _, content in self._of(PUBLISHED)})

    def plan(self, plan: str, on: date) -> tuple[Json, list[Objective]] | None:
        """The newest version of a plan with the amendments valid on a day, compiled; documents
        that cannot be a plan are as if never published. Newest: by number, then by position."""
        versions = [item for item in self._of(PUBLISHED) if item[1].data["plan"] == plan]
        if not versions:
            return None
        origin, version = max(versions, key=lambda v: (v[1].data["document"]["version"], v[0]))
        changes = [
            (at, Amendment.read(content.data))
            for at, content in self._of("plan.amended")
            if content.data["plan"] == plan and date.fromisoformat(content.data["valid_from"]) <= on
        ]
        key = (origin, *[at for at, _ in changes])
        compiled = self._compiled
        known = compiled.get(key)
        if known is None:
            known = compiled[key] = amended_plan(
                version.data["document"],
                [change for _, change in changes],
                self._catalogue,
                self._issued(),
                self._is_organisation,
            )
        return known

    def measures(self) -> dict[str, Measure]:
        """What all versions of all plans, with any amendments, need counted, by fingerprint."""
        days = {date.min, date.max}
        days |= {date.fromisoformat(c.data["valid_from"]) for _, c in self._of("plan.amended")}
        objectives: list[Objective] = []
        for _, content in self._of(PUBLISHED):
            objectives += compile_plan(content.data["document"], self._catalogue)
        for plan in self.plan_ids():
            for day in days:
                found = self.plan(plan, day)
                objectives += found[1] if found else []
        return {m.fingerprint(): m for o in objectives for m in o.all_measures()}

    def _issued(self) -> dict[str, date]:
        """When documents were issued that start deadlines, by the name that plans give them."""
        return {
            content.data["document"]: date.fromisoformat(content.data["issued_on"])
            for _, content in self._of(ISSUED)
        }

    def _is_organisation(self, unit_id: str) -> bool:
        unit = self.tree.unit(unit_id)
        return unit is not None and unit.level == "organisation"

    # -- populations -------------------------------------------------------------------------

    def population(self, unit_id: str, code: str, on: date) -> int | None:
        """The number last declared for a unit on or before a day (later as_of, then position)."""
        known = self._populations
        if known is None:
            known = {}
            for origin, content in self._of("population.declared"):
                data = content.data
                entry = (date.fromisoformat(data["as_of"]), origin, int(data["number"]))
                known.setdefault((content.unitid, data["population"]), []).append(entry)
            for declared in known.values():
                declared.sort()
            self._populations = known
        entries = known.get((unit_id, code), [])
        at = bisect_right(entries, on, key=lambda entry: entry[0])
        return entries[at - 1][2] if at else None

    def _of(self, kind: str) -> list[tuple[int, Content]]:
        """Those of a type that hold, in the order of the log."""
        by_kind = self._by_kind
        known = by_kind.get(kind)
        if known is None:
            known = by_kind[kind] = sorted(
                (
                    (origin, content)
                    for (origin, _), content in self._contents.items()
                    if content is not None and content.type == kind and _usable(content)
                ),
                key=lambda item: item[0],
            )
        return known


def _usable(content: Content) -> bool:
    data = content.data
    return content.type != PUBLISHED or why_refused(data["plan"], data["document"]) is None
