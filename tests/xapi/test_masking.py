"""Nothing that says who somebody is gets into the database or an answer."""

import asyncio
import hashlib
import json
from base64 import urlsafe_b64decode
from typing import Any

import asyncpg

from deploy.local.stack import LocalStack
from services.activities.xapi.rules import check
from tests.xapi.conftest import Platform
from tests.xapi.samples import Json, put, statement, unknown

CCCD, PHONE, MAIL = "066099001234", "0912345678", "riêng.tư@example.vn"
NAME = "Nguyễn Thị Riêng Tư"
SECRETS = [CCCD, PHONE, "riêng.tư", NAME, "tai-khoan-rieng", "Bài làm của tôi", "trang-ca-nhan"]


def _agent(**more: Any) -> Json:
    return {"name": NAME, "account": {"homePage": "https://mooc.example", "name": CCCD}, **more}


def full() -> Json:
    """A statement that names people wherever xAPI lets it."""
    person = {"objectType": "Agent", "name": NAME, "mbox": f"mailto:{MAIL}"}
    group = {
        "objectType": "Group",
        "name": NAME,
        "member": [_agent(), person, {"openid": "https://openid.example/tai-khoan-rieng"}],
    }
    profile = {
        "id": "https://mooc.example/user/trang-ca-nhan",
        "definition": {
            "type": "http://id.tincanapi.com/activitytype/user-profile",
            "name": {"vi": NAME},
            "moreInfo": "https://mooc.example/user/trang-ca-nhan",
        },
    }
    inner = {
        "objectType": "SubStatement",
        "actor": person,
        "verb": {"id": "https://example.org/planned", "display": {"vi": f"gọi {PHONE}"}},
        "object": {"objectType": "Agent", **_agent()},
        "context": {"instructor": group},
        "result": {"response": "Bài làm của tôi"},
    }
    return unknown(
        actor=group,
        object=inner,
        authority=person,
        result={
            "response": f"Bài làm của tôi {CCCD}",
            "extensions": {"https://e.org/phone": PHONE, f"https://e.org/{PHONE}": 1},
        },
        context={
            "instructor": person,
            "team": {**group, "account": {"homePage": f"https://{PHONE}.example", "name": NAME}},
            "contextActivities": {
                "parent": [profile],
                "other": [
                    {"id": f"https://mooc.example/?phone={PHONE}"},
                    {"id": "mailto:tai-khoan-rieng@thu.vn"},
                    {"id": "https://mooc.example/u/tai-khoan-rieng%40thu.vn"},
                    {
                        "id": "https://mooc.example/q",
                        "definition": {
                            "type": "http://adlnet.gov/expapi/activities/question",
                            "name": {"vi": NAME},
                            "interactionType": "fill-in",
                            "correctResponsesPattern": [NAME],
                        },
                    },
                ],
            },
            "extensions": {
                "https://hocvuso.vn/xapi/programme": CCCD,
                "https://hocvuso.vn/xapi/unit": ["tai-khoan-rieng@thu.vn", {PHONE: 1}],
                "https://e.org/who": NAME,
            },
        },
        attachments=[
            {
                "usageType": "https://e.org/u", "display": {"vi": NAME},
                "contentType": "text/plain", "length": 1, "sha2": "b" * 64,
                "fileUrl": f"https://mooc.example/{CCCD}",
            }
        ],
    )  # fmt: skip


async def _dump(url: str) -> str:
    connection = await asyncpg.connect(url)
    try:
        names = await connection.fetch(
            "SELECT format('%I.%I', schemaname, tablename) AS n FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        parts = []
        for row in names:
            found = await connection.fetch(f"SELECT t::text AS t FROM {row['n']} t")
            parts += [r["t"] for r in found]
        return "\n".join(parts)
    finally:
        await connection.close()


async def test_no_table_holds_what_says_who_it_was(
    mooc: Platform, database: str, infrastructure: LocalStack
) -> None:
    batch = [
        full(),
        statement(actor=_agent()),
        statement(actor={"mbox": f"mailto:{MAIL}", "name": NAME}),
        statement(actor=_agent(), timestamp="2030-01-01T00:00:00Z"),  # refused by the log's door
        statement(actor=_agent(), object={"objectType": "Agent", **_agent()}),
    ]
    answer = await mooc.post(batch)
    assert answer.status_code == 200, answer.text
    assert len(await mooc.kept()) == len(batch)
    dump = await _dump(database)
    assert batch[0]["id"] in dump
    sha1 = hashlib.sha1(f"mailto:{MAIL}".encode()).hexdigest()
    for secret in [*SECRETS, MAIL, sha1]:
        assert secret not in dump, secret
    shown = (await mooc.get()).text + (await mooc.get("/xapi/unmapped")).text
    for secret in [*SECRETS, MAIL, sha1]:
        assert secret not in shown, secret
    for reference in [r["person"] for r in await mooc.kept() if r["person"]]:
        assert reference not in shown


async def test_what_is_shown_is_a_statement(mooc: Platform) -> None:
    await mooc.post([full(), statement()])
    for style in ("exact", "ids", "canonical"):
        found = (await mooc.get(format=style)).json()["statements"]
        assert len(found) == 2
        for one in found:
            check(one)


async def test_the_same_learner_keeps_a_mask_that_no_other_partner_sees(mooc: Platform) -> None:
    one, two = statement(), unknown()
    mailed = [unknown(actor={"mbox": "mailto:a@example.vn"}),
              unknown(actor={"mbox_sha1sum": hashlib.sha1(b"mailto:a@example.vn").hexdigest()})]  # fmt: skip
    await mooc.post([one, two, *mailed])
    key = await mooc.app.state.keys.create("other", roles=["mooc"], scopes=["xapi:write"])
    headers = {"Authorization": f"Bearer {key}", "X-Experience-API-Version": "1.0.3"}
    await mooc.client.post("/xapi/statements", json=one, headers=headers)

    async def name(id: str, asked: dict[str, str]) -> str:
        answer = await mooc.client.get(
            "/xapi/statements", params={"statementId": id}, headers=asked
        )
        return str(answer.json()["actor"]["account"]["name"])

    mine = await name(one["id"], mooc.headers)
    assert mine.startswith("masked-")
    assert await name(two["id"], mooc.headers) == mine
    assert await name(one["id"], headers) != mine
    names = {await name(m["id"], mooc.headers) for m in mailed}
    assert len(names) == 1
    assert mine not in names
    people = {r["person"] for r in await mooc.kept() if str(r["id"]) in {m["id"] for m in mailed}}
    assert len(people) == 1


HOME_PAGES = [
    ("https://mooc.example/moodle", "https://mooc.example/moodle"),
    ("https://mooc.example/~lan", "https://mooc.example"),
    ("https://lan@mooc.example/x", "https://mooc.example"),
    ("https://mooc.example/?u=lan", "https://mooc.example"),
    ("https://mooc.example/lan%40thu.vn", "https://mooc.example"),
    (f"https://mooc.example/{CCCD}", "https://mooc.example"),
    (f"https://{PHONE}.example", "https://hocvuso.vn/xapi"),
    ("urn:isbn:0912345678", "https://hocvuso.vn/xapi"),
]


async def test_home_pages(mooc: Platform) -> None:
    for page, shown in HOME_PAGES:
        one = put(statement(), "actor/account/homePage", page)
        assert (await mooc.post(one)).status_code == 200
        got = (await mooc.get(statementId=one["id"])).json()
        assert got["actor"]["account"]["homePage"] == shown


async def test_ids_of_open_edx_are_no_addresses(mooc: Platform) -> None:
    block = "https://lms.example/xblock/block-v1:DakLak+KNS101+2026+type@problem+block@3fc5461f"
    one = put(statement(), "object/id", block)
    await mooc.post(one)
    assert (await mooc.get(statementId=one["id"])).json()["object"]["id"] == block


async def test_refusals_repeat_nothing(mooc: Platform) -> None:
    bad = [
        put(full(), "actor/member/0/account/homePage", CCCD),
        put(full(), f"{PHONE}", NAME),
        put(full(), "object/actor/mbox", f"mailto:{CCCD}"),
        put(full(), "timestamp", CCCD),
    ]
    for answer in await asyncio.gather(*(mooc.post(one) for one in bad)):
        assert answer.status_code == 400
        for secret in SECRETS:
            assert secret not in answer.text
    one = statement(actor=_agent())
    await mooc.post(one)
    conflict = await mooc.post(put(one, "object/id", f"https://mooc.example/{CCCD}"))
    assert conflict.status_code == 409
    assert CCCD not in conflict.text


async def test_more_repeats_no_agent(mooc: Platform) -> None:
    batch = [unknown(actor=_agent()) for _ in range(3)]
    await mooc.post(batch)
    answer = await mooc.get(agent=json.dumps(_agent()), limit=2)
    page = answer.json()
    assert len(page["statements"]) == 2
    token = page["more"].partition("more=")[2]
    assert CCCD not in urlsafe_b64decode(token + "==").decode()
    rest = (await mooc.client.get(page["more"], headers=mooc.headers)).json()
    assert len(rest["statements"]) == 1
    assert rest["more"] == ""
