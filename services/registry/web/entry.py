"""Entering an activity in a form, for communes without a system of their own.

What is typed goes to activities under the key of who is signed in; activities judges it. Identity
numbers are passed on and kept nowhere, also not in a form that is shown again.
"""

import hashlib
import uuid
from datetime import datetime, time
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from services.registry.access import CurrentPrincipal, Writing
from services.registry.posting import event, post
from services.registry.state import Registry, State
from services.registry.web import entry_forms as forms
from services.registry.web.entry_forms import Faults, Form
from services.registry.web.entry_units import ended_words, owner_of, unit_choices
from services.registry.web.frame import commune_of
from services.registry.web.language import gettext, title
from services.registry.web.problem_words import explain
from services.registry.web.render import PageRoute, needs_person, show, with_queue
from services.registry.web.targets import changed, objectives_of, targets
from shared.auth import Principal
from shared.auth.scopes import WRITE
from shared.bodies import read_form
from shared.clock import VIETNAM
from shared.contracts.live import of_process
from shared.contracts.model import EventType
from shared.identity.names import words as words_of
from shared.problems import Problem

router = APIRouter(prefix="/enter", route_class=PageRoute, include_in_schema=False)

TILES = 8
LARGEST = 256 * 1024


def kind_of(name: str) -> EventType:
    """The type of a form."""
    catalogue = of_process()
    if name not in catalogue or catalogue[name] not in forms.kinds(None):
        raise Problem(
            "type-unknown", "There is no form for this type.", status=404, pointer="/type"
        )
    return catalogue[name]


def kinds_for(principal: Principal) -> list[EventType]:
    """What the reader may enter; who has not signed in sees what there is."""
    if not principal.is_signed_in:
        return forms.kinds(None)
    if not principal.has(WRITE):
        return []
    return [k for k in forms.kinds(principal.roles) if principal.covers(k.type)]


@router.get("")
async def choose(
    state: Registry, principal: CurrentPrincipal, q: Annotated[str, Query(max_length=100)] = ""
) -> HTMLResponse:
    """What can be entered: tiles of what the unit's targets need, then everything."""
    kinds = kinds_for(principal)
    unit = commune_of(state, principal)
    needed = []
    if unit is not None:
        names = frozenset(kind.type for kind in kinds)
        seen: set[str] = set()
        for one in await targets(state, principal, unit, names):
            done = one.lack.status == "met" or one.lack.missing == 0
            if one.lack.form and one.lack.form not in seen and not done:
                seen.add(one.lack.form)
                needed.append(one)
    wanted = _plain(q)
    rest = [k for k in kinds if not wanted or wanted in _plain(f"{k.title_vi} {k.title}")]
    page = show(
        state, "enter.html", offline=owner(principal), kinds=rest, tiles=[] if q else needed[:TILES], q=q,
        titles={kind.type: title(kind) for kind in kinds},
    )  # fmt: skip
    return with_queue(page)


@router.get("/queue")
async def queue_page(state: Registry, principal: CurrentPrincipal) -> HTMLResponse:
    """What waits in this browser for a network; only the browser knows it."""
    page = show(
        state, "queue.html", offline=owner(principal), kinds=kinds_for(principal),
        units=unit_choices(state, principal, principal.subtree or ""),
    )  # fmt: skip
    return with_queue(page)


def owner(principal: Principal) -> str:
    """Whose entries a browser keeps: one text for all sessions of a key, and no part of it."""
    if not (principal.is_signed_in and principal.has(WRITE)):
        return ""
    return hashlib.sha256(f"hocvuso queue {principal.prefix}".encode()).hexdigest()[:16]


def _plain(text: str) -> str:
    """As people type without diacritics."""
    return " ".join(word.plain for word in words_of(text))


@router.get("/{type}")
async def form_page(
    state: Registry,
    principal: CurrentPrincipal,
    type: str,
    unit: Annotated[str, Query(max_length=80)] = "",
    objective: Annotated[str, Query(max_length=100)] = "",
) -> HTMLResponse:
    """The form of a type; `objective`: what it is entered for, whose values are ticked already."""
    kind = kind_of(type)
    values: Form = {"unit": [unit or principal.subtree or ""], "when": ["today"], "day": [""]}
    wanted = [o for o in objectives_of(state, principal) if o["id"] == objective]
    for one in wanted:
        values |= forms.defaults(type, one)
    return _form(state, principal, kind, values, str(uuid.uuid4()))


@router.post("/{type}")
async def enter(request: Request, state: Registry, caller: Writing, type: str) -> HTMLResponse:
    """Post what was typed; the same form sent twice is one event."""
    kind, principal = kind_of(type), caller.principal
    form = await read_form(request, LARGEST)
    id = form.get("id", [""])[0]
    made, faults = made_of(state, kind, form, caller.source(), id)
    if made is None:
        return _form(state, principal, kind, form, id, faults=faults)
    try:
        answer = await post(state.activities, caller.authorization, [made], dry_run=False)
    except Problem as problem:
        if needs_person(problem):
            raise
        place = place_of(problem, kind)
        if place is None:
            return _form(state, principal, kind, form, id, problem=problem)
        faults = {place: explain(problem.code, gettext("Xem lại ô này."))}
        return _form(state, principal, kind, form, id, problem=problem, faults=faults)
    result = answer["results"][0]
    unit = state.tree.unit(made["subject"])
    effects = []
    if unit is not None and result.get("position"):
        effects = await changed(state, principal, unit, kind.type, result["position"])
    page = show(
        state, "entered.html", offline=owner(principal), token=id, kind=kind, made=made, result=result, effects=effects,
        unit_name=unit.name(state.clock.today()) if unit else made["subject"],
        titles={name: title(spec) for name, spec in kind.fields.items()},
    )  # fmt: skip
    return with_queue(page)


def made_of(
    state: State, kind: EventType, form: Form, source: str, id: str, *, editing: bool = False
) -> tuple[Any, Faults]:
    """The event that a form makes, None if it has faults; all of them at once. `editing`: who or
    what the event names is pseudonymous already, and no field."""
    faults: Faults = {}
    unit, today = form.get("unit", [""])[0].strip(), state.clock.today()
    if not unit:
        faults["unit"] = gettext("Chọn đơn vị.")
    day = forms.day_of_form(form, today)
    if day is None:
        faults["day"] = gettext("Ghi ngày diễn ra.")
    elif day > today:
        faults["day"] = gettext("Ngày này chưa tới; chỉ ghi việc đã làm.")
    if unit and day is not None and (ended := ended_words(state, unit, day)):
        faults["unit"] = ended
    fields = [f for f in forms.fields_of(kind) if not (editing and f.schemes)]
    typed = forms.read(kind, fields, form)
    faults |= typed.faults
    try:
        id = f"form-{uuid.UUID(id)}"
    except ValueError:
        faults["id"] = gettext("Biểu mẫu này không phải của trang; hãy mở lại từ đầu.")
    if faults or day is None:
        return None, faults
    at = datetime.combine(day, time(), VIETNAM).isoformat()
    return event(kind.type, source, id, owner_of(state, unit), at, typed.data), {}


def place_of(problem: Problem, kind: EventType) -> str | None:
    """The field of the form that a refusal of activities is about."""
    steps = [step for step in (problem.pointer or "").split("/") if step and not step.isdigit()]
    if steps[:1] in (["subject"], ["unit"]):
        return "unit"
    if steps[:1] == ["time"]:
        return "day"
    names = {field.name for field in forms.fields_of(kind)}
    return next((f"data.{step}" for step in steps if step in names), None)


def _form(
    state: State,
    principal: Principal,
    kind: EventType,
    values: Form,
    id: str,
    problem: Problem | None = None,
    faults: Faults | None = None,
) -> HTMLResponse:
    status = problem.status if problem is not None else 422 if faults else 200
    kept = not any(field.schemes for field in forms.fields_of(kind))
    page = show(
        state, "form.html", status, offline=owner(principal), kept=kept, id=id, action=f"/enter/{kind.type}", kind=kind,
        **form_values(state, principal, kind, values, faults or {}, problem),
    )  # fmt: skip
    return with_queue(page)


def form_values(
    state: State,
    principal: Principal,
    kind: EventType,
    values: Form,
    faults: Faults,
    problem: Problem | None = None,
) -> dict[str, Any]:
    """What the template of a form needs, besides where it is sent."""
    fields = forms.fields_of(kind, objectives_of(state, principal))
    labels = {"unit": gettext("Đơn vị"), "day": gettext("Ngày diễn ra")}
    labels |= {field.key: field.label for field in fields}
    return {
        "fields": fields,
        "labels": labels,
        "values": values,
        "faults": faults,
        "problem": problem if problem is not None and not faults else None,
        "units": unit_choices(state, principal, values.get("unit", [""])[0]),
        "titles": {field.name: field.label for field in fields},
    }
