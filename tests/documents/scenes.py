"""Scenes for documents: a plan's duty on a day in one of three states of data, without a database."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from services.registry.documents.authors import author_of
from services.registry.documents.material import Late, Material
from services.registry.documents.occurrences import before, feeding, find
from services.registry.journal.store import Fact
from services.registry.plans.bodies import Body, bodies
from services.registry.progress.pace import least
from services.registry.reports.ledger import Entry, Filled, party_owes
from services.registry.reports.periods import Period, Request, periods
from services.registry.tables.model import Bucket, Cell, Header, Row, Table
from services.registry.tasks.evidence import Evidence
from services.registry.tasks.fold import Known, fold_tasks
from services.registry.tasks.objectives import Met, ObjectiveState
from services.registry.tasks.statements import statements_of
from services.registry.tasks.territory import Area
from shared.domain.territory import answering, covered
from shared.domain.tree import UnitTree
from tests.registry import fakes

Json = dict[str, Any]
STATES = ("good", "bad", "empty")
SHARE = {"good": (83, 100), "bad": (2, 55), "empty": (0, 0)}


@functools.cache
def defined() -> tuple[UnitTree, dict[str, Json]]:
    """The tree of the repository's files and its plans by id."""
    events = fakes.definition_events()
    tree = UnitTree()
    for record in fakes.records(events):
        tree.apply(record)
    plans = {
        e["data"]["document"]["id"]: e["data"]["document"]
        for e in events
        if e["type"].endswith("plan.published")
    }
    return tree, plans


@dataclass(frozen=True)
class Scene:
    """Which report of whom, as of when, in which state of data. `body`: a unit_id or an
    organisation's id; `request`: what was asked for, for duties on request."""

    plan: str
    duty: str
    period: str
    body: str
    as_of: date
    state: str
    request: Request | None = None
    provisional: bool = False

    @property
    def name(self) -> str:
        return f"{self.plan}.{self.duty}.{self.period}.{self.body.partition('@')[0]}.{self.state}"


def material(scene: Scene) -> Material:
    tree, plans = defined()
    plan = plans[scene.plan]
    duty = next(o for o in plan["reporting"] if o["id"] == scene.duty)
    organisations = {o["id"]: o for o in plan["organisations"]}
    asked = [scene.request] if scene.request else []
    spans = periods(duty, plan, asked, party=party_owes(duty, organisations))
    period = find(duty, plan, spans, scene.period, scene.as_of + timedelta(days=1))
    assert period is not None, f"{scene.duty} has no {scene.period}"
    area = sorted(answering(tree, plan["unit"]))
    place = Area(tree, plan["unit"], area, scene.as_of)
    unit = tree.unit(scene.body)
    owed = bodies(duty["who"], organisations, place.units, scene.as_of)
    body = next((b for b in owed if b.id == scene.body), None)
    if body is None:
        body = Body(scene.body, organisations[scene.body]["name_vi"])
    author = author_of(plan, duty, body, unit, scene.as_of)
    top = author.unit_id or plan["unit"]
    level = (
        "hamlet" if plan.get("unit_level") in ("ward", "commune") or author.unit_id else "commune"
    )
    day = before(spans, period, plan)
    evidence = evidence_of(tree, plan, place, top, scene, period)
    tasks = list(
        fold_tasks(
            Known(
                plan,
                place,
                evidence,
                met_of(plan, scene.state),
                statements(plan, scene),
                {},
                scene.as_of,
            )
        )
    )
    names = {u.unit_id: u.name(scene.as_of) for u in place.units}
    whole = tree.unit(plan["unit"])
    assert whole is not None, plan["unit"]
    return Material(
        document=plan,
        version=1,
        duty=duty,
        period=period,
        author=author,
        as_of=scene.as_of,
        known_at=scene.as_of + timedelta(days=1),
        provisional=scene.provisional,
        recipients=[organisations[n]["name_vi"] for n in [*(duty.get("to") or ()), *(duty.get("via") or ())]],
        table=table_of(tree, plan, top, level, scene.as_of, scene.state, 100),
        before=table_of(tree, plan, top, level, day, scene.state, 70) if day else None,
        before_day=day,
        tasks=tasks,
        evidence=evidence,
        late=late_of(place, scene.state) if author.whole else [],
        issues=issues_of(plan, place, top, scene),
        inspections=facts("inspection.held", top, scene, INSPECTIONS),
        feedback=facts("feedback.received", top, scene, FEEDBACK),
        reports=reports_of(feeding_bodies(plan, duty, author.id, owed, place, scene.as_of), period, scene) if author.whole else None,
        names=names | {whole.unit_id: whole.name(scene.as_of)},
    )  # fmt: skip


def feeding_bodies(
    plan: Json, duty: Json, author: str, owed: list[Body], place: Area, on: date
) -> list[Body]:
    """Whoever reports to the author under some duty."""
    organisations = {o["id"]: o for o in plan["organisations"]}
    fed = feeding(plan, duty, author)
    return [b for d in fed for b in bodies(d["who"], organisations, place.units, on)]


def units_below(tree: UnitTree, plan: Json, top: str, level: str, on: date) -> list[Any]:
    area = covered(tree, plan["unit"])
    found = [u for u in tree.units() if u.unit_id in area and u.level == level and u.exists(on)]
    if top != plan["unit"]:
        found = [u for u in found if any(a.unit_id == top for a in tree.ancestors(u.unit_id))]
    return sorted(found, key=lambda u: u.unit_id)


def table_of(
    tree: UnitTree, plan: Json, top: str, level: str, on: date, state: str, percent: int
) -> Table:
    units = units_below(tree, plan, top, level, on)
    own = tree.unit(top)
    assert own is not None
    rows = [
        Row(u.code, u.unit_id, u.name(on), {o["id"]: cell_of(o, n, i, state, percent, on) for n, o in enumerate(plan["objectives"]) if counts_at(o, level)})
        for i, u in enumerate(units)
    ]  # fmt: skip
    cells = {
        o["id"]: whole_of(
            o,
            n,
            [r.cells[o["id"]] for r in rows if o["id"] in r.cells],
            state,
            percent,
            on,
            own.level,
        )
        for n, o in enumerate(plan["objectives"])
        if not o.get("not_counted")
    }
    whole = Row(own.code, own.unit_id, own.name(on), cells)
    return Table(
        plan=plan["id"], plan_version=1, plan_title_vi=plan["title_vi"], unit=own.code,
        unit_id=top, unit_name_vi=own.name(on), level=level, as_of=on, known_at=None, tree=on,
        position=1, reported=1, refreshed_at=None, sandbox=False,
        objectives=[Header(o["id"], o["text_vi"], o["target"], None, "counted", None, o.get("recurrence")) for o in plan["objectives"]],
        whole=whole, rows=rows, total=len(rows),
    )  # fmt: skip


def counts_at(o: Json, level: str) -> bool:
    """Whether units of a level have a cell of an objective: a hamlet has none of what communes owe."""
    target = o["target"]
    return not o.get("not_counted") and (
        level != "hamlet"
        or target["unit"] == "percent"
        or target.get("per") in ("hamlet", "household", "mentor")
    )


def cell_of(o: Json, n: int, i: int, state: str, percent: int, on: date) -> Cell:
    """One unit's cell: deterministic, and silent in two of seven units where the data is bad."""
    silent = state == "empty" or (state == "bad" and i % 7 in (2, 5))
    low, high = SHARE[state]
    share = 0 if silent else (low + (n * 29 + i * 17) % max(high - low, 1)) * percent // 100
    target = o["target"]
    shares = target["unit"] == "percent" or target.get("per") in ("household", "mentor", "hamlet")
    if shares:
        missing = state == "empty" or (state == "bad" and (i + n) % 11 == 3)
        size = 400 + (i * 137) % 2600
        value = size * share // 100
        return done(o, value, None if missing else size, silent, on, state)
    if target.get("per") == "commune":
        value = target["value"] * share * 2 // 100
        return done(o, value, None, silent, on, state, required=least(target["value"], target["comparator"]))  # fmt: skip
    need = least(target["value"], target["comparator"]) if target["unit"] == "count" else 1
    value = need + share if share >= 40 and need > 1 else need if share >= 40 else need // 3
    return done(o, 0 if silent else value, None, silent, on, state, required=need)


def whole_of(
    o: Json, n: int, rows: list[Cell], state: str, percent: int, on: date, level: str
) -> Cell:
    target = o["target"]
    if not rows or (target["unit"] == "count" and not target.get("per")):
        return cell_of(o, n, 0 if state == "bad" else 3, state, percent, on)
    if rows[0].denominator is not None or any(c.denominator for c in rows):
        silent = all("nothing_reported" in c.flags for c in rows)
        return done(o, sum(c.value or 0 for c in rows), sum(c.denominator or 0 for c in rows), silent, on, state)  # fmt: skip
    if target["unit"] == "percent" or target.get("per") in ("household", "mentor", "hamlet"):
        return done(o, 0, None, True, on, state)
    silent = all("nothing_reported" in c.flags for c in rows)
    met = sum(bool(c.met) for c in rows)
    return done(o, met, len(rows), silent, on, state)


def done(
    o: Json, value: int, size: int | None, silent: bool, on: date, state: str, required: int | None = None
) -> Cell:  # fmt: skip
    target = o["target"]
    if size is not None:
        need = 100 if target["unit"] != "percent" else target["value"]
        required = least(need, target["comparator"] if target["unit"] == "percent" else ">=", size, 100)  # fmt: skip
    met = None if required is None else value >= required
    flags = ["nothing_reported"] if silent else []
    if size is None and required is None:
        flags.append("denominator_missing")
    last = date.fromisoformat(o["last_day"]) if o.get("last_day") else None
    status = "unknown" if met is None or silent else "met" if met else "behind"
    if status == "behind" and last is not None and last < on:
        status = "overdue"
    elif status == "behind" and required and value * 10 >= required * 6:
        status = "on_track"
    bucket = None
    if o.get("recurrence") in ("weekly", "monthly"):
        end = on - timedelta(days=on.isoweekday())
        bucket = Bucket("week", end - timedelta(days=6), end, value, size, required, met, True)
    unit = "percent_of_units" if target.get("per") and size is not None else None
    return Cell(
        value, size, value / size if size else None, met, None, status, "events", None, flags,
        target=100 if unit else None, target_unit=unit, required=required, last_day=last,
        bucket=bucket, status_bucket=bucket,
    )  # fmt: skip


def met_of(plan: Json, state: str) -> Met:
    met = {"good": True, "bad": False, "empty": None}[state]
    found = {o["id"]: ObjectiveState(met, met, state != "empty") for o in plan["objectives"]}
    return Met({plan["unit"]: found}, plan["unit"], ())


COUNTS: dict[str, Mapping[str, Any]] = {
    "document.issued": {"kind": "plan"},
    "committee.established": {},
    "launch.held": {"participants": 250},
    "team.established": {"members": 7},
    "class.held": {"participants": 32, "held_by": "youth_union"},
    "guidance_session.held": {"participants": 18, "held_by": "youth_union"},
    "post.published": {"kind": "news", "channel": "local_channel"},
    "activity.held": {"participants": 120},
    "model.recognised": {"kind": "cong_dan_so_tieu_bieu"},
    "award.granted": {},
}


def evidence_of(
    tree: UnitTree, plan: Json, area: Area, top: str, scene: Scene, period: Period
) -> dict[str, list[Evidence]]:
    if scene.state == "empty":
        return {}
    below = [u.unit_id for u in area.units if top == plan["unit"] or u.unit_id == top or any(a.unit_id == top for a in tree.ancestors(u.unit_id))]  # fmt: skip
    if scene.state == "bad":
        below = below[:3]
    if scene.body == top or not _gathers(plan, scene):
        below = below[:1] if top == plan["unit"] else below
    found: dict[str, list[Evidence]] = {}
    for k, (name, data) in enumerate(COUNTS.items()):
        if scene.state == "bad" and name in ("launch.held", "model.recognised", "award.granted"):
            continue
        for i, unit_id in enumerate(below[: 20 + k]):
            n = (2 + (i * 3 + k) % 9) if scene.state == "good" else 1
            day = scene.as_of - timedelta(days=(i * 11 + k * 5) % 160)
            found.setdefault(name, []).append(Evidence(unit_id, day, data, n))
    return found


def _gathers(plan: Json, scene: Scene) -> bool:
    """Whether the scene's author speaks of the whole plan; a department's own events are few."""
    duty = next(o for o in plan["reporting"] if o["id"] == scene.duty)
    return scene.body in (*duty["who"], *(duty.get("via") or ()))


def fact(type: str, number: int, unit_id: str, day: date, data: Json) -> Fact:
    return Fact(
        number, number, type, unit_id, day, day, "https://nguon.example", f"s{number}", data
    )


def statements(plan: Json, scene: Scene) -> list[Any]:
    if scene.state == "empty":
        return []
    found = []
    for number, task in enumerate(plan["tasks"]):
        lead = next(iter(task.get("lead") or ()), None)
        status = "done" if scene.state == "good" and number % 5 else ("blocked" if number % 9 == 4 else "in_progress")  # fmt: skip
        data: Json = {"plan": plan["id"], "task": task["id"], "status": status}
        if lead:
            data["organisation"] = lead
        if status == "blocked":
            data["difficulties"] = "Chưa bố trí được kinh phí mua máy tính cho điểm học cộng đồng"
        elif number % 9 == 5:
            data["difficulties"] = "Cán bộ phụ trách mới nhận nhiệm vụ, chưa được tập huấn"
        day = scene.as_of - timedelta(days=3 + number % 40)
        found.append(fact("task.progressed", 500 + number, plan["unit"], day, data))
    return statements_of(found, plan["id"])


def late_of(area: Area, state: str) -> list[Late]:
    units = [u for u in area.units if u.level == "commune"] or area.units
    if state != "bad":
        return []
    return [Late(u.unit_id, u.name(date(2026, 1, 1)), 4 + i) for i, u in enumerate(units[:3])]


ISSUES = (
    ("difficulty", "Sóng di động tại các thôn vùng sâu còn yếu, người học không vào được nền tảng học trực tuyến."),
    ("difficulty", 'Thiếu người hướng dẫn biết tiếng dân tộc; học viên gọi lớp là "lớp chữ số", ít tự tin tham gia.'),
    ("proposal", "Bố trí kinh phí mua 05 máy tính bảng cho mỗi nhà văn hóa thôn, buôn."),
)  # fmt: skip
INSPECTIONS = (
    {"inspection_ref": "kt-1", "inspector": "Đoàn kiểm tra", "findings": "Hồ sơ lớp học đầy đủ; sổ theo dõi học viên chưa cập nhật", "remedy": "Cập nhật sổ", "remedy_by": "2026-01-01"},
    {"inspection_ref": "kt-2", "findings": "Thực hiện đúng Kế hoạch"},
)  # fmt: skip
FEEDBACK = (
    {"channel": "hotline", "topic": "online_public_services", "text": "Lớp học mở vào giờ làm việc nên nhiều người không dự được", "status": "open"},
    {"channel": "hotline", "topic": "vneid", "status": "resolved"},
)  # fmt: skip


def issues_of(plan: Json, area: Area, top: str, scene: Scene) -> list[Fact]:
    if scene.state == "empty" or ("@" not in scene.body and not _gathers(plan, scene)):
        return []
    units = [u.unit_id for u in area.units if u.level == "commune"] or [top]
    places = [top] * 3 if top in units or len(units) < 3 else units[:3]
    wanted = ISSUES if scene.state == "bad" else ISSUES[2:]
    return [
        fact("issue.raised", 900 + i, place, scene.as_of - timedelta(days=20 - i), {"kind": kind, "text": text})
        for i, ((kind, text), place) in enumerate(zip(wanted, places, strict=False))
    ]  # fmt: skip


def facts(type: str, top: str, scene: Scene, many: tuple[Json, ...]) -> list[Fact]:
    if scene.state == "empty":
        return []
    start = 700 if type.startswith("insp") else 800
    return [fact(type, start + i, top, scene.as_of - timedelta(days=9 + i), d) for i, d in enumerate(many)]  # fmt: skip


def reports_of(owed: list[Body], period: Period, scene: Scene) -> Filled:
    entries = []
    for i, body in enumerate(owed):
        if scene.state == "good" or (scene.state == "bad" and i % 4 == 0):
            data = {"plan": scene.plan, "obligation": scene.duty, "period": period.id}
            if i % 8 == 4:
                data["difficulties"] = (
                    "Chưa có danh sách người lao động của doanh nghiệp trên địa bàn"
                )
            report = fact("report.submitted", 300 + i, body.unit_id or "", period.closing_day, data)
            entries.append(Entry(body, "on_time", [report], None, period.closing_day))
        else:
            entries.append(Entry(body, "missing"))
    return Filled(period, entries, [])
