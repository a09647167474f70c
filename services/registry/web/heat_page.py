"""The page of a plan's table: units and objectives as a wide table, or one objective as ranked bars."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import groupby
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from services.registry.access import CurrentPrincipal
from services.registry.disclosure import last_sunday
from services.registry.plans.routes import plan_json
from services.registry.progress import ranking
from services.registry.reach import authorize_unit
from services.registry.state import Registry, State
from services.registry.tables.build import Question, build
from services.registry.tables.model import Header, Row, Table
from services.registry.tables.public import LEVELS as PUBLIC_LEVELS
from services.registry.tables.public import public_table
from services.registry.tables.routes import gets_public, tag
from services.registry.tables.scope import LEVELS
from services.registry.web.heat import (
    BY_NAME,
    SIGN,
    WORST_FIRST,
    HeatRow,
    body,
    chosen,
    heat_rows,
    long,
    ordered,
    short,
)
from services.registry.web.language import gettext, language
from services.registry.web.render import Day, JoinedPageRoute, day_of, show
from services.registry.web.topics import by_topic
from shared.problems import Problem

router = APIRouter(route_class=JoinedPageRoute, include_in_schema=False)

HEATS_KEPT = 16
PRINTED_COLUMNS = 9
"""So many columns stand on one sheet across."""
Short = Annotated[str, Query(max_length=80)]


@router.get("/plans/{plan}")
async def table_page(
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    unit: Short = "",
    level: Short = "",
    as_of: Day = "",
    known_at: Day = "",
    q: Short = "",
    late: Annotated[str, Query(max_length=1)] = "",
    sort: Annotated[str, Query(max_length=101)] = WORST_FIRST,
    objective: Annotated[str, Query(max_length=100)] = "",
    view: Annotated[str, Query(max_length=5)] = "",
) -> HTMLResponse:
    """Units x objectives. `objective`: ranked bars of this one; `view=print`: groups of columns that
    fit on paper."""
    asked = Question(
        plan, unit or None, level or None, day_of(as_of, "as_of"), day_of(known_at, "known_at")
    )
    anonymous = gets_public(principal, state, plan, unit or None)
    if anonymous:
        shown = await public_table(state, state.plan(plan), asked.level, asked.as_of)
        unit = known_at = ""
    else:
        day = asked.as_of or state.clock.today()
        own = authorize_unit(principal, state, state.plan(plan), asked.unit, day)
        shown = await build(state, replace(asked, unit=own))
    columns = {o.id: o for o in shown.objectives if o.state != "not_counted"}
    _check_column(columns, sort.removeprefix("-"), "sort", {WORST_FIRST, BY_NAME})
    _check_column(columns, objective, "objective", {""})
    keep = {
        "unit": unit, "level": shown.level, "as_of": as_of, "known_at": known_at, "q": q,
        "late": late, "sort": "" if sort == WORST_FIRST else sort, "objective": objective,
    }  # fmt: skip
    keep = {name: value for name, value in keep.items() if value}
    top = state.tree.unit(shown.unit_id)
    levels = _levels_below(state, shown.unit_id, shown.tree, top.level if top else "province")
    if anonymous:
        levels = [level for level in levels if level in PUBLIC_LEVELS]
    return await asyncio.to_thread(
        _page, state, shown, columns, keep, levels, anonymous=anonymous, view=view
    )


def _page(
    state: State,
    table: Table,
    columns: dict[str, Header],
    keep: dict[str, str],
    levels: list[str],
    *,
    anonymous: bool,
    view: str,
) -> HTMLResponse:
    found = state.plan(table.plan)
    groups = [
        (title, [columns[id] for id in ids if id in columns])
        for title, ids in by_topic(o for o in found.document["objectives"] if o["id"] in columns)
    ]
    whole, rows = _heat(
        state, table, list(columns), None if anonymous or view else quote(table.plan)
    )
    sort, focus = keep.get("sort", WORST_FIRST), keep.get("objective", "")
    column = focus or sort.removeprefix("-")
    shown = chosen(
        rows, keep.get("q", ""), late="late" in keep,
        objective=column if column in columns else None,
    )  # fmt: skip
    if not focus and column in columns:  # the column that orders the rows stands beside their names
        rest = [(title, [o for o in group if o.id != column]) for title, group in groups]
        groups = [(gettext("Cột đang chọn"), [columns[column]]), *(g for g in rest if g[1])]
    by = (sort if sort.removeprefix("-") == focus else focus) if focus else sort
    common: dict[str, Any] = {
        "table": table,
        "plan": plan_json(state, found),
        "whole": whole,
        "rows": ordered(shown, by),
        "all": len(rows),
        "columns": columns,
        "numbers": {o.id: i for i, o in enumerate(table.objectives, 1)},
        "keep": keep,
        "query": lambda **more: urlencode({k: v for k, v in (keep | more).items() if v}),
        "anonymous": anonymous,
        "export": "".join(
            f"{name}={quote(keep[name])}&"
            for name in ("unit", "level", "as_of", "known_at")
            if name in keep
        ),
    }
    if view == "print":
        return show(state, "table_print.html", sheets=list(_sheets(groups)), **common)
    cells = {
        row.unit_id: row.cells for row in (*table.rows, *([table.whole] if table.whole else []))
    }
    day = table.as_of
    order = [o.id for _, group in groups for o in group]
    key = (tag(state, table, "body"), language.get(), anonymous, tuple(sorted(keep.items())))
    made = None if focus else state.heats.get(key)
    if made is None and not focus:
        if len(state.heats) >= HEATS_KEPT:
            state.heats.clear()
        base, query = None if anonymous else quote(table.plan), f"?as_of={keep['as_of']}" if "as_of" in keep else ""  # fmt: skip
        made = state.heats[key] = body(whole, common["rows"], order, base, query)
    return show(
        state,
        "table.html",
        groups=groups,
        body=made,
        sort=sort,
        focus=columns.get(focus),
        picked=columns.get(column),
        bars_of=[_bar(row, cells[row.unit_id], focus) for row in common["rows"]] if focus else [],
        overview=_overview(rows, groups, table.whole),
        uncounted=[o for o in table.objectives if o.state == "not_counted"],
        levels=levels,
        weeks=_weeks(state, found.document["period"]["start"], day),
        before=_sunday_before(day).isoformat(),
        after=_sunday_after(day, state.clock.today()),
        ranked=ranking.published(state, table.plan, state.clock.today()) is not None,
        late_rows=sum(bool(row.late) for row in rows),
        **common,
    )


def _heat(
    state: State, table: Table, order: list[str], base: str | None
) -> tuple[HeatRow | None, list[HeatRow]]:
    """The rows of a table, made once for each of its states."""
    key = (tag(state, table, "heat"), language.get(), base)
    known: tuple[HeatRow | None, list[HeatRow]] | None = state.heats.get(key)
    if known is None:
        if len(state.heats) >= HEATS_KEPT:
            state.heats.clear()
        known = state.heats[key] = heat_rows(table, order, base)
    return known


def _check_column(columns: dict[str, Header], name: str, at: str, more: set[str]) -> None:
    if name in columns or name in more:
        return
    raise Problem(
        "objective-unknown",
        "The table has no such column.",
        status=404,
        pointer=f"/{at}",
        hint="Open the table of the plan and choose one of its columns.",
    )


def _levels_below(state: State, unit_id: str, on: date, level: str) -> list[str]:
    """The levels that a table of this unit can show on that day."""
    present = {u.level for u in state.tree.descendants(unit_id, on)} | {level}
    if level == "province":
        # Metrics counts hamlets for commune plans only; an ended province is shown by communes.
        present = (present | {"commune"}) - {"hamlet"}
    return [name for name in LEVELS if name in present]


def _overview(
    rows: list[HeatRow], groups: list[tuple[str, list[Header]]], whole: Row | None
) -> list[tuple[str, list[dict[str, Any]]]]:
    """Of every objective how many units are late, and where the whole stands: a phone's first view."""
    cells = whole.cells if whole else {}
    return [
        (
            title,
            [
                {
                    "header": o,
                    "late": sum(o.id in row.late_in for row in rows),
                    "cell": cells.get(o.id),
                }
                for o in group
            ],
        )
        for title, group in groups
    ]


def _bar(row: HeatRow, cells: dict[str, Any], objective: str) -> dict[str, Any]:
    """One ranked bar: how long it is and what it says."""
    cell = cells.get(objective)
    part = row.reached.get(objective)
    return {
        "unit_id": row.unit_id,
        "name": row.name,
        "width": None if part is None else max(0, min(100, int(part * 100))),
        "cell": cell,
        "says": long(cell) if cell else "",
        "short": f"{short(cell)} {SIGN.get(cell.status, ('', '·'))[1]}" if cell else "–",
    }


def _sheets(groups: list[tuple[str, list[Header]]]) -> Iterator[dict[str, Any]]:
    """Sheets of about equally many columns, PRINTED_COLUMNS at most, in the order of the groups."""
    flat = [(title, column) for title, group in groups for column in group]
    many = -(-len(flat) // PRINTED_COLUMNS)
    for n in range(many):
        part = flat[n * len(flat) // many : (n + 1) * len(flat) // many]
        yield {
            "groups": [(t, len(list(found))) for t, found in groupby(part, key=lambda one: one[0])],
            "columns": [column for _, column in part],
            "order": [column.id for _, column in part],
        }


def _sunday_before(day: date) -> date:
    return day - timedelta(days=day.isoweekday())


def _sunday_after(day: date, today: date) -> str | None:
    """The end of the next week as a parameter; empty: today, None: nothing lies ahead."""
    if day >= today:
        return None
    following = day + timedelta(days=7 - day.isoweekday() % 7)
    return following.isoformat() if following < today else ""


def _weeks(state: State, start: str, day: date) -> list[date]:
    """The Sundays since the plan began, the newest first, and the day shown."""
    first = date.fromisoformat(start)
    newest = last_sunday(state.clock.today())
    found = [newest - timedelta(weeks=n) for n in range((newest - first).days // 7 + 1)]
    return sorted({*found, day} - {state.clock.today()}, reverse=True)
