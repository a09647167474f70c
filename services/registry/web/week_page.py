"""The first page of a province's staff: what the Monday meeting reads, decides and closes."""

import uuid
from datetime import date, timedelta
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from services.registry.access import CurrentPrincipal, Writing
from services.registry.plans.routes import plan_json
from services.registry.reach import authorize_unit, bound_to
from services.registry.review.decisions import Decision, load_record
from services.registry.review.week import Week, monday_of, week_of
from services.registry.state import Registry, State, not_future
from services.registry.web import words
from services.registry.web.language import N_, gettext
from services.registry.web.render import Day, JoinedPageRoute, day_of, needs_person, show
from services.registry.web.spark import HEIGHT, WIDTH, spark
from services.registry.web.week_export import MEDIA, to_csv, to_xlsx
from services.registry.web.week_forms import (
    OUTCOMES,
    READY,
    Asked,
    closing_events,
    decision_events,
    follow_events,
    write,
)
from shared.auth import Principal
from shared.auth.scopes import WRITE
from shared.bodies import read_form
from shared.domain.plan_history import PlanVersion
from shared.problems import Problem

router = APIRouter(
    prefix="/plans/{plan}/week", route_class=JoinedPageRoute, include_in_schema=False
)

LARGEST = 256 * 1024
SHOWN_NEEDS = 12
FIGURES = {
    "on_pace": N_("Chỉ tiêu đúng tiến độ"),
    "late_units": N_("Đơn vị đang chậm"),
    "late_cells": N_("Lượt chỉ tiêu chậm ở các đơn vị"),
    "silent": N_("Đơn vị im lặng tuần trước"),
    "reports": N_("Báo cáo quá hạn, chưa nộp"),
    "tasks": N_("Nhiệm vụ quá hạn"),
}
REASONS = {
    "no_events": N_("không có hoạt động trong bốn tuần"),
    "nil_reported": N_("đơn vị xác nhận không phát sinh"),
    "late_data": N_("số liệu gửi muộn"),
    "parked": N_("có hoạt động chờ xử lý"),
    "slow": N_("tiến độ chậm"),
}
DONE = {
    "decide": N_("Đã ghi kết luận."),
    "follow": N_("Đã ghi kết quả thực hiện."),
    "close": N_("Đã kết thúc rà soát tuần này."),
}
"""What a page says after something was written."""


@router.get("")
async def week_page(
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    week: Day = "",
    done: Annotated[str, Query(max_length=10)] = "",
    format: Annotated[str, Query(max_length=4)] = "",
    every: Annotated[str, Query(max_length=1)] = "",
) -> Response:
    """A week's review; `format`: the same as CSV or XLSX; `every`: all units that need help."""
    found = state.plan(plan)
    monday = _monday(state, week)
    if format:
        shown = await week_of(state, found, _own(state, principal, found, monday), monday)
        make = {"csv": to_csv, "xlsx": to_xlsx}.get(format)
        if make is None:
            raise Problem(
                "format-unknown", "The week does not come in this format.", pointer="/format",
                hint="Formats: csv, xlsx.",
            )  # fmt: skip
        body = make(shown, found, FIGURES, REASONS, OUTCOMES, _unit_names(state, shown),
                    sandbox=state.settings.sandbox)  # fmt: skip
        name = f"{plan}-tuan-{monday.isoformat()}.{format}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(body, media_type=MEDIA[format], headers=headers)
    return await _page(state, principal, found, monday, Asked({}), done=done, every=bool(every))


@router.post("")
async def review(
    request: Request, state: Registry, principal: CurrentPrincipal, caller: Writing, plan: str
) -> Response:
    """Write a decision, what became of one, or the end of the week; what was typed stays when it is
    refused."""
    found = state.plan(plan)
    asked = Asked(await read_form(request, LARGEST))
    monday = _monday(state, asked.one("week"))
    unit = bound_to(principal) or found.document["unit"]
    act, problem = asked.one("act"), None
    if act == "follow":
        events = follow_events(state, caller, asked, unit)
    elif act == "close":
        events = closing_events(state, found, caller, asked, unit, monday)
    else:
        act = "decide"
        day = min(state.clock.today(), monday + timedelta(days=6))
        if monday in (await load_record(state, found, monday, None, None)).closings:
            asked.faults["act"] = N_(
                "Có người vừa kết thúc rà soát tuần này; kết luận chưa được ghi."
            )
        events = decision_events(state, found, caller, asked, unit, day)
    if not asked.faults:
        try:
            await write(state, caller, events)
        except Problem as refused:
            if needs_person(refused):
                raise
            problem = refused
        else:
            here = f"/plans/{quote(plan)}/week?week={monday.isoformat()}&done={act}"
            return RedirectResponse(f"{here}#ket-luan", 303)
    return await _page(state, principal, found, monday, asked, problem=problem)


def _monday(state: State, text: str) -> date:
    day = day_of(text, "week") or state.clock.today()
    not_future(day, "week", state.clock.today())
    return monday_of(day)


def _own(state: State, principal: Principal, plan: PlanVersion, monday: date) -> str | None:
    return authorize_unit(principal, state, plan, None, min(monday, state.clock.today()))


def _unit_names(state: State, shown: Week) -> dict[str, str]:
    """What the units of decisions are called."""
    decisions, record = shown.record.decisions, shown.record
    ids = {
        id for d in decisions for id in (d.unit_id, *d.units, *(s.unit_id for s in d.dispatches))
    }
    units = map(state.tree.unit, ids | {s.unit_id for s in record.sent})
    return {unit.unit_id: unit.name(shown.day) for unit in units if unit is not None}


async def _page(
    state: State,
    principal: Principal,
    plan: PlanVersion,
    monday: date,
    asked: Asked,
    *,
    problem: Problem | None = None,
    done: str = "",
    every: bool = False,
) -> HTMLResponse:
    shown = await week_of(state, plan, _own(state, principal, plan, monday), monday)
    today = state.clock.today()
    before: list[Decision] = shown.record.before(monday)
    status = 422 if asked.faults else 200 if problem is None else problem.status
    return show(
        state,
        "monday.html",
        status,
        plan=plan_json(state, plan),
        week=shown,
        needs=[
            need
            for n, need in enumerate(shown.needs)
            if every or n < SHOWN_NEEDS or need.unit_id in asked.many("units")
        ],
        decided=shown.record.of_week(monday),
        before=before,
        names=_unit_names(state, shown),
        typed=asked,
        faults={name: gettext(fault) for name, fault in asked.faults.items()},
        problem=problem,
        done=DONE.get(done, ""),
        id=asked.one("id") or str(uuid.uuid4()),
        may_write=principal.is_signed_in and principal.has(WRITE),
        open_week=monday == monday_of(today),
        last_week=(monday - timedelta(days=7)),
        next_week=(monday + timedelta(days=7)) if monday < monday_of(today) else None,
        spark=spark,
        spark_size=(WIDTH, HEIGHT),
        FIGURES=FIGURES,
        REASONS=REASONS,
        READY=READY,
        OUTCOMES=OUTCOMES,
        STATUS=words.STATUS,
    )
