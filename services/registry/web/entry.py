"""Entering an event in a form, for communes without a system of their own.

The form is made from the type's definition, so a new type has one without more work. What is typed
goes to activities under the key of who is signed in; activities judges it. Identity numbers are
passed on and kept nowhere, also not in a form that is shown again.
"""

import uuid
from datetime import date, datetime, time
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from services.registry.access import CurrentPrincipal, Writing
from services.registry.posting import event, post
from services.registry.state import Registry, State
from services.registry.web.render import PageRoute, show
from shared.auth.scopes import WRITE
from shared.bodies import read_form
from shared.clock import VIETNAM
from shared.contracts.definitions import Catalogue
from shared.contracts.model import EventType, FieldSpec
from shared.problems import Problem

router = APIRouter(prefix="/enter", route_class=PageRoute, include_in_schema=False)

HIDDEN = frozenset({"plan_hint", "reporter", "reporter_kind", "opening"})
SHOWN = frozenset(
    {"enum", "enum_list", "code", "text", "integer", "number", "date", "boolean", "identity"}
)
Form = dict[str, list[str]]


def kinds(roles: frozenset[str] | None) -> list[EventType]:
    """Types of facts that a person with these roles may post, by title."""
    found = [
        kind
        for kind in Catalogue.load().values()
        if kind.lane == "fact"
        and kind.group != "meta"
        and (roles is None or kind.may_be_posted_by(roles))
        and all(f.kind in SHOWN for f in kind.fields.values() if f.required)
    ]
    return sorted(found, key=lambda kind: (kind.group, kind.title_vi))


def kind_of(name: str) -> EventType:
    """The type of a form."""
    catalogue = Catalogue.load()
    if name not in catalogue or catalogue[name] not in kinds(None):
        raise Problem(
            "type-unknown", "There is no form for this type.", status=404, pointer="/type"
        )
    return catalogue[name]


def fields_of(kind: EventType) -> list[tuple[str, FieldSpec, tuple[str, ...]]]:
    """(name as posted, field, schemes of an identity) of everything the form asks for."""
    named = {identity.stored: identity for identity in kind.identities}
    found = []
    for stored, spec in kind.fields.items():
        if spec.kind in SHOWN and stored not in HIDDEN:
            identity = named.get(stored)
            name = identity.name if identity else stored
            found.append((name, spec, identity.schemes if identity else ()))
    return sorted(found, key=lambda field: not field[1].required)


def data_of(kind: EventType, form: Form) -> dict[str, Any]:
    """What a filled-in form says; empty fields say nothing. Wrong values are left to activities."""
    data: dict[str, Any] = {}
    for name, spec, schemes in fields_of(kind):
        values = [value.strip() for value in form.get(f"data.{name}", []) if value.strip()]
        if not values:
            continue
        if schemes:
            scheme = form.get(f"data.{name}.scheme", [schemes[0]])[0]
            data[name] = {"scheme": scheme, "value": values[0]}
        elif spec.kind == "enum_list":
            data[name] = values
        elif spec.kind == "boolean":
            data[name] = values[0] == "true"
        elif spec.kind in ("integer", "number"):
            data[name] = _number(values[0])
        else:
            data[name] = values[0]
    return data


def _number(text: str) -> int | float | str:
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text


@router.get("")
async def choose(state: Registry, principal: CurrentPrincipal) -> HTMLResponse:
    """What can be entered."""
    if not principal.is_signed_in:
        return show(state, "enter.html", kinds=kinds(None))
    may = principal.has(WRITE)
    return show(state, "enter.html", kinds=kinds(principal.roles) if may else [])


@router.get("/{type}")
async def form_page(
    state: Registry,
    principal: CurrentPrincipal,
    type: str,
    unit: Annotated[str, Query(max_length=80)] = "",
) -> HTMLResponse:
    """The form of a type."""
    values = {"unit": [unit or principal.subtree or ""], "day": [state.clock.today().isoformat()]}
    return _form(state, kind_of(type), values, str(uuid.uuid4()))


@router.post("/{type}")
async def enter(request: Request, state: Registry, caller: Writing, type: str) -> HTMLResponse:
    """Post what was typed; the same form sent twice is one event."""
    kind = kind_of(type)
    form = await read_form(request)
    id = form.get("id", [""])[0]
    try:
        day = date.fromisoformat(form.get("day", [""])[0])
        made = event(
            kind.type,
            caller.source(),
            f"form-{uuid.UUID(id)}",
            form.get("unit", [""])[0].strip(),
            datetime.combine(day, time(), VIETNAM).isoformat(),
            data_of(kind, form),
        )
    except ValueError:
        wrong = Problem(
            "form-incomplete", "The day is missing.", pointer="/time", hint="Fill it in."
        )
        return _form(state, kind, form, id, wrong)
    try:
        answer = await post(state.activities, caller.authorization, [made], dry_run=False)
    except Problem as problem:
        return _form(state, kind, form, id, problem)
    titles = {name: spec.title_vi for name, spec in kind.fields.items()}
    return show(
        state, "entered.html", kind=kind, made=made, result=answer["results"][0], titles=titles
    )


def _form(
    state: State, kind: EventType, values: Form, id: str, problem: Problem | None = None
) -> HTMLResponse:
    status = 200 if problem is None else problem.status
    return show(
        state, "form.html", status, kind=kind, fields=fields_of(kind), values=values, id=id,
        problem=problem, titles={name: spec.title_vi for name, spec, _ in fields_of(kind)},
    )  # fmt: skip
