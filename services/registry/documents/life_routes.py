"""`.../life`, `.../steps`, `.../files`: from the draft to what was submitted, and back."""

import asyncio
from dataclasses import replace
from datetime import datetime, time
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from services.registry.access import CurrentPrincipal, Writer, Writing
from services.registry.answers import IfNoneMatch, json_answer
from services.registry.documents import files, pdf, steps
from services.registry.documents.address import Address, address_of
from services.registry.documents.life import Life
from services.registry.documents.life_model import NewStep, hashes, life_json
from services.registry.documents.routes import Organisation, Unit, as_file, draft_of
from services.registry.documents.signatures import signatures
from services.registry.documents.snapshots import figures_of
from services.registry.documents.upload_checks import LARGEST, check_file, scan, too_large
from services.registry.plans.territory import posted_for
from services.registry.posting import content_id, event, post
from services.registry.reports.answering import REPORTS
from services.registry.state import Registry, State
from shared.bodies import declared_size, read_body
from shared.clock import VIETNAM
from shared.problems import Problem

router = APIRouter(prefix="/v1/plans/{plan}/documents/{obligation}/{period}", tags=["documents"])

FileName = Annotated[
    str, Query(min_length=1, max_length=200, description="name of the file, for those who save it")
]


async def life_answer(state: State, life: Life) -> dict[str, Any]:
    """A report's life with what was found in its signed files."""
    signed = [str(r.signed.data.get("file_sha256")) for r in life.rounds if r.signed]
    found = {digest: await files.checks(state, digest) for digest in signed}
    return life_json(life, {k: v for k, v in found.items() if v is not None})


@router.get("/life", response_class=Response)
async def show_life(
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    obligation: str,
    period: str,
    unit: Unit = None,
    organisation: Organisation = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Where one body's report stands: every step with who and when, hand edits, numbers, files."""
    address = await address_of(state, principal, plan, obligation, period, unit, organisation)
    life = await steps.life_of(state, address)
    return json_answer(address.key | await life_answer(state, life), if_none_match)


@router.post("/steps", response_class=Response)
async def take_step(
    state: Registry, plan: str, obligation: str, period: str, wanted: NewStep, caller: Writing
) -> Response:
    """Take one step: edit sentences, let the text pass, confirm the figures (as they are known now, as
    of the closing day), give the number, submit, or open it again. Two people confirming at once:
    one does, the other gets 409."""
    address = await address_of(
        state, caller.principal, plan, obligation, period, wanted.unit, wanted.organisation
    )
    made = await step(state, caller, address, wanted)
    return json_answer({"event": made})


async def step(state: State, caller: Writer, address: Address, wanted: NewStep) -> dict[str, Any]:
    """The event of a step that was taken. Raises Problem."""
    match wanted.step:
        case "edited":
            return await steps.edit(state, caller, address, wanted.edits or {}, wanted.after)
        case "reviewed":
            return await steps.review(state, caller, address, wanted.remark)
        case "confirmed":
            now = await replace(state, view=None, known_at=None).joined(None, address.plan.plan)
            return await steps.confirm(state, caller, address, await draft_of(now, address))
        case "numbered":
            if not wanted.number or wanted.document_date is None:
                raise _missing("number" if not wanted.number else "document_date")
            day = wanted.document_date.isoformat()
            return await steps.number(state, caller, address, wanted.number, day)
        case "reopened":
            return await steps.reopen(state, caller, address, wanted.remark)
    return await _submit(state, caller, address)


def _missing(name: str) -> Problem:
    return Problem("field-missing", f"`{name}` is needed to number a document.", pointer=f"/{name}", hint="Give the number and the date of the document.")  # fmt: skip


async def _submit(state: State, caller: Writer, address: Address) -> dict[str, Any]:
    """Hand the report in as its duty wants it, with number, file and its own totals."""
    if address.duty["event"] not in REPORTS:
        raise Problem("proven-by-events", f"This obligation is not met by a report: its proof is the event {address.duty['event']}.", pointer="/step", hint=f"Post {address.duty['event']} to activities.")  # fmt: skip
    async with steps.turn_of(state, address) as turn:
        confirmed = steps.must_be_confirmed(turn.life)
        now = turn.life.now
        signed = now.signed
        if signed is None:
            raise Problem("signed-file-missing", "The signed file is missing.", status=409, pointer="/step", hint="Upload the signed file first.")  # fmt: skip
        snapshot = await figures_of(state, confirmed)
        at = datetime.combine(state.clock.today(), time(), VIETNAM).isoformat()
        data: dict[str, Any] = {k: address.key[k] for k in ("plan", "obligation", "period")}
        data |= {"submitted_at": at}
        data |= {k: signed.data[k] for k in ("file_sha256", "file_name") if k in signed.data}
        if now.numbered is not None:
            named = ("document_ref", "document_date")
            data |= {k: now.numbered.data[k] for k in named if k in now.numbered.data}
        figures = steps.totals(snapshot) if snapshot else {}
        if figures:
            data["figures"] = figures
        if address.unit is None:
            data |= {"from_unit": address.body.id, "reporter": address.body.id}
        subject = posted_for(state, address.plan, address.body.id)
        id = content_id("report", *address.key.values(), str(now.number), data=data)
        type = "report.consolidated" if _gathers(address) else address.duty["event"]
        made = event(type, caller.source(), id, subject, at, data)
        answer = await post(state.activities, caller.authorization, [made], dry_run=False)
        turn.position = max((r.get("position") or 0 for r in answer["results"]), default=0)
        return made


def _gathers(address: Address) -> bool:
    """Whether the body sends on what others report, and owes none of its own under the duty."""
    return address.unit is None and address.body.id in (address.duty.get("via") or ())


@router.put("/signed", response_class=Response)
async def put_signed(
    request: Request,
    state: Registry,
    plan: str,
    obligation: str,
    period: str,
    caller: Writing,
    name: FileName,
    unit: Unit = None,
    organisation: Organisation = None,
) -> Response:
    """Upload the signed document (PDF or DOCX, at most 15 MiB): it is looked at, stored under the hash
    that is made here, and its signatures are read."""
    address = await address_of(
        state, caller.principal, plan, obligation, period, unit, organisation
    )
    if (declared := declared_size(request)) > LARGEST:
        raise too_large(declared)
    content = await read_body(request, LARGEST, "The file", required=True)
    made, checks = await upload(state, caller, address, content, name)
    return json_answer({"event": made, "checks": checks})


async def upload(
    state: State, caller: Writer, address: Address, content: bytes, name: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Store a signed file; its event and what was found. Raises Problem."""
    media_type = await asyncio.to_thread(check_file, content)
    scanner = await scan(state.settings.report_scanner, content)
    checks: dict[str, Any] = {"size": len(content), "scanner": scanner or None, "signatures": []}
    if media_type == pdf.MEDIA_TYPE:
        roots = state.settings.report_trust_roots
        checks["signatures"] = await asyncio.to_thread(signatures, content, roots)
    made = await steps.sign(state, caller, address, content, media_type, name, checks)
    return made, checks


@router.get("/files/{sha256}", response_class=Response)
async def show_file(
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    obligation: str,
    period: str,
    sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$")],
    unit: Unit = None,
    organisation: Organisation = None,
) -> Response:
    """A file of the report, byte by byte as it was stored: its hash is made again before it is sent."""
    address = await address_of(state, principal, plan, obligation, period, unit, organisation)
    name = hashes(await steps.life_of(state, address)).get(sha256)
    if name is None:
        raise Problem(
            "file-unknown",
            "This report names no file with this hash.",
            status=404,
            pointer="/sha256",
            hint="GET .../life lists the files of a report.",
        )
    found = await files.load(state, sha256)
    return as_file(found.content, name, found.media_type)
