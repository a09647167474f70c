"""All of a request or nothing; the same again; voiding; many at once."""

import asyncio
import json
import uuid

from tests.xapi.conftest import SOURCE, Platform
from tests.xapi.samples import put, statement, unknown, voiding

VERSION = "X-Experience-API-Version"


async def test_an_event_and_its_statement_are_written_together(mooc: Platform) -> None:
    one = statement(result={"success": True, "completion": True})
    assert (await mooc.post(one)).status_code == 200
    (event,) = await mooc.events()
    (kept,) = await mooc.kept()
    assert (event["source"], event["id"]) == (f"{SOURCE}/xapi", one["id"])
    assert (kept["source"], kept["event_id"]) == (event["source"], event["id"])
    assert kept["entry"] == "course-completed-and-passed"
    assert kept["reason"] is None
    assert event["type"] == "course.completed"
    assert event["unit_id"] == "24133@2025"
    assert event["time"] == "2026-06-30T09:12:00.000+07:00"
    data = await mooc.app.state.pool.fetchval("SELECT data FROM log WHERE id = $1", one["id"])
    assert '"course_id":"mooc.example/course/kns-co-ban"' in data
    assert '"target_groups":["adult"]' in data
    assert '"platform":"other_mooc"' in data
    assert '"result":"passed"' in data


async def test_one_bad_statement_and_nothing_is_kept(mooc: Platform) -> None:
    good, bad = [statement() for _ in range(3)], put(statement(), "verb/id", "completed")
    answer = await mooc.post([*good[:2], bad, good[2]])
    assert answer.status_code == 400
    problem = answer.json()
    assert (problem["code"], problem["index"]) == ("statement-invalid", 2)
    assert problem["pointer"] == "/verb/id"
    assert not await mooc.kept()
    assert not await mooc.events()


async def test_broken_json_inside_a_batch(mooc: Platform) -> None:
    raw = f'[{json.dumps(statement())}, {{"id": 1, "id": 1}}]'
    answer = await mooc.client.post(
        "/xapi/statements",
        content=raw,
        headers={**mooc.headers, "Content-Type": "application/json"},
    )
    assert (answer.status_code, answer.json()["index"]) == (400, 1)
    assert answer.json()["code"] == "json-duplicate-key"
    assert not await mooc.kept()


async def test_an_empty_batch(mooc: Platform) -> None:
    answer = await mooc.post([])
    assert (answer.status_code, answer.json()) == (200, [])


async def test_the_same_id_twice_in_a_batch(mooc: Platform) -> None:
    one = statement()
    answer = await mooc.post([statement(), one, {**one, "id": one["id"].upper()}])
    assert (answer.status_code, answer.json()["code"]) == (400, "statement-id-repeated")
    assert (answer.json()["index"], answer.json()["other_index"]) == (2, 1)
    assert not await mooc.kept()


async def test_the_same_again_is_known_again(mooc: Platform) -> None:
    one, two = statement(), unknown()
    ids = [one["id"], two["id"]]
    assert (await mooc.post([one, two])).json() == ids
    before = [(r["id"], r["stored"], r["seq"]) for r in await mooc.kept()]
    same = put(put(one, "verb/display", {"fr": "fini"}), "timestamp", "2026-06-30T02:12:00Z")
    assert (await mooc.post([two, put(same, "version", "1.0.3")])).json() == ids[::-1]
    without = put(one, "timestamp", ...)
    assert (await mooc.post(without)).json() == ids[:1]
    answer = await mooc.client.put(
        "/xapi/statements", params={"statementId": ids[0]}, json=one, headers=mooc.headers
    )
    assert answer.status_code == 204
    assert [(r["id"], r["stored"], r["seq"]) for r in await mooc.kept()] == before
    assert len(await mooc.events()) == 1


async def test_what_was_answered_is_not_the_same_as_what_was_sent(mooc: Platform) -> None:
    """People were masked: who sends a masked statement back says something else."""
    one = statement()
    await mooc.post(one)
    shown = (await mooc.get(statementId=one["id"])).json()
    assert (await mooc.post(shown)).status_code == 409


async def test_other_content_under_the_same_id(mooc: Platform) -> None:
    one, new = statement(), statement()
    await mooc.post(one)
    for other in (
        put(one, "verb/id", "http://adlnet.gov/expapi/verbs/passed"),
        put(one, "timestamp", "2026-06-30T09:12:01+07:00"),
        put(one, "actor/account/name", "somebody.else"),
    ):
        answer = await mooc.post([new, other])
        assert answer.status_code == 409
        problem = answer.json()
        assert (problem["code"], problem["index"]) == ("statement-conflict", 1)
        assert problem["id"] == one["id"]
        answer = await mooc.client.put(
            "/xapi/statements", params={"statementId": one["id"]}, json=other, headers=mooc.headers
        )
        assert answer.status_code == 409
    assert [r["id"] for r in await mooc.kept()] == [uuid.UUID(one["id"])]
    assert len(await mooc.events()) == 1


async def test_a_batch_without_ids_is_known_again(mooc: Platform) -> None:
    """Moodle names no ids; a batch whose answer was lost comes a second time."""
    batch = [statement(id=None), statement(id=None), unknown(id=None)]
    first = (await mooc.post(batch)).json()
    assert len(set(first)) == 3
    assert (await mooc.post(batch)).json() == first
    assert len(await mooc.kept()) == 3
    untimed = statement(id=None, timestamp=None)
    answers = {(await mooc.post(untimed)).json()[0] for _ in range(2)}
    assert len(answers) == 2


async def test_voiding(mooc: Platform) -> None:
    one = statement()
    void = voiding(one["id"])
    await mooc.post(one)
    assert await mooc.standing(one["id"])
    assert (await mooc.post(void)).json() == [void["id"]]
    assert not await mooc.standing(one["id"])
    assert (await mooc.get(statementId=one["id"])).status_code == 404
    answer = await mooc.get(voidedStatementId=one["id"])
    assert answer.json()["id"] == one["id"]
    assert (await mooc.get(voidedStatementId=void["id"])).status_code == 404
    assert (await mooc.get(statementId=void["id"])).status_code == 200
    listed = (await mooc.get()).json()["statements"]
    assert [s["id"] for s in listed] == [void["id"]]
    # A voiding statement is never voided, and the same again changes nothing.
    again = voiding(void["id"])
    assert (await mooc.post([again, void])).status_code == 200
    assert (await mooc.get(statementId=void["id"])).status_code == 200
    assert not await mooc.standing(one["id"])
    waiting = (await mooc.get("/xapi/unmapped")).json()
    assert [w["reason"] for w in waiting["counts"]] == ["voids-nothing"]


async def test_voiding_before_in_and_with_what_is_voided(mooc: Platform) -> None:
    early, together = statement(), statement()
    assert (await mooc.post(voiding(early["id"]))).status_code == 200
    assert (await mooc.post(early)).status_code == 200
    assert (await mooc.post([together, voiding(together["id"])])).status_code == 200
    assert not await mooc.events()
    for one in (early, together):
        assert (await mooc.get(statementId=one["id"])).status_code == 404
        assert (await mooc.get(voidedStatementId=one["id"])).status_code == 200
    assert (await mooc.get("/xapi/unmapped")).json()["counts"][0]["statements"] == 1


async def test_voiding_needs_the_right(mooc: Platform) -> None:
    key = await mooc.app.state.keys.create(
        "mooc", roles=["mooc"], scopes=["xapi:write"], types=["course.*"], sources=[SOURCE]
    )
    one = statement()
    await mooc.post(one)
    headers = {"Authorization": f"Bearer {key}", VERSION: "1.0.3"}
    answer = await mooc.client.post(
        "/xapi/statements", json=[statement(), voiding(one["id"])], headers=headers
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "type-not-permitted")
    assert len(await mooc.kept()) == 1
    assert await mooc.standing(one["id"])


async def test_many_at_once(mooc: Platform) -> None:
    """Overlapping batches from several connections: each statement is kept and counted once."""
    pool = [statement() for _ in range(12)]
    voids = voiding(pool[0]["id"])
    batches = [pool[i : i + 6] for i in range(7)] + [[voids, pool[5]], pool[::-1], pool[3:9]]
    answers = await asyncio.gather(*(mooc.post(batch) for batch in batches * 2))
    for batch, answer in zip(batches * 2, answers, strict=True):
        assert answer.status_code == 200, answer.text
        assert answer.json() == [s["id"] for s in batch]
    assert len(await mooc.kept()) == 13
    events = [e["id"] for e in await mooc.events() if e["type"] == "course.completed"]
    assert len(events) == len(set(events))
    assert {s["id"] for s in pool[1:]} <= set(events)
    if pool[0]["id"] in events:
        assert not await mooc.standing(pool[0]["id"])


async def test_a_race_for_one_id(mooc: Platform) -> None:
    """Of two contents under one id one wins; the loser's batch leaves nothing."""
    one = statement()
    other = put(one, "object/id", "https://mooc.example/course/other")
    beside = [statement(), statement()]
    answers = await asyncio.gather(mooc.post([one, beside[0]]), mooc.post([other, beside[1]]))
    assert sorted(a.status_code for a in answers) == [200, 409]
    assert len(await mooc.kept()) == 2
    assert len(await mooc.events()) == 2
