"""`.../template`: the Word template in which a body's reports under a plan are written."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.registry.access import CurrentPrincipal, Writer, Writing
from services.registry.answers import IfNoneMatch, json_answer
from services.registry.documents import files, word
from services.registry.documents.docx_template import (
    FIELDS,
    LARGEST,
    check_template,
    package_of,
    too_large,
)
from services.registry.documents.routes import Organisation, Unit, as_file
from services.registry.documents.templates_store import set_template, template_of
from services.registry.documents.upload_checks import EICAR, infected_part, scan
from services.registry.reports.whose import debtor_for
from services.registry.state import Registry, State
from shared.auth import Principal
from shared.auth.scopes import WRITE
from shared.bodies import declared_size, read_body
from shared.domain.plan_history import PlanVersion
from shared.in_clear import refuse_in_clear
from shared.problems import Problem

router = APIRouter(prefix="/v1/plans/{plan}/template", tags=["documents"])

TemplateName = Annotated[str, Query(min_length=1, max_length=200, description="name of the file")]
ROLES = frozenset({"department", "commune", "party_body"})
"""Besides the administrator: whoever writes reports for a body."""


def body_of(
    principal: Principal, state: State, plan: PlanVersion, unit: str | None, organisation: str | None
) -> str:  # fmt: skip
    """The body whose template is meant: by default the reader's own unit, else the plan's. Raises Problem."""
    found = debtor_for(principal, state, plan, unit, organisation, state.clock.today())
    return found or str(plan.document["unit"])


def may_set(principal: Principal) -> None:
    """Refuse whoever writes no reports: a template changes what leaves the house under its name."""
    principal.require(WRITE)
    if not (principal.is_administrator or principal.roles & ROLES):
        raise Problem("role-not-permitted", "Only who writes reports for a body sets its template.", status=403, hint=f"Roles: {', '.join(sorted(ROLES))}.")  # fmt: skip


@router.get("", response_class=Response)
async def show_template(
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    unit: Unit = None,
    organisation: Organisation = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Which template a body's reports are written in, and the fields that a template may ask for."""
    found = state.plan(plan)
    body = body_of(principal, state, found, unit, organisation)
    own = await template_of(state, plan, body)
    return json_answer({"plan": plan, "body": body, **own.json(), "fields": FIELDS}, if_none_match)


@router.get("/file", response_class=Response)
async def show_template_file(
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    unit: Unit = None,
    organisation: Organisation = None,
) -> Response:
    """The template itself, to edit in Word: the body's own, else the one that ships for state bodies."""
    body = body_of(principal, state, state.plan(plan), unit, organisation)
    own = await template_of(state, plan, body)
    content = (await files.load(state, own.sha256)).content if own.sha256 else word.shipped(party=False)  # fmt: skip
    return as_file(content, own.name or "mau-bao-cao.docx", word.MEDIA_TYPE)


@router.put("", response_class=Response)
async def put_template(
    request: Request,
    state: Registry,
    plan: str,
    caller: Writing,
    name: TemplateName,
    unit: Unit = None,
    organisation: Organisation = None,
) -> Response:
    """Use a Word template (.docx, at most 5 MiB, fields in double braces) from now on; documents that
    were confirmed before stay as they are."""
    body = body_of(caller.principal, state, state.plan(plan), unit, organisation)
    if (declared := declared_size(request)) > LARGEST:
        raise too_large(declared)
    content = await read_body(request, LARGEST, "The template", required=True)
    return json_answer(await take(state, caller, plan, body, content, name))


async def take(
    state: State, caller: Writer, plan: str, body: str, content: bytes, name: str
) -> dict[str, Any]:
    """Check a template and use it. Raises a Problem that says what is wrong with it."""
    may_set(caller.principal)
    fields = await asyncio.to_thread(_checked, content)
    await scan(state.settings.report_scanner, content)
    refuse_in_clear(name, "/name")
    own = await set_template(state, plan, body, content, name, caller.principal.name)
    return {"plan": plan, "body": body, **own.json(), "asks_for": fields}


def _checked(content: bytes) -> list[str]:
    package = package_of(content) if len(content) <= LARGEST else None
    if EICAR in content or (package is not None and infected_part(package)):
        raise Problem("template-infected", "Something harmful was found in the template: EICAR.", pointer="/template", hint="Clean the computer that it comes from; the file was not stored.")  # fmt: skip
    return check_template(content)
