"""GET with filters: xAPI 1.0.3, part 3, section 2.1.3; paging; formats; against a plain reading."""

import json
import uuid
from typing import Any

import pytest

from tests.xapi.conftest import Platform
from tests.xapi.samples import COURSE, Json, put, statement, unknown, voiding

LAN = {"account": {"homePage": "https://mooc.example", "name": "lan"}}
MINH = {"mbox": "mailto:minh@example.vn"}
TEAM = {"objectType": "Group", "mbox": "mailto:to@example.vn", "member": [MINH]}
A, B = "https://mooc.example/a", "https://mooc.example/b"
REGISTRATION = str(uuid.uuid4())


def _about(activity: str, **changes: Any) -> Json:
    return unknown(object={"id": activity, "definition": {"type": COURSE}}, **changes)


@pytest.fixture
async def few(mooc: Platform) -> dict[str, str]:
    """Statements by a name; posted one by one, oldest first."""
    made = {
        "lan-a": _about(A, actor=LAN, context={"registration": REGISTRATION}),
        "minh-a": _about(A, actor=MINH),
        "minh-b": statement(actor=MINH, object={"id": B}, context={"instructor": LAN}),
        "team-b": _about(B, actor=TEAM, context={"contextActivities": {"parent": {"id": A}}}),
        "on-lan": unknown(object={"objectType": "Agent", **LAN}, context=None),
    }
    made["inner"] = unknown(
        actor=MINH,
        context=None,
        object={"objectType": "SubStatement", "actor": LAN, "verb": {"id": "https://e.org/v"},
                "object": {"id": A}},
    )  # fmt: skip
    made["on-it"] = unknown(
        actor=TEAM, context=None,
        object={"objectType": "StatementRef", "id": made["lan-a"]["id"]},
    )  # fmt: skip
    made["on-on-it"] = unknown(
        actor=TEAM, context=None,
        object={"objectType": "StatementRef", "id": made["on-it"]["id"]},
    )  # fmt: skip
    for one in made.values():
        assert (await mooc.post(one)).status_code == 200
    return {one["id"]: name for name, one in made.items()}


async def _found(mooc: Platform, few: dict[str, str], **params: Any) -> list[str]:
    answer = await mooc.get(**params)
    assert answer.status_code == 200, answer.text
    return [few[s["id"]] for s in answer.json()["statements"]]


REFERRING = ["on-on-it", "on-it"]


FILTERS: list[tuple[dict[str, str], list[str]]] = [
        ({"agent": json.dumps(LAN)}, [*REFERRING, "on-lan", "lan-a"]),
        ({"agent": json.dumps(LAN), "related_agents": "true"},
         [*REFERRING, "inner", "on-lan", "minh-b", "lan-a"]),
        ({"agent": json.dumps(MINH)}, [*REFERRING, "inner", "team-b", "minh-b", "minh-a"]),
        ({"agent": json.dumps({"objectType": "Group", "mbox": TEAM["mbox"]})},
         [*REFERRING, "team-b"]),
        ({"activity": A}, [*REFERRING, "minh-a", "lan-a"]),
        ({"activity": A, "related_activities": "true"},
         [*REFERRING, "inner", "team-b", "minh-a", "lan-a"]),
        ({"activity": B}, ["team-b", "minh-b"]),
        ({"verb": "http://adlnet.gov/expapi/verbs/completed"}, ["minh-b"]),
        ({"registration": REGISTRATION}, [*REFERRING, "lan-a"]),
        ({"activity": A, "agent": json.dumps(MINH)}, ["minh-a"]),
        ({"activity": "https://mooc.example/none"}, []),
        ({"since": "2026-07-01T08:00:00Z"}, []),
        ({"until": "2026-07-01T07:59:59Z"}, []),
        ({"activity": B, "until": "2026-07-01T15:00:00+07:00"}, ["team-b", "minh-b"]),
        ({"activity": B, "ascending": "true"}, ["minh-b", "team-b"]),
        ({"activity": B, "limit": "1"}, ["team-b"]),
]  # fmt: skip


async def test_filters(mooc: Platform, few: dict[str, str]) -> None:
    # What refers to a match matches too, whatever else it says; here TEAM's two references.
    for params, names in FILTERS:
        assert await _found(mooc, few, **params) == names, params


async def test_a_masked_agent_finds_what_it_was_shown_in(
    mooc: Platform, few: dict[str, str]
) -> None:
    ids = {name: id for id, name in few.items()}
    shown = (await mooc.get(statementId=ids["lan-a"])).json()["actor"]
    by_mask = await _found(mooc, few, agent=json.dumps(shown))
    assert by_mask == await _found(mooc, few, agent=json.dumps(LAN))


async def test_pages(mooc: Platform, few: dict[str, str]) -> None:
    await _pages(mooc, few, "true")
    await _pages(mooc, few, "false")


async def _pages(mooc: Platform, few: dict[str, str], ascending: str) -> None:
    answer = await mooc.get(limit=3, ascending=ascending, format="ids")
    names = [few[s["id"]] for s in answer.json()["statements"]]
    pages = 1
    while more := answer.json()["more"]:
        answer = await mooc.client.get(more, headers=mooc.headers)
        names += [few[s["id"]] for s in answer.json()["statements"]]
        pages += 1
    assert names == list(few.values())[:: 1 if ascending == "true" else -1]
    assert pages == 3


async def test_what_refers_to_a_voided_statement_is_still_shown(
    mooc: Platform, few: dict[str, str]
) -> None:
    ids = {name: id for id, name in few.items()}
    void = voiding(ids["lan-a"], actor=TEAM)
    await mooc.post(void)
    few[void["id"]] = "void"
    found = await _found(mooc, few, registration=REGISTRATION)
    assert found == ["void", *REFERRING]


async def test_formats(mooc: Platform) -> None:
    one = statement(
        context={
            "contextActivities": {
                "parent": {"id": A, "definition": {"type": COURSE, "name": {"vi": "x"}}}
            }
        }
    )
    one = put(one, "object/definition/name", {"en": "Basics", "vi": "Cơ bản"})
    await mooc.post(one)

    async def got(style: str, languages: str = "") -> Json:
        answer = await mooc.client.get(
            "/xapi/statements", params={"statementId": one["id"], "format": style},
            headers={**mooc.headers, "Accept-Language": languages},
        )  # fmt: skip
        return dict(answer.json())

    exact = await got("exact")
    assert exact["verb"]["display"] == one["verb"]["display"]
    assert exact["context"]["contextActivities"]["parent"][0]["id"] == A
    ids = await got("ids")
    assert ids["verb"] == {"id": one["verb"]["id"]}
    assert ids["object"] == {"id": one["object"]["id"]}
    assert ids["context"]["contextActivities"]["parent"] == [{"id": A}]
    for languages, name, display in (
        ("vi", {"vi": "Cơ bản"}, {"vi": "hoàn thành"}),
        ("fr, en;q=0.5, vi;q=0.1", {"en": "Basics"}, {"en-US": "completed"}),
        ("fr", None, None), ("en;q=0, vi", {"vi": "Cơ bản"}, {"vi": "hoàn thành"}),
        ("", None, None), (";;q=x,,", None, None),
    ):  # fmt: skip
        canonical = await got("canonical", languages)
        found = canonical["object"]["definition"]["name"]
        assert len(found) == len(canonical["verb"]["display"]) == 1
        if name is not None:
            assert found == name
            assert canonical["verb"]["display"] == display
