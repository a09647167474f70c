"""Forms made from the definitions, and the pages that show what stands behind a number."""

import html
import re
import uuid
from collections.abc import Iterator
from datetime import date
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from services.registry.web.chart import chart
from services.registry.web.entry import kind_of
from services.registry.web.entry_forms import fields_of, kinds, number, read
from services.registry.web.language import language
from tests.registry import fakes
from tests.registry.conftest import Running

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def signed_in(registry: Running) -> Iterator[Running]:
    registry.client.cookies.set("hocvuso_session", fakes.SESSION)
    yield registry
    registry.client.cookies.clear()


async def send(registry: Running, type: str, fields: list[tuple[str, str]]) -> httpx.Response:
    headers = FORM | {"Sec-Fetch-Site": "same-origin"}
    return await registry.client.post(f"/enter/{type}", content=urlencode(fields), headers=headers)


async def fresh_id(registry: Running, type: str) -> str:
    text = (await registry.client.get(f"/enter/{type}")).text
    found = re.search(r'name="id" value="([0-9a-f-]{36})"', text)
    assert found
    return found[1]


@pytest.mark.parametrize("kind", [kind.type for kind in kinds(None)])
async def test_every_form_has_a_label_for_every_field(registry: Running, kind: str) -> None:
    text = html.unescape((await registry.client.get(f"/enter/{kind}")).text)
    for field in fields_of(kind_of(kind)):
        assert f'name="data.{field.name}"' in text
        assert field.spec.title_vi in text
        if field.schemes:
            assert f'name="data.{field.name}.scheme"' in text
    inputs = re.findall(r"<(?:input|select|textarea)(?![^>]*type=.hidden)[^>]*>", text)
    named = [one for one in inputs if "aria-label" not in one]
    assert len(named) <= text.count("<label")


async def test_a_form_says_which_fields_make_the_event_what_it_is(signed_in: Running) -> None:
    fields = [("id", str(uuid.uuid4())), ("unit", "24133@2025"), ("day", "2026-11-10")]
    answer = await send(signed_in, "class.held", fields)
    assert answer.status_code == 422
    text = answer.text
    assert "ít nhất một trong các ô: Mã lớp học; Minh chứng; Số người tham gia." in text
    assert text.index("data.participants") < text.index("data.class_ref")


async def test_every_fault_stands_beside_its_field_and_leads_to_it(signed_in: Running) -> None:
    fields = [
        ("id", str(uuid.uuid4())), ("unit", ""), ("day", "31/02/2026"),
        ("data.participants", "nhiều"), ("data.sessions", "-1"), ("data.note", "<script>🙂" * 2_000),
    ]  # fmt: skip
    before = len(signed_in.activities.posted)
    answer = await send(signed_in, "class.held", fields)
    assert answer.status_code == 422 and len(signed_in.activities.posted) == before
    for name in ("unit", "day", "data.participants", "data.sessions", "data.note"):
        assert f'<a href="#{name}">' in answer.text, name
        assert f'id="{name}-fault"' in answer.text or f'id="{name}"' in answer.text
    assert "Có 5 chỗ cần sửa" in answer.text
    assert "<script>" not in answer.text and "&lt;script&gt;🙂" in answer.text
    assert 'value="nhiều"' in answer.text


async def test_a_session_that_ended_loses_nothing_that_was_typed(signed_in: Running) -> None:
    fields = [
        ("id", str(uuid.uuid4())), ("unit", "24133@2025"), ("day", "2026-11-10"),
        ("data.person", "066099000001"), ("data.person.scheme", "cccd"),
        ("data.target_groups", "adult"), ("data.note", "\nhai <dòng>"),
    ]  # fmt: skip
    signed_in.client.cookies.set("hocvuso_session", "hvs_00000000_gone")
    answer = await send(signed_in, "citizen.certified", fields)
    assert answer.status_code == 401
    assert 'action="/enter/citizen.certified"' in answer.text and "hai &lt;dòng&gt;" in answer.text
    assert "066099000001" not in answer.text and "ghi lại ô đó" in answer.text
    headers = FORM | {"Origin": "https://evil.example"}
    foreign = await signed_in.client.post(
        "/enter/citizen.certified", content=urlencode(fields), headers=headers
    )
    assert "hai" not in foreign.text


async def test_what_is_typed_becomes_one_event(signed_in: Running) -> None:
    id = await fresh_id(signed_in, "class.held")
    fields = [
        ("id", id), ("unit", "24133@2025"), ("day", "2026-11-10"), ("data.participants", "32"),
        ("data.target_groups", "cnscd_member"), ("data.channel", "in_person"), ("data.note", ""),
    ]  # fmt: skip
    answer = await send(signed_in, "class.held", fields)
    assert answer.status_code == 200, answer.text
    assert "Đã ghi" in answer.text
    posted = signed_in.activities.posted[-1]
    assert posted["data"] == {
        "participants": 32, "target_groups": ["cnscd_member"], "channel": "in_person",
    }  # fmt: skip
    assert (posted["id"], posted["time"]) == (f"form-{id}", "2026-11-10T00:00:00+07:00")
    again = await send(signed_in, "class.held", fields)
    assert "Đã có từ trước" in again.text


async def test_a_refusal_shows_the_form_again_without_the_identity_number(
    signed_in: Running,
) -> None:
    id = await fresh_id(signed_in, "citizen.certified")
    fields = [
        ("id", id), ("unit", "24133@2025"), ("day", "2026-11-10"), ("data.person", "066099000001"),
        ("data.person.scheme", "cccd"), ("data.age", "many"), ("data.target_groups", "adult"),
    ]  # fmt: skip
    answer = await send(signed_in, "citizen.certified", fields)
    assert answer.status_code == 422
    assert "Ghi một số nguyên" in answer.text
    assert "066099000001" not in answer.text
    assert re.search(r'value="adult" checked', answer.text)


async def test_a_form_from_elsewhere_is_refused(signed_in: Running) -> None:
    before = len(signed_in.activities.posted)
    body = urlencode({"id": "x", "unit": "24133", "day": "2026-11-10"})
    for headers in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        answer = await signed_in.client.post(
            "/enter/class.held", content=body, headers=FORM | headers
        )
        assert answer.status_code == 403
        assert "foreign-page" in answer.text
    assert len(signed_in.activities.posted) == before
    answer = await signed_in.client.post(
        "/enter/class.held", content=body, headers=FORM | {"Origin": "http://registry"}
    )
    assert "Biểu mẫu này không phải của trang" in answer.text  # taken, but its id is none of ours


async def test_unknown_types_have_no_form(registry: Running) -> None:
    for name in ("plan.published", "event.revoked", "no.such"):
        assert (await registry.client.get(f"/enter/{name}")).status_code == 404


def test_empty_fields_say_nothing() -> None:
    kind = kind_of("class.held")
    fields = fields_of(kind)
    assert read(kind, fields, {"data.participants": [" "], "data.unknown": ["1"]}).data == {}
    zero = read(kind, fields, {"data.participants": ["0"]})
    assert (zero.data, zero.faults) == ({"participants": 0}, {})


@pytest.mark.parametrize(
    ("text", "vi", "en"),
    [
        ("1.234", 1234, 1.234), ("8,5", 8.5, 8.5), ("1.234,5", 1234.5, None), ("12", 12, 12),
        ("1 234", 1234, 1234), ("1,234", 1.234, 1234), ("", None, None), ("١٢", None, None),
        ("1e3", None, None), ("12.34.5", None, None), ("-3", -3, -3), ("9" * 30, None, None),
    ],
)  # fmt: skip
def test_numbers_are_read_as_pages_print_them(
    text: str, vi: float | None, en: float | None
) -> None:
    for name, expected in (("vi", vi), ("en", en)):
        token = language.set(name)
        try:
            assert number(text) == expected, name
        finally:
            language.reset(token)


async def test_a_numbers_story(registry: Running) -> None:
    def metrics(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/series":
            cells = [[{"unit_id": "24133@2025", "value": v}] for v in (0, 5, 9)]
            days = ("2026-11-08", "2026-11-15", "2026-11-21")
            points = [{"as_of": d, "cells": c} for d, c in zip(days, cells, strict=True)]
            return httpx.Response(200, json={"points": points})
        event: dict[str, Any] = {
            "position": 1, "source": "https://congan.example", "id": "a<b", "weight": 9,
            "type": "citizen.certified", "unit_id": "24133@2025", "occurred": "2026-11-10",
            "since": "2026-11-10", "recorded": "2026-11-11",
        }  # fmt: skip
        return httpx.Response(
            200, json={"figure": "n", "counted": 9, "events": [event], "next": None}
        )

    registry.metrics["answer"] = metrics
    try:
        address = "/plans/dak-lak-2026/units/24133/objectives/adults-certified-vneid"
        text = (await registry.client.get(address)).text
    finally:
        registry.metrics["answer"] = fakes.no_metrics
    assert '<svg class="chart"' in text and "<title" in text
    assert text.count("<circle") == 3
    assert "a&lt;b" in text and "/receipts?source=https%3A%2F%2Fcongan.example&amp;id=a%3Cb" in text
    assert "10/11/2026" in text


def test_a_chart_leaves_gaps_open() -> None:
    days = [date(2026, 1, n) for n in (1, 8, 15, 22)]
    found = chart(list(zip(days, (1, None, 3, 4), strict=True)), 8)
    assert found is not None
    assert found.line.count("M") == 2 and found.line.count("L") == 1
    assert found.target_y is not None
    assert min(y for _, y, _, _ in found.points) > found.target_y
    assert chart([(days[0], 1)], None) is None
    assert chart([(day, None) for day in days], None) is None


async def test_a_commune_hands_in_a_report(signed_in: Running) -> None:
    address = "/plans/gia-lai-2026/reports/quarterly-report/2026-Q3"
    headers = FORM | {"Sec-Fetch-Site": "same-origin"}
    children = (await signed_in.client.get("/v1/units/52/children")).json()["units"]
    commune = children[40]["code"]
    fields = {
        "unit": commune,
        "number": "31/BC-UBND",
        "submitted_on": "2026-09-14",
        "file_sha256": "",
    }
    answer = await signed_in.client.post(address, content=urlencode(fields), headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{address}?unit={commune}")
    posted = signed_in.activities.posted[-1]
    assert (posted["subject"], posted["data"]["document_ref"]) == (f"{commune}@2025", "31/BC-UBND")
    assert posted["time"] == "2026-09-14T00:00:00+07:00"
    await signed_in.settle()
    page = (await signed_in.client.get(address)).text
    assert "31/BC-UBND" in page
    wrong = urlencode(fields | {"file_sha256": "xyz"})
    answer = await signed_in.client.post(address, content=wrong, headers=headers)
    assert answer.status_code == 422
    assert "file_sha256" in answer.text and 'value="31/BC-UBND"' in answer.text
    nobody = urlencode({"number": "1"})
    answer = await signed_in.client.post(address, content=nobody, headers=headers)
    assert "debtor-missing" in answer.text
