"""The table in pages: together they are the table, each has its own tag, and a bad cursor is named."""

import base64
import csv
import io
import json
from typing import Any

import httpx
import pytest

from tests.registry.conftest import Running

TABLE = "/v1/plans/dak-lak-2026/table"


async def ask(registry: Running, tag: str | None = None, **params: Any) -> httpx.Response:
    headers = {"If-None-Match": tag} if tag else {}
    answer = await registry.client.get(TABLE, params=params, headers=headers)
    assert answer.status_code in (200, 304), answer.text
    return answer


async def in_pages(registry: Running, limit: int, **params: Any) -> list[httpx.Response]:
    """All pages of a table, each asked for with `next` of the one before."""
    found = [await ask(registry, limit=limit, **params)]
    while cursor := found[-1].json()["next"]:
        found.append(await ask(registry, limit=limit, cursor=cursor, **params))
    return found


@pytest.mark.parametrize(
    ("limit", "sizes"), [(1, [1] * 102), (40, [40, 40, 22]), (51, [51, 51]), (102, [102])]
)
async def test_the_pages_are_the_table(registry: Running, limit: int, sizes: list[int]) -> None:
    whole = (await ask(registry)).json()
    assert (whole["total"], whole["next"], len(whole["rows"])) == (102, None, 102)
    pages = [page.json() for page in await in_pages(registry, limit)]
    assert [len(page["rows"]) for page in pages] == sizes
    assert [row for page in pages for row in page["rows"]] == whole["rows"]
    for page in pages:
        assert page | {"rows": whole["rows"], "next": None} == whole


async def test_a_cursor_alone_gives_all_that_follows(registry: Running) -> None:
    first = (await ask(registry, limit=100)).json()
    rest = (await ask(registry, cursor=first["next"])).json()
    assert (len(rest["rows"]), rest["next"]) == (2, None)
    assert (await ask(registry, limit=5000)).json()["next"] is None


async def test_each_page_has_a_tag_of_its_own(registry: Running) -> None:
    pages = await in_pages(registry, 25)
    whole = await ask(registry)
    tags = [page.headers["ETag"] for page in [*pages, whole]]
    assert len(set(tags)) == len(tags) == 6
    cursors = [None, *(page.json()["next"] for page in pages[:-1])]
    for page, cursor in zip(pages, cursors, strict=True):
        asked = {"limit": 25} | ({"cursor": cursor} if cursor else {})
        same = await ask(registry, page.headers["ETag"], **asked)
        assert (same.status_code, same.content) == (304, b"")
        other = await ask(registry, tags[-1], **asked)
        assert (other.status_code, other.content) == (200, page.content)


async def test_a_change_between_two_pages_is_seen_and_moves_no_row(registry: Running) -> None:
    """Rows are ordered by unit, not by what is counted: a refresh neither repeats nor hides one,
    and the position of the second page says that it is newer."""
    first = await ask(registry, limit=60)
    second = await ask(registry, limit=60, cursor=first.json()["next"])
    where = (
        "WHERE plan = 'dak-lak-2026' AND objective = 'adults-certified-vneid' AND unit_id ="
        f" '{second.json()['rows'][0]['unit_id']}'"
    )
    before = await registry.database.fetchval(f"SELECT value FROM indicators.cells {where}")
    await registry.database.execute(f"UPDATE indicators.cells SET value = 4711 {where}")
    await registry.database.execute("UPDATE indicators.watermark SET position = 91235")
    try:
        newer = await ask(registry, second.headers["ETag"], limit=60, cursor=first.json()["next"])
        assert newer.status_code == 200
        page = newer.json()
        assert (first.json()["position"], page["position"]) == (91234, 91235)
        assert page["rows"][0]["cells"]["adults-certified-vneid"]["value"] == 4711
        names = [row["unit_id"] for row in first.json()["rows"] + page["rows"]]
        assert len(names) == len(set(names)) == 102
    finally:
        await registry.database.execute("UPDATE indicators.watermark SET position = 91234")
        await registry.database.execute(f"UPDATE indicators.cells SET value = $1 {where}", before)


async def test_files_come_in_pages_too(registry: Running) -> None:
    first = (await ask(registry, limit=30)).json()
    answer = await ask(registry, format="csv", limit=30, cursor=first["next"])
    lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    head = next(i for i, line in enumerate(lines) if line[0] == "unit")
    second = (await ask(registry, limit=30, cursor=first["next"])).json()
    shown = [line[1] for line in lines[head + 1 :]]
    assert [unit for unit in shown if unit != "66@2025"] == [
        row["unit_id"] for row in second["rows"]
    ]


def cursor_of(key: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    ["%%", "xxx", "", cursor_of({"unit": "66"}), cursor_of("24133@2025"), cursor_of([7]),
     cursor_of([None]), cursor_of([["24133@2025"]]), "a" * 400],
)  # fmt: skip
async def test_a_bad_cursor_is_named(registry: Running, cursor: str) -> None:
    answer = await registry.client.get(TABLE, params={"cursor": cursor, "limit": 5})
    said = answer.json()
    assert (answer.status_code, said["code"], said["pointer"]) == (
        422,
        "cursor-malformed",
        "/cursor",
    )
    assert "`next`" in said["hint"]


@pytest.mark.parametrize(
    ("params", "pointer"),
    [({"limit": "0"}, "/limit"), ({"limit": "5001"}, "/limit"), ({"cursor": "a" * 401}, "/cursor")],
)
async def test_bounds_of_a_page(registry: Running, params: dict[str, str], pointer: str) -> None:
    answer = await registry.client.get(TABLE, params=params)
    said = answer.json()
    assert (answer.status_code, said["code"]) == (422, "invalid-parameter")
    assert said["pointer"].endswith(pointer)
