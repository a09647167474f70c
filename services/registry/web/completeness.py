"""Who is silent, by kind and week, and the words of a reminder to copy."""

from datetime import date, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from services.registry.access import CurrentPrincipal
from services.registry.completeness.routes import checked_type, counted_types
from services.registry.completeness.weeks import ByWeek, by_week
from services.registry.disclosure import last_sunday
from services.registry.plans.routes import plan_json
from services.registry.progress.doubts import doubts
from services.registry.progress.reasons import types_of
from services.registry.reach import authorize_unit
from services.registry.state import Registry, State, not_future
from services.registry.tables.build import Question, build, place_of
from services.registry.tables.model import Table
from services.registry.web.heat import LATE, plain
from services.registry.web.render import Day, JoinedPageRoute, day_of, show
from services.registry.web.words import day as day_vi
from shared.contracts.live import of_process
from shared.domain.plan_history import PlanVersion
from shared.problems import Problem

router = APIRouter(
    prefix="/plans/{plan}/completeness", route_class=JoinedPageRoute, include_in_schema=False
)

STATE = {
    "on_time": ("good", "✓", "Đúng hạn"),
    "late": ("warn", "▼", "Muộn"),
    "nil": ("idle", "0", "Không phát sinh"),
    "silent": ("bad", "✗", "Im lặng"),
}
"""State of a unit, kind and week -> (colour class, sign, words)."""
Short = Annotated[str, Query(max_length=100)]
NAMED = 8
"""So many kinds a reminder names; more is not read."""


@router.get("")
async def completeness_page(
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    type: Short = "",
    unit: Short = "",
    remind: Short = "",
    until: Day = "",
    q: Short = "",
    silent: Annotated[str, Query(max_length=1)] = "",
) -> HTMLResponse:
    """Units x weeks of all kinds or one; `unit`: kinds x weeks of one unit; `remind`: the message."""
    found, today = state.plan(plan), state.clock.today()
    asked = day_of(until, "until")
    not_future(asked, "until", today)
    sunday = last_sunday(asked + timedelta(days=1)) if asked else last_sunday(today)
    own = authorize_unit(principal, state, found, None, sunday)
    place = place_of(state, Question(plan, own), sunday)
    types = counted_types(found)
    if type:
        checked_type(found, type)
    units = {id: name for _, id, name in place.units}
    names = {place.top.unit_id: place.name} | units
    unit, remind = (_unit_id(state, wanted, sunday, names) for wanted in (unit, remind))
    for name, wanted in (("unit", unit), ("remind", remind)):
        if wanted and wanted not in names:
            raise Problem(
                "unit-unknown", "The page shows no such unit.", status=404, pointer=f"/{name}",
                hint="Choose one of the units of the page.",
            )  # fmt: skip
    below = {id: [id, *(u.unit_id for u in state.tree.descendants(id))] for id in names}
    weeks = await by_week(state.pool, below, types, sunday)
    table = await build(state, Question(plan, own))
    shown = [type] if type else types
    rows = [_row(weeks, id, name, shown) for id, name in units.items()]
    rows = [row for row in rows if plain(q) in plain(row["name"])] if q else rows
    rows = [row for row in rows if not silent or row["last"]["silent"] == len(shown)]
    rows.sort(key=lambda row: (-row["last"]["silent"], row["unit_id"]))
    titles = {name: kind.title_vi for name, kind in of_process().items()}
    keep = {"type": type, "until": until, "q": q, "silent": silent}
    return show(
        state,
        "completeness.html",
        plan=plan_json(state, found),
        weeks=weeks,
        sunday=sunday,
        top=_row(weeks, place.top.unit_id, place.name, shown),
        rows=rows,
        types=types,
        type=type,
        titles=titles,
        one=names.get(unit, ""),
        unit=unit,
        kinds=[_kind(weeks, unit, kind, titles) for kind in types] if unit else [],
        message=_message(found, table, weeks, remind, names[remind], types, titles) if remind else "",
        remind=names.get(remind, ""),
        before=(weeks.mondays[-1] - timedelta(days=1)).isoformat(),
        after=_after(sunday, today),
        quiet=sum(row["last"]["silent"] == len(shown) for row in rows),
        doubts=doubts(table),
        keep=keep,
        query=lambda **more: urlencode({k: v for k, v in (keep | more).items() if v}),
        STATE=STATE,
    )  # fmt: skip


def _unit_id(state: State, wanted: str, on: date, names: dict[str, str]) -> str:
    """The id of a unit that is named by its code too, as everywhere."""
    return wanted if not wanted or wanted in names else state.unit(wanted, on).unit_id


def _after(sunday: date, today: date) -> str | None:
    """The end of the next whole week, where it is over."""
    following = sunday + timedelta(days=7)
    return following.isoformat() if following < today else None


def _row(weeks: ByWeek, unit_id: str, name: str, types: list[str]) -> dict[str, Any]:
    """A unit with its weeks: of one kind its state, of several how many of them came in."""
    cells = []
    for monday in reversed(weeks.mondays):
        counts = weeks.counts(unit_id, types, monday)
        if len(types) == 1:
            tone, sign, says = STATE[weeks.state(unit_id, types[0], monday)]
            cells.append((tone, sign, says))
            continue
        spoke = len(types) - counts["silent"]
        says = ", ".join(f"{STATE[s][2].lower()}: {n}" for s, n in counts.items() if n)
        late = counts["late"] * 2 > counts["on_time"] + counts["late"]
        tone, sign = ("bad", "✗") if not spoke else ("warn", "▼") if late else ("good", "✓")
        cells.append((tone, f"{spoke}/{len(types)} {sign}", says))
    last = weeks.counts(unit_id, types, weeks.mondays[-1])
    return {"unit_id": unit_id, "name": name, "cells": cells, "last": last}


def _kind(weeks: ByWeek, unit: str, kind: str, titles: dict[str, str]) -> dict[str, Any]:
    states = [STATE[weeks.state(unit, kind, monday)] for monday in reversed(weeks.mondays)]
    return {"title": titles.get(kind, kind), "cells": states}


def _message(
    plan: PlanVersion,
    table: Table,
    weeks: ByWeek,
    unit: str,
    name: str,
    types: list[str],
    titles: dict[str, str],
) -> str:
    """What to send to a silent unit: first the kinds that its late targets need."""
    monday = weeks.mondays[-1]
    cells = next((row.cells for row in table.rows if row.unit_id == unit), {})
    needed = {
        kind
        for objective in plan.document["objectives"]
        if objective["id"] in cells and cells[objective["id"]].status in LATE
        for kind in types_of(objective)
    }
    silent = weeks.silent(unit, types)
    silent.sort(key=lambda kind: (kind not in needed, titles.get(kind, kind)))
    listed = "\n".join(f"- {titles.get(kind, kind)}" for kind in silent[:NAMED])
    more = f"\n- và {len(silent) - NAMED} loại khác" if len(silent) > NAMED else ""
    if not silent:
        return f"{name} đã gửi số liệu đầy đủ trong tuần {_span(monday)}; không cần nhắc."
    until = monday + timedelta(days=11)
    return (
        f"Kính gửi: UBND {name[:1].lower()}{name[1:]}\n"
        f"Tuần {_span(monday)}, hệ thống theo dõi Phong trào “Bình dân học vụ số” chưa nhận được số liệu của đơn vị về:\n"
        f"{listed}{more}\n"
        f"Đề nghị đơn vị cập nhật trước ngày {day_vi(until)}; nếu trong tuần không có hoạt động, đề nghị xác nhận"
        " “Không phát sinh” ở trang “Việc tuần này”.\nTrân trọng./."
    )


def _span(monday: date) -> str:
    return f"{day_vi(monday)} – {day_vi(monday + timedelta(days=6))}"
