"""`.../documents`: the draft of every report, as JSON, Word, workbook or PDF."""

import asyncio
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query
from fastapi.responses import Response

from services.registry.access import CurrentPrincipal
from services.registry.answers import IfNoneMatch, json_answer
from services.registry.documents import pdf, word, workbook
from services.registry.documents.address import Address, address_of, writers
from services.registry.documents.compose import Draft, compose
from services.registry.documents.gather import gather
from services.registry.documents.model import draft_json
from services.registry.documents.occurrences import as_of, listed, of_day
from services.registry.documents.steps import life_of
from services.registry.documents.templates_store import template_for
from services.registry.parameters import KnownAt
from services.registry.reports.periods import PERIODIC
from services.registry.reports.routes import accounts
from services.registry.reports.whose import debtor_for, limited
from services.registry.state import JoinedRoute, Registry, State, not_future
from shared.problems import Problem

router = APIRouter(prefix="/v1/plans/{plan}", tags=["documents"], route_class=JoinedRoute)

FORMATS = ("json", "docx", "xlsx", "pdf")
MEDIA = {"docx": word.MEDIA_TYPE, "xlsx": workbook.MEDIA_TYPE, "pdf": pdf.MEDIA_TYPE}

Unit = Annotated[str | None, Query(max_length=80, description="code or code@era: who reports")]
Organisation = Annotated[
    str | None, Query(max_length=100, description="or: id of one of the plan's organisations")
]


async def draft_of(state: State, address: Address, known_at: Any = None) -> Draft:
    """The draft of a report from today's log, or as known on a day. Composed in a thread: others are
    answered meanwhile."""
    material = await gather(
        state, address.plan, address.duty, address.period, address.body, address.unit, known_at
    )
    return await asyncio.to_thread(compose, material)


@router.get("/documents", response_class=Response)
async def list_documents(
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    unit: Unit = None,
    organisation: Organisation = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """The drafts that can be looked at today: of every duty the periods whose report is due within
    ten days, or was; of duties without periods one as of yesterday."""
    found, today = state.plan(plan), state.clock.today()
    debtor = debtor_for(principal, state, found, unit, organisation, today)
    rows = []
    for account in await accounts(state, found, today):
        seen = limited(principal, state, found, account)
        duty = account.obligation
        periods = [f.period for f in seen.periods if listed(f.period, today)]
        if duty["cadence"] not in PERIODIC and not periods:
            periods = [of_day(found.document, today)]
        for period in periods:
            day, provisional = as_of(period, found.document, today)
            bodies = writers(state, found, duty, seen, period)
            if debtor is not None:
                bodies = [b for b in bodies if b.id == debtor]
            if not bodies:
                continue
            rows.append(
                {
                    "obligation": duty["id"],
                    "text_vi": duty["text_vi"],
                    "period": period.id,
                    "as_of": day,
                    "provisional": provisional,
                    "closing_day": period.closing_day,
                    "last_day": period.last_day,
                    "writers": [b.json() for b in bodies],
                }
            )
    return json_answer({"plan": plan, "on": today, "documents": rows}, if_none_match)


@router.get("/documents/{obligation}/{period}", response_class=Response)
async def show_document(
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    obligation: str,
    period: str,
    unit: Unit = None,
    organisation: Organisation = None,
    known_at: KnownAt = None,
    format: Annotated[str, Query(description=", ".join(FORMATS))] = "json",
    if_none_match: IfNoneMatch = None,
) -> Response:
    """The draft of one body's report: its figures are as of the period's closing day; before that day
    is over, as of yesterday, and marked as provisional."""
    if format not in FORMATS:
        raise Problem(
            "format-unknown",
            "Reports do not come in this format.",
            pointer="/format",
            hint=f"Formats: {', '.join(FORMATS)}.",
        )
    not_future(known_at, "known_at", state.clock.today())
    address = await address_of(state, principal, plan, obligation, period, unit, organisation)
    draft = await draft_of(state, address, known_at)
    edits = dict((await life_of(state, address)).edits)
    if format == "json":
        return json_answer(address.key | draft_json(draft, edits), if_none_match)
    template = None if format == "xlsx" else await template_for(state, address)
    return await file_of(draft, address.title, format, edits, template)


async def file_of(
    draft: Draft, title: str, format: str, edits: dict[str, str], template: bytes | None
) -> Response:
    """A draft as a file to save, with what people wrote in place of sentences."""
    if format == "xlsx":
        content = await asyncio.to_thread(workbook.to_xlsx, draft)
    else:
        content = await asyncio.to_thread(word.to_docx, draft, edits=edits, template=template)
        content = await pdf.to_pdf(content) if format == "pdf" else content
    return as_file(content, f"{title}.{format}", MEDIA[format])


def as_file(content: bytes, name: str, media_type: str) -> Response:
    """Bytes to save under a name; never shown in place."""
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-cache",
    }
    return Response(content, headers=headers, media_type=media_type)
