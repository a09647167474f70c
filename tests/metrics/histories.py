"""Random histories: events, corrections, revocations, late ones, people who move."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from shared.contracts.definitions import Catalogue
from shared.contracts.record import Content
from shared.domain.measures import Measure, Part
from tests.metrics.memory_log import SOURCE, MemoryLog
from tests.metrics.naive import Told

BASE = date(2026, 1, 26)  # weeks and months both end within the days used
UNITS = ["A@2025", "B@2025", "C@2025", "A-001@2025", "A-002@2025"]
DAYS = 12

ADULT = {"target_group": "adult"}
MEASURES: dict[int, Measure] = dict(
    enumerate(
        [
            Measure(kind="events", parts=(Part(("class.held",)),), keys=("event",)),
            Measure(kind="events", parts=(Part(("committee.established",)),), keys=("event",)),
            Measure(
                kind="distinct",
                parts=(Part(("citizen.certified", "training.attended"), ADULT),),
                keys=("person",),
            ),
            Measure(
                kind="distinct",
                parts=(Part(("training.attended",), ADULT), Part(("skill.confirmed",), ADULT)),
                keys=("person",),
                whole=True,
            ),
            Measure(
                kind="distinct",
                parts=(Part(("citizen.certified",)), Part(("skill.confirmed",))),
                keys=("person",),
                whole=True,
                since=BASE + timedelta(days=4),
            ),
            Measure(
                kind="distinct",
                parts=(Part(("training.attended",)),),
                keys=("person",),
                since=BASE + timedelta(days=5),
            ),
            Measure(
                kind="distinct", parts=(Part(("post.published",)),), keys=("page",), bucket="month"
            ),
            Measure(
                kind="distinct",
                parts=(Part(("training.attended",)),),
                keys=("person",),
                bucket="week",
            ),
            Measure(
                kind="distinct",
                parts=(Part(("staff.assigned",)),),
                keys=("person",),
                apart="commune",
            ),
            Measure(
                kind="distinct",
                parts=(Part(("staff.assigned",)),),
                keys=("person",),
                apart="hamlet",
            ),
            Measure(
                kind="crossing",
                parts=(Part(("mentor.assigned",)),),
                keys=("mentor",),
                field="mentee_ref",
                threshold=2,
            ),
            Measure(
                kind="crossing",
                parts=(Part(("guidance_session.held",)),),
                keys=("unit",),
                field="topics",
                among=("vneid", "online_payment"),
                threshold=2,
            ),
            Measure(kind="events", parts=(Part(("guidance_session.held",)),), keys=("event",)),
            Measure(kind="latest", parts=(Part(("programme.completed",)),), keys=("report",)),
            Measure(kind="add", parts=(Part(("class.held",), ADULT),), keys=("event",)),
            Measure(
                kind="latest",
                parts=(Part(("programme.completed",)),),
                keys=("report",),
                bucket="week",
            ),
            Measure(
                kind="crossing",
                parts=(Part(("mentor.assigned",)),),
                keys=("mentor",),
                field="mentee_ref",
                threshold=2,
                bucket="month",
                apart="commune",
            ),
            Measure(
                kind="distinct",
                parts=(Part(("post.published",)),),
                keys=("page",),
                bucket="month",
                apart="commune",
                since=BASE + timedelta(days=3),
            ),
            Measure(
                kind="distinct",
                parts=(
                    Part(("material.published",), {"channel": "portal"}),
                    Part(("material.published",), {"channel": "zalo"}),
                ),
                keys=("unit",),
                whole=True,
                apart="commune",
            ),
            Measure(
                kind="crossing",
                parts=(Part(("guidance_session.held",)),),
                keys=("unit",),
                field="topics",
                among=("vneid", "online_payment"),
                threshold=2,
                apart="hamlet",
                since=BASE + timedelta(days=2),
            ),
            Measure(
                kind="events",
                parts=(Part(("guidance_session.held",)),),
                keys=("event",),
                bucket="week",
                since=BASE + timedelta(days=2),
            ),
            Measure(kind="distinct", parts=(Part(("contest.promoted",)),), keys=("organisation",)),
            Measure(
                kind="distinct", parts=(Part(("household.member_qualified",)),), keys=("household",)
            ),
            Measure(
                kind="latest",
                parts=(Part(("figure.reported",), {"objective": "x", "plan": "p"}),),
                keys=("report",),
            ),
            Measure(
                kind="latest",
                parts=(Part(("figure.reported",), {"objective": "x", "plan": "p"}),),
                keys=("report",),
                bucket="month",
                since=BASE + timedelta(days=1),
            ),
            Measure(
                kind="distinct",
                parts=(Part(("model.recognised",), {"kind": "cong_dan_so_tieu_bieu"}),),
                keys=("model",),
                apart="commune",
            ),
            Measure(
                kind="distinct",
                parts=(Part(("team.established",)),),
                keys=("team",),
                apart="hamlet",
            ),
            Measure(kind="add", parts=(Part(("class.held",)),), keys=("event",), bucket="month"),
            Measure(
                kind="distinct",
                parts=(Part(("training.attended",)), Part(("skill.confirmed",))),
                keys=("person",),
                whole=True,
                bucket="week",
            ),
            Measure(
                kind="events",
                parts=(
                    Part(("class.held",), {"participants": {">": 10}}),
                    Part(("class.held",), ADULT),
                ),
                keys=("event",),
            ),
            Measure(
                kind="distinct",
                parts=(
                    Part(("training.attended",)),
                    Part(("skill.confirmed",)),
                    Part(("citizen.certified",)),
                ),
                keys=("person",),
                whole=True,
            ),
            Measure(
                kind="distinct",
                parts=(Part(("training.attended",), ADULT), Part(("citizen.certified",))),
                keys=("person",),
                whole=True,
                placed_by_first=True,
            ),
            Measure(
                kind="distinct",
                parts=(Part(("training.attended",), ADULT),),
                keys=("person",),
            ),
            Measure(
                kind="distinct",
                parts=(
                    Part(("assistance.requested",)),
                    Part(("assistance.given",), {"able_to_act": True}),
                ),
                keys=("request",),
                whole=True,
                placed_by_first=True,
            ),
            Measure(kind="distinct", parts=(Part(("assistance.requested",)),), keys=("request",)),
            Measure(
                kind="distinct",
                parts=(Part(("training.attended",)), Part(("skill.confirmed",))),
                keys=("person",),
                whole=True,
                placed_by_first=True,
                bucket="week",
                apart="commune",
            ),
            Measure(
                kind="distinct",
                parts=(Part(("digital_identity.activated",), {"of_age": 16}),),
                keys=("person",),
                of_age=16,
            ),
            Measure(
                kind="distinct",
                parts=(Part(("digital_identity.activated",)),),
                keys=("person",),
            ),
            Measure(
                kind="events",
                parts=(Part(("signature.registered",), {"of_age": 15}),),
                keys=("person",),
                of_age=15,
            ),
            Measure(
                kind="distinct",
                parts=(
                    Part(("digital_identity.activated",), {"of_age": 15}),
                    Part(("signature.registered",), {"of_age": 15}),
                ),
                keys=("person",),
                whole=True,
                of_age=15,
                since=BASE + timedelta(days=1),
            ),
            Measure(
                kind="distinct",
                parts=(Part(("digital_identity.activated",), {"of_age": 16}),),
                keys=("person",),
                of_age=16,
                bucket="week",
                apart="commune",
            ),
        ],
        start=1,
    )
)


@dataclass(frozen=True)
class Op:
    """One step. `target`: which earlier event to correct or revoke, if there is one."""

    what: str
    type: str
    who: int
    unit: int
    day: int
    length: int | None
    number: int
    target: int
    pause: int


TYPES = [
    "citizen.certified", "training.attended", "skill.confirmed", "class.held", "post.published",
    "committee.established", "staff.assigned", "mentor.assigned", "guidance_session.held",
    "programme.completed", "material.published", "contest.promoted",
    "household.member_qualified", "figure.reported", "model.recognised", "team.established",
    "assistance.requested", "assistance.given", "digital_identity.activated",
    "signature.registered",
]  # fmt: skip

RELATED = [
    ["citizen.certified", "training.attended", "skill.confirmed"],
    ["mentor.assigned", "staff.assigned", "team.established"],
    ["class.held", "committee.established", "guidance_session.held"],
    ["post.published", "material.published", "model.recognised"],
    ["programme.completed", "figure.reported"],
    ["contest.promoted", "household.member_qualified", "citizen.certified"],
    ["assistance.requested", "assistance.given"],
    ["digital_identity.activated", "signature.registered"],
]
"""Few types in one history, so that events meet each other in the same subjects."""


def ops_of(types: list[str]) -> st.SearchStrategy[Op]:
    return st.builds(
        Op,
        what=st.sampled_from(["post", "post", "post", "correct", "revoke"]),
        type=st.sampled_from(types),
        who=st.integers(0, 1),
        unit=st.integers(0, 4),
        day=st.integers(0, DAYS - 1),
        length=st.none() | st.integers(-1, 4),
        number=st.integers(0, 3),
        target=st.integers(0, 50),
        pause=st.sampled_from([0, 0, 1]),
    )


OPS = ops_of(TYPES)
HISTORIES = st.sampled_from(RELATED).flatmap(
    lambda types: st.lists(ops_of(types), min_size=8, max_size=18)
)


def data_of(op: Op, name: str) -> dict[str, Any]:
    start = BASE + timedelta(days=op.day)
    until = {} if op.length is None else {"to": (start + timedelta(days=op.length)).isoformat()}
    person = {"person_ref": f"cccd:{op.who}"}
    groups = {"target_groups": [["adult"], ["pupil"], ["worker", "adult"], ["elderly"]][op.number]}
    match name:
        case "citizen.certified":
            return person | groups | until
        case "training.attended" | "skill.confirmed":
            return person | groups
        case "class.held":
            return groups | ({"participants": op.number * 10} if op.number else {})
        case "post.published":
            return {"url": f"https://a.example/{op.who}", "kind": "news", "channel": "portal"}
        case "committee.established":
            return until | ({"from": (start + timedelta(days=1)).isoformat()} if op.who else {})
        case "staff.assigned":
            return person | {"role": "other"} | until
        case "mentor.assigned":
            return {"mentor_ref": f"m:{op.who}", "mentee_ref": f"e:{op.number}"} | until
        case "guidance_session.held":
            topics = [["vneid"], ["online_payment", "other"], [], ["vneid", "online_payment"]]
            return {"kind": "guidance"} | ({"topics": topics[op.number]} if op.number != 2 else {})
        case "material.published":
            channel = ["portal", "zalo", "portal", "fanpage"][op.number]
            return {"material": "m1", "channel": channel}
        case "contest.promoted":
            return {"organisation_ref": f"tax:{op.number}"} if op.who else {}
        case "household.member_qualified":
            return {"household_ref": f"h:{op.who}"} | until
        case "figure.reported":
            said = {"objective": "x", "number": op.number * 10, "authority": "x"}
            said |= {"as_of": (start + timedelta(days=op.number - 1)).isoformat()}
            reporter = {"reporter": f"r{op.who}"} if op.who else {}
            return said | reporter | ({} if op.number == 3 else {"plan": "p"})
        case "model.recognised":
            kind = "don_vi_so" if op.number == 2 else "cong_dan_so_tieu_bieu"
            return {"kind": kind, "model_ref": f"m{op.who}"} | until
        case "assistance.requested":
            return {"request_ref": f"r{op.who}"}
        case "assistance.given":
            ref = [f"r{op.who}", f"{SOURCE}#r{op.who}", "https://other.example/b#r0"][op.number % 3]
            return {"request_ref": ref, "able_to_act": op.number != 3}
        case "digital_identity.activated" | "signature.registered":
            turns = (start + timedelta(days=op.number + 1)).isoformat()
            ages: list[dict[str, Any]] = [{"age": 16}, {"age": 15, "turns_16_on": turns}, {"turns_16_on": turns},
                     {"age": 15, "birth_year": 2010}]  # fmt: skip
            return person | ages[op.number] | until
        case "team.established":
            return {"team_ref": f"t{op.number}"} | until
        case _:
            return {
                "school": f"s{op.who}",
                "target_groups": ["pupil"],
                "pupils_completed": op.number * 10,
            }


def play(
    ops: list[Op], catalogue: Catalogue, log: MemoryLog | None = None
) -> tuple[MemoryLog, list[Told]]:
    """The log of a history (or the one given, continued), and the same for the naive oracle."""
    log, told = log or MemoryLog(catalogue), list[Told]()
    recorded = BASE + timedelta(days=2)
    for op in ops:
        recorded += timedelta(days=op.pause)
        unit, occurred = UNITS[op.unit], BASE + timedelta(days=op.day)
        if op.what == "post" or not told:
            data = data_of(op, op.type)
            origin = log.post(op.type, unit, occurred, recorded, data)
            told.append(Told(origin, op.type, [(recorded, unit, occurred, data)]))
            continue
        event = told[op.target % len(told)]
        if op.what == "revoke":
            log.revise(event.origin, recorded, None)
            event.versions.append((recorded, unit, occurred, None))
            continue
        data = data_of(op, event.type)
        time = f"{occurred}T08:00:00+07:00"
        content = Content(type=event.type, unitid=unit, occurred=occurred, time=time, data=data)
        log.revise(event.origin, recorded, content)
        event.versions.append((recorded, unit, occurred, data))
    return log, told


def last_days(ops: list[Op]) -> tuple[list[date], list[date]]:
    """Every as_of and known_at that could make a difference."""
    as_of = [BASE + timedelta(days=n) for n in range(-1, DAYS + 8)]
    known = [BASE + timedelta(days=n) for n in range(1, 4 + sum(op.pause for op in ops))]
    return as_of, known
