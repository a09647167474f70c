"""Correcting and cancelling what one has entered: event.corrected and event.revoked, under the
writer's own rights. Only the writer's own events are shown here, and nothing is edited in place."""

import uuid
from datetime import datetime, time
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from services.registry.access import SignedIn, Writer, Writing
from services.registry.posting import event, post
from services.registry.state import Registry, State
from services.registry.web import entry_forms as forms
from services.registry.web.entry import LARGEST, form_values, kind_of, made_of, place_of
from services.registry.web.entry_forms import Faults, Form
from services.registry.web.language import gettext
from services.registry.web.own_events import OwnEvent, about_events, own_event, own_events
from services.registry.web.problem_words import explain
from services.registry.web.render import PageRoute, needs_person, show
from shared.bodies import read_form
from shared.clock import VIETNAM, vietnam_day
from shared.contracts.model import EventType
from shared.problems import Problem

router = APIRouter(prefix="/own", route_class=PageRoute, include_in_schema=False)

Source = Annotated[str, Query(min_length=1, max_length=2048)]
Id = Annotated[str, Query(min_length=1, max_length=512)]
SHOWN = 50


@router.get("")
async def own_page(
    state: Registry, caller: SignedIn, done: Annotated[str, Query(max_length=10)] = ""
) -> HTMLResponse:
    """What the reader has posted lately, to correct or cancel it."""
    events = await own_events(state, caller, SHOWN)
    return show(state, "own.html", events=events, done=done, **about_events(state, events))


@router.get("/edit")
async def edit_page(state: Registry, caller: SignedIn, source: Source, id: Id) -> HTMLResponse:
    """The form of an event as it stands now."""
    found = await own_event(state, caller, source, id)
    kind = kind_of(found.type)
    return _form(state, caller, kind, found, _values(kind, found), str(uuid.uuid4()))


@router.post("/edit")
async def edit(
    request: Request, state: Registry, caller: Writing, source: Source, id: Id
) -> Response:
    """Post what was changed as a correction; what was not is left alone."""
    found = await own_event(state, caller, source, id)
    kind, form = kind_of(found.type), await read_form(request, LARGEST)
    token = form.get("id", [""])[0]
    made, faults = made_of(state, kind, form, source, token, editing=True)
    if form.get("revision", [""])[0] != str(found.revision) or found.content is None:
        # Somebody was quicker: what is typed stays, beside what the event says now.
        return _form(state, caller, kind, found, form, token, moved=True)
    if made is None:
        return _form(state, caller, kind, found, form, token, faults=faults)
    changes = _changes(kind, found, made)
    if not changes:
        faults = {"id": gettext("Chưa có ô nào được sửa.")}
        return _form(state, caller, kind, found, form, token, faults=faults)
    data = {
        "corrects": {"source": source, "id": id},
        "changes": changes,
        "reason": form.get("reason", [""])[0].strip()[:4000] or gettext("Nhập nhầm"),
    }
    correction = _today(state, "event.corrected", found, f"correction-{token}", data)
    try:
        await post(state.activities, caller.authorization, [correction], dry_run=False)
    except Problem as problem:
        if needs_person(problem):
            raise
        place = place_of(problem, kind)
        faults = {place: explain(problem.code, gettext("Xem lại ô này."))} if place else {}
        return _form(state, caller, kind, found, form, token, faults=faults, problem=problem)
    return RedirectResponse("/own?done=edit", 303)


@router.get("/cancel")
async def cancel_page(state: Registry, caller: SignedIn, source: Source, id: Id) -> HTMLResponse:
    """Asks once more, and why."""
    found = await own_event(state, caller, source, id)
    return show(state, "cancel.html", event=found, **about_events(state, [found]))


@router.post("/cancel")
async def cancel(
    request: Request, state: Registry, caller: Writing, source: Source, id: Id
) -> Response:
    """Revoke an event that was never true. Doing it twice changes nothing."""
    found = await own_event(state, caller, source, id)
    form = await read_form(request)
    if found.content is not None:
        reason = form.get("reason", [""])[0].strip()[:4000] or gettext("Nhập nhầm")
        data = {"revokes": {"source": source, "id": id}, "reason": reason}
        token = uuid.uuid5(uuid.NAMESPACE_URL, f"{source}#{id}#{found.revision}")
        revocation = _today(state, "event.revoked", found, f"revocation-{token}", data)
        await post(state.activities, caller.authorization, [revocation], dry_run=False)
    return RedirectResponse("/own?done=cancel", 303)


def _today(state: State, type: str, found: OwnEvent, id: str, data: dict[str, Any]) -> Any:
    at = datetime.combine(state.clock.today(), time(), VIETNAM).isoformat()
    subject = found.content.unitid if found.content is not None else ""
    return event(type, found.source, id, subject, at, data)


def _values(kind: EventType, found: OwnEvent) -> Form:
    """What an event says, as its form has it."""
    content = found.content
    if content is None:
        return {}
    values: Form = {
        "unit": [content.unitid], "when": ["other"], "day": [_day(content.time)],
    }  # fmt: skip
    for field in forms.fields_of(kind):
        value = content.data.get(field.name)
        if value is None or field.schemes:
            continue
        if isinstance(value, bool):
            values[field.key] = ["true" if value else "false"]
        elif isinstance(value, list):
            values[field.key] = [str(one) for one in value]
        elif field.spec.kind in ("integer", "number"):
            values[field.key] = [forms.printed(value)]
        else:
            values[field.key] = [str(value)]
    return values


def _day(time: str) -> str:
    return vietnam_day(datetime.fromisoformat(time)).isoformat()


def _changes(kind: EventType, found: OwnEvent, made: Any) -> dict[str, Any]:
    """The merge patch from what the event says to what was typed."""
    content = found.content
    assert content is not None  # noqa: S101 - the caller has looked
    changes: dict[str, Any] = {}
    if made["subject"] != content.unitid:
        changes["subject"] = made["subject"]
    if made["time"][:10] != _day(content.time):
        changes["time"] = made["time"]
    data = {}
    for field in forms.fields_of(kind):
        if field.schemes:
            continue
        before, now = content.data.get(field.name), made["data"].get(field.name)
        if before != now:
            data[field.name] = now
    return changes | ({"data": data} if data else {})


def _form(
    state: State,
    caller: Writer,
    kind: EventType,
    found: OwnEvent,
    values: Form,
    token: str,
    *,
    faults: Faults | None = None,
    problem: Problem | None = None,
    moved: bool = False,
) -> HTMLResponse:
    status = problem.status if problem is not None else 409 if moved else 422 if faults else 200
    shown = form_values(state, caller.principal, kind, values, faults or {}, problem)
    shown["fields"] = [field for field in shown["fields"] if not field.schemes]
    now = _values(kind, found) if moved else {}
    return show(
        state, "edit.html", status, kind=kind, event=found, id=token, moved=moved, now=now,
        hidden=any(field.schemes for field in forms.fields_of(kind)), **shown,
    )  # fmt: skip
