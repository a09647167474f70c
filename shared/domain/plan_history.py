"""One plan through time: its versions, its amendments, and what it says on a day. Pure.

The deadline of an objective is that of the plan as valid on the day asked about; once it is over,
its target is the one that was valid on it. A deadline that came due as the plan stood, and was known,
then stays with the objective (`Objective.earlier`), whatever is changed afterwards.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import msgspec

from shared.contracts.definitions import Catalogue
from shared.domain.amending import AmendedDocuments, Amendment, Made
from shared.domain.compile import WRONG, compile_objective, last_day, not_counted
from shared.domain.objectives import Objective, Threshold
from shared.domain.plan_files.document import why_item_refused
from shared.domain.steps import course_of, on_day, share_of, steps_before

Json = dict[str, Any]

LIMITED = "extension_limited"


@dataclass(frozen=True)
class PlanVersion:
    """One version of a plan, as published or as amended. `origin`: of its event; `position`,
    `recorded`: of the row that says what it says now; `unit_id`: whom the event was about."""

    plan: str
    version: int
    document: Json
    origin: int
    position: int
    recorded: date
    unit_id: str

    def as_published(self) -> Json:
        """The version without amendments."""
        return self.document


@dataclass(frozen=True)
class AmendedPlan(PlanVersion):
    """The newest version with the amendments valid on a day, compiled.

    `document`: for everybody; objectives that only some units have say so (`only_for`).
    `published`: the version without amendments; `units`: the documents of units that have their own.
    """

    objectives: tuple[Objective, ...]
    published: Json
    units: Mapping[str, Json]

    def as_published(self) -> Json:
        return self.published

    def for_unit(self, unit_id: str) -> Json:
        """What the plan says of one unit."""
        own = self.units.get(unit_id)
        if own is not None:
            return own
        general = [o for o in self.document["objectives"] if "only_for" not in o]
        return {**self.document, "objectives": [share_of(o, unit_id) for o in general]}


def own_documents(plan: PlanVersion) -> Mapping[str, Json]:
    """What a plan says of units that have amendments of their own, by unit_id."""
    return plan.units if isinstance(plan, AmendedPlan) else {}


@dataclass(frozen=True)
class _Read:
    """An objective as read on a day: its wording, and deadlines that came due before."""

    raw: Json
    earlier: tuple[tuple[date, Json], ...] = ()
    """Their last days, and the wording of then."""


class PlanHistory:
    """Answers for every day. `made`: documents made before, by the position of the version."""

    def __init__(
        self,
        versions: Sequence[PlanVersion],
        amendments: Sequence[Amendment],
        catalogue: Catalogue,
        issued: Mapping[str, date],
        is_organisation: Callable[[str], bool],
        made: dict[int, Made],
    ) -> None:
        """`versions`: at least one, each of which can be counted; `amendments`: by position."""
        self._catalogue, self._issued = catalogue, issued
        self._is_organisation = is_organisation
        self._amendments = amendments
        self._versions = sorted(versions, key=lambda v: (v.version, v.origin))
        self._documents = {
            version.position: AmendedDocuments(
                version.document,
                amendments,
                lambda plan, section, at: why_item_refused(plan, section, at, catalogue),
                made.setdefault(version.position, {}),
            )
            for version in self._versions
        }
        self.newest = self._versions[-1]
        self._views: list[str | None] = [None]
        self._views += sorted({a.unit_id for a in amendments if a.unit_id is not None})
        self._steps = sorted({v.recorded for v in versions} | {a.in_force for a in amendments})
        self._days: list[date] | None = None
        self._answers: dict[int, AmendedPlan] = {}
        self._then: dict[tuple[str | None, str, date], Objective | None] = {}

    def on(self, day: date) -> AmendedPlan:
        """The plan on a day; the same object for days between which nothing changes."""
        if self._days is None:
            self._days = sorted(self._changes())
        at = bisect_right(self._days, day)
        known = self._answers.get(at)
        if known is None:
            known = self._answers[at] = self._compiled(day)
        return known

    # -- documents ---------------------------------------------------------------------------

    def document(self, unit_id: str | None, day: date) -> Json:
        """Of a unit (None: everybody), with the amendments valid on a day; deadlines as written."""
        documents = self._documents[self.newest.position]
        return documents.after(unit_id, lambda change: change.valid_from <= day)

    def _in_force(self, unit_id: str | None, day: date, valid: date | None = None) -> Json | None:
        """As it stood, and was known, at the end of a day; `valid`: with what was so on this one."""
        versions = [v for v in self._versions if v.recorded <= day]
        if not versions:
            return None
        documents = self._documents[versions[-1].position]
        return documents.after(
            unit_id, lambda a: a.in_force <= day and a.valid_from <= (valid or day)
        )

    def _changes(self) -> Iterable[date]:
        """Days on which the answer may become another one."""
        stepped = [
            on for v in self._versions for o in v.document["objectives"] for on in course_of(o)
        ]
        if len(self._steps) < 2 and not self._amendments and not stepped:
            return []
        starts = {date.min} | {a.valid_from for a in self._amendments}
        found = starts | set(self._steps)
        for view in self._views:
            documents = [self.document(view, day) for day in starts]
            documents += [d for day in self._steps if (d := self._in_force(view, day)) is not None]
            for one in documents:
                found |= {_after(self._last_day(raw)) for raw in one["objectives"]}
                found |= {_after(by) for raw in one["objectives"] for by, _ in course_of(raw)}
        return found - {date.min}

    def _last_day(self, raw: Json) -> date | None:
        return last_day(raw, self._issued)

    # -- objectives --------------------------------------------------------------------------

    def _compiled(self, day: date) -> AmendedPlan:
        general = self.document(None, day)
        read = {r.raw["id"]: r for r in self._read(None, general, day)}
        objectives = {name: self._objective(None, general, one, day) for name, one in read.items()}
        variants: dict[str, list[tuple[str, Objective]]] = {}
        units: dict[str, Json] = {}
        only: dict[str, list[str]] = {}
        for unit in self._views[1:]:
            assert unit is not None  # noqa: S101 - the first one is everybody's
            own = self.document(unit, day)
            if own is general:
                continue
            mine = {r.raw["id"]: r for r in self._read(unit, own, day)}
            units[unit] = {**own, "objectives": [r.raw for r in mine.values()]}
            for name, one in mine.items():
                if one == read.get(name):
                    continue
                variant = self._objective(unit, own, one, day)
                if self._is_organisation(unit):
                    variant = _limited(variant)
                if name not in read:
                    variant = msgspec.structs.replace(variant, own_target=True)
                variants.setdefault(name, []).append((unit, variant))
                if name not in read:
                    only.setdefault(name, []).append(unit)
                    objectives[name] = msgspec.structs.replace(variant, asked=False)
            for name in read.keys() - mine.keys():
                ended = msgspec.structs.replace(objectives[name], asked=False)
                variants.setdefault(name, []).append((unit, ended))
        for name, objective in objectives.items():
            if name in read:
                amended = {unit for unit, _ in variants.get(name, ())}
                shared = _shared(objective, read[name].raw, amended)
                if shared:
                    variants.setdefault(name, []).extend(shared)
        raws = [one.raw for one in read.values()]
        raws += [
            {**next(o for o in units[names[0]]["objectives"] if o["id"] == name), "only_for": names}
            for name, names in only.items()
        ]
        return AmendedPlan(
            plan=self.newest.plan,
            version=self.newest.version,
            document={**general, "objectives": raws},
            origin=self.newest.origin,
            position=self.newest.position,
            recorded=self.newest.recorded,
            unit_id=self.newest.unit_id,
            objectives=tuple(
                msgspec.structs.replace(
                    objective,
                    variants=tuple(variants.get(name, ())),
                )
                for name, objective in objectives.items()
            ),
            published=self.newest.document,
            units=units,
        )

    def _read(self, unit_id: str | None, document: Json, day: date) -> list[_Read]:
        found = []
        for raw in document["objectives"]:
            raw = share_of(on_day(raw, day), unit_id)
            last = self._last_day(raw)
            raw = raw if raw.get("last_day") or last is None else _with(raw, last)
            if last is not None and last < day:
                raw = self._with_target_of(unit_id, document, raw, last)
            found.append(_Read(raw, tuple(self._earlier(unit_id, raw["id"], last, day))))
        return found

    def _with_target_of(self, unit_id: str | None, document: Json, raw: Json, last: date) -> Json:
        """The objective with the target that was valid on its last day, if it had one then."""
        then = _find(self.document(unit_id, last), raw["id"])
        then = then and share_of(on_day(then, last), unit_id)
        return self._retargeted(document, raw, then)

    def _retargeted(self, document: Json, raw: Json, then: Json | None) -> Json:
        if then is None or then["target"] == raw["target"]:
            return raw
        candidate = {**raw, "target": then["target"]}
        try:
            compile_objective(document, candidate, self._catalogue, self._issued)
        except WRONG:
            return raw  # it is read in another way since: the old target says nothing of that
        return candidate

    def _earlier(
        self, unit_id: str | None, name: str, last: date | None, day: date
    ) -> Iterable[tuple[date, Json]]:
        """Deadlines that came due before a day, other than the one that holds."""
        if len(self._steps) < 2:
            return
        told = {last}
        for start, end in zip(self._steps, [*self._steps[1:], date.max], strict=True):
            document = self._in_force(unit_id, start)
            raw = _find(document, name) if document is not None else None
            due = self._last_day(raw) if raw is not None else None
            if raw is None or due is None or due in told:
                continue
            if start <= due < end and due < day:
                told.add(due)
                yield due, raw

    def _objective(self, unit_id: str | None, document: Json, one: _Read, day: date) -> Objective:
        name = one.raw["id"]
        try:
            objective = compile_objective(document, one.raw, self._catalogue, self._issued)
        except WRONG as wrong:
            return not_counted(document, name, str(wrong))
        earlier = [
            self._at_deadline(unit_id, name, due) for due, _ in sorted(one.earlier, key=_due)
        ]
        # Steps that are over count as the plan is read now: they are written in its target.
        steps = [
            compile_objective(document, step, self._catalogue, self._issued)
            for step in steps_before(one.raw)
        ]
        return msgspec.structs.replace(
            objective,
            earlier=(*(then for then in earlier if then is not None), *steps),
            base=self._base(objective, day),
        )

    def _base(self, objective: Objective, day: date) -> Objective | None:
        """The objective of whose target it is a share, as valid on its last day, if that is over."""
        last = objective.last_day
        if objective.target_of is None or last is None or last >= day or not self._days:
            return None
        return next((o for o in self.on(last).objectives if o.id == objective.target_of), None)

    # -- what was known when it came due -----------------------------------------------------

    def _at_deadline(self, unit_id: str | None, name: str, due: date) -> Objective | None:
        """An objective as it stood, and was known, on its last day, with what others had then."""
        found = self._known_on(unit_id, name, due)
        if found is None:
            return None
        if unit_id is not None:
            general = self._known_on(None, name, due)
            own = general is None or general.target != found.target
            found = msgspec.structs.replace(found, own_target=own)
        base = None
        if found.target_of is not None:
            base = self._with_variants(self._known_on(None, found.target_of, due), due)
        if found.within is not None:
            found = self._with_variants(found, due)
        return None if found is None else msgspec.structs.replace(found, base=base)

    def _with_variants(self, objective: Objective | None, day: date) -> Objective | None:
        if objective is None:
            return None
        general = self._known_on(None, objective.id, day)
        variants = []
        for unit in self._views[1:]:
            own = self._known_on(unit, objective.id, day)
            if unit is not None and own != general:
                ended = msgspec.structs.replace(objective, asked=False)
                variants.append((unit, ended if own is None else own))
        return msgspec.structs.replace(objective, variants=tuple(variants))

    def _known_on(self, unit_id: str | None, name: str, day: date) -> Objective | None:
        """An objective as it stood on a day; its target that of its deadline, if this was over."""
        key = (unit_id, name, day)
        if key not in self._then:
            self._then[key] = self._compiled_on(unit_id, name, day)
        return self._then[key]

    def _compiled_on(self, unit_id: str | None, name: str, day: date) -> Objective | None:
        document = self._in_force(unit_id, day)
        raw = _find(document, name) if document is not None else None
        if document is None or raw is None:
            return None
        raw = share_of(on_day(raw, day), unit_id)
        last = self._last_day(raw)
        if last is not None and last < day:
            before = self._in_force(unit_id, day, last)
            raw = self._retargeted(document, raw, _find(before, name) if before else None)
        try:
            return compile_objective(document, raw, self._catalogue, self._issued)
        except WRONG:
            return None


def _due(one: tuple[date, Json]) -> date:
    return one[0]


def _shared(objective: Objective, raw: Json, amended: set[str]) -> list[tuple[str, Objective]]:
    """How it reads for the units to which its number is handed down."""
    shares = raw["target"].get("shares") or {}
    return [
        (unit, msgspec.structs.replace(objective, target=Threshold(share), own_target=True))
        for unit, share in shares.items()
        if unit not in amended
    ]


def _after(day: date | None) -> date:
    return day + timedelta(days=1) if day is not None and day < date.max else date.min


def _with(raw: Json, last: date) -> Json:
    return {**raw, "last_day": last.isoformat()}


def _find(document: Json, name: str) -> Json | None:
    return next((raw for raw in document["objectives"] if raw["id"] == name), None)


def _limited(objective: Objective) -> Objective:
    """No organisation's day is later than the plan allows."""
    last, limit = objective.last_day, objective.latest_day
    if last is None or limit is None or last <= limit:
        return objective
    return msgspec.structs.replace(objective, last_day=limit, flags=(*objective.flags, LIMITED))
