"""The shapes of the calendar and of reports."""

from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from services.registry.journal.store import Fact
from services.registry.plans.routes import obligation_json
from services.registry.reports.ledger import Account, Entry, Filled, sender, submitted_on
from services.registry.reports.periods import Period, Request
from shared.days import DateTime, FullDate
from shared.json_types import Figure, Truth, Whole

_CONTENT = (
    "people_total", "people_completed", "target_groups", "figures", "difficulties", "decisions",
)  # fmt: skip


class NewRequest(BaseModel):
    """A report that somebody asks for outside the usual rhythm."""

    model_config = ConfigDict(extra="forbid")

    request_ref: str = Field(
        min_length=1, max_length=60, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        description="names the occurrence; reports give it as their period",
    )  # fmt: skip
    last_day: FullDate = Field(description="the last day in time")
    requested_by: Annotated[str, Field(min_length=1, max_length=300)] | None = None
    who: Annotated[list[str], Field(min_length=1, max_length=500)] | None = Field(
        None, description="codes of units or ids of organisations; nobody named: all who owe it"
    )
    subject_matter: Annotated[str, Field(min_length=1, max_length=4000)] | None = None
    document_ref: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    source: str | None = Field(None, description="CloudEvents source; default the key's first")


class ReturnedReport(BaseModel):
    """Why a superior sends a report back. Say either `unit` or `organisation`."""

    model_config = ConfigDict(extra="forbid")

    unit: str | None = Field(None, max_length=80)
    organisation: str | None = Field(None, max_length=100)
    remark: str = Field(min_length=1, max_length=4000)
    source: str | None = None


class NewReport(BaseModel):
    """A report that was handed in; `submitted_at` also for those from before the system's start."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "unit": "23563",
                    "number": "15/BC-UBND",
                    "document_date": "2026-06-12",
                    "submitted_at": "2026-06-12T15:00:00+07:00",
                    "file_sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                    "figures": {"classes": 12},
                }
            ]
        },
    )

    unit: str | None = Field(None, max_length=80, description="code or code@era; who reports")
    organisation: str | None = Field(
        None, max_length=100, description="or: id of one of the plan's organisations"
    )
    submitted_at: DateTime | None = Field(None, description="default now")
    number: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    document_date: FullDate | None = None
    file_name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    file_sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$")
    target_groups: Annotated[list[str], Field(min_length=1)] | None = None
    people_total: Annotated[Whole, Field(ge=0)] | None = None
    people_completed: Annotated[Whole, Field(ge=0)] | None = None
    figures: dict[str, Figure] | None = None
    difficulties: Annotated[str, Field(max_length=4000)] | None = None
    opening: Truth = Field(False, description="from before the system's start")
    source: str | None = Field(None, description="CloudEvents source; default the key's first")


def report_json(fact: Fact) -> dict[str, Any]:
    """A report as handed in; `event` leads to its receipt."""
    data = fact.data
    return {
        "submitted": submitted_on(fact),
        "recorded": fact.recorded,
        "unit_id": fact.unit_id,
        "sender": sender(fact) or data.get("reporter"),
        "number": data.get("document_ref") or data.get("number"),
        "document_date": data.get("document_date"),
        "file_name": data.get("file_name"),
        "file_sha256": data.get("file_sha256"),
        "opening": bool(data.get("opening")),
        **{name: data[name] for name in _CONTENT if name in data},
        "event": {
            "type": fact.type,
            "source": fact.source,
            "id": fact.id,
            "position": fact.position,
        },
    }


def entry_json(entry: Entry, period: Period) -> dict[str, Any]:
    """A debtor's state with the newest report and how many there were.

    `recorded_after_due`: it says that it was in time, but came into the log afterwards.
    """
    reports = entry.reports
    last_day = (entry.own or period).last_day
    return {
        **entry.debtor.json(),
        "last_day": last_day,
        "state": entry.state,
        "reports": len(reports),
        "first": entry.first,
        "events": entry.events,
        "returned": (
            None
            if entry.returned is None
            else {"on": entry.returned.occurred, "remark": entry.returned.data["remark"]}
        ),
        "recorded_after_due": bool(
            entry.state == "on_time"
            and last_day is not None
            and reports
            and min(f.recorded for f in reports) > last_day
            and not any(f.data.get("opening") for f in reports)
        ),
        "report": report_json(reports[-1]) if reports else None,
    }


def period_json(filled: Filled, on: date) -> dict[str, Any]:
    """A period in one row."""
    period = filled.period
    return {
        "period": period.id,
        "start": period.start,
        "end": period.end,
        "figures_from": period.figures_from,
        "closing_day": period.closing_day,
        "request": _request_json(period.request),
        "due": period.due.written if period.due else None,
        "due_exclusive": bool(period.due and period.due.exclusive),
        "last_day": period.last_day,
        "days_left": (period.last_day - on).days if period.last_day else None,
        "owed_by": len(filled.entries),
        "states": filled.counts(),
        "others": len(filled.others),
    }


def _request_json(request: Request | None) -> dict[str, Any] | None:
    if request is None:
        return None
    return {
        "requested_by": request.requested_by,
        "asked_on": request.asked_on,
        "subject_matter": request.subject_matter,
        "document_ref": request.document_ref,
        "who": list(request.who),
    }


def account_json(account: Account, on: date) -> dict[str, Any]:
    """An obligation with all its periods."""
    shown = obligation_json(account.obligation, on)
    days = [p.last_day for f in account.periods if (p := f.period).request and p.last_day]
    coming = [d for d in (shown["next_last_day"], *days) if d is not None and d >= on]
    if coming and min(coming) != shown["next_last_day"]:
        # What was asked for besides comes first.
        shown |= {"next_last_day": min(coming), "days_left": (min(coming) - on).days}
        shown |= {"next_due": min(coming), "due_exclusive": False}
    return shown | {
        "undated": not any(f.period.last_day for f in account.periods),
        "periods": [period_json(filled, on) for filled in account.periods],
        "unassigned": len(account.unassigned),
    }
