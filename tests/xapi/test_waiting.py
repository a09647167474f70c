"""What waits is listed, and counted once the mapping or a setting says how; settings of platforms."""

import asyncio
from pathlib import Path
from typing import Any

import yaml
from typer.testing import CliRunner

from services.activities.xapi.cli import app as command
from services.activities.xapi.mapping import FILE, Mapping
from shared.contracts.definitions import Catalogue
from tests.activities.posting import send
from tests.xapi.conftest import SOURCE, Platform
from tests.xapi.samples import GROUPS, UNIT, Json, statement, unknown, voiding

SAID = {"home_page": "https://mooc.example", "subject": "24133", "target_groups": ["adult", "worker"],
        "platform": "other_mooc"}  # fmt: skip


async def _say(mooc: Platform, **said: Any) -> Any:
    return await mooc.client.put("/xapi/platforms", json=said, headers=mooc.headers)


async def _replay(mooc: Platform) -> Json:
    answer = await mooc.client.post("/xapi/replay", headers=mooc.headers)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_new_entry_counts_what_waited(mooc: Platform, tmp_path: Path) -> None:
    waited, later = unknown(), unknown()
    await mooc.post([waited, statement(verb={"id": "https://example.org/verbs/frowned"})])
    assert await _replay(mooc) == {"counted": 0, "waiting": {"no-mapping": 2}}
    file = yaml.safe_load(FILE.read_bytes())
    file["verbs"]["smiled"] = ["https://example.org/verbs/smiled"]
    entry = {"id": "smiled", "verbs": ["smiled"], "activities": ["course"],
             "type": "course.registered", "data": {"person": "person", "platform": "platform",
             "target_groups": "target_groups", "course_id": "object"}}  # fmt: skip
    path = tmp_path / "mapping.yaml"
    path.write_text(yaml.safe_dump({**file, "entries": [*file["entries"], entry]}))
    mooc.app.state.xapi.mapping = Mapping.load(Catalogue.load(), path)
    assert await _replay(mooc) == {"counted": 1, "waiting": {"no-mapping": 1}}
    await mooc.post(later)
    first, second = await mooc.events()
    assert (first["id"], second["id"]) == (waited["id"], later["id"])
    # The same person, though the first statement was long masked when it was counted.
    assert first["data"] == second["data"]
    assert await _replay(mooc) == {"counted": 0, "waiting": {"no-mapping": 1}}
    assert (await mooc.post(waited)).status_code == 200
    assert len(await mooc.events()) == 2


async def test_a_platform_that_says_nothing_of_places(mooc: Platform) -> None:
    batch = [statement(context=None) for _ in range(3)]
    await mooc.post(batch)
    assert not await mooc.events()
    answer = await _say(mooc, **SAID)
    assert answer.status_code == 200, answer.text
    assert (await mooc.get("/xapi/platforms")).json()[0]["subject"] == "24133"
    assert await _replay(mooc) == {"counted": 3, "waiting": {}}
    own = statement(context={"extensions": {UNIT: "66", GROUPS: "pupil"}})
    await mooc.post(own)
    events = await mooc.events()
    assert [e["unit_id"] for e in events] == ["24133@2025"] * 3 + ["66@2025"]
    assert '["adult","worker"]' in events[0]["data"]
    assert '["pupil"]' in events[3]["data"]


async def test_what_is_said_of_every_other_platform(mooc: Platform) -> None:
    await _say(mooc, **SAID)
    await _say(mooc, **{**SAID, "home_page": "", "subject": "66"})
    actors = [{"account": {"homePage": "https://elsewhere.example", "name": "1"}},
              {"mbox": "mailto:a@example.vn"},
              {"account": {"homePage": "https://mooc.example", "name": "1"}}]  # fmt: skip
    await mooc.post([statement(context=None, actor=a) for a in actors])
    units = [e["unit_id"] for e in await mooc.events()]
    assert units == ["66@2025", "66@2025", "24133@2025"]


async def test_the_unit_of_the_key(mooc: Platform) -> None:
    key = await mooc.app.state.keys.create(
        "mooc", roles=["mooc"], scopes=["xapi:write"], sources=[SOURCE], subtree="24133@2025"
    )
    platform = Platform(mooc.app, mooc.client, key)
    await platform.post(statement(context={"extensions": {GROUPS: "adult"}}))
    await platform.post(statement(context={"extensions": {GROUPS: "adult", UNIT: "75"}}))
    (event,) = await mooc.events()
    assert event["unit_id"] == "24133@2025"
    assert (await mooc.kept())[1]["reason"] == "unit-outside-key"


async def test_accounts_that_are_identity_numbers(mooc: Platform, admin: str) -> None:
    """The learner is the person that the police certified."""
    await _say(mooc, **SAID, scheme="cccd")
    good, bad = "066099001234", "17"
    await mooc.post([statement(actor={"account": {"homePage": "https://mooc.example", "name": n}})
                     for n in (good, bad)])  # fmt: skip
    (event,) = await mooc.events()
    reference = mooc.app.state.xapi.pseudonyms.reference("cccd", good)
    assert reference in event["data"]
    assert (await mooc.kept())[1]["reason"] == "reference-unusable"
    assert await _replay(mooc) == {"counted": 0, "waiting": {"reference-unusable": 1}}


async def test_the_door_refuses_and_the_statement_stays(mooc: Platform) -> None:
    """A key of another role: kept, listed with the code, counted once a key may post it."""
    key = await mooc.app.state.keys.create(
        "mooc", roles=["telecom"], scopes=["xapi:write"], sources=[SOURCE]
    )
    one = statement()
    assert (await Platform(mooc.app, mooc.client, key).post(one)).status_code == 200
    assert (await mooc.kept())[0]["reason"] == "type-not-permitted"
    assert await _replay(mooc) == {"counted": 1, "waiting": {}}
    assert [e["id"] for e in await mooc.events()] == [one["id"]]


async def test_an_event_that_is_in_the_log_already(mooc: Platform, admin: str) -> None:
    """Mended in the quarantine or posted by hand under the statement's own id: counted once."""
    one, waited = statement(), statement(context=None)
    await mooc.post(waited)
    by_hand = {
        "specversion": "1.0", "source": f"{SOURCE}/xapi", "type": "vn.hocvuso.course.completed",
        "subject": "66", "time": "2026-06-29T09:12:00+07:00",
        "data": {"person": {"scheme": "account", "value": "x"}, "target_groups": ["adult"]},
    }  # fmt: skip
    for id in (one["id"], waited["id"]):
        await send(mooc.client, admin, {**by_hand, "id": id})
    assert (await mooc.post(one)).status_code == 200
    await _say(mooc, **SAID)
    assert await _replay(mooc) == {"counted": 1, "waiting": {}}
    assert not await mooc.events()
    first, second = await mooc.kept()
    for row in (first, second):
        assert (row["reason"], row["event_id"]) == (None, str(row["id"]))


async def test_voided_ones_are_not_tried_again(mooc: Platform) -> None:
    one = statement(context=None)
    await mooc.post(one)
    await mooc.post(voiding(one["id"]))
    await _say(mooc, **SAID)
    assert await _replay(mooc) == {"counted": 0, "waiting": {}}
    assert not await mooc.events()


async def test_void_and_its_target_in_one_transaction(mooc: Platform) -> None:
    """Both requests are judged before either writes; the target is voided all the same."""
    for first in (True, False):
        batch = [statement() for _ in range(8)]
        posts = []
        for one in batch:
            pair = [mooc.post(one), mooc.post(voiding(one["id"]))]
            posts += pair if first else pair[::-1]
        for answer in await asyncio.gather(*posts):
            assert answer.status_code == 200, answer.text
        in_log = {e["id"] for e in await mooc.events()}
        for one in batch:
            assert (await mooc.get(voidedStatementId=one["id"])).status_code == 200
            assert one["id"] not in in_log or not await mooc.standing(one["id"])


async def test_two_replays_at_once_count_once(mooc: Platform) -> None:
    await mooc.post([statement(context=None) for _ in range(20)])
    await _say(mooc, **SAID)
    answers = await asyncio.gather(*(_replay(mooc) for _ in range(3)))
    assert sum(a["counted"] for a in answers) == 20
    assert len(await mooc.events()) == 20


async def test_the_list(mooc: Platform, admin: str) -> None:
    batch = [unknown() for _ in range(5)] + [statement(context=None)]
    await mooc.post(batch)
    page = (await mooc.get("/xapi/unmapped", limit=4)).json()
    assert [(c["reason"], c["statements"]) for c in page["counts"]] == [
        ("no-mapping", 5), ("unit-missing", 1)]  # fmt: skip
    assert set(page["reasons"]) == {"no-mapping", "unit-missing"}
    rest = (await mooc.get("/xapi/unmapped", limit=4, after=page["next"])).json()
    listed = [s["id"] for s in page["statements"] + rest["statements"]]
    assert listed == [s["id"] for s in batch]
    assert rest["next"] is None
    only = (await mooc.get("/xapi/unmapped", reason="unit-missing")).json()
    assert [s["id"] for s in only["statements"]] == [batch[5]["id"]]

    other = await mooc.app.state.keys.create("other", roles=["mooc"], scopes=["xapi:write"])
    for key, params, status, number in (
        (other, {}, 200, 0), (other, {"partner": "mooc"}, 403, 0),
        (admin, {"partner": "mooc"}, 200, 2), (admin, {}, 200, 2),
    ):  # fmt: skip
        answer = await mooc.client.get(
            "/xapi/unmapped", params=params, headers={"Authorization": f"Bearer {key}"}
        )
        assert answer.status_code == status
        assert len(answer.json().get("counts", [])) == number


async def test_settings_refused(mooc: Platform) -> None:
    refused: list[Json] = [
        {"home_page": "mooc"}, {"target_groups": ["heroes"]}, {"platform": "tv"},
        {"scheme": "name"}, {"subject": "0912345678"}, {"colour": "red"},
    ]  # fmt: skip
    for said in refused:
        assert (await _say(mooc, **said)).status_code == 422, said
    assert (await mooc.get("/xapi/platforms")).json() == []


async def test_the_command(mooc: Platform, port: int, tmp_path: Path) -> None:
    await mooc.post([unknown(), statement(context=None)])
    key = tmp_path / "mooc.key"
    key.write_text(mooc.key)
    where = ["--url", f"http://127.0.0.1:{port}", "--key-file", str(key)]

    async def run(*words: str) -> str:
        result = await asyncio.to_thread(CliRunner().invoke, command, [*words, *where])
        assert result.exit_code == 0, result.output
        return result.output

    assert "unit-missing" in await run("unmapped")
    assert (await run("unmapped", "--reason", "no-mapping")).count("\n") == 1
    said = ("--subject", "24133", "--target-group", "adult", "--platform", "other_mooc")
    assert "https://mooc.example" in await run("platform", "https://mooc.example", *said)
    assert "1 are counted now" in await run("replay")
    assert len(await mooc.events()) == 1


async def test_a_setting_names_a_unit_that_is_there(mooc: Platform) -> None:
    for subject in ("6666", "24133@2004"):
        answer = await mooc.client.put(
            "/xapi/platforms", json={"subject": subject}, headers=mooc.headers
        )
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (422, "unit-unknown")
        assert problem["pointer"] == "/subject"
