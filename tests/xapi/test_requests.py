"""Versions, headers, authentication, parameters: xAPI 1.0.3, part 3."""

import base64
import json
import uuid
from typing import Any

import httpx

from tests.xapi.conftest import SOURCE, Platform
from tests.xapi.forms import form
from tests.xapi.samples import statement, unknown, voiding

VERSION = "X-Experience-API-Version"
THROUGH = "X-Experience-API-Consistent-Through"


async def test_post_put_get(mooc: Platform) -> None:
    one, two, three = statement(), statement(id=None), statement()
    answer = await mooc.post([one, two])
    assert answer.status_code == 200
    ids = answer.json()
    assert ids[0] == one["id"]
    assert uuid.UUID(ids[1])
    assert (await mooc.post([two, one])).json() == ids[::-1]
    answer = await mooc.client.put(
        "/xapi/statements", params={"statementId": three["id"]}, json=three, headers=mooc.headers
    )
    assert (answer.status_code, answer.content) == (204, b"")
    answer = await mooc.get(statementId=three["id"])
    got = answer.json()
    assert answer.status_code == 200
    assert got["id"] == three["id"]
    assert got["version"] == "1.0.0"
    assert got["stored"] == "2026-07-01T08:00:00.000Z"
    assert got["authority"]["account"]["name"] == "mooc"
    assert answer.headers["Last-Modified"] == "Wed, 01 Jul 2026 08:00:00 GMT"
    assert answer.headers["ETag"].startswith('"')
    head = await mooc.client.head(
        "/xapi/statements", params={"statementId": three["id"]}, headers=mooc.headers
    )
    assert (head.status_code, head.content) == (200, b"")
    for name in ("Last-Modified", "ETag", VERSION, "Content-Type", "Content-Length"):
        assert head.headers[name] == answer.headers[name]


async def test_versions_taken(mooc: Platform) -> None:
    for said in ["1.0", "1.0.0", "1.0.1", "1.0.2", "1.0.3", "1.0.17"]:
        answer = await mooc.client.get("/xapi/statements", headers={**mooc.headers, VERSION: said})
        assert answer.status_code == 200, said
        assert answer.headers[VERSION] == "1.0.3"


async def test_versions_refused(mooc: Platform) -> None:
    for said in ("", "0.9", "0.95", "1", "1.1", "1.1.0", "2.0.0", "1.0.x", "1.00.0"):
        headers = {**mooc.headers, VERSION: said}
        answer = await mooc.client.get("/xapi/statements", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "xapi-version-unsupported"), (
            said
        )
        assert answer.headers[VERSION] == "1.0.3"


async def test_version_missing(mooc: Platform) -> None:
    headers = {"Authorization": mooc.headers["Authorization"]}
    answer = await mooc.client.post("/xapi/statements", json=statement(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "xapi-version-missing")
    assert not await mooc.kept()


async def test_about_needs_nothing(mooc: Platform) -> None:
    answer = await mooc.client.get("/xapi/about")
    assert answer.status_code == 200
    assert "1.0.0" in answer.json()["version"]
    assert "1.0.3" in answer.json()["version"]
    assert answer.headers[VERSION] == "1.0.3"
    assert (await mooc.client.get("/xapi/about?x=1")).status_code == 400


async def test_every_statements_answer_says_through_when_it_is_whole(mooc: Platform) -> None:
    for answer in (await mooc.post(statement()), await mooc.get(), await mooc.get(limit=1)):
        assert answer.headers[THROUGH] == "2026-07-01T08:00:00.000Z"


async def test_through_waits_for_what_is_being_written(mooc: Platform) -> None:
    async with mooc.app.state.pool.acquire() as connection, connection.transaction():
        await connection.execute("UPDATE counter SET one = one")
        await connection.execute("SELECT pg_sleep(1.2)")
        answer = await mooc.get()
        assert answer.headers[THROUGH] < "2026-07-01T07:59:59.000Z"
    assert (await mooc.get()).headers[THROUGH] == "2026-07-01T08:00:00.000Z"


def _basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


async def test_keys(mooc: Platform) -> None:
    async def status(value: str | None) -> tuple[int, str]:
        headers = {VERSION: "1.0.3"} | ({"Authorization": value} if value else {})
        answer = await mooc.client.get("/xapi/statements", headers=headers)
        if answer.status_code == 401:
            assert answer.headers["WWW-Authenticate"].startswith("Basic")
        return answer.status_code, answer.json().get("code", "")

    prefix = mooc.key.split("_")[1]
    for good in (f"Bearer {mooc.key}", _basic(f"mooc:{mooc.key}"), _basic(f"{prefix}:{mooc.key}")):
        assert await status(good) == (200, "")
    assert await status(_basic(f":{mooc.key}")) == (200, "")
    assert await status(None) == (401, "key-missing")
    assert await status("Basic !!!") == (401, "basic-malformed")
    assert await status(_basic(mooc.key)) == (401, "basic-malformed")
    assert await status(_basic("mooc:secret")) == (401, "key-malformed")
    assert await status(_basic(f"mooc:{mooc.key}x")) == (401, "key-wrong")
    other = await mooc.app.state.keys.create("rest", roles=["mooc"], scopes=["events:write"])
    assert await status(_basic(f"rest:{other}")) == (403, "scope-missing")


REFUSED_PARAMETERS: list[dict[str, str]] = [
    {"statementid": "x"}, {"statementId": "17"}, {"colour": "red"}, {"limit": "-1"},
    {"limit": "many"}, {"ascending": "yes"}, {"since": "yesterday"}, {"verb": "completed"},
    {"activity": "course"}, {"registration": "1"}, {"agent": "me"}, {"agent": "{}"},
    {"agent": '{"objectType":"Group","member":[{"mbox":"mailto:a@b.c"}]}'}, {"format": "long"},
    {"attachments": "true"}, {"more": "x"}, {"more": "eyJsaW1pdCI6MH0"},
    {"statementId": str(uuid.uuid4()), "voidedStatementId": str(uuid.uuid4())},
    {"statementId": str(uuid.uuid4()), "limit": "1"},
    {"statementId": str(uuid.uuid4()), "format": "long"},
]  # fmt: skip


async def test_parameters_refused(mooc: Platform) -> None:
    for params in REFUSED_PARAMETERS:
        answer = await mooc.get(**params)
        assert answer.status_code == 400, params
        assert answer.json()["code"] in ("xapi-parameter", "attachments-not-kept")
        assert VERSION in answer.headers


async def test_a_parameter_twice(mooc: Platform) -> None:
    answer = await mooc.client.get("/xapi/statements?limit=1&limit=2", headers=mooc.headers)
    assert answer.status_code == 400


async def test_post_and_put_take_no_other_parameters(mooc: Platform) -> None:
    for method, query in (("POST", "statementId=x"), ("PUT", ""), ("PUT", "statementId=1")):
        answer = await mooc.client.request(
            method, f"/xapi/statements?{query}", json=statement(), headers=mooc.headers
        )
        assert answer.status_code == 400
    assert not await mooc.kept()


async def test_put_of_another_id(mooc: Platform) -> None:
    params = {"statementId": str(uuid.uuid4())}
    answer = await mooc.client.put(
        "/xapi/statements", params=params, json=statement(), headers=mooc.headers
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "statement-id-mismatch")
    answer = await mooc.client.put(
        "/xapi/statements", params=params, json=statement(id=None), headers=mooc.headers
    )
    assert answer.status_code == 204
    assert (await mooc.get(**params)).json()["id"] == params["statementId"]


async def test_put_takes_one_statement(mooc: Platform) -> None:
    answer = await mooc.client.put(
        "/xapi/statements", params={"statementId": str(uuid.uuid4())}, json=[statement(id=None)],
        headers=mooc.headers,
    )  # fmt: skip
    assert answer.status_code == 400


async def test_content_types_refused(mooc: Platform) -> None:
    for kind, code in (
        ("text/plain", "xapi-content-type"),
        ("application/cloudevents+json", "xapi-content-type"),
        ("application/json; charset=latin-1", "xapi-content-type"),
        ("multipart/mixed; boundary=x", "attachments-not-taken"),
    ):
        headers = {**mooc.headers, "Content-Type": kind}
        body = json.dumps(statement())
        answer = await mooc.client.post("/xapi/statements", content=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, code), kind


REFUSED_BODIES = [
    (b"", "body-empty"), (b"{", "json-invalid"), (b'{"id": 1, "id": 2}', "json-duplicate-key"),
    (b"[NaN]", "json-nan"), (b'"\\ud800"', "json-lone-surrogate"), (b"[1]", "statement-invalid"),
    (b"7", "statement-invalid"),
]  # fmt: skip


async def test_bodies_refused(mooc: Platform) -> None:
    headers = {**mooc.headers, "Content-Type": "application/json"}
    for body, code in REFUSED_BODIES:
        answer = await mooc.client.post("/xapi/statements", content=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, code), body
    assert not await mooc.kept()


async def test_too_many(mooc: Platform) -> None:
    answer = await mooc.post([unknown(id=None)] * 1001)
    assert (answer.status_code, answer.json()["code"]) == (413, "batch-too-long")
    answer = await mooc.post(unknown(result={"response": "x" * 300_000}))
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")


async def test_an_attachment_without_its_data(mooc: Platform) -> None:
    file: dict[str, Any] = {
        "usageType": "https://e.org/u", "display": {"en": "x"}, "contentType": "text/plain",
        "length": 3, "sha2": "a" * 64,
    }  # fmt: skip
    answer = await mooc.post(statement(attachments=[file]))
    assert (answer.status_code, answer.json()["code"]) == (400, "attachments-not-taken")
    linked = statement(attachments=[{**file, "fileUrl": "https://mooc.example/f"}])
    assert (await mooc.post(linked)).status_code == 200


async def test_the_alternate_syntax(mooc: Platform) -> None:
    common = {"Authorization": mooc.headers["Authorization"], VERSION: "1.0.3",
              "Content-Type": "application/json"}  # fmt: skip
    one, two = statement(), statement()
    answer = await form(mooc, "PUT", statementId=one["id"], content=json.dumps(one), **common)
    assert answer.status_code == 204
    answer = await form(mooc, "POST", content=json.dumps([two]), **common)
    assert answer.json() == [two["id"]]
    answer = await form(mooc, "GET", statementId=one["id"], **common)
    assert answer.json()["id"] == one["id"]
    answer_tag = answer.headers["ETag"]
    answer = await form(mooc, "GET", agent=json.dumps(one["actor"]), **common)
    assert len(answer.json()["statements"]) == 2
    head = await form(mooc, "HEAD", statementId=one["id"], **common)
    assert (head.status_code, head.content) == (200, b"")
    assert (head.headers["Content-Length"], head.headers["ETag"]) == ("0", answer_tag)
    assert (await form(mooc, "DELETE", **common)).status_code == 400
    assert (await form(mooc, "GET", colour="red", **common)).status_code == 400
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    for query, body in (("method=GET&limit=1", ""), ("method=GET", "%ff=%fe")):
        answer = await mooc.client.post(f"/xapi/statements?{query}", content=body, headers=headers)
        assert answer.status_code == 400


async def test_head_over_a_real_port(mooc: Platform, port: int) -> None:
    one = statement()
    await mooc.post(one)
    url = f"http://127.0.0.1:{port}/xapi/statements"
    async with httpx.AsyncClient(trust_env=False, headers=mooc.headers) as client:
        got = await client.get(url, params={"statementId": one["id"]})
        for _ in range(2):  # the second would fail, had the first left a body behind
            head = await client.head(url, params={"statementId": one["id"]})
            assert (head.status_code, head.content) == (200, b"")
            assert head.headers["Content-Length"] == str(len(got.content))


async def test_partners_see_their_own_only(mooc: Platform) -> None:
    one = statement()
    await mooc.post(one)
    key = await mooc.app.state.keys.create(
        "other", roles=["mooc"], scopes=["xapi:write"], sources=[SOURCE + "/o"]
    )
    headers = {"Authorization": f"Bearer {key}", VERSION: "1.0.3"}
    answer = await mooc.client.get(
        "/xapi/statements", params={"statementId": one["id"]}, headers=headers
    )
    assert (answer.status_code, answer.json()["code"]) == (404, "statement-unknown")
    assert answer.headers[THROUGH] == "2026-07-01T08:00:00.000Z"
    found = await mooc.client.get("/xapi/statements", headers=headers)
    assert found.json() == {"statements": [], "more": ""}
    # The same id is free for another partner, and does not void the first one's.
    answer = await mooc.client.post("/xapi/statements", json=voiding(one["id"]), headers=headers)
    assert answer.status_code == 200
    assert await mooc.standing(one["id"])
    assert (await mooc.get(statementId=one["id"])).status_code == 200
