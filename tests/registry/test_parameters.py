"""Every answer times every parameter: it is taken and felt, or refused; nothing is overlooked."""

from typing import Any

import pytest

from tests.registry.bad_input import AUTH, VALUES, operations
from tests.registry.conftest import Running

P = "/v1/plans/{plan}"
TAKES: dict[str, set[str]] = {
    "as_of": {
        f"{P}/table", f"{P}/share", f"{P}/cold-spots", f"{P}/evidence", f"{P}/ranking", f"{P}/units/{{code}}",
        f"{P}/doubts",
    },
    "known_at": {
        f"{P}/table", f"{P}/share", f"{P}/evidence", f"{P}/series", f"{P}/units/{{code}}", f"{P}/populations",
        f"{P}/calendar", f"{P}/reports", f"{P}/reports/{{obligation}}/{{period}}", f"{P}/doubts",
        f"{P}/reports/{{obligation}}/{{period}}/consolidated", f"{P}/tasks", f"{P}/tasks/{{task}}",
        f"{P}/inspections", f"{P}/feedback", "/v1/calendar",
        f"{P}/documents/{{obligation}}/{{period}}", f"{P}/documents/{{obligation}}/{{period}}/comparison",
    },
    "tree": {f"{P}/table"},
    "after_position": {f"{P}/table"},
    "format": {f"{P}/table", f"{P}/populations", f"{P}/calendar", "/v1/nation", f"{P}/tasks", f"{P}/reports", "/v1/calendar", f"{P}/documents/{{obligation}}/{{period}}"},
    "cursor": {
        "/v1/plans", "/v1/units", "/v1/units/{code}/children", f"{P}/objectives", f"{P}/table", f"{P}/share",
        f"{P}/cold-spots", f"{P}/completeness", f"{P}/evidence", f"{P}/changes", f"{P}/tasks", f"{P}/reports",
        f"{P}/ranking", f"{P}/populations", f"{P}/doubts", f"{P}/inspections", f"{P}/feedback",
        "/v1/calendar",
    },
}  # fmt: skip
"""Which answer takes what; a parameter that is added or lost must be written down here."""
GOOD = {
    "as_of": "2026-06-30", "known_at": "2026-07-02", "tree": "today", "after_position": "1",
    "format": "json", "cursor": "WyIyNDEzM0AyMDI1Il0",
}  # fmt: skip
NO_TAG = {
    "/v1/nation": "streamed, so that its end is not known at its beginning",
    f"{P}/template/file": "a file, the same byte by byte: its tag is a strong one",
    "/v1/receipts": "activities' own answer, which follows an event from second to second",
}


def required(parameters: list[dict[str, Any]]) -> dict[str, str]:
    values = VALUES | {"source": "https://way.example", "id": "w-1", "against": "gia-lai-2026"}
    return {
        p["name"]: values[p["name"]]
        for p in parameters
        if p["in"] == "query" and p["name"] in values and (p.get("required") or p["name"] == "against")
    }  # fmt: skip


async def ask(registry: Running, path: str, params: dict[str, str], **headers: str) -> Any:
    where = path.format(**VALUES)
    return await registry.client.get(where, params=params, headers=AUTH | headers)


@pytest.mark.parametrize("name", sorted(TAKES))
async def test_the_list_is_what_the_description_says(registry: Running, name: str) -> None:
    described = {
        path
        for path, parameters in operations(registry)
        if any((p["name"], p["in"]) == (name, "query") for p in parameters)
    }
    assert described == TAKES[name]


@pytest.mark.parametrize("name", [*sorted(TAKES), "asof", "AS_OF", "unit[]"])
async def test_taken_or_refused(registry: Running, name: str) -> None:
    """What is not taken is refused with the names of what is; the wrong name is not repeated."""
    for path, parameters in operations(registry):
        asked = required(parameters) | {name: GOOD.get(name, "2026-06-30")}
        answer = await ask(registry, path, asked)
        if path in TAKES.get(name, ()):
            said = answer.json() if "problem" in answer.headers["content-type"] else {}
            assert said.get("code") != "parameter-unknown", path
            assert answer.status_code in (200, 404, 422, 503), (path, answer.text)
            continue
        said = answer.json()
        assert (path, answer.status_code, said["code"]) == (path, 422, "parameter-unknown")
        assert name not in said["detail"]
        for known in (p["name"] for p in parameters if p["in"] == "query"):
            assert known in said["hint"], (path, said["hint"])


async def test_a_stranger_is_asked_for_a_key_first(registry: Running) -> None:
    state = registry.app.state.registry
    state.settings.registry_open = False
    try:
        answer = await registry.client.get("/v1/units", params={"colour": "red"})
    finally:
        state.settings.registry_open = True
    assert (answer.status_code, answer.json()["code"]) == (401, "key-missing")


async def test_what_writes_overlooks_nothing_either(registry: Running) -> None:
    """`dryrun` for `dry_run` must not write in earnest."""
    before = len(registry.activities.posted)
    for path, item in registry.app.openapi()["paths"].items():
        for method in set(item) & {"post", "put"}:
            if not path.startswith("/v1/"):
                continue
            answer = await registry.client.request(
                method, path.format(**VALUES), params={"dryrun": "true"}, headers=AUTH, json={}
            )
            assert answer.status_code == 422, (path, answer.text)
            assert answer.json()["code"] in ("parameter-unknown", "invalid-parameter"), path
    assert len(registry.activities.posted) == before


async def test_every_answer_has_a_tag_and_knows_it_again(registry: Running) -> None:
    seen = 0
    for path, parameters in operations(registry):
        asked = required(parameters)
        answer = await ask(registry, path, asked)
        if answer.status_code != 200:
            # No ranking, report or receipt here; evidence, changes and series ask metrics.
            assert answer.status_code in (404, 503), (path, answer.text)
            continue
        if path in NO_TAG:
            continue
        tag = answer.headers["ETag"]
        assert tag.startswith('W/"') and answer.headers["Cache-Control"] == "no-cache"
        for sent in (tag, f'W/"other", {tag}'):
            again = await ask(registry, path, asked, **{"If-None-Match": sent})
            assert (path, again.status_code, again.content) == (path, 304, b"")
            assert again.headers["ETag"] == tag
        other = await ask(registry, path, asked, **{"If-None-Match": 'W/"other"'})
        assert (path, other.status_code) == (path, 200)
        seen += 1
    assert seen >= 15


@pytest.mark.parametrize("format", ["json", "csv", "xlsx"])
async def test_formats_have_tags_of_their_own(registry: Running, format: str) -> None:
    table = "/v1/plans/dak-lak-2026/table"
    answer = await registry.client.get(table, params={"format": format})
    tag = answer.headers["ETag"]
    same = await registry.client.get(
        table, params={"format": format}, headers={"If-None-Match": tag}
    )
    assert same.status_code == 304
    for other in {"json", "csv", "xlsx"} - {format}:
        answer = await registry.client.get(
            table, params={"format": other}, headers={"If-None-Match": tag}
        )
        assert answer.status_code == 200


async def test_an_organisation_has_no_table(registry: Running) -> None:
    """`unit-without-table` names the place where what it does is counted; also on the page."""
    new = {"code": "24133-thcs", "name_vi": "Trường THCS", "kind": "organisation"}
    asked = {"op": "establish", "parent": "24133", "on": "2026-11-02", **new}
    written = await registry.client.post(
        "/v1/units/changes",
        json={"changes": [asked], "source_ref": "1/NQ"},
        params={"dry_run": "false"},
        headers=AUTH,
    )
    assert written.status_code == 200, written.text
    await registry.settle()
    school = registry.app.state.registry.tree.unit("24133-thcs@2025")
    table = "/v1/plans/dak-lak-2026/table"
    for params in ({}, {"level": "commune"}, {"format": "csv"}):
        asked = params | {"unit": school.unit_id}
        answer = await registry.client.get(table, params=asked)
        said = answer.json()
        assert (answer.status_code, said["code"], said["pointer"]) == (
            422, "unit-without-table", "/unit",
        )  # fmt: skip
        assert school.parent in said["hint"]
    page = await registry.client.get("/plans/dak-lak-2026", params={"unit": school.unit_id})
    assert page.status_code == 422 and "Đây là một tổ chức" in page.text
