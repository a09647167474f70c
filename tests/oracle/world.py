"""A made-up province that a merger changes in the middle of the story, a plan for it before and one
after, and everything that partners may post there: right, late, twice, corrected, taken back."""

import random
from datetime import date, timedelta
from itertools import count
from typing import Any

from tests.oracle.eras import Span
from tests.oracle.truth import Posted
from tests.plans.whole import whole

Json = dict[str, Any]

BEFORE, MERGED = date(2004, 1, 1), date(2025, 7, 1)
OLD, NEW = "97@2004", "98@2025"
FIRST, LAST = date(2025, 6, 23), date(2025, 7, 9)
DAYS = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
RECORDED = [date(2025, 6, 26), date(2025, 6, 30), date(2025, 7, 2), date(2025, 7, 5), LAST]


def _old(code: str, kind: str, parent: str, *heirs: tuple[str, str]) -> Span:
    return Span(f"{code}@2004", kind, parent, BEFORE, MERGED, heirs)


def _new(code: str, kind: str, parent: str) -> Span:
    return Span(f"{code}@2025", kind, parent, MERGED)


SPANS = [
    _old("97", "province", "", (NEW, "whole")),
    # Its code goes to the province that both become: the old one is another territory.
    _old("98", "province", "", (NEW, "whole")),
    _old("970", "district", OLD),
    _old("97001", "commune", "970@2004", ("97001@2025", "whole")),
    _old("97002", "township", "970@2004", ("97002@2025", "whole")),
    _old("97003", "commune", "970@2004", ("97001@2025", "part"), ("97002@2025", "part")),
    # Two that become one wholly: what they have in common counts once there.
    _old("97004", "commune", "970@2004", ("97002@2025", "whole")),
    _old("98001", "commune", "98@2004", ("98001@2025", "whole")),
    _new("98", "province", ""),
    _new("97001", "ward", NEW),
    _new("97002", "commune", NEW),
    _new("98001", "commune", NEW),
    _new("97001-001", "hamlet", "97001@2025"),
    _new("97001-002", "hamlet", "97001@2025"),
]


def units() -> list[Json]:
    """The events that establish and dissolve them."""
    found = []
    for span in SPANS:
        code, _, era = span.unit.partition("@")
        data = {"unit_id": span.unit, "code": code, "era": era, "name_vi": code, "kind": span.kind}
        data |= {"from": span.since.isoformat()} | ({"parent": span.parent} if span.parent else {})
        found.append(_event("unit.established", span.unit, RECORDED[0], data))
    for span in SPANS:
        if span.until is not None:
            heirs = [{"unit_id": unit, "part": part} for unit, part in span.heirs]
            data = {"unit_id": span.unit, "dissolved_on": span.until.isoformat()}
            found.append(
                _event("unit.dissolved", span.unit, RECORDED[0], data | {"successors": heirs})
            )
    said = {"unit_id": "97001@2025", "attribute": "remote", "value": True, "from": "2004-01-01"}
    found.append(_event("unit.attributed", "97001@2025", RECORDED[0], said))
    return found


IDS = count()


def _event(kind: str, subject: str, day: date, data: Json) -> Json:
    return {
        "specversion": "1.0",
        "id": f"w{next(IDS)}",
        "source": "https://x.example/a",
        "type": f"vn.hocvuso.{kind}",
        "subject": subject,
        "time": f"{day}T08:00:00+07:00",
        "data": data,
    }


# -- the plan ------------------------------------------------------------------------------------


def _of(*types: str, **wanted: Any) -> Json:
    return {"types": list(types)} | ({"filter": wanted} if wanted else {})


def _target(value: int, unit: str = "percent", **more: Any) -> Json:
    return {"value": value, "unit": unit, "comparator": ">=", **more}


def _per(level: str, **more: Any) -> Json:
    return {"within_unit": {"per": level, "threshold": "target"}, "over": {"units": level, **more}}


ADULTS = {"over": {"population": "adults"}}
ONE = _target(1, "count")
PER_COMMUNE = _target(1, "count", per="commune")
PER_HAMLET = _target(1, "count", per="hamlet")
PERSONS = {"count": "distinct_persons"}
THINGS = {"count": "distinct_things"}
OBJECTIVES: dict[str, tuple[Json, Json, str]] = {
    "events": ({"count": "events", "of": [_of("class.held")]}, _target(6, "count"), "period"),
    "busy": (
        {"count": "events", "of": [_of("class.held", participants={">": 10})]},
        _target(3, "count", comparator=">"),
        "ever",
    ),
    "persons": (
        PERSONS | ADULTS | {"of": [_of("citizen.certified", "training.attended", target_group="adult")]},
        _target(50),
        "ever",
    ),
    "grown": (PERSONS | ADULTS | {"of": [_of("training.attended", min_age=16)]}, _target(40), "date"),
    "both": (
        PERSONS
        | ADULTS
        | {"match": "all", "of": [_of("training.attended"), _of("skill.confirmed")]},
        _target(30),
        "period",
    ),
    "share": (
        PERSONS | {"of": [_of("citizen.certified", campaign="he")], "over": {"target_of": "persons"}},
        _target(30, "percent_of_target", of_objective="persons"),
        "period",
    ),
    "weekly": (
        {"count": "events", "bucket": "week", "of": [_of("guidance_session.held")]}
        | _per("commune"),
        PER_COMMUNE,
        "period",
    ),
    "pages": (
        THINGS | {"key": "page", "bucket": "month", "of": [_of("post.published")]} | _per("commune"),
        _target(1, "count", per="commune", comparator=">"),
        "period",
    ),
    "material": (
        THINGS
        | {"key": "unit", "match": "all"}
        | {"of": [_of("material.published", channel=c) for c in ("portal", "zalo")]}
        | _per("commune"),
        PER_COMMUNE,
        "period",
    ),
    "models": (
        THINGS | {"key": "model", "of": [_of("model.recognised")]} | _per("commune"),
        _target(2, "count", per="commune"),
        "ever",
    ),
    "items": (THINGS | {"key": "page", "of": [_of("post.published")]}, _target(9, "count"), "ever"),
    "staff": (PERSONS | {"of": [_of("staff.assigned")]} | _per("commune"), PER_COMMUNE, "state"),
    "remote": (
        {"count": "events", "of": [_of("force.dispatched")]} | _per("commune", attribute="remote"),
        PER_COMMUNE,
        "period",
    ),
    "teams": (
        THINGS | {"key": "team", "of": [_of("team.established")]} | _per("hamlet"),
        PER_HAMLET,
        "state",
    ),
    "topics": (
        THINGS
        | {"key": "unit", "of": [_of("guidance_session.held")]}
        | {"inside": {"distinct": "topics", "among": ["vneid", "online_payment"], "threshold": 2}}
        | _per("hamlet")
        | {"within_unit": {"per": "hamlet", "threshold": "target"}},
        PER_HAMLET,
        "ever",
    ),
    "mentors": (
        THINGS
        | {"key": "mentor", "of": [_of("mentor.assigned")], "over": {"population": "mentors"}}
        | {"inside": {"distinct": "mentee_ref", "threshold": "target"}},
        _target(2, "count", per="mentor", units_required_percent=50),
        "state",
    ),
    "households": (
        THINGS | {"key": "household", "of": [_of("household.member_qualified")]}
        | {"over": {"population": "households"}},
        _target(50),
        "ever",
    ),
    "pupils": (
        {"count": "sum", "of": [_of("programme.completed")]}
        | {"over": {"population": "pupils_primary_up"}},
        _target(100),
        "ever",
    ),
    "workers": (
        {"count": "sum", "of": [_of("report.submitted", reporter_kind=["commune", "enterprise"])]},
        _target(30, "count"),
        "ever",
    ),
    "seats": ({"count": "sum", "of": [_of("class.held")]}, _target(80, "count"), "ever"),
    "ratio": (
        {"count": "events", "of": [_of("assistance.given", able_to_act=True)]}
        | {"over": {"measure": {"count": "events", "of": [_of("assistance.requested")]}}},
        _target(100),
        "period",
    ),
    "answered": (
        THINGS
        | {"key": "request", "match": "all"}
        | {"of": [_of("assistance.requested"), _of("assistance.given", able_to_act=True)]}
        | {"over": {"measure": THINGS | {"key": "request", "of": [_of("assistance.requested")]}}},
        _target(100),
        "period",
    ),
    "identities": (
        PERSONS | ADULTS | {"of": [_of("digital_identity.activated", min_age=16)]},
        _target(50),
        "state",
    ),
    "on-vneid": (
        PERSONS | ADULTS | {"of": [_of("citizen.certified", if_given={"platform": "vneid"})]},
        _target(50),
        "ever",
    ),
    "organisations": (
        {"count": "distinct_organisations", "of": [_of("contest.promoted")]}
        | {"over": {"population": "organisations"}},
        _target(100, "percent_of_units"),
        "period",
    ),
}  # fmt: skip
RHYTHMS = {"weekly", "pages"}


def plan(unit: str) -> Json:
    """The same objectives for the old province, or for the new one."""
    period = {"start": "2025-06-26", "end": "2025-12-31"}
    objectives = []
    for name, (measure, target, counts_from) in OBJECTIVES.items():
        one: Json = {"id": name, "text_vi": name, "target": target, "counts_from": counts_from}
        one |= {"period": period, "measure": measure, "from_date": "2025-06-28"}
        one["last_day"] = None if name in RHYTHMS else "2025-07-04"
        objectives.append(one)
    name = f"plan-{unit.partition('@')[0]}"
    return whole(
        {"id": name, "unit": unit, "version": 1, "period": period, "objectives": objectives}
    )


def declared(dice: random.Random) -> list[tuple[str, str, int, date]]:
    """Who is counted; some units say nothing, some say it late."""
    names = ("adults", "mentors", "households", "pupils_primary_up", "organisations", "hamlets")
    day = date(2025, 1, 1)
    found = [(unit, name, dice.randrange(1, 9), day) for unit in (OLD, NEW) for name in names]
    for span in SPANS:
        for name in names:
            if span.unit not in (OLD, NEW) and dice.random() < 0.7:
                number = 2 if name == "hamlets" else dice.choice([0, 1, 2, 3, 5])
                found.append((span.unit, name, number, dice.choice([day, date(2025, 7, 3)])))
    return found


def known_from(unit: str) -> date:
    """The day on which a unit's numbers and plan are recorded: it must stand by then."""
    return RECORDED[0] if unit.endswith("@2004") else RECORDED[2]


def definitions(numbers: list[tuple[str, str, int, date]], recorded: date) -> list[Json]:
    """Populations and plans that are recorded on a day, as events."""
    found = [
        _event("population.declared", unit, recorded, {
            "population": name, "number": number, "as_of": day.isoformat(), "authority": "x"})
        for unit, name, number, day in numbers
        if known_from(unit) == recorded
    ]  # fmt: skip
    for unit in (OLD, NEW):
        if known_from(unit) == recorded:
            document = plan(unit)
            data = {"plan": document["id"], "version": 1, "document": document}
            found.append(_event("plan.published", unit, recorded, data))
    return found


# -- what happens --------------------------------------------------------------------------------

_KINDS = [
    "class.held", "citizen.certified", "training.attended", "training.attended", "skill.confirmed",
    "guidance_session.held", "post.published", "material.published", "staff.assigned",
    "force.dispatched", "team.established", "mentor.assigned", "household.member_qualified",
    "programme.completed", "assistance.given", "assistance.requested", "contest.promoted",
    "figure.reported", "report.submitted", "digital_identity.activated", "model.recognised",
    "post.published", "material.published", "staff.assigned",
]  # fmt: skip


class Story:
    """Draws what is posted on each recorded day."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._told: list[Json] = []

    def day(self, recorded: date, length: int) -> list[Json]:
        """Events of a day, also about earlier days and earlier events; some are posted twice."""
        found: list[Json] = []
        for _ in range(length):
            event = self._next(recorded)
            found.append(event)
            self._told.append(event)
            if self._dice.random() < 0.1:
                found.append(self._dice.choice(self._told))
        return found

    def _next(self, recorded: date) -> Json:
        dice = self._dice
        if self._told and dice.random() < 0.3:
            return self._amend(dice.choice(self._told), recorded)
        if dice.random() < 0.05:
            one, other = (self._person(scheme) for scheme in ("cccd", "phone"))
            return _event("person.linked", self._unit(recorded), recorded,
                          {"person": one, "same_as": other})  # fmt: skip
        kind, occurred = dice.choice(_KINDS), self._occurred(recorded)
        return _event(kind, self._unit(occurred), occurred, self._data(kind, occurred))

    def _amend(self, event: Json, recorded: date) -> Json:
        dice = self._dice
        named = {name: event[name] for name in ("source", "id")}
        kind = event["type"].removeprefix("vn.hocvuso.")
        fact = not kind.startswith("event.") and kind != "person.linked"
        if dice.random() < 0.5 or kind in ("event.revoked", "person.linked"):
            return _event("event.revoked", event["subject"], recorded,
                          {"revokes": named, "reason": "x"})  # fmt: skip
        if fact:
            changes: Json = {"data": self._data(kind, recorded)}
            if dice.random() < 0.5:
                occurred = self._occurred(recorded)
                changes |= {"time": f"{occurred}T09:00:00+07:00", "subject": self._unit(occurred)}
        else:
            # A correction of a correction.
            changes = {"data": {"changes": {"data": {"note": dice.choice(["a", "b", None])}}}}
            if "target_groups" in event["data"]["changes"].get("data", {}):
                groups = self._groups()
                changes = {"data": {"changes": {"data": {"target_groups": groups}}}}
        return _event("event.corrected", event["subject"], recorded,
                      {"corrects": named, "changes": changes, "reason": "x"})  # fmt: skip

    def _occurred(self, recorded: date) -> date:
        return self._dice.choice([day for day in DAYS if day <= recorded])

    def _unit(self, day: date) -> str:
        standing = [s for s in SPANS if s.since <= day and (s.until is None or day < s.until)]
        return self._dice.choice(standing).unit

    def _person(self, scheme: str = "") -> Json:
        scheme = scheme or self._dice.choice(["cccd", "cccd", "phone"])
        number = self._dice.randrange(4)
        value = f"06609900000{number}" if scheme == "cccd" else f"090500000{number}"
        return {"scheme": scheme, "value": value}

    def _groups(self) -> list[str]:
        return self._dice.choice([["adult"], ["pupil"], ["worker"], ["elderly", "pupil"]])

    def _term(self, day: date, start: str = "") -> Json:
        dice = self._dice
        until = day + timedelta(days=dice.randrange(-1, 7))
        term = {"to": until.isoformat()} if dice.random() < 0.6 else {}
        if start and dice.random() < 0.4:
            term[start] = (day + timedelta(days=dice.randrange(-9, 3))).isoformat()
        return term

    def _before(self, day: date) -> str:
        """The day itself or up to three days before."""
        return (day - timedelta(days=self._dice.randrange(4))).isoformat()

    def _request(self) -> str:
        name = f"r{self._dice.randrange(4)}"
        return name if self._dice.random() < 0.7 else f"https://x.example/a#{name}"

    def _data(self, kind: str, day: date) -> Json:
        dice = self._dice
        groups = {"target_groups": self._groups()}
        match kind:
            case "class.held":
                said: Json = {"participants": dice.choice([5, 10, 20])}
                said = said if dice.random() < 0.8 else {}
                return said | {"class_ref": f"c{dice.randrange(4)}"}
            case "citizen.certified":
                campaign: Json = {"campaign": "he"} if dice.random() < 0.5 else {}
                said = {"platform": dice.choice(["vneid", "other"])} if dice.random() < 0.6 else {}
                said |= {"certified_on": self._before(day)} if dice.random() < 0.4 else {}
                person = {"person": self._person(), **groups}
                return person | campaign | said | self._term(day)
            case "digital_identity.activated":
                soon = (day + timedelta(days=dice.randrange(1, 9))).isoformat()
                ages: list[Json] = [{"age": 40}, {"age": 15, "turns_16_on": soon}, {"age": 15}]
                return {"person": self._person(), **dice.choice(ages), **self._term(day)}
            case "model.recognised":
                said = {"model_ref": f"m{dice.randrange(2)}", "kind": "gia_dinh_so"}
                return said | self._term(day)
            case "report.submitted":
                kind = dice.choice(["commune", "enterprise", "other"])
                said = {"reporter_kind": kind, "people_completed": dice.randrange(9)}
                return said | {"reporter": f"{kind}-{dice.randrange(2)}", **groups}
            case "training.attended":
                said = {"class_ref": f"c{dice.randrange(4)}"} if dice.random() < 0.5 else {}
                return {"person": self._person(), "age": dice.choice([12, 16, 40]), **groups} | said
            case "skill.confirmed":
                return {"person": self._person(), **groups}
            case "guidance_session.held":
                topics = dice.choice([["vneid"], ["online_payment", "other"], None])
                return {"kind": "digital_literacy_week"} | ({"topics": topics} if topics else {})
            case "post.published":
                url = f"https://a.example/{dice.randrange(3)}"
                return {"url": url, "kind": "news", "channel": "portal"}
            case "material.published":
                return {"channel": dice.choice(["portal", "zalo"])}
            case "staff.assigned":
                return {"person": self._person(), "role": "other", **self._term(day, "from")}
            case "force.dispatched":
                return {"reason": "campaign"}
            case "team.established":
                return {"team_ref": f"t{dice.randrange(2)}", **self._term(day, "from")}
            case "mentor.assigned":
                mentor = {"scheme": "cccd", "value": f"06609900001{dice.randrange(2)}"}
                return {"mentor": mentor, "mentee": self._person(), **self._term(day, "from")}
            case "household.member_qualified":
                household = {"scheme": "household", "value": f"SHK-{dice.randrange(3)}"}
                return {"household": household, **self._term(day)}
            case "programme.completed":
                said = {"school": f"s{dice.randrange(2)}", "pupils_completed": dice.randrange(9)}
                return said | {"target_groups": ["pupil"]}
            case "assistance.given":
                return {"request_ref": self._request(), "able_to_act": dice.random() < 0.6}
            case "assistance.requested":
                return {"request_ref": self._request()}
            case "contest.promoted":
                owner = {"scheme": "tax", "value": f"010000000{dice.randrange(3)}"}
                return {"contest": "x"} | ({"organisation": owner} if dice.random() < 0.5 else {})
            case "figure.reported":
                name = dice.choice(["persons", "events"])
                named = {"plan": dice.choice(["plan-97", "plan-98"])} if dice.random() < 0.8 else {}
                as_of = day - timedelta(days=dice.randrange(4))
                said = {"objective": name, "as_of": as_of.isoformat(), "authority": "x"}
                by = {"reporter": "r"} if dice.random() < 0.5 else {}
                return said | {"number": dice.randrange(99)} | named | by
        return {}


def told(events: list[Json], recorded: date) -> list[Posted]:
    """As the oracle hears of them."""
    return [Posted(event, recorded) for event in events]


# -- what is changed in the plans ----------------------------------------------------------------

EXTRA = "extra"
"""An objective that only amendments add."""


class Amendments:
    """Draws what other documents change in the plans: for everybody or one unit, from some day on,
    right and wrong, corrected and taken back."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._told: list[Json] = []

    def day(self, recorded: date, length: int) -> list[Json]:
        """What is recorded on a day about the plans that are known by then."""
        plans = [unit for unit in (OLD, NEW) if known_from(unit) <= recorded]
        found = []
        for _ in range(length):
            unit = self._dice.choice(plans)
            if self._told and self._dice.random() < 0.25:
                found.append(self._again(self._dice.choice(self._told), recorded))
                continue
            event = self._amended(unit, recorded)
            self._told.append(event)
            found.append(event)
        if recorded == RECORDED[3]:
            found.append(self._published(self._dice.choice(plans), recorded))
        return found

    def _amended(self, unit: str, recorded: date) -> Json:
        dice = self._dice
        name = dice.choice([*OBJECTIVES, "persons", "share", EXTRA])
        valid = dice.choice(DAYS)
        data: Json = {"plan": f"plan-{unit.partition('@')[0]}", "objective": name}
        data |= {"valid_from": valid.isoformat()}
        if dice.random() < 0.4:
            standing = [s for s in SPANS if s.since <= valid and (not s.until or valid < s.until)]
            data["for_unit"] = dice.choice([s.unit for s in standing if s.parent])
        if name == EXTRA:
            asked = _objective("events", unit)
            asked["target"] = _target(dice.randrange(1, 9), "count")
            data |= {"action": "add", "changes": {k: v for k, v in asked.items() if k != "id"}}
        elif dice.random() < 0.12 and name not in RHYTHMS | {"persons"}:
            data["action"] = "end"
        else:
            data["changes"] = self._changes(name)
        return _event("plan.amended", unit, recorded, data)

    def _changes(self, name: str) -> Json:
        dice = self._dice
        unit = OBJECTIVES[name][1]["unit"]
        most = 4 if unit == "count" else 101
        if name in RHYTHMS or dice.random() < 0.5:
            sign = {"comparator": dice.choice([">", ">="])} if dice.random() < 0.3 else {}
            return {"target": {"value": dice.randrange(1, most), **sign}}
        if dice.random() < 0.1:
            return {"deadline": "soon"}
        last = dice.choice(DAYS[4:])
        changes: Json = {"deadline": last.isoformat()}
        if dice.random() < 0.3:
            changes["deadline_exclusive"] = True
        return changes

    def _again(self, event: Json, recorded: date) -> Json:
        named = {name: event[name] for name in ("source", "id")}
        if self._dice.random() < 0.5:
            said: Json = {"revokes": named, "reason": "x"}
            return _event("event.revoked", event["subject"], recorded, said)
        changes: Json = {"valid_from": self._dice.choice(DAYS).isoformat()}
        name = event["data"]["objective"]
        if "changes" in event["data"] and name != EXTRA and self._dice.random() < 0.6:
            changes = {"changes": self._changes(name)}
        said = {"corrects": named, "changes": {"data": changes}, "reason": "x"}
        return _event("event.corrected", event["subject"], recorded, said)

    def _published(self, unit: str, recorded: date) -> Json:
        """The next version asks other numbers."""
        document = plan(unit) | {"version": 2}
        for one in document["objectives"]:
            if one["target"]["unit"] == "percent":
                one["target"] = {**one["target"], "value": self._dice.randrange(1, 101)}
        data = {"plan": document["id"], "version": 2, "document": document}
        return _event("plan.published", unit, recorded, data)


def _objective(name: str, unit: str) -> Json:
    found: Json = next(o for o in plan(unit)["objectives"] if o["id"] == name)
    return found
