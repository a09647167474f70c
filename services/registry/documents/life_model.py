"""The shapes of a report's life, and of what is sent to take a step."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.registry.documents.life import Life, Round, Step
from shared.days import FullDate
from shared.json_types import Whole

Json = dict[str, Any]
KEPT = (
    "remark", "as_of", "known_at", "known_to", "document_ref", "document_date", "file_name", "file_sha256",
    "appendix_sha256", "figures_sha256",
)  # fmt: skip
FILES = ("file_sha256", "appendix_sha256", "figures_sha256")


class NewStep(BaseModel):
    """One step of a report. Say either `unit` or `organisation`, or neither where one body owes it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"unit": "23563", "step": "edited", "edits": {"opening.days": "Số liệu đến hết quý III."}},
                {"unit": "23563", "step": "numbered", "number": "15/BC-UBND", "document_date": "2026-09-15"},
            ]
        },
    )  # fmt: skip

    unit: str | None = Field(None, max_length=80)
    organisation: str | None = Field(None, max_length=100)
    step: Literal["edited", "reviewed", "confirmed", "numbered", "submitted", "reopened"]
    edits: dict[str, str | None] | None = Field(
        None, description="sentences by key as rewritten; null: as composed again; empty: left out"
    )
    after: Whole | None = Field(
        None, ge=0, le=2**53, description="position of the newest edit that was seen"
    )
    remark: Annotated[str, Field(min_length=1, max_length=4000)] | None = None
    number: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    document_date: FullDate | None = None


def life_json(life: Life, checks: dict[str, Json]) -> Json:
    """State, rounds and history. `checks`: of signed files by hash, where they are stored here."""
    return {
        "state": life.state,
        "open": life.open,
        "round": life.now.number,
        "edited_through": max(life.edited_at.values(), default=0),
        "edits": life.edits,
        "rounds": [_round(life, one, checks) for one in life.rounds],
        "history": [_step(one) for one in life.history],
    }


def _round(life: Life, one: Round, checks: dict[str, Json]) -> Json:
    signed = one.signed
    return {
        "round": one.number,
        "state": one.state,
        "superseded": life.superseded(one),
        "reviewed": _taken(one.reviewed),
        "confirmed": _taken(one.confirmed),
        "numbered": _taken(one.numbered),
        "signed": None
        if signed is None
        else _step(signed) | {"checks": checks.get(str(signed.data.get("file_sha256")))},
        "submitted": _taken(one.submitted),
        "returned": _taken(one.returned),
    }


def _taken(step: Step | None) -> Json | None:
    return None if step is None else _step(step)


def _step(step: Step) -> Json:
    """A step; edits as the keys of the sentences only: `edits` of the life has what holds."""
    more = {name: step.data.get(name) for name in KEPT}
    more["sentences"] = sorted(step.data.get("edits") or {})
    return {"step": step.step, "on": step.on, "recorded": step.recorded, "by": step.by, "round": step.round, "position": step.at, **more}  # fmt: skip


def hashes(life: Life) -> dict[str, str]:
    """Hashes that a report's own events name -> the name under which each is saved."""
    found: dict[str, str] = {}
    endings = {"file_sha256": "docx", "appendix_sha256": "xlsx", "figures_sha256": "json"}
    for step in life.history:
        for field in FILES:
            digest = step.data.get(field)
            if isinstance(digest, str):
                own = step.data.get("file_name") if field == "file_sha256" else None
                name = own or f"{step.step}-{step.round}.{endings[field]}"
                found.setdefault(digest, str(name))
    return found
