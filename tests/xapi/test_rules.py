"""The data rules, sentence by sentence of xAPI 1.0.3, part 2; the number is its section."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.activities.xapi.rules import check
from shared.problems import Problem
from tests.xapi.samples import ADL, Json, put, statement

AGENT = {"mbox": "mailto:a@example.org"}
CONSUMER = {"account": {"homePage": "https://mooc.example", "name": "oauth-consumer"}}
GROUP = {"objectType": "Group", "member": [AGENT]}
ACTIVITY = {"id": "https://mooc.example/a"}
REFERENCE = {"objectType": "StatementRef", "id": "8f87ccde-bb56-4c2e-ab83-44982ef22df0"}
SUB: Json = {
    "objectType": "SubStatement",
    "actor": AGENT,
    "verb": {"id": "https://example.org/planned"},
    "object": ACTIVITY,
}
FILE = {
    "usageType": "https://example.org/usage",
    "display": {"vi": "Bài"},
    "contentType": "text/plain",
    "length": 3,
    "sha2": "a" * 64,
    "fileUrl": "https://mooc.example/f",
}
CHOICE = {"interactionType": "choice", "choices": [{"id": "a"}, {"id": "b"}]}

GOOD: list[tuple[str, str, Any]] = [
    ("2.4 id is optional", "id", ...),
    ("2.4 timestamp is optional", "timestamp", ...),
    ("2.2 null inside extensions", "context/extensions", {"https://e.org/x": None}),
    ("2.2 empty extensions", "context/extensions", {}),
    ("2.4.2.1 mbox", "actor", AGENT),
    ("2.4.2.1 mbox_sha1sum", "actor", {"mbox_sha1sum": "f" * 40}),
    ("2.4.2.1 openid", "actor", {"openid": "https://openid.example/a"}),
    ("2.4.2.2 anonymous group", "actor", GROUP),
    ("2.4.2.2 identified group", "actor", {"objectType": "Group", **AGENT}),
    ("2.4.2.2 both", "actor", {**GROUP, **AGENT}),
    ("2.4.3 no display", "verb", {"id": ADL + "completed"}),
    ("2.4.3 IRI beyond ASCII", "verb/id", "http://example.com/فعل/خواندن"),
    ("2.4.3 a urn", "verb/id", "urn:uuid:8f87ccde-bb56-4c2e-ab83-44982ef22df0"),
    ("2.4.4 no objectType", "object", ACTIVITY),
    ("2.4.4 an agent", "object", {"objectType": "Agent", **AGENT}),
    ("2.4.4 a group", "object", GROUP),
    ("2.4.4.3 a reference", "object", REFERENCE),
    ("2.4.4.3 a SubStatement", "object", SUB),
    ("2.4.4.3 of an agent", "object", {**SUB, "object": {"objectType": "Agent", **AGENT}}),
    ("2.4.4.3 of a reference", "object", {**SUB, "object": REFERENCE}),
    ("2.4.4.1 moreInfo", "object/definition/moreInfo", "https://mooc.example/i"),
    ("2.4.4.1 interaction", "object/definition", CHOICE),
    ("2.4.4.1 pattern", "object/definition", {**CHOICE, "correctResponsesPattern": ["a[,]b"]}),
    ("2.4.4.1 empty pattern", "object/definition", {**CHOICE, "correctResponsesPattern": []}),
    ("2.4.5 response may be empty", "result/response", ""),
    ("2.4.5.1 scaled -1", "result/score", {"scaled": -1}),
    ("2.4.5.1 scaled 1.0", "result/score", {"scaled": 1.0}),
    ("2.4.5.1 raw within", "result/score", {"raw": 5, "min": 0, "max": 10}),
    ("2.4.5.1 raw alone", "result/score", {"raw": -5}),
    ("2.4.5.1 taken: min is max", "result/score", {"min": 0, "max": 0, "raw": 0}),
    ("4.6 weeks", "result/duration", "P4W"),
    ("4.6 all", "result/duration", "P3Y1M29DT4H35M59.14S"),
    ("2.4.6 team", "context/team", GROUP),
    ("2.4.6 instructor is a group", "context/instructor", GROUP),
    ("2.4.6 revision", "context/revision", "2"),
    ("2.4.6 language", "context/language", "zh-Hant-TW"),
    ("2.4.6 statement", "context/statement", REFERENCE),
    ("2.4.6.2 one activity", "context/contextActivities", {"parent": ACTIVITY}),
    ("2.4.6.2 a list", "context/contextActivities", {"other": [ACTIVITY, ACTIVITY]}),
    ("taken: a bare UUID", "context/contextActivities/grouping",
     [{"id": "438AD672-DE2C-4F0B-8876-35444E7DD746"}]),
    ("taken: a group activity", "object/objectType", "GroupActivity"),
    ("taken: one as parent", "context/contextActivities",
     {"parent": [{"objectType": "GroupActivity", **ACTIVITY}]}),
    ("4.5 Z", "timestamp", "2026-06-30T02:12:00.123456Z"),
    ("4.5 short offset", "timestamp", "2026-06-30T09:12:00+0700"),
    ("4.5 no zone", "timestamp", "2026-06-30T09:12:00"),
    ("2.4.9 agent", "authority", AGENT),
    ("2.4.9 consumer and agent", "authority", {"objectType": "Group", "member": [CONSUMER, AGENT]}),
    ("2.4.10 1.0", "version", "1.0"),
    ("2.4.10 1.0.9", "version", "1.0.9"),
    ("2.4.11 attachment", "attachments", [FILE]),
    ("4.1 any value", "result/extensions", {"https://e.org/x": [1, {"y": None}]}),
    ("4.2 tags", "verb/display", {"en-GB-oed": "x", "x-klingon": "y", "sl-rozaj-biske": "z"}),
]  # fmt: skip

BAD: list[tuple[str, str, Any, str]] = [
    ("2.2 actor is required", "actor", ..., "/actor"),
    ("2.2 verb is required", "verb", ..., "/verb"),
    ("2.2 object is required", "object", ..., "/object"),
    ("2.2 null", "result", None, "/result"),
    ("2.2 null deep", "context/team", None, "/context/team"),
    ("2.2 null in a list", "context/contextActivities", {"other": [None]},
     "/context/contextActivities/other/0"),
    ("2.2 text for a number", "result/score", {"scaled": "0.5"}, "/result/score/scaled"),
    ("2.2 text for a boolean", "result/success", "true", "/result/success"),
    ("2.2 boolean for a number", "result/score", {"raw": True}, "/result/score/raw"),
    ("2.2 case of a key", "Actor", AGENT, "/Actor"),
    ("2.2 case of a value", "actor/objectType", "agent", "/actor/objectType"),
    ("2.2 unknown property", "colour", "red", "/colour"),
    ("2.2 unknown in actor", "actor/email", "x", "/actor/email"),
    ("2.2 unknown in verb", "verb/tense", "past", "/verb/tense"),
    ("2.2 unknown in context", "context/place", "x", "/context/place"),
    ("2.2 IRI without a scheme", "verb/id", "completed", "/verb/id"),
    ("2.2 IRI that is empty", "object/id", "", "/object/id"),
    ("2.2 IRI with a space", "object/id", "https://mooc.example/a b", "/object/id"),
    ("2.2 object as a text", "object", "https://mooc.example/a", "/object"),
    ("2.4.1 no UUID", "id", "17", "/id"),
    ("2.4.1 UUID in braces", "id", "{8f87ccde-bb56-4c2e-ab83-44982ef22df0}", "/id"),
    ("2.4.1 UUID without dashes", "id", "8f87ccdebb564c2eab8344982ef22df0", "/id"),
    ("2.4.2.1 no identifier", "actor", {"name": "A"}, "/actor"),
    ("2.4.2.1 two identifiers", "actor", {**AGENT, "openid": "https://o.example"}, "/actor"),
    ("2.4.2.1 another type", "actor", {"objectType": "Activity", **AGENT}, "/actor/objectType"),
    ("2.4.2.1 member of an agent", "actor", {**AGENT, "member": [AGENT]}, "/actor/member"),
    ("2.4.2.1 name is no text", "actor/name", 7, "/actor/name"),
    ("2.4.2.2 nobody", "actor", {"objectType": "Group"}, "/actor/member"),
    ("2.4.2.2 no members", "actor", {"objectType": "Group", "member": []}, "/actor/member"),
    ("2.4.2.2 two identifiers", "actor",
     {"objectType": "Group", **AGENT, "openid": "https://o.example"}, "/actor"),
    ("2.4.2.2 group in a group", "actor", {"objectType": "Group", "member": [GROUP]},
     "/actor/member/0/member"),
    ("2.4.2.3 mbox without mailto", "actor", {"mbox": "a@example.org"}, "/actor/mbox"),
    ("2.4.2.3 mbox without @", "actor", {"mbox": "mailto:a"}, "/actor/mbox"),
    ("2.4.2.3 sha1 of 39", "actor", {"mbox_sha1sum": "f" * 39}, "/actor/mbox_sha1sum"),
    ("2.4.2.3 openid is no URI", "actor", {"openid": "me"}, "/actor/openid"),
    ("2.4.2.4 no homePage", "actor", {"account": {"name": "1"}}, "/actor/account/homePage"),
    ("2.4.2.4 no name", "actor", {"account": {"homePage": "https://m.example"}},
     "/actor/account/name"),
    ("2.4.2.4 homePage is no IRI", "actor/account/homePage", "mooc.example",
     "/actor/account/homePage"),
    ("2.4.3 no id", "verb", {"display": {"en": "x"}}, "/verb/id"),
    ("2.4.3 display is a text", "verb/display", "completed", "/verb/display"),
    ("4.2 no tag", "verb/display", {"english language": "x"}, "/verb/display"),
    ("4.2 tag with underscore", "verb/display", {"en_US": "x"}, "/verb/display"),
    ("4.2 text is a number", "verb/display", {"en": 1}, "/verb/display/en"),
    ("2.4.4 another type", "object/objectType", "Person", "/object/objectType"),
    ("2.4.4 no id", "object", {"definition": {}}, "/object/id"),
    ("2.4.4.1 unknown in definition", "object/definition/colour", "x",
     "/object/definition/colour"),
    ("2.4.4.1 type is no IRI", "object/definition/type", "course", "/object/definition/type"),
    ("2.4.4.1 interactionType", "object/definition", {"interactionType": "guess"},
     "/object/definition/interactionType"),
    ("2.4.4.1 choices of nothing", "object/definition", {"choices": [{"id": "a"}]},
     "/object/definition/interactionType"),
    ("2.4.4.1 same ids", "object/definition",
     {"interactionType": "choice", "choices": [{"id": "a"}, {"id": "a"}]},
     "/object/definition/choices"),
    ("2.4.4.1 component without id", "object/definition",
     {"interactionType": "likert", "scale": [{}]}, "/object/definition/scale/0/id"),
    ("2.4.4.1 pattern is a text", "object/definition", {**CHOICE, "correctResponsesPattern": "a"},
     "/object/definition/correctResponsesPattern"),
    ("2.4.4.3 reference to no UUID", "object", {**REFERENCE, "id": "1"}, "/object/id"),
    ("2.4.4.3 reference with more", "object", {**REFERENCE, "definition": {}},
     "/object/definition"),
    ("2.4.4.3 SubStatement with id", "object", {**SUB, "id": REFERENCE["id"]}, "/object/id"),
    ("2.4.4.3 with stored", "object", {**SUB, "stored": "2026-01-01T00:00:00Z"},
     "/object/stored"),
    ("2.4.4.3 with version", "object", {**SUB, "version": "1.0.0"}, "/object/version"),
    ("2.4.4.3 with authority", "object", {**SUB, "authority": AGENT}, "/object/authority"),
    ("2.4.4.3 nested", "object", {**SUB, "object": SUB}, "/object/object"),
    ("2.4.4.3 inner rules hold", "object", {**SUB, "verb": {"id": "x"}}, "/object/verb/id"),
    ("2.4.5 unknown", "result/grade", "A", "/result/grade"),
    ("2.4.5.1 scaled above 1", "result/score", {"scaled": 1.01}, "/result/score/scaled"),
    ("2.4.5.1 scaled below -1", "result/score", {"scaled": -1.01}, "/result/score/scaled"),
    ("2.4.5.1 raw above max", "result/score", {"raw": 11, "max": 10}, "/result/score/raw"),
    ("2.4.5.1 raw below min", "result/score", {"raw": -1, "min": 0}, "/result/score/raw"),
    ("2.4.5.1 min above max", "result/score", {"min": 2, "max": 1}, "/result/score/min"),
    ("4.6 not a duration", "result/duration", "90 minutes", "/result/duration"),
    ("4.6 nothing in it", "result/duration", "P", "/result/duration"),
    ("4.6 T and nothing", "result/duration", "PT", "/result/duration"),
    ("4.6 weeks and days", "result/duration", "P4W1D", "/result/duration"),
    ("4.6 the other format", "result/duration", "P0003-06-04T12:30:05", "/result/duration"),
    ("2.4.6 registration", "context/registration", "first", "/context/registration"),
    ("2.4.6 team is an agent", "context/team", AGENT, "/context/team/objectType"),
    ("2.4.6 language", "context/language", "vi_VN", "/context/language"),
    ("2.4.6 statement is no reference", "context/statement", ACTIVITY,
     "/context/statement/objectType"),
    ("2.4.6.2 unknown kind", "context/contextActivities", {"parents": [ACTIVITY]},
     "/context/contextActivities/parents"),
    ("2.4.6.2 no activity", "context/contextActivities", {"parent": "x"},
     "/context/contextActivities/parent"),
    ("2.4.6.2 an agent", "context/contextActivities", {"parent": {"objectType": "Agent", **AGENT}},
     "/context/contextActivities/parent/mbox"),
    ("4.1 key is no IRI", "context/extensions", {"unit": "x"}, "/context/extensions"),
    ("4.1 no object", "context/extensions", [], "/context/extensions"),
    ("4.5 a day", "timestamp", "2026-06-30", "/timestamp"),
    ("4.5 no such day", "timestamp", "2026-02-30T00:00:00Z", "/timestamp"),
    ("4.5 no such offset", "timestamp", "2026-06-30T00:00:00-00:00", "/timestamp"),
    ("4.5 a number", "timestamp", 1782785520, "/timestamp"),
    ("2.4.8 stored", "stored", "yesterday", "/stored"),
    ("2.4.9 three members", "authority", {"objectType": "Group", "member": [AGENT] * 3},
     "/authority"),
    ("2.4.10 1.1.0", "version", "1.1.0", "/version"),
    ("2.4.10 0.95", "version", "0.95", "/version"),
    ("2.4.10 10.0.0", "version", "1.01", "/version"),
    ("2.4.11 no usageType", "attachments", [{**FILE, "usageType": "certificate"}],
     "/attachments/0/usageType"),
    ("2.4.11 length is a text", "attachments", [{**FILE, "length": "3"}],
     "/attachments/0/length"),
    ("2.4.11 length with a fraction", "attachments", [{**FILE, "length": 3.5}],
     "/attachments/0/length"),
    ("2.4.11 no sha2", "attachments", [{**FILE, "sha2": "abc"}], "/attachments/0/sha2"),
    ("2.4.11 no media type", "attachments", [{**FILE, "contentType": "text"}],
     "/attachments/0/contentType"),
    ("2.4.11 no list", "attachments", FILE, "/attachments"),
]  # fmt: skip


@pytest.mark.parametrize(("sentence", "path", "value"), GOOD, ids=[g[0] for g in GOOD])
def test_taken(sentence: str, path: str, value: Any) -> None:
    check(put(statement(), path, value))


@pytest.mark.parametrize(("sentence", "path", "value", "at"), BAD, ids=[b[0] for b in BAD])
def test_refused(sentence: str, path: str, value: Any, at: str) -> None:
    with pytest.raises(Problem) as caught:
        check(put(statement(), path, value))
    assert (caught.value.code, caught.value.status) == ("statement-invalid", 400)
    assert caught.value.pointer == at


@pytest.mark.parametrize("name", ["revision", "platform"])
@pytest.mark.parametrize("target", [REFERENCE, {"objectType": "Agent", **AGENT}, GROUP, SUB])
def test_revision_and_platform_need_an_activity(name: str, target: Json) -> None:
    with pytest.raises(Problem) as caught:
        check(statement(object=target, context={name: "x"}))
    assert caught.value.pointer == f"/context/{name}"


def test_a_substatement_has_the_same_rule() -> None:
    inner = {**SUB, "object": REFERENCE, "context": {"revision": "1"}}
    with pytest.raises(Problem) as caught:
        check(statement(object=inner))
    assert caught.value.pointer == "/object/context/revision"


def test_voiding_names_a_reference() -> None:
    check(statement(verb={"id": ADL + "voided"}, object=REFERENCE))
    with pytest.raises(Problem) as caught:
        check(statement(verb={"id": ADL + "voided"}))
    assert caught.value.pointer == "/object"


@pytest.mark.parametrize("value", [None, 1, "x", [], [statement()], True])
def test_only_objects_are_statements(value: Any) -> None:
    with pytest.raises(Problem) as caught:
        check(value)
    assert caught.value.code == "statement-invalid"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
_PATHS = sorted({path for _, path, _ in GOOD} | {path for _, path, _, _ in BAD})


@given(path=st.sampled_from(_PATHS), value=_JSON)
def test_anything_anywhere_is_taken_or_refused_by_a_rule(path: str, value: Any) -> None:
    try:
        check(put(statement(), path, value))
    except Problem as problem:
        assert (problem.code, problem.status) == ("statement-invalid", 400)
        assert problem.pointer is not None


@given(_JSON)
def test_extensions_may_hold_anything(value: Any) -> None:
    check(statement(context={"extensions": {"https://e.org/x": value}}))


@given(secret=st.from_regex(r"0912[0-9]{6}", fullmatch=True), path=st.sampled_from(_PATHS))
def test_a_refusal_repeats_nothing(secret: str, path: str) -> None:
    for value in (secret, {secret: 1}, [secret]):
        try:
            check(put(statement(), path, value))
        except Problem as problem:
            assert secret not in str(problem.body())
