"""The mapping file against the catalogue, the page, and statements of each entry."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.activities.xapi import document
from services.activities.xapi.become import code
from services.activities.xapi.mapping import FILE, Mapping, MappingError
from shared.contracts.definitions import Catalogue
from tests.xapi.conftest import Platform
from tests.xapi.samples import ADL, COURSE, GROUPS, PLATFORM, UNIT, Json, put, statement

CATALOGUE = Catalogue.load()
MAPPING = Mapping.load(CATALOGUE)
PROGRAMME = "https://hocvuso.vn/xapi/programme"
CONTEXT = {
    "extensions": {UNIT: "24133", GROUPS: "adult", PLATFORM: "vneid", PROGRAMME: "dai-su-so"}
}


def test_the_page_says_what_the_file_says() -> None:
    page = document.PAGE.read_text()
    assert document.with_tables(page, MAPPING) == page


def _entry(**changes: Any) -> Json:
    return {
        "id": "new", "verbs": ["passed"], "activities": ["course"], "type": "course.completed",
        "data": {"person": "person", "target_groups": "target_groups"}, **changes,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"type": "course.finished"}, "course.finished"),
        ({"verbs": ["nodded"]}, "nodded"),
        ({"activities": ["walk"]}, "walk"),
        ({"parent": "walk"}, "walk"),
        ({"data": {"person": "person"}}, "target_groups"),
        ({"data": {"person": "person", "target_groups": "horoscope"}}, "horoscope"),
        ({"data": {**_entry()["data"], "grade": "score"}}, "grade"),
        ({"data": {**_entry()["data"], "result": {"const": "splendid"}}}, "splendid"),
        ({"data": {**_entry()["data"], "course_id": "assessment"}}, "parent"),
        ({"when": {"mood": [True]}}, "mood"),
        ({"when": {"success": ["maybe"]}}, "success"),
        ({"id": "course-passed"}, "two entries"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_entry_stops_the_start(tmp_path: Path, changes: Json, word: str) -> None:
    file = yaml.safe_load(FILE.read_bytes())
    path = tmp_path / "mapping.yaml"
    path.write_text(yaml.safe_dump({**file, "entries": [*file["entries"], _entry()]}))
    Mapping.load(CATALOGUE, path)
    path.write_text(yaml.safe_dump({**file, "entries": [*file["entries"], _entry(**changes)]}))
    with pytest.raises(MappingError, match=word):
        Mapping.load(CATALOGUE, path)


def _fitting(entry: Json, verb: str, kind: str) -> Json:
    """A statement that the entry takes, by what the published mapping says."""
    made = statement(
        verb={"id": verb},
        object={"id": "https://mooc.example/x?id=7", "definition": {"type": kind}},
        context=CONTEXT,
    )
    result: Json = {"score": {"raw": 30, "min": 20, "max": 40}}
    for name, values in entry["when"].items():
        if values[0] != "absent":
            result[name] = values[0]
    if entry["parent"]:
        parent = {"id": "https://mooc.example/quiz", "definition": {"type": entry["parent"][0]}}
        made = put(made, "context/contextActivities", {"parent": [parent]})
    return put(made, "result", result)


async def test_every_verb_and_type_of_every_entry_makes_its_event(mooc: Platform) -> None:
    """Each is posted; the door takes each event."""
    published = (await mooc.client.get("/xapi/mapping")).json()
    wanted = {}
    for entry in published["entries"]:
        for verb in entry["verbs"]:
            for kind in entry["activities"]:
                one = _fitting(entry, verb, kind)
                wanted[one["id"]] = (entry["id"], entry["type"], one)
    assert len(wanted) > 15
    answer = await mooc.post([one for _, _, one in wanted.values()])
    assert answer.status_code == 200, answer.text
    events = {e["id"]: e["type"] for e in await mooc.events()}
    for row in await mooc.kept():
        entry_id, kind, _ = wanted[str(row["id"])]
        assert (row["entry"], row["reason"]) == (entry_id, None)
        assert events[str(row["id"])] == kind


async def test_a_quiz_of_moodle_is_the_parent_of_its_attempt(mooc: Platform) -> None:
    entry = next(e for e in MAPPING.document()["entries"] if e["id"] == "attempt-with-success")
    one = _fitting(entry, entry["verbs"][0], entry["activities"][0])
    await mooc.post(one)
    (event,) = await mooc.events()
    assert '"assessment_id":"mooc.example/quiz"' in event["data"]
    assert '"score":50' in event["data"]


NOT_COUNTED: list[tuple[tuple[str, Any], str]] = [
        (("result", {"success": False}), "condition-not-met"),
        (("result", {"completion": False}), "condition-not-met"),
        (("verb/id", ADL + "failed"), "no-mapping"),
        (("verb/id", ADL + "Completed"), "no-mapping"),
        (("object/definition/type", COURSE + "s"), "no-mapping"),
        (("object/definition", ...), "no-mapping"),
        (("object", {"objectType": "Agent", "mbox": "mailto:a@b.c"}), "object-not-activity"),
        (("actor", {"objectType": "Group", "member": [{"mbox": "mailto:a@b.c"}]}),
         "actor-is-group"),
        (("actor", {"objectType": "Group", "mbox": "mailto:a@b.c"}), "actor-is-group"),
        (("timestamp", "2026-06-30T09:12:00"), "timestamp-without-zone"),
        (("timestamp", "2027-06-30T09:12:00Z"), "time-in-future"),
        (("timestamp", "1999-06-30T09:12:00Z"), "time-too-early"),
        (("context/extensions", {GROUPS: "adult"}), "unit-missing"),
        (("context/extensions", {UNIT: "24133"}), "target-groups-missing"),
        (("context/extensions", {UNIT: "99999", GROUPS: "adult"}), "unit-unknown"),
        (("context/extensions", {UNIT: "24133", GROUPS: "heroes"}), "value-not-allowed"),
        (("context/extensions", {UNIT: "24133", GROUPS: [7]}), "value-of-wrong-type"),
        (("context/extensions", {UNIT: "24133", GROUPS: []}), "value-too-short"),
        (("context/extensions", {UNIT: ["24133"], GROUPS: "adult"}), "unit-missing"),
]  # fmt: skip


async def test_why_a_statement_is_not_counted(mooc: Platform) -> None:
    wanted = {}
    for (path, value), reason in NOT_COUNTED:
        one = put(statement(), path, value)
        wanted[one["id"]] = reason
        assert (await mooc.post(one)).status_code == 200, (path, value)
        assert (await mooc.get(statementId=one["id"])).status_code == 200
    assert {str(row["id"]): row["reason"] for row in await mooc.kept()} == wanted
    assert not await mooc.events()
    listed = (await mooc.get("/xapi/unmapped")).json()
    assert {s["id"]: s["reason"] for s in listed["statements"]} == wanted
    assert set(listed["reasons"]) == set(wanted.values())
    assert all(listed["reasons"].values())


async def test_extensions_of_the_object_hold_where_the_context_says_nothing(mooc: Platform) -> None:
    one = put(statement(context=None), "object/definition/extensions",
              {UNIT: "24133@2025", GROUPS: ["worker"]})  # fmt: skip
    await mooc.post(one)
    (event,) = await mooc.events()
    assert event["unit_id"] == "24133@2025"
    assert '"worker"' in event["data"]
    assert "platform" not in event["data"]


async def test_the_first_statement_of_the_page_is_counted(mooc: Platform) -> None:
    page = document.PAGE.read_text()
    (text,) = re.findall(r"-d '(\{.*?\})'", page, re.DOTALL)
    assert (await mooc.post(json.loads(text))).json() == [json.loads(text)["id"]]
    (event,) = await mooc.events()
    assert f"hocvuso trace {event['source']} {event['id']}" in page


def test_codes() -> None:
    assert code("https://mooc.example/course/view.php?id=2") == "mooc.example/course/view.php_id_2"
    assert code("urn:course:7") == "urn:course:7"
    long = [code("https://mooc.example/" + "x" * 200 + str(i)) for i in range(2)]
    assert long[0] != long[1]
    assert all(len(c) == 100 for c in long)
