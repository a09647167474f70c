"""All 36 obligations of the five plans against the plans' own words: cadence, due days, and whether
the day that is written still counts."""

from datetime import UTC, date
from typing import Any

import pytest
from icalendar import Calendar

from services.registry.reports.periods import periods
from tests.registry.conftest import NOW, Running

# plan -> obligation -> cadence, number of periods, last days that are on time, words of the plan
OBLIGATIONS: dict[str, dict[str, tuple[str, int, list[str], str]]] = {
    "dak-lak-2026": {
        "final-report-2026": ("once", 1, ["2026-12-09"], "trước ngày 10/12/2026"),
        "propaganda-summary": ("unspecified", 0, [], "Tổng hợp kết quả"),
        "commune-annual-review": ("yearly", 1, [], "Hằng năm"),
        "closing-conference-province": ("once", 1, ["2026-12-30"], "Hội nghị tổng kết"),
        "closing-conference-commune": ("once", 1, ["2026-12-30"], "100% xã, phường"),
        "signature-evaluation": ("unspecified", 1, ["2026-11-29"], "được người dân ký số"),
        "monitoring": ("continuous", 4, [], "theo dõi, đôn đốc"),
    },
    "dong-nai-2026": {
        "weekly-campaign-review": ("weekly", 18, [], "tuần rà soát"),
        "target-consolidation": ("unspecified", 0, [], "tổng hợp kết quả"),
        "interim-and-final-review": ("unspecified", 0, [], "sơ kết, tổng kết"),
        "school-completion-report": ("unspecified", 0, [], "Báo cáo hoàn thành"),
        "workers-periodic-report": ("periodic", 0, [], "Báo cáo định kỳ"),
        "vneid-extract": ("unspecified", 0, [], "Dữ liệu trích xuất"),
        "mooc-statistics": ("unspecified", 0, [], "Thống kê số lượng"),
        "difficulties": ("ad_hoc", 0, [], "khó khăn, vướng mắc"),
    },
    "gia-lai-2026": {
        "quarterly-report": (
            "quarterly", 4, ["2026-03-15", "2026-06-15", "2026-09-15", "2026-12-15"],
            "chậm nhất vào ngày 15 của tháng cuối quý",
        ),
        "quarterly-consolidation": ("quarterly", 4, [], "để tổng hợp"),
        "adhoc-adjustment": ("ad_hoc", 0, [], "vấn đề phát sinh"),
        "monitoring": ("continuous", 4, [], "theo dõi, đôn đốc"),
    },
    "tan-lap-100-days-2025": {
        "progress-report": ("continuous", 2, [], "báo cáo kết quả"),
        "consolidation": ("unspecified", 0, [], "để tổng hợp"),
        "issues": ("ad_hoc", 0, [], "kịp thời phản ánh"),
        "resident-feedback": ("continuous", 2, [], "phản hồi từ người dân"),
        "front-supervision": ("continuous", 2, [], "giám sát, phản biện"),
    },
    "yen-bai-2025-2026": {
        "quarterly-report": (
            "quarterly", 7,
            ["2025-06-14", "2025-09-14", "2025-12-14", "2026-03-14", "2026-06-14", "2026-09-14",
             "2026-12-14"],
            "trước ngày 15 của tháng cuối quý",
        ),
        "on-request-report": ("on_request", 0, [], "đột xuất theo yêu cầu"),
        "so-khcn-monthly": ("monthly", 21, [], "Định kỳ hằng tháng"),
        "so-khcn-quarterly": ("quarterly", 7, [], "quý"),
        "so-khcn-half-yearly": ("half_yearly", 4, [], "06 tháng"),
        "so-khcn-yearly": ("yearly", 2, [], "01 năm"),
        "so-khcn-on-request": ("on_request", 0, [], "đột xuất theo yêu cầu"),
        "party-office-monthly": ("monthly", 21, [], "hằng tháng"),
        "party-office-three-monthly": ("every_3_months", 7, [], "03 tháng"),
        "party-inspection": ("unspecified", 0, [], "kiểm tra, giám sát"),
        "front-supervision": ("continuous", 7, [], "giám sát, phản biện"),
        "monitoring": ("continuous", 7, [], "theo dõi, đôn đốc"),
    },
}  # fmt: skip
ALL = [(plan, name) for plan, listed in OBLIGATIONS.items() for name in listed]


def documents(registry: Running) -> dict[str, dict[str, Any]]:
    found = registry.app.state.registry
    return {plan: found.plan(plan).document for plan in OBLIGATIONS}


def test_there_are_36_and_none_is_forgotten(registry: Running) -> None:
    assert len(ALL) == 36
    for plan, document in documents(registry).items():
        assert {o["id"] for o in document["reporting"]} == set(OBLIGATIONS[plan])


@pytest.mark.parametrize(("plan", "name"), ALL)
def test_due_days_are_those_of_the_plan(registry: Running, plan: str, name: str) -> None:
    document = documents(registry)[plan]
    obligation = next(o for o in document["reporting"] if o["id"] == name)
    cadence, spans, last_days, words = OBLIGATIONS[plan][name]
    found = periods(obligation, document)
    assert obligation["cadence"] == cadence
    assert len(found) == spans
    assert [p.last_day.isoformat() for p in found if p.last_day] == last_days
    text = " ".join(obligation["text_vi"].split())
    assert words in text
    exclusive = bool(obligation.get("due_exclusive"))
    if "trước ngày" in text:
        assert exclusive and last_days
    if "chậm nhất" in text:
        assert last_days and not exclusive
    for period in found:
        if period.due:
            assert (period.due.written - period.due.last_day).days == int(exclusive)


@pytest.mark.parametrize("plan", OBLIGATIONS)
async def test_the_calendar_of_every_plan_is_a_calendar(registry: Running, plan: str) -> None:
    """Read back by a library, and by the letter of RFC 5545: CRLF, at most 75 octets in a line, no
    letter of Vietnamese cut in two by a fold."""
    url = f"/v1/plans/{plan}/calendar"
    answer = await registry.client.get(url, params={"format": "ics"})
    entries = Calendar.from_ical(answer.content).walk("VEVENT")
    names = {f"{plan}.{name}." for name in OBLIGATIONS[plan]}
    duties = [e for e in entries if any(str(e["uid"]).startswith(name) for name in names)]
    wanted = sorted(day for _, _, days, _ in OBLIGATIONS[plan].values() for day in days)
    told = [e["dtstart"].dt.isoformat() for e in duties if "Rà soát" not in str(e["summary"])]
    assert sorted(told) == wanted
    raw = answer.content.split(b"\r\n")
    assert raw[-1] == b"" and b"\n" not in answer.content.replace(b"\r\n", b"")
    for line in raw:
        assert len(line) <= 75
        assert line.decode("utf-8")[:1] in (" ", "") or b":" in line or b";" in line
    for entry in entries:
        assert isinstance(entry["dtstart"].dt, date) and entry["dtstamp"].dt.tzinfo is not None
        assert entry["dtstamp"].dt == NOW.astimezone(UTC), "when it was written, never later"
        summary = str(entry["summary"])
        assert summary.startswith(("Hạn ", "Rà soát ", "Đợt ", "Ngày ")) and "once" not in summary
    assert len({str(e["uid"]) for e in entries}) == len(entries)
