"""Units, plans, populations and other definitions, as known up to a position of the log.

The one fold of the rows of the definition lane, for every service; feed only the rows recorded until
a day to know what was known then. Per origin what its newest revision says holds; a void one is as
if never posted.
"""

from bisect import bisect_right, insort
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from shared.contracts.definitions import Catalogue
from shared.contracts.record import Content, LogRecord
from shared.domain.amending import Amendment, Made, read_amendments
from shared.domain.compile import compile_plan
from shared.domain.growing import EXTENDED, GROWING_TYPES, grown
from shared.domain.measures import Measure
from shared.domain.plan_files.document import why_plan_refused
from shared.domain.plan_history import AmendedPlan, PlanHistory, PlanVersion
from shared.domain.tree import UnitTree
from shared.domain.units import UNIT_TYPES

Json = dict[str, Any]

PUBLISHED = "plan.published"
AMENDED = "plan.amended"
DECLARED = "population.declared"
PLAN_TYPES = frozenset({PUBLISHED, AMENDED})
ISSUED = "central_document.issued"
KEPT_TYPES = UNIT_TYPES | PLAN_TYPES | GROWING_TYPES | {DECLARED, ISSUED}
"""What numbers depend on."""

CHECKED_KEPT = 1_000


@dataclass(frozen=True)
class Statement:
    """What a definition says since `position`; `recorded`: when it said something first."""

    type: str
    unit_id: str
    data: Json
    origin: int
    position: int
    recorded: date
    revision: int


@dataclass(frozen=True)
class Population:
    """One declared denominator, with who says so."""

    unit_id: str
    population: str
    number: int
    as_of: date
    authority: str
    source_ref: str | None
    origin: int
    position: int
    recorded: date
    imported: bool = False
    """It comes with the units that ship, from files about mergers: nobody has declared it."""


SHIPPED = "https://hocvuso.example/registry"
"""CloudEvents source of the definitions that ship with this repository."""


class _Shared:
    """What copies share: it depends on nothing but what single rows say."""

    def __init__(self) -> None:
        self.checked: dict[int, bool] = {}
        self.made: dict[int, Made] = {}
        self.histories: dict[tuple[Any, ...], PlanHistory] = {}


class Definitions:
    """What the definition lane says. `position`: the last row taken."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._shipped = catalogue.shipped
        self._catalogue: Catalogue | None = self._shipped
        self.tree = UnitTree()
        self._tree_shared = False
        self.position = 0
        self._said: dict[str, dict[int, Statement]] = {}
        self._type_of: dict[int, str] = {}
        self._declared: dict[str, tuple[Population, ...]] = {}
        self._numbers: dict[tuple[str, str], tuple[tuple[date, int, Population], ...]] = {}
        self._measures: dict[str, Measure] | None = None
        self._rows: dict[str, int] = {}
        self._shared = _Shared()

    def copy(self) -> "Definitions":
        """The same definitions, which later rows of these ones do not change; and vice versa."""
        found = Definitions(self._shipped)
        found._catalogue = self._catalogue
        found.tree, found.position = self.tree, self.position
        found._said = {kind: dict(said) for kind, said in self._said.items()}
        found._type_of = dict(self._type_of)
        found._declared, found._numbers = dict(self._declared), dict(self._numbers)
        found._measures, found._shared = self._measures, self._shared
        found._rows = dict(self._rows)
        self._tree_shared = found._tree_shared = True
        return found

    @property
    def catalogue(self) -> Catalogue:
        """What ships with what the instance has added up to here."""
        if self._catalogue is None:
            said = [s.data for s in self.statements(EXTENDED)]
            self._catalogue = grown(self._shipped, said)
        return self._catalogue

    def apply(self, record: LogRecord) -> None:
        """Take the next row, in position order."""
        self.position = max(self.position, record.position)
        content = record.effective_content()
        kind = record.short_type if content is None else content.type
        if kind in UNIT_TYPES or content is None:
            if self._tree_shared:
                self.tree, self._tree_shared = self.tree.copy(), False
            self.tree.apply(record)
        if content is None:
            self._void(record)
        elif kind not in UNIT_TYPES:
            self._say(record, content)

    def _say(self, record: LogRecord, content: Content) -> None:
        before = self._statement(record.origin)
        self._forget(before)
        said = Statement(
            content.type,
            content.unitid,
            content.data,
            record.origin,
            record.position,
            record.recorded if before is None else before.recorded,
            record.revision,
        )
        self._count(said)
        self._type_of[record.origin] = content.type
        self._said.setdefault(content.type, {})[record.origin] = said
        if content.type in PLAN_TYPES:
            self._measures = None
        if content.type == DECLARED:
            self._declare(said, record)
        if content.type in GROWING_TYPES:
            self._grow()

    def _void(self, record: LogRecord) -> None:
        before = self._statement(record.origin)
        # A correction that moves an event to another key voids the old key after saying the new one.
        if before is not None and before.revision < record.revision:
            self._count(before)
            self._forget(before)

    def _count(self, said: Statement) -> None:
        """One more row about a plan, or about documents that start the terms of any plan."""
        if said.type in PLAN_TYPES or said.type == ISSUED:
            of = said.data["plan"] if said.type in PLAN_TYPES else ISSUED
            self._rows[of] = self._rows.get(of, 0) + 1

    def _grow(self) -> None:
        """The catalogue is another one from here on: what was made with the one before is, too."""
        self._catalogue = self._measures = None
        self._shared = _Shared()
        self._rows[ISSUED] = self._rows.get(ISSUED, 0) + 1

    def _statement(self, origin: int) -> Statement | None:
        kind = self._type_of.get(origin)
        return None if kind is None else self._said[kind].get(origin)

    def _forget(self, said: Statement | None) -> None:
        if said is None:
            return
        del self._said[said.type][said.origin]
        if said.type in PLAN_TYPES:
            self._measures = None
        if said.type in GROWING_TYPES:
            self._grow()
        if said.type == DECLARED:
            unit, key = said.unit_id, (said.unit_id, said.data["population"])
            self._declared[unit] = tuple(
                one for one in self._declared[unit] if one.origin != said.origin
            )
            self._numbers[key] = tuple(n for n in self._numbers[key] if n[1] != said.origin)

    def _declare(self, said: Statement, record: LogRecord) -> None:
        data = said.data
        one = Population(
            said.unit_id,
            data["population"],
            int(data["number"]),
            date.fromisoformat(data["as_of"]),
            data["authority"],
            data.get("source_ref"),
            said.origin,
            said.position,
            record.recorded,
            record.source == SHIPPED
            and record.id == f"population-{said.unit_id}-{data['population']}-{data['as_of']}",
        )
        self._declared[one.unit_id] = (*self._declared.get(one.unit_id, ()), one)
        numbers = list(self._numbers.get((one.unit_id, one.population), ()))
        insort(numbers, (one.as_of, one.origin, one), key=lambda entry: entry[:2])
        self._numbers[one.unit_id, one.population] = tuple(numbers)

    # -- plans -------------------------------------------------------------------------------

    def plan_ids(self) -> list[str]:
        """Every plan ever published that can be one, in the order of their names."""
        return sorted({version.plan for version in self._versions()})

    def newest_versions(self) -> list[PlanVersion]:
        """The newest version of every plan as published, in the order of their names."""
        return [self.versions(plan)[-1] for plan in self.plan_ids()]

    def versions(self, plan: str) -> list[PlanVersion]:
        """Every version of a plan as published, oldest first."""
        found = [version for version in self._versions() if version.plan == plan]
        return sorted(found, key=lambda version: (version.version, version.origin))

    def amendments(self, plan: str) -> list[Statement]:
        """Everything said to change a plan, in the order of the log."""
        return [said for said in self.statements(AMENDED) if said.data["plan"] == plan]

    def plan(self, plan: str, on: date) -> AmendedPlan | None:
        """The newest version of a plan with the amendments valid on a day, compiled. Newest: by
        number, then by position; documents that cannot be a plan are as if never published."""
        history = self.history(plan)
        return None if history is None else history.on(on)

    def revisions(self, plan: str, on: date) -> int:
        """A number that grows whenever what a plan says may have become another: by a version, an
        amendment, its correction or revocation, and on the day from which an amendment is valid."""
        valid = sum(date.fromisoformat(s.data["valid_from"]) <= on for s in self.amendments(plan))
        rows = self._rows.get(plan, 1) - 1 + self._rows.get(ISSUED, 0)
        # Two for each row: one that takes a valid amendment back makes it greater all the same.
        return 2 * rows + valid

    def history(self, plan: str) -> PlanHistory | None:
        """A plan through time; None if it was never published."""
        versions = self.versions(plan)
        if not versions:
            return None
        amendments = [
            change
            for said in self.amendments(plan)
            for change in read_amendments(said.origin, said.position, said.data, said.recorded)
        ]
        issued = self._issued()
        organisations = frozenset(
            unit for a in amendments if (unit := a.unit_id) and self._is_organisation(unit)
        )
        key = _key(versions, amendments, issued, organisations)
        histories = self._shared.histories
        found = histories.get(key)
        if found is None:
            if len(histories) >= CHECKED_KEPT:
                histories.clear()
            found = histories[key] = PlanHistory(
                versions,
                amendments,
                self.catalogue,
                issued,
                organisations.__contains__,
                self._shared.made,
            )
        return found

    def measures(self) -> dict[str, Measure]:
        """What all versions of all plans, with any amendments, need counted, by fingerprint."""
        if self._measures is None:
            days = {date.min, date.max}
            days |= {date.fromisoformat(s.data["valid_from"]) for s in self.statements(AMENDED)}
            objectives = [
                objective
                for version in self._versions()
                for objective in compile_plan(version.document, self.catalogue)
            ]
            for plan in self.plan_ids():
                for day in days:
                    found = self.plan(plan, day)
                    objectives += found.objectives if found is not None else ()
            self._measures = {m.fingerprint(): m for o in objectives for m in o.all_measures()}
        return dict(self._measures)

    def _versions(self) -> Iterable[PlanVersion]:
        for said in self.statements(PUBLISHED):
            if self._can_be_a_plan(said):
                data = said.data
                yield PlanVersion(
                    data["plan"],
                    data["document"]["version"],
                    data["document"],
                    said.origin,
                    said.position,
                    said.recorded,
                    said.unit_id,
                )

    def _can_be_a_plan(self, said: Statement) -> bool:
        """Checked once: the log may hold documents from before they were refused."""
        checked = self._shared.checked
        known = checked.get(said.position)
        if known is None:
            if len(checked) >= CHECKED_KEPT:
                checked.clear()
            known = checked[said.position] = (
                why_plan_refused(said.data["plan"], said.data["document"], self.catalogue) is None
            )
        return known

    def _issued(self) -> dict[str, date]:
        """When documents were issued that start deadlines, by the name that plans give them."""
        return {
            said.data["document"]: date.fromisoformat(said.data["issued_on"])
            for said in self.statements(ISSUED)
        }

    def _is_organisation(self, unit_id: str) -> bool:
        unit = self.tree.unit(unit_id)
        return unit is not None and unit.level == "organisation"

    # -- the rest ----------------------------------------------------------------------------

    def statements(self, kind: str) -> list[Statement]:
        """Every standing statement of a type, in the order of the log."""
        return [said for _, said in sorted(self._said.get(kind, {}).items())]

    def population(self, unit_id: str, code: str, on: date) -> int | None:
        """The number last declared for a unit on or before a day (later as_of, then position)."""
        found = self.declared(unit_id, code, on)
        return None if found is None else found.number

    def declared(self, unit_id: str, code: str, on: date) -> Population | None:
        """The same with who says so."""
        entries = self._numbers.get((unit_id, code), ())
        at = bisect_right(entries, on, key=lambda entry: entry[0])
        return entries[at - 1][2] if at else None

    def populations(self, unit_id: str) -> list[Population]:
        """What was declared for a unit, newest day first."""
        found = self._declared.get(unit_id, ())
        return sorted(found, key=lambda p: (p.as_of, p.position), reverse=True)


def _key(
    versions: list[PlanVersion],
    amendments: list[Amendment],
    issued: dict[str, date],
    organisations: frozenset[str],
) -> tuple[Any, ...]:
    """What the answers about a plan depend on, by the positions of rows."""
    return (
        versions[0].plan,
        tuple(v.position for v in versions),
        tuple(a.position for a in amendments),
        tuple(sorted(issued.items())),
        organisations,
    )
