"""Real clients over a real port: tincan (which Open edX sends with), and Moodle's requests.

Open edX: event-routing-backends 9.3.8 hands `tincan.Statement` objects to `tincan.RemoteLRS`
(`save_statement` for one, `save_statements` for a batch), Basic or Bearer, version 1.0.3.
Moodle: logstore_xapi posts a JSON list to ENDPOINT/statements with Basic authentication and counts
a batch as stored only on exactly 200. The statements are of the shapes that both produce; the
contents are our own.
"""

import asyncio
import base64
import http.client
import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import tincan

from tests.xapi.conftest import Platform
from tests.xapi.samples import Json

LMS = "https://lms.mooc.example"
COURSE = f"{LMS}/course/course-v1:DakLak+KNS101+2026"
ADL = "http://adlnet.gov/expapi/"
SETTING = {
    "home_page": LMS,
    "subject": "24133",
    "target_groups": ["adult"],
    "platform": "other_mooc",
}


@pytest.fixture
async def edx(mooc: Platform, port: int) -> tuple[Platform, tincan.RemoteLRS]:
    """The platform with its setting, and its client."""
    answer = await mooc.client.put("/xapi/platforms", json=SETTING, headers=mooc.headers)
    assert answer.status_code == 200
    lrs = tincan.RemoteLRS(
        version="1.0.3",
        endpoint=f"http://127.0.0.1:{port}/xapi/",
        username="mooc",
        password=mooc.key,
    )
    return mooc, lrs


def _learner(name: str = "32e08e30-f8ae-4ce2-94a8-c2bfe38a70cb") -> tincan.Agent:
    return tincan.Agent(account={"homePage": LMS, "name": name})


def _course() -> tincan.Activity:
    return tincan.Activity(
        id=COURSE,
        definition=tincan.ActivityDefinition(
            type=ADL + "activities/course",
            name=tincan.LanguageMap({"en": "Kỹ năng số"}),
            extensions=tincan.Extensions(
                {"https://w3id.org/xapi/acrossx/extensions/type": "audit"}
            ),
        ),
    )


def _edx(
    verb: str, word: str, target: tincan.Activity, minute: int, **more: Any
) -> tincan.Statement:
    """A statement as the transformers of event-routing-backends build it."""
    made = {
        "id": uuid.uuid5(uuid.NAMESPACE_URL, f"{verb} {target.id} {minute}"),
        "actor": _learner(),
        "verb": tincan.Verb(id=verb, display=tincan.LanguageMap({"en": word})),
        "object": target,
        "timestamp": f"2026-06-30T09:{minute:02}:00.917775+00:00",
        "context": tincan.Context(
            extensions=tincan.Extensions(
                {
                    "https://w3id.org/xapi/openedx/extension/transformer-version": "event-routing-backends@9.3.8",
                    "https://w3id.org/xapi/openedx/extensions/session-id": "44c2f6b53a6aaf210797a56391a443bc",
                }
            )
        ),
        "version": "1.0.3",
        **more,
    }
    return tincan.Statement(**made)


class GroupActivity(tincan.Activity):  # type: ignore[misc]
    """What event-routing-backends makes of a problem of several questions."""

    @tincan.Activity.object_type.setter
    def object_type(self, _: Any) -> None:
        self._object_type = "GroupActivity"


def _day() -> list[tincan.Statement]:
    """What one learner makes Open edX send: enrolled, answered, watched, sat an exam, passed."""
    question = tincan.Activity(
        id=f"{LMS}/xblock/block-v1:DakLak+KNS101+2026+type@problem+block@3fc5461f",
        definition=tincan.ActivityDefinition(
            type=ADL + "activities/cmi.interaction",
            interaction_type="choice",
            description=tincan.LanguageMap({"en-US": "Chọn"}),
            extensions=tincan.Extensions({"http://id.tincanapi.com/extension/attempt-id": 10}),
        ),
    )
    several = GroupActivity(
        id=f"{LMS}/xblock/block-v1:DakLak+KNS101+2026+type@problem+block@9e3f1a55",
        object_type="GroupActivity",
        definition=question.definition,
    )
    exam = tincan.Activity(
        id="block-v1:DakLak+KNS101+2026+type@sequential+block@5b4bf8d7",
        definition=tincan.ActivityDefinition(
            type="https://w3id.org/xapi/openedx/activity/proctored-assessment",
            name=tincan.LanguageMap({"en": "Subsection"}),
        ),
    )
    attempt = tincan.Activity(id="438AD672-DE2C-4F0B-8876-35444E7DD746")
    parents = tincan.ContextActivities(
        parent=tincan.ActivityList([_course()]), grouping=tincan.ActivityList([attempt])
    )
    worthless = tincan.Result(
        success=False, response='["a", "b"]', score={"min": 0, "max": 0, "raw": 0, "scaled": 0},
        duration=timedelta(seconds=12.5),
    )  # fmt: skip
    return [
        _edx(ADL + "verbs/registered", "registered", _course(), 1),
        _edx("https://w3id.org/xapi/acrossx/verbs/evaluated", "evaluated", question, 2, result=worthless),
        _edx("https://w3id.org/xapi/acrossx/verbs/evaluated", "evaluated", several, 7),
        _edx(ADL + "verbs/terminated", "terminated", exam, 3,
             context=tincan.Context(contextActivities=parents)),
        _edx(ADL + "verbs/passed", "passed", _course(), 4),
        _edx("http://id.tincanapi.com/verb/earned", "earned", _course(), 5,
             result=tincan.Result(score={"min": 0, "max": 1, "raw": 0.8, "scaled": 0.8})),
        _edx("http://id.tincanapi.com/verb/unregistered", "unregistered", _course(), 6),
    ]  # fmt: skip


async def test_about(edx: tuple[Platform, tincan.RemoteLRS]) -> None:
    answer = await asyncio.to_thread(edx[1].about)
    assert answer.success
    assert "1.0.3" in answer.content.version


async def test_one_by_one(edx: tuple[Platform, tincan.RemoteLRS]) -> None:
    mooc, lrs = edx
    for one in _day() * 2:  # the router sends again what it has no answer for
        answer = await asyncio.to_thread(lrs.save_statement, one)
        assert answer.success, answer.data
        assert answer.response.status == 204
    assert [e["type"] for e in await mooc.events()] == ["course.registered", "course.completed"]
    assert len(await mooc.kept()) == 7


async def test_a_batch(edx: tuple[Platform, tincan.RemoteLRS]) -> None:
    mooc, lrs = edx
    day = _day()
    wanted = [str(s.id) for s in day]
    for _ in range(2):
        answer = await asyncio.to_thread(lrs.save_statements, day)
        assert answer.success, answer.data
        assert json.loads(answer.data) == wanted
        assert [str(s.id) for s in answer.content] == wanted
    events = await mooc.events()
    assert [e["unit_id"] for e in events] == ["24133@2025"] * 2
    assert '"course_id":"lms.mooc.example/course/course-v1:DakLak_KNS101_2026"' in events[0]["data"]
    waiting = (await mooc.get("/xapi/unmapped")).json()
    assert {c["verb"].rpartition("/")[2] for c in waiting["counts"]} == {
        "evaluated", "terminated", "earned", "unregistered"}  # fmt: skip


async def test_without_an_id(edx: tuple[Platform, tincan.RemoteLRS]) -> None:
    _, lrs = edx
    one = _day()[0]
    one.id = None
    answer = await asyncio.to_thread(lrs.save_statement, one)
    assert answer.success
    assert answer.content.id is not None
    got = await asyncio.to_thread(lrs.retrieve_statement, answer.content.id)
    assert got.success
    assert got.content.id == answer.content.id


async def test_read_back(edx: tuple[Platform, tincan.RemoteLRS]) -> None:
    _, lrs = edx
    day = _day()
    await asyncio.to_thread(lrs.save_statements, day)
    got = await asyncio.to_thread(lrs.retrieve_statement, str(day[0].id))
    assert got.success
    assert got.content.verb.id == day[0].verb.id
    assert got.content.object.id == COURSE
    assert got.content.actor.account.home_page == LMS
    assert got.content.actor.account.name.startswith("masked-")
    assert got.content.timestamp == datetime(2026, 6, 30, 9, 1, 0, 917775, tzinfo=UTC)
    asked = {"agent": _learner(), "verb": day[3].verb, "limit": 1, "ascending": True}
    found = await asyncio.to_thread(lrs.query_statements, asked)
    assert found.success, found.data
    assert [str(s.id) for s in found.content.statements] == [str(day[3].id)]
    found = await asyncio.to_thread(lrs.query_statements, {"agent": _learner(), "limit": 4})
    rest = await asyncio.to_thread(lrs.more_statements, found.content)
    assert rest.success, rest.data
    ids = [str(s.id) for s in [*found.content.statements, *rest.content.statements]]
    assert ids == [str(s.id) for s in day[::-1]]


async def test_void_with_the_client(edx: tuple[Platform, tincan.RemoteLRS]) -> None:
    mooc, lrs = edx
    one = _day()[0]
    await asyncio.to_thread(lrs.save_statement, one)
    void = tincan.Statement(
        actor=_learner("admin"),
        verb=tincan.Verb(id=ADL + "verbs/voided"),
        object=tincan.StatementRef(id=one.id),
    )
    answer = await asyncio.to_thread(lrs.save_statement, void)
    assert answer.success, answer.data
    assert not await mooc.standing(str(one.id))
    assert not (await asyncio.to_thread(lrs.retrieve_statement, str(one.id))).success
    got = await asyncio.to_thread(lrs.retrieve_voided_statement, str(one.id))
    assert str(got.content.id) == str(one.id)


async def test_other_content_is_a_conflict_for_the_client(
    edx: tuple[Platform, tincan.RemoteLRS],
) -> None:
    """LrsClient.send takes 409 for stored already and does not send again."""
    _, lrs = edx
    one = _day()[0]
    await asyncio.to_thread(lrs.save_statement, one)
    one.verb = tincan.Verb(id=ADL + "verbs/passed")
    answer = await asyncio.to_thread(lrs.save_statement, one)
    assert (answer.success, answer.response.status) == (False, 409)


async def test_bearer(mooc: Platform, port: int) -> None:
    lrs = tincan.RemoteLRS(
        version="1.0.1", endpoint=f"http://127.0.0.1:{port}/xapi/", auth=f"Bearer {mooc.key}"
    )
    assert (await asyncio.to_thread(lrs.save_statement, _day()[0])).success
    lrs.auth = f"Bearer {mooc.key}x"
    refused = await asyncio.to_thread(lrs.save_statement, _day()[1])
    assert (refused.success, refused.response.status) == (False, 401)


SITE = "https://moodle.example"


def _moodle(verb: str, word: str, target: Json, *parents: Json, **more: Any) -> Json:
    """A statement as logstore_xapi builds it: no id, its site in `category`."""
    site = {"id": SITE, "definition": {"name": {"vi": "Trường"}, "type":
            "http://id.tincanapi.com/activitytype/lms"}, "objectType": "Activity"}  # fmt: skip
    activities = {"category": [site]} | ({"parent": list(parents)} if parents else {})
    return {
        "actor": {"account": {"homePage": SITE, "name": "17"}, "name": "Trần Văn Minh"},
        "verb": {"id": verb, "display": {"en": word}},
        "object": target,
        "context": {
            "contextActivities": activities,
            "extensions": {
                "http://lrs.learninglocker.net/define/extensions/info": {
                    "event_function": "\\src\\transformer\\events\\core\\course_completed",
                    "event_name": "\\core\\event\\course_completed",
                    "http://moodle.org": "4.5",
                    "https://github.com/xAPI-vle/moodle-logstore_xapi": "v5",
                }
            },
            "language": "vi",
        },
        "timestamp": "2026-06-30T09:12:00+07:00",
        **more,
    }


def _thing(path: str, kind: str, **definition: Any) -> Json:
    return {"id": f"{SITE}{path}", "definition": {"name": {"vi": "Tên"}, "type": kind, **definition},
            "objectType": "Activity"}  # fmt: skip


def _moodle_batch() -> list[Json]:
    course = _thing("/course/view.php?id=2", "https://w3id.org/xapi/cmi5/activitytype/course")
    quiz = _thing("/mod/quiz/view.php?id=1", ADL + "activities/assessment")
    attempt = _thing("/mod/quiz/attempt.php?attempt=1&cmid=1", ADL + "activities/attempt")
    meeting = _thing("/mod/facetoface/view.php?id=1",
                     "https://w3id.org/xapi/acrossx/activities/face-to-face-discussion")  # fmt: skip
    question = _thing("/question/question.php?cmid=1&id=1", ADL + "activities/cmi.interaction",
                      interactionType="choice", description={"vi": "Câu hỏi"})  # fmt: skip
    teacher = {"account": {"homePage": SITE, "name": "1"}, "name": "Lê Thị Cô"}
    enrolled = _moodle(
        "https://xapi.edlm/profiles/edlm-lms/concepts/verbs/enrolled", "Enrolled", course
    )
    enrolled["context"]["instructor"] = teacher
    score = {"max": 100, "min": 0, "raw": 90, "scaled": 0.9}
    return [
        enrolled,
        _moodle("http://id.tincanapi.com/verb/viewed", "Viewed", course),
        _moodle(ADL + "verbs/completed", "Completed", attempt, quiz, course,
                result={"completion": True, "duration": "PT61S", "score": score, "success": True}),
        _moodle(ADL + "verbs/answered", "Answered", question, attempt, quiz, course,
                result={"completion": True, "response": "Đáp án của tôi", "success": True}),
        _moodle(ADL + "verbs/attended", "Attended", meeting, course,
                result={"completion": True, "duration": "PT0S"}),
        _moodle(ADL + "verbs/completed", "Completed", course),
    ]  # fmt: skip


def _php(port: int, key: str, body: bytes) -> tuple[int, bytes]:
    """The request that logstore_xapi makes with curl, header by header."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    token = base64.b64encode(f"moodle:{key}".encode()).decode()
    headers = {
        "Accept": "*/*",
        "Authorization": f"Basic {token}",
        "X-Experience-API-Version": "1.0.3",
        "Content-Type": "application/json",
    }
    connection.request("POST", "/xapi/statements", body, headers)
    response = connection.getresponse()
    found = response.status, response.read()
    connection.close()
    return found


async def test_moodle(mooc: Platform, port: int) -> None:
    said = {**SETTING, "home_page": SITE}
    await mooc.client.put("/xapi/platforms", json=said, headers=mooc.headers)
    # json_encode of PHP escapes slashes and everything beyond ASCII.
    body = json.dumps(_moodle_batch()).replace("/", "\\/").encode()
    status, answer = await asyncio.to_thread(_php, port, mooc.key, body)
    assert status == 200, answer
    assert len(set(json.loads(answer))) == 6
    types = [e["type"] for e in await mooc.events()]
    assert types == [
        "course.registered",
        "assessment.passed",
        "training.attended",
        "course.completed",
    ]
    passed = (await mooc.events())[1]
    assert '"assessment_id":"moodle.example/mod/quiz/view.php_id_1"' in passed["data"]
    assert '"score":90' in passed["data"]
    # Its task sends the same batch again when the answer was lost.
    assert await asyncio.to_thread(_php, port, mooc.key, body) == (200, answer)
    assert len(await mooc.kept()) == 6
    assert len(await mooc.events()) == 4
    # A batch with a bad statement is refused with 400, on which Moodle halves it.
    spoilt = _moodle_batch()
    spoilt[2]["verb"]["id"] = "completed"
    status, answer = await asyncio.to_thread(_php, port, mooc.key, json.dumps(spoilt).encode())
    assert (status, json.loads(answer)["index"]) == (400, 2)
    status, _ = await asyncio.to_thread(_php, port, "hv_0_wrong", body)
    assert status == 401
