"""What a plan says, of everybody and of each unit, on every day as known on every day: as the oracle
reads it from the posted versions, amendments, corrections and revocations, mergers between them."""

import random
from datetime import date, timedelta
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.activities.log.plans import check_restated_plan
from services.registry.definitions import COLUMNS, _record, _row
from shared.contracts.definitions import Catalogue
from shared.contracts.record import Content, LogRecord, record_decoder
from shared.domain import judging
from shared.domain.definitions import Definitions
from shared.domain.judging import DefinitionRefused
from shared.domain.objectives import Objective
from shared.merge_patch import merge_patch
from shared.problems import Problem
from tests.metrics.memory_log import MemoryLog
from tests.oracle.truth import Posted, Truth
from tests.oracle.wording import Wording, wording
from tests.oracle.world import (
    FIRST,
    LAST,
    NEW,
    OLD,
    RECORDED,
    SPANS,
    Amendments,
    definitions,
    known_from,
    plan,
    units,
)

Json = dict[str, Any]
CATALOGUE = Catalogue.load()
AMENDMENTS_A_DAY = 14
DAYS = [FIRST + timedelta(days=n) for n in range(-1, (LAST - FIRST).days + 6)]


class Told:
    """A log of definitions that takes what the door takes, and what the oracle was told of it."""

    def __init__(self, dice: random.Random) -> None:
        self.log, self.known = MemoryLog(CATALOGUE), Definitions(CATALOGUE)
        self.posted: list[Posted] = []
        self.refused = 0
        self._origins: dict[str, int] = {}
        self._says: dict[int, Content | None] = {}
        amendments = Amendments(dice)
        for event in units():
            self._take(event, RECORDED[0])
        for recorded in RECORDED:
            for event in definitions([], recorded):
                self._take(event, recorded)
            for event in amendments.day(recorded, AMENDMENTS_A_DAY):
                try:
                    self._judge(event, recorded)
                except (DefinitionRefused, Problem):
                    self.refused += 1
                else:
                    self._take(event, recorded)
                    self.posted.append(Posted(event, recorded))

    def _judge(self, event: Json, recorded: date) -> None:
        """As activities does in its append."""
        kind, data = event["type"].removeprefix("vn.hocvuso."), event["data"]
        position = len(self.log.rows) + 1
        if kind.startswith("event."):
            origin, after = self._changed(event)
            before = self._says[origin]
            if before is None:
                raise Problem("original-unknown", "It is void.")
            check_restated_plan(
                before.type, before.data["plan"], after, origin, self.known, position, recorded
            )
            return
        if kind == "plan.published":
            judging.check_document(data, self.known)
            judging.check_version(data, self.known)
        else:
            judging.check_amendment(data, self.known)
        after = self.known.copy()
        copy = MemoryLog(CATALOGUE)
        copy.rows = list(self.log.rows)
        copy.post(kind, event["subject"], recorded, recorded, data)
        after.apply(copy.rows[-1])
        judging.check_plan_holds(data["plan"], self.known, after, position)

    def _changed(self, event: Json) -> tuple[int, Content | None]:
        named = event["data"].get("corrects") or event["data"]["revokes"]
        if named["id"] not in self._origins:
            raise Problem("original-unknown", "It was refused.")
        origin = self._origins[named["id"]]
        before = self._says[origin]
        if before is None or "revokes" in event["data"]:
            return origin, None
        data = merge_patch(before.data, event["data"]["changes"]["data"])
        return origin, msgspec.structs.replace(before, data=data)

    def _take(self, event: Json, recorded: date) -> None:
        kind, data, unit = (
            event["type"].removeprefix("vn.hocvuso."),
            event["data"],
            event["subject"],
        )
        if kind.startswith("event."):
            origin, content = self._changed(event)
            self.log.revise(origin, recorded, content)
        else:
            origin = self.log.post(kind, unit, recorded, recorded, data)
            content = Content(
                type=kind, unitid=unit, occurred=recorded, time=event["time"], data=data
            )
            self._origins[event["id"]] = origin
        self._says[origin] = content
        self.known.apply(self.log.rows[-1])

    def rows(self, known_at: date | None) -> list[LogRecord]:
        return [row for row in self.log.rows if known_at is None or row.recorded <= known_at]


def of_metrics(row: LogRecord) -> LogRecord:
    return record_decoder.decode(msgspec.json.encode(row))


def of_registry(row: LogRecord) -> LogRecord:
    return _record(dict(zip(COLUMNS, _row(row), strict=True)))  # type: ignore[arg-type]


def fold(rows: list[LogRecord]) -> Definitions:
    known = Definitions(CATALOGUE)
    for row in rows:
        known.apply(row)
    return known


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10**6))
def test_every_service_reads_what_the_oracle_reads(seed: int) -> None:
    told = Told(random.Random(seed))
    assert told.refused < AMENDMENTS_A_DAY * len(RECORDED) // 2
    for known_at in (*RECORDED, None):
        rows = told.rows(known_at)
        truth = Truth(told.posted, known_at)
        recorded = {position: one.recorded for position, one in enumerate(told.posted)}
        # activities folds what it appends, the others what they have stored.
        services = [fold(rows), fold([of_metrics(r) for r in rows])]
        services.append(fold([of_registry(r) for r in rows]))
        for unit in (OLD, NEW):
            if known_at is not None and known_at < known_from(unit):
                continue
            said = wording(plan(unit), known_from(unit), truth.facts, recorded)
            for day in DAYS:
                read = [known.plan(plan(unit)["id"], day) for known in services]
                assert read[0] == read[1] == read[2], (seed, unit, known_at, day)
                _compare(read[0], said, unit, day, (seed, unit, known_at, day))


def _compare(found: Any, said: Wording, root: str, day: date, case: object) -> None:
    objectives = {one.id: one for one in found.objectives}
    assert sorted(objectives) == said.names(day), case
    for who in (root, *(s.unit for s in SPANS if s.kind in ("commune", "ward", "hamlet"))):
        own = {one["id"]: one for one in found.for_unit(who)["objectives"]}
        for name, objective in objectives.items():
            one, wanted = objective.of(who), said.read(name, who, day)
            at = (case, who, name)
            assert one.reason is None, at
            if wanted is None:
                assert not one.asked and name not in own, at
                continue
            target = wanted["target"]
            assert one.asked, at
            if name != "mentors":  # what is asked of each mentor is part of what is counted
                threshold = one.within.threshold if one.within is not None else one.target
                asked = (threshold.comparator, threshold.value)
                assert asked == (target["comparator"], target["value"]), at
            assert str(one.last_day or None) == str(wanted["last_day"]), at
            assert own[name]["target"] == target and own[name]["last_day"] == wanted["last_day"], at
            earlier = []
            for due in said.came_due(name, who, day):
                then = said.known(name, who, due)
                assert then is not None
                earlier.append((due, then["target"]["value"]))
            assert [(o.last_day, _value(o)) for o in one.earlier if name != "mentors"] == [
                due for due in earlier if name != "mentors"
            ], at
            over = one.last_day is not None and one.last_day < day
            if one.target_of is not None and over:
                base = said.read(one.target_of, who, one.last_day)
                assert base is not None
                other = one.base or objectives[one.target_of]
                assert other.of(who).target.value == base["target"]["value"], at


def _value(objective: Objective) -> int:
    return (objective.within.threshold if objective.within else objective.target).value
