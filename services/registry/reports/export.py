"""Who owes what as CSV and XLSX: a line per duty, period and body, in Vietnamese."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from services.registry.reports.ledger import Entry, submitted_on
from services.registry.reports.model import report_json
from services.registry.reports.periods import Period
from services.registry.sheets import Line, Sheet, about_plan
from services.registry.web.words import REPORT
from services.registry.web.words import period as period_vi
from shared.domain.plan_history import PlanVersion

COLUMNS = {
    "Mã nghĩa vụ": 24, "Nghĩa vụ": 60, "Kỳ": 18, "Số liệu từ": 12, "Chốt số liệu": 12, "Hạn": 12,
    "Đơn vị": 34, "Nơi nhận": 34, "Tình trạng": 18, "Ngày nộp": 12, "Văn bản": 20, "Khó khăn": 40,
    "Người yêu cầu": 24, "Nội dung yêu cầu": 40,
}  # fmt: skip

Rows = Iterable[tuple[dict[str, Any], Period, Entry]]


def sheet(
    plan: PlanVersion, rows: Rows, on: date, known_at: date | None, *, sandbox: bool
) -> Sheet:
    """The list of one plan on a day."""
    names = {o["id"]: o["name_vi"] for o in plan.document["organisations"]}
    about = about_plan(
        plan.plan, plan.version, plan.document["title_vi"], on, known_at, sandbox=sandbox
    )
    lines = (_line(obligation, period, entry, names) for obligation, period, entry in rows)
    return Sheet("Báo cáo", about, COLUMNS, lines)


def _line(obligation: dict[str, Any], period: Period, entry: Entry, names: dict[str, str]) -> Line:
    newest = entry.reports[-1] if entry.reports else None
    said = report_json(newest) if newest is not None else {}
    request = period.request
    receivers = [*obligation.get("to", ()), *obligation.get("via", ())]
    return [
        obligation["id"],
        obligation["text_vi"],
        period_vi(period.id),
        period.figures_from,
        period.closing_day,
        period.last_day,
        entry.debtor.name_vi,
        "; ".join(names.get(id, id) for id in receivers),
        REPORT[entry.state][1],
        submitted_on(newest) if newest is not None else entry.first,
        said.get("number") or "",
        said.get("difficulties") or "",
        (request.requested_by or "") if request is not None else "",
        (request.subject_matter or "") if request is not None else "",
    ]
