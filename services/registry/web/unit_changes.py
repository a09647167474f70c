"""Rename, merge and split a unit on a day: form -> difference -> write."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import ValidationError

from services.registry.access import CurrentPrincipal, Writer, Writing
from services.registry.state import Registry, State
from services.registry.units.changes import Planner
from services.registry.units.wishes import Change, Merge, NewUnit, Rename, Split
from services.registry.units.write_routes import carry_out, planner_of
from services.registry.web import rule_words
from services.registry.web.render import PageRoute, needs_person, show
from services.registry.web.unit_words import ENUMS, left_below, told
from services.registry.web.waiting import learn
from shared.auth import Principal
from shared.auth.scopes import WRITE
from shared.bodies import read_form
from shared.contracts.live import of_process
from shared.domain.units import LEVEL_OF_KIND, Unit, UnknownUnit
from shared.problems import Problem

router = APIRouter(prefix="/units/{code}/changes", route_class=PageRoute, include_in_schema=False)

NEW = "new"
PARTS = 8
"""Parts that the form of a split has room for."""
Form = dict[str, list[str]]


@dataclass
class Shown:
    """What stands on the page besides the forms: what was typed, and what it would change."""

    typed: Form = field(default_factory=dict)
    planner: Planner | None = None
    problem: Problem | None = None


def may_change(principal: Principal) -> bool:
    """Whether a key may change units of any kind; communes have the page of their hamlets."""
    kinds = of_process()["unit.dissolved"].kinds_for(principal.roles)
    return principal.is_administrator or (kinds is None and principal.has(WRITE))


@router.get("")
async def changes_page(state: Registry, principal: CurrentPrincipal, code: str) -> HTMLResponse:
    """The forms for whoever may change units."""
    return _page(state, principal, state.unit(code, state.clock.today()), Shown())


@router.post("")
async def change_unit(
    request: Request, state: Registry, principal: CurrentPrincipal, caller: Writing, code: str
) -> Response:
    """Show what the form would change; write it when that was seen (`write`)."""
    form = await read_form(request, blanks=True)
    unit = state.unit(code, state.clock.today())
    shown = Shown(form)
    try:
        shown.planner = _planned(state, caller, unit, form)
        position = await carry_out(state, caller, shown.planner, not one(form, "write"))
    except Problem as problem:
        if needs_person(problem):
            raise
        shown.problem = problem
    if shown.problem is not None or not one(form, "write"):
        return _page(state, principal, unit, shown)
    await learn(state, position)
    written = len(shown.planner.planned.events) if shown.planner else 0
    return RedirectResponse(f"/units/{quote(unit.unit_id)}?done={written}", 303)


def _planned(state: State, caller: Writer, unit: Unit, form: Form) -> Planner:
    planner = planner_of(state, caller, None, one(form, "source_ref")[:200] or None)
    try:
        planner.plan(_wish(unit, form, day_typed(form)))
    except ValidationError as error:
        raise field_missing(error) from None
    except UnknownUnit as unknown:
        raise Problem(
            unknown.code, unknown.detail, pointer="/into", hint=unknown.hint,
            extra={"candidates": unknown.candidates} if unknown.candidates else None,
        ) from None  # fmt: skip
    return planner


def _wish(unit: Unit, form: Form, day: date) -> Change:
    what = one(form, "what")
    if what == "rename":
        name, kind = one(form, "name"), one(form, "kind")
        about: dict[str, Any] = {"name_vi": name or None, "kind": kind or None}
        about |= {"distinct": bool(one(form, "distinct"))}
        return Rename.model_validate({"op": "rename", "unit": unit.unit_id, "on": day} | about)
    if what == "merge":
        units = [unit.unit_id, *form.get("units", [])]
        into: Any = one(form, "into")
        if into in ("", NEW):
            into = _new(one(form, "code"), one(form, "name"), one(form, "kind"))
            into.distinct = bool(one(form, "distinct"))
        return Merge(op="merge", units=units, into=into, on=day)
    rows = zip(*(form.get(n, []) for n in ("part", "part_name", "part_kind")), strict=False)
    parts: list[NewUnit | str] = [
        _new(code.strip(), name, kind) if name.strip() else code.strip()
        for code, name, kind in rows
        if code.strip() or name.strip()
    ]
    return Split(op="split", unit=unit.unit_id, into=parts, on=day)


def _new(code: str, name: str, kind: str) -> NewUnit:
    about = {"code": code, "name_vi": " ".join(name.split()), "kind": kind}
    return NewUnit.model_validate(about)


def one(form: Form, name: str) -> str:
    """A field of a form; "" when it is not there."""
    return form.get(name, [""])[0].strip()


def day_typed(form: Form) -> date:
    """The day from which a change holds."""
    try:
        return date.fromisoformat(one(form, "on"))
    except ValueError:
        raise Problem(
            "form-incomplete", "The day is missing.", pointer="/on", hint="Fill it in."
        ) from None


def field_missing(error: ValidationError) -> Problem:
    """The first field of a form that is empty or malformed."""
    first = error.errors()[0]
    names = [str(step) for step in first["loc"]]
    field = next((n for n in reversed(names) if n in rule_words.FIELDS), names[-1])
    return Problem(
        "change-malformed", f"{field}: {first['msg']}", pointer=f"/{field}", hint="Fill it in."
    )


def _page(state: State, principal: Principal, unit: Unit, shown: Shown) -> HTMLResponse:
    today = state.clock.today()
    ready = shown.planner is not None and shown.problem is None
    events = shown.planner.planned.events if shown.planner and ready else []
    siblings = [
        u
        for u in (state.tree.children(unit.parent, today) if unit.parent else [])
        if u.level == unit.level and u.unit_id != unit.unit_id
    ]
    rows = list(
        zip(*(shown.typed.get(n, []) for n in ("part", "part_name", "part_kind")), strict=False)
    )
    return show(
        state,
        "unit_changes.html",
        200 if shown.problem is None else shown.problem.status,
        unit=unit,
        name=unit.name(today),
        kind=unit.kind(today),
        kinds={n: w for n, w in ENUMS["unit_kind"].items() if LEVEL_OF_KIND[n] == unit.level},
        siblings=[(u.unit_id, u.code, u.name(today)) for u in siblings],
        may_write=may_change(principal),
        key=principal.is_signed_in,
        what=one(shown.typed, "what"),
        typed={name: values[0] for name, values in shown.typed.items()},
        sent=[(n, v) for n, values in shown.typed.items() for v in values if n != "write"],
        chosen=shown.typed.get("units", []),
        rows=(rows + [("", "", "")] * PARTS)[:PARTS],
        ready=ready,
        told=told(state.tree, events),
        left=left_below(state.tree, events),
        problem=shown.problem,
        FIELD=rule_words.FIELDS,
        RULE=rule_words.UNITS,
        NEW=NEW,
    )
