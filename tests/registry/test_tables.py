"""The table: its published shape, formats, days, and every bad question."""

import csv
import gc
import io
from typing import Any

import httpx
import pytest
from openpyxl import load_workbook

from deploy.local.stack import LocalStack
from services.registry.tables.export import safe
from shared.contracts.record import LogRecord
from tests.conftest import new_database
from tests.registry.conftest import Running, running

TABLE = "/v1/plans/dak-lak-2026/table"


async def ask(registry: Running, **params: Any) -> httpx.Response:
    return await registry.client.get(TABLE, params=params)


async def test_the_published_shape(registry: Running) -> None:
    answer = await ask(registry, unit="66", level="commune")
    assert answer.status_code == 200, answer.text
    table = answer.json()
    assert {name: table[name] for name in ("plan", "unit", "level", "as_of", "known_at")} == {
        "plan": "dak-lak-2026",
        "unit": "66",
        "level": "commune",
        "as_of": "2026-11-21",
        "known_at": None,
    }
    assert table["position"] == 91234
    assert len(table["objectives"]) == 25
    objective = next(o for o in table["objectives"] if o["id"] == "adults-certified-vneid")
    assert objective["target"] == {"value": 80, "unit": "percent", "comparator": ">="}
    assert objective["deadline"] == "2026-11-29"  # "trước ngày 30/11": the 30th is excluded
    assert len(table["rows"]) == 102
    row = next(row for row in table["rows"] if row["unit"] == "24133")
    assert (row["unit_id"], row["name_vi"]) == ("24133@2025", "Phường Buôn Ma Thuột")
    assert set(row["cells"]["adults-certified-vneid"]) == {
        "value", "denominator", "ratio", "met", "met_on_time", "status", "basis",
        "required_per_week", "flags", "target", "target_unit", "comparator", "required", "last_day",
    }  # fmt: skip


async def test_a_refresh_is_seen_at_once_and_nothing_else_changes_the_tag(
    registry: Running,
) -> None:
    first = await ask(registry)
    row = next(row for row in first.json()["rows"] if row["unit"] == "24133")
    before = row["cells"]["adults-certified-vneid"]["value"]
    again = await registry.client.get(TABLE, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    await registry.database.execute("UPDATE indicators.watermark SET position = 91235")
    await registry.database.execute(
        "UPDATE indicators.cells SET value = 4711 WHERE plan = 'dak-lak-2026'"
        " AND unit_id = '24133@2025' AND objective = 'adults-certified-vneid'"
    )
    table = (
        await registry.client.get(TABLE, headers={"If-None-Match": first.headers["ETag"]})
    ).json()
    row = next(row for row in table["rows"] if row["unit"] == "24133")
    assert (table["position"], row["cells"]["adults-certified-vneid"]["value"]) == (91235, 4711)
    await registry.database.execute("UPDATE indicators.watermark SET position = 91234")
    await registry.database.execute(
        "UPDATE indicators.cells SET value = $1 WHERE plan = 'dak-lak-2026'"
        " AND unit_id = '24133@2025' AND objective = 'adults-certified-vneid'",
        before,
    )


async def test_yen_bai_shows_51_communes_of_today(registry: Running) -> None:
    answer = await registry.client.get("/v1/plans/yen-bai-2025-2026/table")
    table = answer.json()
    assert (table["unit_id"], table["unit_name_vi"]) == ("15@2004", "Tỉnh Yên Bái")
    assert len(table["rows"]) == 51
    assert all(row["cells"] for row in table["rows"])


async def test_a_unit_above_the_plan_shows_the_plan(registry: Running) -> None:
    table = (await ask(registry, unit="VN", level="commune")).json()
    assert len(table["rows"]) == 102
    own = (await registry.client.get("/v1/plans/yen-bai-2025-2026/table?unit=15")).json()
    assert own["unit_id"] == "15@2004"


async def test_after_position_waits_for_the_watermark(registry: Running) -> None:
    assert (await ask(registry, after_position=91234)).status_code == 200
    answer = await ask(registry, after_position=10**9, wait=0.1)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (503, "not-yet-counted")
    assert problem["retryable"] is True
    assert answer.headers["Retry-After"] == "1"


async def test_other_days_are_asked_of_metrics(registry: Running) -> None:
    asked: dict[str, str] = {}

    def cells(request: httpx.Request) -> httpx.Response:
        asked.update(request.url.params)
        cell = {
            "unit_id": "24133@2025", "objective": "adults-certified-vneid", "value": 7,
            "denominator": None, "ratio": None, "met": None, "met_on_time": None,
            "status": "unknown", "basis": "persons", "required_per_week": None, "flags": [],
        }  # fmt: skip
        return httpx.Response(200, json={"position": 900, "cells": [cell]})

    registry.metrics["answer"] = cells
    answer = await ask(registry, as_of="2026-06-30", known_at="2026-07-02")
    table = answer.json()
    assert asked == {
        "plan": "dak-lak-2026", "unit": "66@2025", "level": "commune", "as_of": "2026-06-30",
        "known_at": "2026-07-02", "tree": "2026-06-30",
    }  # fmt: skip
    assert (table["position"], table["as_of"], table["known_at"]) == (
        900,
        "2026-06-30",
        "2026-07-02",
    )
    row = next(row for row in table["rows"] if row["unit"] == "24133")
    assert row["cells"]["adults-certified-vneid"]["value"] == 7


async def test_metrics_away_is_said(registry: Running) -> None:
    def away(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody there")

    registry.metrics["answer"] = away
    answer = await ask(registry, as_of="2026-06-30")
    assert (answer.status_code, answer.json()["code"]) == (503, "metrics-not-available")


@pytest.mark.parametrize(
    ("params", "status", "code"),
    [
        ({"unit": "99999"}, 404, "unit-unknown"),
        ({"unit": "75"}, 422, "unit-outside-plan"),
        ({"unit": "15", "as_of": "2026-05-01", "tree": "2025-05-01"}, 422, "unit-ambiguous"),
        ({"unit": "24133", "level": "province"}, 422, "level-above-unit"),
        ({"level": "street"}, 422, "level-unknown"),
        ({"format": "pdf"}, 422, "format-unknown"),
        ({"as_of": "2025-12-31"}, 422, "as-of-before-plan"),
        ({"as_of": "2026-11-22"}, 422, "as-of-in-future"),
        ({"known_at": "2026-11-22"}, 422, "known-at-in-future"),
        ({"as_of": "30/6/2026"}, 422, "invalid-parameter"),
        ({"tree": "yesterday"}, 422, "tree-unknown"),
    ],
)
async def test_bad_questions(
    registry: Running, params: dict[str, str], status: int, code: str
) -> None:
    answer = await ask(registry, **params)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["hint"]


async def test_unknown_plan(registry: Running) -> None:
    answer = await registry.client.get("/v1/plans/ha-noi-2026/table")
    assert (answer.status_code, answer.json()["code"]) == (404, "plan-unknown")


async def test_csv_for_spreadsheets(registry: Running) -> None:
    answer = await ask(registry, format="csv")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    about = {line[0]: line[1] for line in lines if line[0].startswith("#")}
    assert about["# plan"] == "dak-lak-2026 v1"
    assert (about["# as_of"], about["# position"]) == ("2026-11-21", "91234")
    head = next(i for i, line in enumerate(lines) if line[0] == "unit")
    assert lines[head - 1][0] == "# short_vi", (
        "a line that readers skip, with short names of columns"
    )
    named = dict(zip(lines[head], lines[head - 1], strict=True))
    assert named["commune-classes.value"] == named["commune-classes.last_day"] == "Lớp học"
    assert named["name_vi"] == ""
    rows = [dict(zip(lines[head], line, strict=True)) for line in lines[head + 1 :]]
    assert len(rows) == 103  # the province, then its communes
    table = (await ask(registry)).json()
    for row, shown in zip(rows[1:], table["rows"], strict=True):
        assert row["unit_id"] == shown["unit_id"]
        for name, cell in shown["cells"].items():
            assert row[f"{name}.value"] == str(cell["value"])
            assert row[f"{name}.comparator"] == cell["comparator"]
            assert row[f"{name}.required"] == str(cell.get("required", ""))
            assert row[f"{name}.last_day"] == cell.get("last_day", "")
    names = [name.rpartition(".") for name in lines[head][3:]]
    before = ("value", "denominator", "target", "target_unit", "status", "flags")
    old = [part in before for _, _, part in names]
    assert old == sorted(old, reverse=True), "further columns stand behind all that were there"
    assert rows[1]["commune-monthly-posts.bucket_start"] == "2026-11-16"
    assert rows[1]["commune-monthly-posts.status_bucket_end"] == "2026-11-15"
    assert rows[1]["commune-monthly-posts.status_bucket_value"]


async def test_xlsx(registry: Running) -> None:
    answer = await ask(registry, format="xlsx")
    sheet = load_workbook(io.BytesIO(answer.content)).active
    rows = list(sheet.iter_rows(values_only=True))
    head = next(i for i, row in enumerate(rows) if row[0] == "unit")
    assert rows[head + 1][0] == "66"
    assert isinstance(rows[head + 2][3], int)


@pytest.mark.parametrize("text", ["=1+1", "+84", "-2", "@cmd", "\tx", "\rx"])
def test_no_spreadsheet_runs_a_name(text: str) -> None:
    assert safe(text) == f"'{text}"
    assert safe("Xã Ea H'leo") == "Xã Ea H'leo"


async def test_sandbox_marks_every_export(registry: Running) -> None:
    state = registry.app.state.registry
    state.settings.sandbox = True
    state.tables.clear()
    state.encoded.clear()
    try:
        for format in ("csv", "json", "xlsx"):
            answer = await ask(registry, format=format)
            assert answer.headers["X-Hocvuso-Sandbox"] == "true"
        assert "DỮ LIỆU MÔ PHỎNG" in (await ask(registry, format="csv")).text
        assert (await ask(registry)).json()["sandbox"] is True
    finally:
        state.settings.sandbox = False
        state.tables.clear()
        state.encoded.clear()


async def test_counts_beside_are_shown_where_there_are_any(registry: Running) -> None:
    beside = '[{"id": "figure.reported", "basis": "reported", "value": 41}]'
    where = (
        "WHERE plan = 'dak-lak-2026' AND unit_id = '24133@2025'"
        " AND objective = 'adults-certified-vneid'"
    )
    await registry.database.execute(f"UPDATE indicators.cells SET beside = '{beside}' {where}")
    registry.app.state.registry.tables.clear()
    registry.app.state.registry.encoded.clear()
    row = next(r for r in (await ask(registry)).json()["rows"] if r["unit"] == "24133")
    assert row["cells"]["adults-certified-vneid"]["beside"][0]["value"] == 41
    assert "beside" not in row["cells"]["adults-digital-skills"]
    await registry.database.execute(f"UPDATE indicators.cells SET beside = NULL {where}")
    registry.app.state.registry.tables.clear()
    registry.app.state.registry.encoded.clear()


async def test_the_service_is_calm_about_garbage(
    default_collector: None, infrastructure: LocalStack, filled: str, defined_rows: list[LogRecord]
) -> None:
    """Full collections under load held answers up for 100 to 300 ms."""
    url = await new_database(infrastructure, "registry", like=filled)
    async with running(url, list(defined_rows)):
        assert gc.get_threshold()[0] >= 100_000
