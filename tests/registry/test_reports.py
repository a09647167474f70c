"""The calendar of obligations: periods, due days, who owes what, and handing in."""

import csv
import io
from datetime import date
from typing import Any

import pytest
from icalendar import Calendar
from openpyxl import load_workbook

from services.registry.reports.ledger import STATES
from services.registry.reports.periods import periods
from tests.registry import fakes
from tests.registry.conftest import Running

GIA_LAI = "/v1/plans/gia-lai-2026"
YEN_BAI = "/v1/plans/yen-bai-2025-2026"
AUTH = {"Authorization": f"Bearer {fakes.KEY}"}


def span(cadence: str, start: str, end: str, **more: Any) -> list[tuple[str, str, str]]:
    obligation = {"cadence": cadence, **more}
    found = periods(obligation, {"period": {"start": start, "end": end}})
    return [(p.id, p.start.isoformat(), p.end.isoformat()) for p in found]


def test_periods_are_named_as_people_write_them() -> None:
    assert span("quarterly", "2025-04-01", "2025-12-31") == [
        ("2025-Q2", "2025-04-01", "2025-06-30"),
        ("2025-Q3", "2025-07-01", "2025-09-30"),
        ("2025-Q4", "2025-10-01", "2025-12-31"),
    ]
    assert span("weekly", "2026-12-28", "2027-01-05") == [
        ("2026-W53", "2026-12-28", "2027-01-03"),
        ("2027-W01", "2027-01-04", "2027-01-10"),
    ]
    assert [p[0] for p in span("monthly", "2026-11-15", "2027-01-01")] == [
        "2026-11",
        "2026-12",
        "2027-01",
    ]
    assert span("half_yearly", "2026-06-30", "2026-07-01") == [
        ("2026-H1", "2026-01-01", "2026-06-30"),
        ("2026-H2", "2026-07-01", "2026-12-31"),
    ]
    assert [p[0] for p in span("continuous", "2026-01-01", "2026-06-30")] == ["2026-Q1", "2026-Q2"]
    assert span("unspecified", "2026-01-01", "2026-12-31") == []


def report(id: str, unit: str, day: str, **data: Any) -> fakes.CloudEvent:
    return {
        "id": id,
        "source": "https://ubnd.example",
        "type": "vn.hocvuso.report.submitted",
        "subject": unit,
        "time": f"{day}T09:00:00+07:00",
        "data": {"obligation": "quarterly-report", **data},
    }


async def test_on_time_late_and_missing_with_the_15th_included_and_excluded(
    registry: Running,
) -> None:
    gia_lai = [
        u["unit_id"] for u in (await registry.client.get("/v1/units/52/children")).json()["units"]
    ]
    first, second = gia_lai[0], gia_lai[1]
    await registry.happen(
        report("gl-1", first, "2026-06-15", plan="gia-lai-2026", document_ref="15/BC-UBND"),
        report("gl-2", second, "2026-06-16", plan="gia-lai-2026"),
        report("yb-1", "15@2025", "2026-06-15", plan="yen-bai-2025-2026", from_unit="so-gddt"),
        report("yb-2", "15@2025", "2026-06-14", plan="yen-bai-2025-2026", from_unit="so-y-te"),
    )
    answer = (await registry.client.get(f"{GIA_LAI}/reports/quarterly-report/2026-Q2")).json()
    states = {e.get("unit_id") or e["organisation"]: e["state"] for e in answer["entries"]}
    assert (states[first], states[second], states[gia_lai[2]]) == ("on_time", "late", "missing")
    assert states["so-gddt"] == "missing"
    assert answer["states"] == {"on_time": 1, "late": 1, "missing": len(states) - 2}
    assert len(states) == 135 + 14
    shown = next(e for e in answer["entries"] if e.get("unit_id") == first)
    assert shown["report"]["number"] == "15/BC-UBND"
    assert shown["recorded_after_due"] is True  # recorded in November, says June
    answer = (await registry.client.get(f"{YEN_BAI}/reports/quarterly-report/2026-Q2")).json()
    states = {e.get("organisation"): e["state"] for e in answer["entries"]}
    assert (states["so-gddt"], states["so-y-te"]) == ("late", "on_time")
    assert (answer["due"], answer["last_day"]) == ("2026-06-15", "2026-06-14")


async def test_what_one_commune_owes(registry: Running) -> None:
    answer = (await registry.client.get(f"{GIA_LAI}/calendar", params={"unit": "23563"})).json()
    (owed,) = answer["obligations"]
    assert owed["id"] == "quarterly-report"
    own = {p["period"]: p["own"]["state"] for p in owed["periods"]}
    assert own == {
        "2026-Q1": "missing",
        "2026-Q2": own["2026-Q2"],
        "2026-Q3": "missing",
        "2026-Q4": "due",
    }
    answer = await registry.client.get(f"{GIA_LAI}/calendar", params={"unit": "24133"})
    assert answer.json()["code"] == "unit-outside-plan"


async def test_as_known_earlier_nothing_was_handed_in(registry: Running) -> None:
    address = f"{GIA_LAI}/reports/quarterly-report/2026-Q2"
    before = (await registry.client.get(address, params={"known_at": "2026-11-19"})).json()
    assert set(before["states"]) == {"missing"}


@pytest.mark.parametrize(
    "plan",
    ["dak-lak-2026", "gia-lai-2026", "tan-lap-100-days-2025", "dong-nai-2026", "yen-bai-2025-2026"],
)
async def test_every_obligation_has_its_periods(registry: Running, plan: str) -> None:
    answer = (await registry.client.get(f"/v1/plans/{plan}/calendar")).json()
    document = (await registry.client.get(f"/v1/plans/{plan}")).json()["document"]
    assert len(answer["obligations"]) == len(document["reporting"])
    for obligation in answer["obligations"]:
        due = [d["last_day"] for d in obligation["due_days"]]
        assert [p["last_day"] for p in obligation["periods"] if p["last_day"]] == due
        for period in obligation["periods"]:
            assert sum(period["states"].values()) == period["owed_by"] > 0
            assert set(period["states"]) <= set(STATES)


async def test_icalendar(registry: Running) -> None:
    answer = await registry.client.get(f"{GIA_LAI}/calendar", params={"format": "ics"})
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    again = {"If-None-Match": answer.headers["ETag"]}
    known = await registry.client.get(
        f"{GIA_LAI}/calendar", params={"format": "ics"}, headers=again
    )
    assert known.status_code == 304
    entries = Calendar.from_ical(answer.content).walk("VEVENT")
    entries = [e for e in entries if ".quarterly-report." in str(e["uid"])]
    days = sorted(entry["dtstart"].dt for entry in entries)
    assert days == [date(2026, month, 15) for month in (3, 6, 9, 12)]
    assert len({str(entry["uid"]) for entry in entries}) == 4
    # RFC 5545, 3.1: lines of at most 75 octets, ended by CRLF.
    assert all(len(line) <= 75 for line in answer.content.split(b"\r\n"))
    answer = await registry.client.get(f"{YEN_BAI}/calendar", params={"format": "ics"})
    entries = Calendar.from_ical(answer.content).walk("VEVENT")
    entries = [e for e in entries if ".quarterly-report." in str(e["uid"])]
    assert {entry["dtstart"].dt.day for entry in entries} == {14}


async def test_handing_in_posts_an_event_with_the_callers_key(registry: Running) -> None:
    address = f"{GIA_LAI}/reports/quarterly-report/2026-Q1"
    body = {
        "unit": "23563",
        "number": "7/BC-UBND",
        "document_date": "2026-03-10",
        "submitted_at": "2026-03-12T08:00:00+07:00",
        "file_sha256": "ab" * 32,
        "figures": {"classes": 12},
        "opening": True,
    }
    refused = await registry.client.put(address, json=body)
    assert (refused.status_code, refused.json()["code"]) == (401, "key-missing")
    before = len(registry.activities.posted)
    dry = await registry.client.put(address, json=body, params={"dry_run": "true"}, headers=AUTH)
    assert (dry.status_code, len(registry.activities.posted)) == (200, before)
    answer = await registry.client.put(address, json=body, headers=AUTH)
    assert answer.json()["result"]["status"] == "accepted"
    again = await registry.client.put(address, json=body, headers=AUTH)
    assert again.json()["result"]["status"] == "duplicate"
    await registry.settle()
    shown = (await registry.client.get(address)).json()
    entry = next(e for e in shown["entries"] if e.get("unit_id") == "23563@2025")
    assert (entry["state"], entry["reports"], entry["recorded_after_due"]) == ("on_time", 1, False)
    assert entry["report"]["file_sha256"] == "ab" * 32
    assert entry["report"]["figures"] == {"classes": 12}
    body |= {"number": "7b/BC-UBND", "submitted_at": "2026-03-20T08:00:00+07:00"}
    await registry.client.put(address, json=body, headers=AUTH)
    await registry.settle()
    shown = (await registry.client.get(address)).json()
    entry = next(e for e in shown["entries"] if e.get("unit_id") == "23563@2025")
    # Handed in again later: still on time, with the later content.
    assert (entry["state"], entry["reports"]) == ("on_time", 2)
    assert entry["report"]["number"] == "7b/BC-UBND"


async def test_a_refusal_of_activities_is_passed_on(registry: Running) -> None:
    registry.activities.refuse = {
        "code": "unit-outside-key", "detail": "not yours", "hint": "ask", "status": 403,
    }  # fmt: skip
    try:
        answer = await registry.client.put(
            f"{GIA_LAI}/reports/quarterly-report/2026-Q3", json={"unit": "23563"}, headers=AUTH
        )
    finally:
        registry.activities.refuse = None
    assert (answer.status_code, answer.json()["code"]) == (403, "unit-outside-key")


@pytest.mark.parametrize(
    ("address", "body", "status", "code"),
    [
        ("quarterly-report/2026-Q5", {"unit": "23563"}, 404, "period-unknown"),
        ("no-report/2026-Q1", {"unit": "23563"}, 404, "obligation-unknown"),
        ("monitoring/2026-Q1", {"unit": "23563"}, 422, "proven-by-events"),
        ("quarterly-report/2026-Q1", {}, 422, "debtor-missing"),
        ("quarterly-report/2026-Q1", {"unit": "24133"}, 422, "unit-outside-plan"),
        ("quarterly-report/2026-Q1", {"organisation": "so-nobody"}, 404, "organisation-unknown"),
        ("quarterly-report/2026-Q1", {"unit": "23563", "number": 5}, 422, "invalid-parameter"),
    ],
)
async def test_bad_reports(
    registry: Running, address: str, body: dict[str, Any], status: int, code: str
) -> None:
    answer = await registry.client.put(f"{GIA_LAI}/reports/{address}", json=body, headers=AUTH)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_paging_through_what_is_owed(registry: Running) -> None:
    address, params = f"{GIA_LAI}/reports", {"limit": 100, "state": "missing"}
    seen: list[tuple[str, str]] = []
    while True:
        answer = (await registry.client.get(address, params=params)).json()
        seen += [(r["period"], r.get("unit_id") or r["organisation"]) for r in answer["reports"]]
        if answer["next"] is None:
            break
        params = {**params, "cursor": answer["next"]}
    assert len(seen) == len(set(seen)) == answer["total"] > 300
    bad = await registry.client.get(address, params={"cursor": "nonsense"})
    assert (bad.status_code, bad.json()["code"]) == (422, "cursor-malformed")
    fresh = await registry.client.get(address)
    same = await registry.client.get(address, headers={"If-None-Match": fresh.headers["ETag"]})
    assert same.status_code == 304


async def test_who_owes_what_as_a_spreadsheet(registry: Running) -> None:
    """A line per duty, period and body, with the four days of a period apart."""
    answer = await registry.client.get(
        f"{GIA_LAI}/reports", params={"format": "csv", "unit": "23563"}
    )
    assert (
        answer.headers["content-disposition"] == 'attachment; filename="gia-lai-2026-reports.csv"'
    )
    text = answer.content.decode("utf-8-sig").splitlines()
    rows = list(csv.reader(line for line in text if not line.startswith("# ")))
    found = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    assert [r["Kỳ"] for r in found] == ["quý 1/2026", "quý 2/2026", "quý 3/2026", "quý 4/2026"]
    second = found[1]
    days = ("Số liệu từ", "Chốt số liệu", "Hạn", "Nơi nhận")
    assert [second[name] for name in days] == [
        "2026-03-15", "2026-06-14", "2026-06-15", "Sở Khoa học và Công nghệ",
    ]  # fmt: skip
    book = await registry.client.get(f"{GIA_LAI}/reports", params={"format": "xlsx"})
    sheet = load_workbook(io.BytesIO(book.content)).active
    assert sheet is not None and sheet.title == "Báo cáo" and sheet.max_row > 400
    wrong = await registry.client.get(f"{GIA_LAI}/reports", params={"format": "pdf"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "format-unknown")
