"""Cases of the specification that foreign suites try (xAPI 1.0.3), written anew."""

import json
from typing import Any

import pytest

from services.activities.xapi.call import VERSION_HEADER as VERSION
from tests.xapi.conftest import Platform
from tests.xapi.forms import form
from tests.xapi.samples import statement

CONSUMER = {"account": {"homePage": "https://mooc.example/xAPI/OAuth/Token", "name": "consumer"}}
A, B = {"mbox": "mailto:a@mooc.example"}, {"mbox": "mailto:b@mooc.example"}


async def test_the_alternate_syntax_needs_no_content_type(mooc: Platform) -> None:
    """Part 3, section 1.3: the content is JSON unless the form says something else."""
    common = {"Authorization": mooc.headers["Authorization"], VERSION: "1.0.3"}
    one = statement()
    put = await form(mooc, "PUT", statementId=one["id"], content=json.dumps(one), **common)
    assert put.status_code == 204, put.text
    posted = await form(mooc, "POST", content=json.dumps(statement()), **common)
    assert posted.status_code == 200, posted.text
    other = {**common, "Content-Type": "text/plain"}
    answer = await form(mooc, "POST", content=json.dumps(statement()), **other)
    assert answer.json()["code"] == "xapi-content-type"
    assert (await form(mooc, "PUT", statementId=statement()["id"], **common)).status_code == 400
    get = await mooc.client.get("/xapi/statements?method=POST", headers=mooc.headers)
    assert get.status_code == 400, "only POST carries another method"


@pytest.mark.parametrize(
    ("authority", "status"),
    [
        ({"objectType": "Group", "member": [CONSUMER, A]}, 200),
        ({"objectType": "Group", "member": [A, B]}, 400),
        ({"objectType": "Group", "member": [CONSUMER]}, 400),
        ({"objectType": "Group", "member": [CONSUMER, A, B]}, 400),
        ({"objectType": "Group", **A, "member": [CONSUMER, B]}, 400),
        ({"objectType": "Group", **CONSUMER, "member": [CONSUMER, B]}, 400),
        ({"objectType": "Group", **A}, 400),
        ({"objectType": "Agent", **A}, 200),
        (A, 200),
        ({}, 400),
    ],
)
async def test_authorities(mooc: Platform, authority: dict[str, Any], status: int) -> None:
    """Part 2, section 2.4.9: an Agent, or an anonymous Group of the OAuth consumer and a person."""
    answer = await mooc.post(statement(authority=authority))
    assert answer.status_code == status, answer.text
    if status == 400:
        assert answer.json()["pointer"].startswith("/authority")


async def test_head_of_every_resource(mooc: Platform) -> None:
    """Part 3, section 1.1."""
    for path in ("/xapi/about", "/xapi/statements"):
        got = await mooc.client.get(path, headers=mooc.headers)
        head = await mooc.client.head(path, headers=mooc.headers)
        assert (head.status_code, head.content) == (got.status_code, b"")
        assert head.headers["X-Experience-API-Version"] == "1.0.3"
        assert head.headers["Content-Length"] == got.headers["Content-Length"]


async def test_ids_are_all_that_format_ids_answers(mooc: Platform) -> None:
    """Part 3, section 2.1.3: the minimum that identifies agents, activities, verbs and groups."""
    one = statement(
        object={
            "objectType": "Activity", "id": "https://mooc.example/c/1",
            "definition": {"name": {"vi": "Khóa học"}},
        },
        context={
            "team": {"objectType": "Group", "name": "Nhóm", "member": [{**A, "name": "A"}]},
            "contextActivities": {"parent": {"objectType": "Activity", "id": "https://mooc.example/p"}},
        },
    )  # fmt: skip
    await mooc.post(one)
    found = (await mooc.get(statementId=one["id"], format="ids")).json()
    assert found["object"] == {"id": "https://mooc.example/c/1"}
    assert set(found["verb"]) == {"id"}
    assert set(found["actor"]) == {"account"} and set(found["authority"]) == {"account"}
    assert found["context"]["contextActivities"] == {"parent": [{"id": "https://mooc.example/p"}]}
    assert set(found["context"]["team"]) == {"objectType", "member"}
    assert all("name" not in member for member in found["context"]["team"]["member"])


def without(party: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in party.items() if name != "objectType"}


async def test_spellings_of_the_same_statement(mooc: Platform) -> None:
    one = statement(result={"score": {"raw": 7}})
    assert (await mooc.post(one)).status_code == 200
    same = {
        "an agent says not what it is": {"actor": without(one["actor"])},
        "an activity says not what it is": {"object": without(one["object"])},
        "7.0": {"result": {"score": {"raw": 7.0}}},
        "UTC": {"timestamp": "2026-06-30T02:12:00.000Z"},
    }
    assert one["timestamp"] == "2026-06-30T09:12:00+07:00"
    for name, changes in same.items():
        answer = await mooc.post({**one, **changes})
        assert (answer.status_code, answer.json()) == (200, [one["id"]]), name
    other = await mooc.post({**one, "result": {"score": {"raw": 8}}})
    assert other.status_code == 409
