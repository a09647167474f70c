"""The partner's checklist: as JSON, and as a page that keeps the key in its memory only."""

from datetime import datetime
from pathlib import Path
from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from services.activities.keys.checklist import Checklist
from services.activities.keys.routes import Authenticated

router = APIRouter(tags=["keys"])

PAGE = Path(__file__).parent / "page"
FILES = {
    "": ("checklist.html", "text/html; charset=utf-8"),
    "/checklist.css": ("checklist.css", "text/css; charset=utf-8"),
    "/checklist.js": ("checklist.js", "text/javascript; charset=utf-8"),
}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


class ListedStep(BaseModel):
    """One step. `curl`: what to do, with the key in the variable KEY."""

    id: str
    state: Literal["done", "todo", "unknown"]
    title: str
    title_vi: str
    detail: str
    detail_vi: str
    at: datetime | None
    curl: str | None


class PartnerChecklist(BaseModel):
    """How far a partner has come."""

    partner: str
    prefix: str
    done: int
    of: int
    next: str | None = Field(description="id of the first step that is not done")
    steps: list[ListedStep]


@router.get("/v1/checklist")
async def read_checklist(
    request: Request, response: Response, key: Authenticated
) -> PartnerChecklist:
    """What works already and what to do next: key, rights, first event accepted, counted, first
    stream line. Counts all keys and paths of the key's partner."""
    state = request.app.state
    made = Checklist(state.pool, state.catalogue, state.explanations, state.clock)
    steps = await made.steps(key, str(request.base_url).rstrip("/"))
    response.headers["Cache-Control"] = "no-store"
    open_steps = [step.id for step in steps if step.state != "done"]
    return PartnerChecklist(
        partner=key.name,
        prefix=key.prefix,
        done=len(steps) - len(open_steps),
        of=len(steps),
        next=open_steps[0] if open_steps else None,
        steps=[ListedStep.model_validate(step, from_attributes=True) for step in steps],
    )


def _file(name: str) -> Response:
    file, kind = FILES[name]
    return Response((PAGE / file).read_bytes(), media_type=kind, headers=HEADERS)


@router.get("/checklist", include_in_schema=False)
def page() -> Response:
    """The page; what it shows comes from `/v1/checklist` with the key that is typed in."""
    return _file("")


@router.get("/checklist/{name}", include_in_schema=False)
def asset(name: str) -> Response:
    """The page's style and script."""
    if f"/{name}" not in FILES:
        return Response(status_code=404)
    return _file(f"/{name}")
