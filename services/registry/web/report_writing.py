"""Writing one body's report: its sentences to edit, the steps to its submission, its files and history."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import ValidationError

from services.registry.access import CurrentPrincipal, Writing
from services.registry.documents.address import Address, address_of
from services.registry.documents.life import Life
from services.registry.documents.life_model import NewStep
from services.registry.documents.life_routes import life_answer, step, upload
from services.registry.documents.model import draft_json
from services.registry.documents.pdf import converter
from services.registry.documents.routes import draft_of
from services.registry.documents.steps import life_of
from services.registry.documents.templates_store import template_of
from services.registry.documents.upload_checks import LARGEST, too_large
from services.registry.plans.routes import plan_json
from services.registry.reports.answering import REPORTS
from services.registry.reports.routes import accounts
from services.registry.state import Registry, State
from services.registry.web import upload as forms
from services.registry.web.language import N_
from services.registry.web.render import JoinedPageRoute, show, with_script
from shared.auth import Principal
from shared.auth.scopes import WRITE
from shared.bodies import declared_size, read_form, whole
from shared.problems import Problem

router = APIRouter(
    prefix="/plans/{plan}/documents/{obligation}/{period}",
    route_class=JoinedPageRoute,
    include_in_schema=False,
)

FORM = 512 * 1024
"""Bytes of the form with all sentences; Vietnamese letters take up to nine each."""
LIFE = {
    "draft": ("idle", N_("Bản thảo từ số liệu")),
    "edited": ("warn", N_("Đang sửa")),
    "reviewed": ("warn", N_("Đã duyệt nội dung")),
    "confirmed": ("warn", N_("Đã chốt số liệu")),
    "numbered": ("warn", N_("Đã lấy số")),
    "signed": ("warn", N_("Đã có tệp ký")),
    "submitted": ("good", N_("Đã nộp")),
    "returned": ("bad", N_("Bị trả lại")),
}
STEPS = {
    "edited": N_("Sửa nội dung"),
    "reviewed": N_("Duyệt nội dung"),
    "confirmed": N_("Chốt số liệu"),
    "numbered": N_("Lấy số văn bản"),
    "signed": N_("Tải lên tệp đã ký"),
    "submitted": N_("Nộp báo cáo"),
    "returned": N_("Bị trả lại"),
    "reopened": N_("Mở lại để sửa"),
}
DONE = {
    "edited": N_("Đã lưu các câu sửa."),
    "unchanged": N_("Không có câu nào thay đổi."),
    "reviewed": N_("Đã ghi nhận duyệt nội dung."),
    "confirmed": N_("Đã chốt số liệu; văn bản và phụ lục đã được lưu."),
    "numbered": N_("Đã ghi số văn bản."),
    "signed": N_("Đã lưu tệp đã ký."),
    "submitted": N_("Đã nộp báo cáo."),
    "reopened": N_("Đã mở lại báo cáo để sửa."),
}
VERDICT = {
    "valid": ("good", N_("chữ ký hợp lệ")),
    "valid-unknown-signer": ("warn", N_("nội dung nguyên vẹn, chưa xác minh được người ký")),
    "changed": ("bad", N_("nội dung đã bị thay đổi sau khi ký")),
    "unreadable": ("bad", N_("không đọc được chữ ký")),
}
Form = dict[str, str]
Who = Annotated[str, Query(max_length=100)]


@router.get("")
async def writing_page(
    state: Registry,
    principal: CurrentPrincipal,
    plan: str,
    obligation: str,
    period: str,
    unit: Who = "",
    organisation: Who = "",
    done: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """The report as it stands: sentences, steps, files, history."""
    try:
        address = await _address(state, principal, plan, obligation, period, unit, organisation)
    except Problem as problem:
        return await to_choose(state, plan, obligation, period, problem)
    return await _page(state, principal, address, done=DONE.get(done, ""))


@router.post("")
async def take_step(
    request: Request,
    state: Registry,
    caller: Writing,
    plan: str,
    obligation: str,
    period: str,
    unit: Who = "",
    organisation: Who = "",
) -> Response:
    """Save the sentences that were changed, or take the step of the button; what was typed stays where
    it is refused."""
    form = {k: v[0] for k, v in (await read_form(request, FORM, blanks=True)).items()}
    address = await _address(state, caller.principal, plan, obligation, period, unit, organisation)
    wanted = form.get("step", "")
    edits = dict(_edits(form))
    if wanted == "edited" and not edits:
        return _back(address, "unchanged")
    given = {k: form[k].strip() for k in ("remark", "number", "document_date") if form.get(k, "").strip()}  # fmt: skip
    try:
        if edits:
            save = NewStep(step="edited", edits=edits, after=whole(form.get("after", "")))
            await step(state, caller, address, save)
        if wanted != "edited":
            await step(state, caller, address, NewStep.model_validate({"step": wanted, **given}))
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][-1])
        problem = Problem("invalid-parameter", f"{name} is not as it should be.", pointer=f"/{name}")  # fmt: skip
        return await _page(state, caller.principal, address, form, problem)
    except Problem as problem:
        if problem.status in (401, 404):
            raise
        return await _page(state, caller.principal, address, form, problem)
    return _back(address, wanted)


@router.post("/signed")
async def take_file(
    request: Request,
    state: Registry,
    caller: Writing,
    plan: str,
    obligation: str,
    period: str,
    unit: Who = "",
    organisation: Who = "",
) -> Response:
    """Look at the signed file and keep it; what is wrong with it is said beside its field."""
    address = await _address(state, caller.principal, plan, obligation, period, unit, organisation)
    try:
        if (declared := declared_size(request)) > LARGEST + forms.ROOM:
            raise too_large(declared)
        form = await forms.read_upload(request, LARGEST)
        name = forms.text(form, "name") or "van-ban-da-ky.pdf"
        await upload(state, caller, address, forms.file(form, "file"), name[:200])
    except Problem as problem:
        if problem.status in (401, 404):
            raise
        return await _page(state, caller.principal, address, {}, problem, wrong_file=True)
    return _back(address, "signed")


async def _address(
    state: State,
    principal: Principal,
    plan: str,
    obligation: str,
    period: str,
    unit: str,
    organisation: str,
) -> Address:
    return await address_of(
        state, principal, plan, obligation, period, unit or None, organisation or None
    )


async def to_choose(
    state: State, plan: str, obligation: str, period: str, problem: Problem
) -> RedirectResponse:
    """Where several owe the report and none is named: the page of the period, which leads to each
    one's. Raises any other problem."""
    if problem.code != "debtor-missing":
        raise problem
    today = state.clock.today()
    (account,) = await accounts(state, state.plan(plan), today, None, obligation)
    if not any(f.period.id == period and f.entries for f in account.periods):
        raise problem  # that page lists nobody
    parts = (plan, "reports", obligation, period)
    return RedirectResponse("/plans/" + "/".join(quote(part) for part in parts), 303)


def who_of(address: Address) -> str:
    """The query that names whose report it is."""
    return urlencode({"unit" if address.unit else "organisation": address.body.id})


def place_of(address: Address) -> str:
    """The address of the page that writes a report, without its query."""
    parts = (address.plan.plan, "documents", address.duty["id"], address.period.id)
    return "/plans/" + "/".join(quote(part) for part in parts)


def _back(address: Address, done: str) -> RedirectResponse:
    return RedirectResponse(f"{place_of(address)}?{who_of(address)}&done={done}", 303)


def stamp(text: str) -> str:
    """What tells whether a sentence was touched, also when it has been composed anew meanwhile."""
    return hashlib.sha256(_plain(text).encode()).hexdigest()[:16]


def _plain(text: str) -> str:
    """As a browser sends it back."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def _edits(form: Form) -> Iterator[tuple[str, str | None]]:
    """The sentences that differ from what the page had shown; None: composed again."""
    for name, text in form.items():
        if not name.startswith("s."):
            continue
        key = name[2:]
        if form.get(f"again.{key}"):
            yield key, None
        elif stamp(text) != form.get(f"was.{key}", ""):
            yield key, _plain(text)


async def _page(
    state: State,
    principal: Principal,
    address: Address,
    typed: Form | None = None,
    problem: Problem | None = None,
    *,
    wrong_file: bool = False,
    done: str = "",
) -> HTMLResponse:
    life = await life_of(state, address)
    now = await replace(state, view=None, known_at=None).joined(None, address.plan.plan)
    shown = draft_json(await draft_of(now, address), dict(life.edits))
    typed = typed or {}
    query, plan = who_of(address), address.plan
    api = f"/v1{place_of(address)}"
    page = show(
        state,
        "report_writing.html",
        200 if problem is None else problem.status,
        plan=plan_json(state, plan),
        obligation=address.duty,
        period=address.period,
        body=address.body,
        draft=shown,
        parts=list(_parts(shown, typed)),
        theirs=problem.extra.get("theirs", {}) if problem and problem.extra else {},
        life=await life_answer(state, life),
        state_of=LIFE[life.state],
        may_write=principal.has(WRITE) and principal.is_signed_in,
        takes_reports=address.duty["event"] in REPORTS,
        template=await template_of(state, plan.plan, address.body.id),
        here=place_of(address),
        api=api,
        who=query,
        pdf=converter() is not None,
        scanner=bool(state.settings.report_scanner),
        typed=typed,
        problem=problem,
        wrong_file=wrong_file,
        done=done,
        STEPS=STEPS,
        VERDICT=VERDICT,
        when=datetime.fromisoformat,
        orphans=_orphans(life, shown),
    )
    return with_script(page)


def _orphans(life: Life, shown: dict[str, Any]) -> dict[str, str]:
    """Texts whose sentence today's numbers do not make: kept, and shown so that they can be moved."""
    return {k: v for k, v in shown["orphans"].items() if v and k in life.edits}


def _parts(shown: dict[str, Any], typed: Form) -> Iterator[dict[str, Any]]:
    """The report's parts with their sentences as form fields."""
    if shown["opening"]:
        yield {"title": "Mở đầu", "fields": [_field(s, typed) for s in shown["opening"]]}
    for section in shown["sections"]:
        yield {"title": section["title"], "fields": [_field(s, typed) for s in section["sentences"]]}  # fmt: skip
        for part in section["parts"]:
            yield {"title": part["title"], "sub": True, "fields": [_field(s, typed) for s in part["sentences"]]}  # fmt: skip


def _field(sentence: dict[str, Any], typed: Form) -> dict[str, Any]:
    key, text = sentence["key"], sentence["text"]
    value = typed.get(f"s.{key}", text)
    return {
        "key": key,
        "text": value,
        "was": typed.get(f"was.{key}") or stamp(text),
        "rows": max(2, -(-len(value) // 60) + value.count("\n")),
        "edited": sentence["edited"],
        "composed": sentence["composed"],
    }
