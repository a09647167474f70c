"""The calendar of a plan, of a unit and of a person: what is in it, how its entries keep their names,
and what happens to them when a day moves or goes."""

from datetime import date
from typing import Any

import pytest
from icalendar import Calendar

from services.registry.agenda.entries import Entry
from services.registry.agenda.ical import to_ical
from tests.plans.five import FIVE
from tests.registry import fakes
from tests.registry.conftest import NOW, Running

DAK_LAK = "/v1/plans/dak-lak-2026/calendar"
DONG_NAI = "/v1/plans/dong-nai-2026/calendar"
YEN_BAI = "/v1/plans/yen-bai-2025-2026"
GIA_LAI = "/v1/plans/gia-lai-2026/calendar"


async def ics(registry: Running, address: str, **params: str) -> dict[str, Any]:
    answer = await registry.client.get(address, params={"format": "ics", **params})
    assert answer.status_code == 200, answer.text
    return {str(e["uid"]): e for e in read(answer.content)}


def read(body: bytes) -> list[Any]:
    calendar = Calendar.from_ical(body)
    assert calendar["method"] == "PUBLISH" and calendar["version"] == "2.0"
    return [*calendar.walk("VEVENT"), *calendar.walk("VTODO")]


def days(entry: Any) -> tuple[str, str]:
    """First day and the day after the last."""
    return entry["dtstart"].dt.isoformat(), entry["dtend"].dt.isoformat()


@pytest.mark.parametrize("plan", FIVE)
async def test_every_calendar_is_valid_and_says_the_same_twice(
    registry: Running, plan: str
) -> None:
    """Read back by a library, and by the letter of RFC 5545: CRLF, at most 75 octets in a line."""
    address, params = f"/v1/plans/{plan}/calendar", {"format": "ics"}
    answer = await registry.client.get(address, params=params)
    entries = read(answer.content)
    assert len({str(e["uid"]) for e in entries}) == len(entries) > 30
    assert b"\n" not in answer.content.replace(b"\r\n", b"")
    assert all(len(line) <= 75 for line in answer.content.split(b"\r\n"))
    for entry in entries:
        assert {"UID", "DTSTAMP", "SEQUENCE", "STATUS", "SUMMARY"} <= set(entry)
        if entry.name == "VEVENT":
            assert entry["dtend"].dt > entry["dtstart"].dt
            assert type(entry["dtstart"].dt) is date
        else:
            assert "DUE" not in entry
    known = {"If-None-Match": answer.headers["ETag"]}
    assert (await registry.client.get(address, params=params, headers=known)).status_code == 304


async def test_tasks_campaigns_weekly_reviews_and_the_tenth_of_october(registry: Running) -> None:
    found = await ics(registry, DONG_NAI)
    assert days(found["dong-nai-2026.task.iii-8.span@hocvuso"]) == ("2026-06-01", "2026-10-01")
    assert days(found["dong-nai-2026.task.iii-8.once@hocvuso"]) == ("2026-09-30", "2026-10-01")
    reviews = [u for u in found if u.startswith("dong-nai-2026.weekly-campaign-review.")]
    assert len(reviews) == 18
    assert days(found["dong-nai-2026.weekly-campaign-review.2026-W23@hocvuso"]) == ("2026-06-01", "2026-06-08")  # fmt: skip
    assert days(found["national-day.2026@hocvuso"]) == ("2026-10-10", "2026-10-11")
    festival = (await ics(registry, DAK_LAK))["dak-lak-2026.task.t-1-5-festival.span@hocvuso"]
    assert days(festival) == ("2026-10-05", "2026-10-11")
    yearly = (await ics(registry, GIA_LAI))["gia-lai-2026.task.t-1-3.2026@hocvuso"]
    assert days(yearly) == ("2026-10-10", "2026-10-11")
    weekly = [u for u in await ics(registry, GIA_LAI) if ".t-3-6-weekly." in u]
    assert len(weekly) == 53


async def test_a_unit_gets_what_it_owes_and_leads_with_where_it_stands(registry: Running) -> None:
    found = await ics(registry, DAK_LAK, unit="24133")
    items = {uid.split(".")[2] for uid in found if ".task." in uid}
    assert "t-10-closing-commune" in items and "t-10-closing-province" not in items
    closing = found["dak-lak-2026.task.t-10-closing-commune.once@hocvuso"]
    assert days(closing)[0] == "2026-12-30"
    assert "Tình trạng: Chưa bắt đầu" in str(closing["description"])
    report = found["dak-lak-2026.final-report-2026.once@hocvuso"]
    assert days(report)[0] == "2026-12-09" and "Chưa đến hạn" in str(report["description"])
    assert "dak-lak-2026.signature-evaluation.once@hocvuso" not in found
    police = await ics(registry, DAK_LAK, organisation="cong-an-tinh")
    assert "dak-lak-2026.signature-evaluation.once@hocvuso" in police


async def test_what_has_no_day_is_listed_without_one(registry: Running) -> None:
    found = await ics(registry, f"{YEN_BAI}/calendar", organisation="so-khcn")
    assert found["yen-bai-2025-2026.so-khcn-on-request.undated@hocvuso"].name == "VTODO"
    assert found["yen-bai-2025-2026.so-khcn-monthly.undated@hocvuso"].name == "VTODO"
    owed = (await registry.client.get(f"{YEN_BAI}/calendar", params={"organisation": "so-khcn"})).json()  # fmt: skip
    undated = {o["id"] for o in owed["obligations"] if o["undated"]}
    assert {"so-khcn-on-request", "so-khcn-monthly", "monitoring"} <= undated
    terms = await ics(registry, f"{YEN_BAI}/calendar")
    assert terms["yen-bai-2025-2026.task.iv-2-1.once@hocvuso"].name == "VTODO"


async def test_a_duty_gets_its_days_by_amendment(registry: Running) -> None:
    """From the amendment's day on, in the list, the calendar, the consolidation; not as known before."""
    monthly = [f"2026-{month:02}-25" for month in range(1, 13)]
    uid = "dong-nai-2026.workers-periodic-report.2026-11@hocvuso"
    undated = "dong-nai-2026.workers-periodic-report.undated@hocvuso"
    before = await ics(registry, DONG_NAI)
    assert undated in before and uid not in before
    await registry.happen(
        fakes.amendment("am-1", "75@2025", "2026-11-10", plan="dong-nai-2026", obligation="workers-periodic-report", changes={"cadence": "monthly", "due_dates": monthly}, document_ref="9/KH-UBND"), recorded=date(2026, 11, 21)
    )  # fmt: skip
    after = await ics(registry, DONG_NAI)
    assert undated not in after and days(after[uid])[0] == "2026-11-25"
    assert int(after[uid]["sequence"]) > int(before[undated]["sequence"])
    listed = (await registry.client.get(DONG_NAI)).json()["obligations"]
    duty = next(o for o in listed if o["id"] == "workers-periodic-report")
    assert (duty["next_last_day"], duty["undated"], len(duty["periods"])) == ("2026-11-25", False, 12)  # fmt: skip
    november = duty["periods"][10]
    assert [november[n] for n in ("period", "start", "end", "figures_from", "closing_day", "last_day")] == [
        "2026-11", "2026-11-01", "2026-11-30", "2026-10-15", "2026-11-14", "2026-11-25",
    ]  # fmt: skip
    earlier = await ics(registry, DONG_NAI, known_at="2026-11-20")
    assert undated in earlier and uid not in earlier
    day_before = await ics(registry, DONG_NAI, on="2026-11-09")
    assert undated in day_before and uid not in day_before

    address = "/v1/plans/dong-nai-2026/reports/workers-periodic-report/2026-11"
    headers = {"Authorization": f"Bearer {fakes.KEY}"}
    report = {"unit": "26041", "figures": {"workers": 7}, "number": "1/BC-UBND"}
    sent = await registry.client.put(address, json=report, headers=headers)
    assert sent.status_code == 200, sent.text
    await registry.settle()
    sums = (await registry.client.get(f"{address}/consolidated")).json()
    assert sums["sums"] == [{"name": "workers", "sum": 7, "reports": 1}]
    assert (sums["last_day"], sums["states"]["on_time"]) == ("2026-11-25", 1)


async def test_a_moved_day_keeps_its_name_and_a_lost_one_is_cancelled(registry: Running) -> None:
    uid = "dak-lak-2026.final-report-2026.once@hocvuso"
    first = (await ics(registry, DAK_LAK))[uid]
    await registry.happen(
        fakes.amendment("am-2", "66@2025", "2026-11-15", plan="dak-lak-2026", obligation="final-report-2026", changes={"due": "2026-12-20", "due_dates": ["2026-12-20"]})
    )  # fmt: skip
    moved = (await ics(registry, DAK_LAK))[uid]
    assert (days(first)[0], days(moved)[0]) == ("2026-12-09", "2026-12-19")
    assert int(moved["sequence"]) > int(first["sequence"])
    assert str(moved["status"]) == "CONFIRMED"

    await registry.happen(
        fakes.amendment("am-3", "66@2025", "2026-11-16", plan="dak-lak-2026", obligation="final-report-2026", action="end")
    )  # fmt: skip
    gone = (await ics(registry, DAK_LAK))[uid]
    assert (str(gone["status"]), str(gone["summary"])[:6]) == ("CANCELLED", "Đã bỏ:")
    assert int(gone["sequence"]) > int(moved["sequence"])
    back = {
        "id": "rv-3", "source": "https://tinh.example", "type": "vn.hocvuso.event.revoked", "subject": "66@2025",
        "time": "2026-11-17T00:00:00+07:00",
        "data": {"revokes": {"source": "https://tinh.example", "id": "am-3"}, "reason": "nhầm"},
    }  # fmt: skip
    await registry.happen(back)
    again = (await ics(registry, DAK_LAK))[uid]
    assert (str(again["status"]), days(again)[0]) == ("CONFIRMED", "2026-12-19")
    assert int(again["sequence"]) > int(gone["sequence"])


async def test_a_request_is_an_entry_that_says_who_asks_what(registry: Running) -> None:
    asked = {"request_ref": "yc-21", "last_day": "2026-11-27", "who": ["so-gddt"], "requested_by": "Ban Chỉ đạo tỉnh", "subject_matter": "Thiết bị học", "document_ref": "88/BCĐ"}  # fmt: skip
    answer = await registry.client.post(
        f"{YEN_BAI}/reports/on-request-report/requests",
        json=asked,
        headers={"Authorization": f"Bearer {fakes.KEY}"},
    )
    assert answer.status_code == 200, answer.text
    await registry.settle()
    uid = "yen-bai-2025-2026.on-request-report.yc-21@hocvuso"
    entry = (await ics(registry, f"{YEN_BAI}/calendar", organisation="so-gddt"))[uid]
    assert days(entry)[0] == "2026-11-27"
    for words in ("Ban Chỉ đạo tỉnh", "Thiết bị học", "88/BCĐ"):
        assert words in str(entry["description"])
    assert uid not in await ics(registry, f"{YEN_BAI}/calendar", organisation="so-noi-vu")
    listed = (await registry.client.get(f"{YEN_BAI}/calendar")).json()["obligations"]
    duty = next(o for o in listed if o["id"] == "on-request-report")
    assert (duty["next_last_day"], duty["days_left"]) == ("2026-11-27", 6)
    page = await registry.client.get("/plans/yen-bai-2025-2026/reports/on-request-report/yc-21")
    for words in ("Ban Chỉ đạo tỉnh", "Thiết bị học", "88/BCĐ", "27/11/2026"):
        assert words in page.text


async def test_one_persons_calendar_is_of_all_plans(registry: Running) -> None:
    """A chairman's key is bound to a commune: what it owes and leads, in each plan that applies."""
    registry.activities.keys["hv_commune_chair"] = {"name": "c", "roles": ["commune"], "subtree": "24121@2025", "scopes": ["tables:read"]}  # fmt: skip
    own = {"Authorization": "Bearer hv_commune_chair"}
    answer = await registry.client.get("/v1/calendar", headers=own)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["unit_id"] == "24121@2025"
    assert {e["plan"] for e in found["entries"]} == {"dak-lak-2026", "tan-lap-100-days-2025"}
    closing = next(e for e in found["entries"] if e["item"] == "t-10-closing-commune")
    assert (closing["last"], closing["state"], closing["kind"]) == ("2026-12-30", "not_started", "task")  # fmt: skip
    lasts = [e["last"] for e in found["entries"] if e["last"]]
    assert lasts == sorted(lasts)
    other = await registry.client.get("/v1/calendar", params={"unit": "24133"}, headers=own)
    assert (other.status_code, other.json()["code"]) == (403, "unit-outside-key")
    file = await registry.client.get("/v1/calendar", params={"format": "ics"}, headers=own)
    assert {str(e["uid"]) for e in read(file.content)} == {e["uid"] for e in found["entries"]}


def test_a_calendar_without_entries_is_valid() -> None:
    """RFC 5545, 3.6: a calendar has at least one component; so it says its time zone."""
    found = Calendar.from_ical(to_ical("Kế hoạch", [], NOW))
    (zone,) = found.walk("VTIMEZONE")
    assert zone["tzid"] == "Asia/Ho_Chi_Minh" and found.walk("VEVENT") == []


def test_titles_are_cut_between_letters() -> None:
    one = Entry("u@hocvuso", "p", "task", "t", "once", NOW.date(), NOW.date(), "ữ" * 240, "", 0)
    body = to_ical("Kế hoạch", [one], NOW)
    assert all(len(line) <= 75 and line.decode() for line in body.split(b"\r\n")[:-1])
