"""Duties: four days kept apart, reports on request, what is sent back, and what it adds up to."""

from datetime import date
from typing import Any

import pytest

from services.registry.journal.store import Fact
from services.registry.oversight.feedback import state_of
from services.registry.oversight.inspections import inspections
from services.registry.reports.ledger import requests_of
from services.registry.reports.periods import Request, periods
from tests.registry import fakes
from tests.registry.conftest import Running

YEAR = {"period": {"start": "2026-01-01", "end": "2026-12-31"}}
GIA_LAI = "/v1/plans/gia-lai-2026"
YEN_BAI = "/v1/plans/yen-bai-2025-2026"
HEADERS = {"Authorization": f"Bearer {fakes.KEY}"}


@pytest.mark.parametrize(
    ("cadence", "period", "opens", "closes"),
    [
        ("monthly", "2026-06", "2026-05-15", "2026-06-14"),
        ("quarterly", "2026-Q2", "2026-03-15", "2026-06-14"),
        ("half_yearly", "2026-H2", "2026-06-15", "2026-12-14"),
        ("yearly", "2026", "2025-12-15", "2026-12-14"),
        ("weekly", "2026-W23", "2026-06-01", "2026-06-07"),
    ],
)
def test_figures_close_before_the_middle_of_the_month(
    cadence: str, period: str, opens: str, closes: str
) -> None:
    """Nghị định 09/2019/NĐ-CP; weeks are whole."""
    found = {p.id: p for p in periods({"cadence": cadence}, YEAR)}
    one = found[period]
    assert (str(one.figures_from), str(one.closing_day)) == (opens, closes)
    assert one.start <= one.closing_day <= one.end


def test_the_decree_does_not_bind_party_bodies() -> None:
    june = periods({"cadence": "monthly"}, YEAR, party=True)[5]
    assert (june.figures_from, june.closing_day) == (date(2026, 6, 1), date(2026, 6, 30))


def test_figures_never_close_after_the_report_is_due() -> None:
    owed = {"cadence": "once", "due_dates": ["2026-12-10"], "due_exclusive": True}
    (once,) = periods(owed, YEAR)
    assert once.closing_day == once.last_day == date(2026, 12, 9)


def test_each_request_opens_a_period_of_its_own() -> None:
    asked = [Request("b", date(2026, 7, 2), date(2026, 7, 9)), Request("a", date(2026, 7, 1), date(2026, 7, 9))]  # fmt: skip
    assert [p.id for p in periods({"cadence": "on_request"}, YEAR, asked)] == ["a", "b"]
    assert len(periods({"cadence": "quarterly"}, YEAR, asked)) == 6


def test_what_is_asked_again_under_the_same_name_is_one_request_with_the_newest_day() -> None:
    def asked(position: int, day: str, last: str) -> Fact:
        data = {"plan": "p", "obligation": "o", "request_ref": "yc", "last_day": last}
        on = date.fromisoformat(day)
        return Fact(position, position, "report.requested", "66@2025", on, on, "s", "i", data)

    (found,) = requests_of([asked(9, "2026-07-03", "2026-07-20"), asked(4, "2026-07-01", "2026-07-09")], "o", "p")  # fmt: skip
    assert (found.asked_on, found.last_day) == (date(2026, 7, 1), date(2026, 7, 20))
    assert found.revised == 5


async def one(registry: Running, address: str, **params: str) -> dict[str, Any]:
    answer = await registry.client.get(address, params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def post(registry: Running, address: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await registry.client.post(address, json=body, headers=HEADERS)
    assert answer.status_code == 200, answer.text
    await registry.settle()
    found: dict[str, Any] = answer.json()
    return found


async def test_a_report_on_request_from_asking_to_sending_back(registry: Running) -> None:
    asked = {"request_ref": "yc-11", "last_day": "2026-11-25", "who": ["so-gddt", "so-y-te"], "requested_by": "Ban Chỉ đạo tỉnh", "subject_matter": "Lớp học vùng sâu"}  # fmt: skip
    await post(registry, f"{YEN_BAI}/reports/on-request-report/requests", asked)
    address = f"{YEN_BAI}/reports/on-request-report/yc-11"
    found = await one(registry, address)
    assert (found["last_day"], found["request"]["subject_matter"]) == (
        "2026-11-25",
        "Lớp học vùng sâu",
    )
    assert {e["organisation"]: e["state"] for e in found["entries"]} == {
        "so-gddt": "due",
        "so-y-te": "due",
    }

    report = {"organisation": "so-gddt", "number": "3/BC-SGDĐT", "figures": {"classes": 4}, "difficulties": "Thiếu máy"}  # fmt: skip
    handed = await registry.client.put(address, json=report, headers=HEADERS)
    assert handed.status_code == 200, handed.text
    await registry.settle()
    sums = await one(registry, f"{address}/consolidated")
    assert sums["sums"] == [{"name": "classes", "sum": 4, "reports": 1}]
    assert [d["difficulties"] for d in sums["difficulties"]] == ["Thiếu máy"]
    assert [m["organisation"] for m in sums["missing"]] == ["so-y-te"]

    await post(
        registry, f"{address}/returns", {"organisation": "so-gddt", "remark": "Thiếu số liệu"}
    )
    entry = (await one(registry, address))["entries"][0]
    assert (entry["state"], entry["returned"]["remark"]) == ("returned", "Thiếu số liệu")
    assert (await one(registry, f"{address}/consolidated"))["sums"] == []

    again = report | {"number": "4/BC-SGDĐT", "figures": {"classes": 5}}
    await registry.client.put(address, json=again, headers=HEADERS)
    await registry.settle()
    entry = (await one(registry, address))["entries"][0]
    assert (entry["state"], entry["reports"]) == ("on_time", 2)
    assert (await one(registry, f"{address}/consolidated"))["sums"][0]["sum"] == 5


@pytest.mark.parametrize(
    ("address", "body", "status", "code"),
    [
        ("on-request-report/requests", {"request_ref": "x", "last_day": "2026-11-01"}, 422, "last-day-past"),
        ("on-request-report/requests", {"request_ref": "a b", "last_day": "2026-11-30"}, 422, "invalid-parameter"),
        ("on-request-report/requests", {"request_ref": "x", "last_day": "2026-11-30", "who": ["bo-khcn"]}, 422, "not-owing"),
        ("party-inspection/requests", {"request_ref": "x", "last_day": "2026-11-30"}, 422, "proven-by-events"),
        ("quarterly-report/2026-Q3/returns", {"organisation": "so-y-te", "remark": "x"}, 422, "report-missing"),
        ("quarterly-report/2026-Q3/returns", {"remark": "x"}, 422, "debtor-missing"),
        ("quarterly-report/2026-Q9/returns", {"organisation": "so-y-te", "remark": "x"}, 404, "period-unknown"),
    ],
)  # fmt: skip
async def test_what_is_refused(
    registry: Running, address: str, body: dict[str, Any], status: int, code: str
) -> None:
    answer = await registry.client.post(f"{YEN_BAI}/reports/{address}", json=body, headers=HEADERS)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


async def test_only_the_plans_own_staff_ask_and_send_back(registry: Running) -> None:
    registry.activities.keys["hv_commune_one"] = {
        "name": "c",
        "roles": ["commune"],
        "subtree": "23563@2025",
        "scopes": ["tables:read", "events:write"],
    }
    answer = await registry.client.post(
        f"{GIA_LAI}/reports/quarterly-report/2026-Q3/returns",
        json={"unit": "23563", "remark": "x"},
        headers={"Authorization": "Bearer hv_commune_one"},
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "not-supervisor")


async def test_three_streams_to_one_committee_are_one_list(registry: Running) -> None:
    found = await one(registry, f"{YEN_BAI}/calendar", recipient="ban-chi-dao-tinh")
    assert {o["id"] for o in found["obligations"]} == {
        "quarterly-report", "on-request-report", "so-khcn-monthly", "so-khcn-quarterly",
        "so-khcn-half-yearly", "so-khcn-yearly", "so-khcn-on-request", "party-office-three-monthly",
        "monitoring",
    }  # fmt: skip


async def test_an_obligation_is_met_by_the_event_that_the_plan_names(registry: Running) -> None:
    def event(id: str, type: str, unit: str, day: str, **data: Any) -> fakes.CloudEvent:
        return {"id": id, "source": "https://a.example", "type": f"vn.hocvuso.{type}", "subject": unit, "time": f"{day}T09:00:00+07:00", "data": data}  # fmt: skip

    await registry.happen(
        event("w-1", "conference.held", "24133@2025", "2026-11-02", kind="workshop"),
        event("w-2", "conference.held", "24154@2025", "2026-11-02", kind="closing"),
        event("s-1", "signature.used", "24133@2025", "2026-11-03", service="thue", transactions_signed=4),
    )  # fmt: skip
    closing = await one(registry, "/v1/plans/dak-lak-2026/reports/closing-conference-commune/once")
    states = {e["unit_id"]: e["state"] for e in closing["entries"]}
    assert (states["24133@2025"], states["24154@2025"]) == ("due", "on_time")
    signed = await one(registry, "/v1/plans/dak-lak-2026/reports/signature-evaluation/once")
    assert [(e["state"], e["events"], e["first"]) for e in signed["entries"]] == [
        ("on_time", 1, "2026-11-03")
    ]


def fact(position: int, type: str, on: str, **data: object) -> Fact:
    day = date.fromisoformat(on)
    return Fact(
        position, position, type, "24133@2025", day, day, "https://a.example", str(position), data
    )


def test_an_inspection_is_followed_to_its_re_check() -> None:
    found = fact(
        1,
        "inspection.held",
        "2026-06-01",
        inspection_ref="kt-1",
        remedy="Mở lớp",
        remedy_by="2026-07-01",
    )
    check = fact(
        2, "inspection.held", "2026-07-10", inspection_ref="kt-1b", follows="kt-1", remedied=True
    )
    nothing = fact(3, "inspection.held", "2026-08-01", findings="Tốt")

    def states(*facts: Fact, on: str) -> list[str]:
        return [i.state for i in inspections(list(facts), date.fromisoformat(on))]

    assert states(found, on="2026-07-01") == ["to_remedy"]
    assert states(found, on="2026-07-02") == ["overdue"]
    assert states(found, check, on="2026-07-12") == ["remedied"]
    assert states(found, check, nothing, on="2026-08-02") == ["no_remedy_needed", "remedied"]
    orphan = fact(4, "inspection.held", "2026-08-03", follows="unknown")
    assert states(orphan, on="2026-08-04") == ["no_remedy_needed"]


def test_feedback_until_it_is_answered() -> None:
    open_ = fact(
        1,
        "feedback.received",
        "2026-06-01",
        channel="hotline",
        status="open",
        answer_by="2026-06-10",
    )
    assert state_of(open_, date(2026, 6, 10)) == "open"
    assert state_of(open_, date(2026, 6, 11)) == "overdue"
    answered = fact(
        2, "feedback.received", "2026-06-01", channel="hotline", answered_on="2026-06-12"
    )
    assert state_of(answered, date(2026, 7, 1)) == "resolved"


async def test_inspections_and_feedback_of_a_plan(registry: Running) -> None:
    for name in ("inspections", "feedback"):
        found = await one(registry, f"{GIA_LAI}/{name}", unit="52")
        assert (found["total"], found[name]) == (0, [])
        wrong = await registry.client.get(f"{GIA_LAI}/{name}", params={"state": "lost"})
        assert (wrong.status_code, wrong.json()["code"]) == (422, "state-unknown")
