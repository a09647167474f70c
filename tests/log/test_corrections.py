"""Corrections, revocations, cancelled things and linked persons, over a real PostgreSQL."""

import pytest

from services.activities.log.model import Status
from tests.log.conftest import TAN_LAP, Bench, amended, attended, candidate


def people(counted: dict) -> list[str]:  # type: ignore[type-arg]
    return sorted(c["data"]["person_ref"] for c in counted.values())


async def test_corrections_patch_in_order_and_leave_the_original_row(bench: Bench) -> None:
    await bench.post(
        attended("a", "cccd:1", data={"age": 30}),
        amended("event.corrected", "c1", "a", changes={"data": {"age": 31}}),
        amended("event.corrected", "c2", "a", changes={"data": {"age": 32}, "subject": "24133"}),
    )
    (content,) = (await bench.counted()).values()
    assert (content["data"]["age"], content["unitid"]) == (32, "24133@2025")
    rows, _ = await bench.read()
    original = next(r for r in rows if r.id == "a")
    assert (original.data["age"], original.unitid) == (30, TAN_LAP)


async def test_a_correction_that_moves_the_person_voids_the_old_key(bench: Bench) -> None:
    await bench.post(attended("a", "cccd:1"))
    await bench.post(
        amended("event.corrected", "c", "a", changes={"data": {"person_ref": "cccd:2"}})
    )
    assert people(await bench.counted()) == ["cccd:2"]
    rows, _ = await bench.read()
    moved = [r for r in rows if r.id == "c"]
    assert sorted(r.void for r in moved) == [False, True]
    assert {r.revision for r in moved} == {1}


async def test_revocations_of_revocations_and_of_corrections(bench: Bench) -> None:
    await bench.post(
        attended("a", "cccd:1", data={"age": 30}),
        amended("event.corrected", "c", "a", changes={"data": {"age": 40}}),
        amended("event.revoked", "r", "a"),
    )
    assert await bench.counted() == {}
    await bench.post(amended("event.revoked", "rr", "r"))
    (content,) = (await bench.counted()).values()
    assert content["data"]["age"] == 40
    await bench.post(amended("event.revoked", "rc", "c"))
    (content,) = (await bench.counted()).values()
    assert content["data"]["age"] == 30
    await bench.post(amended("event.revoked", "rrc", "rc"))
    (content,) = (await bench.counted()).values()
    assert content["data"]["age"] == 40


async def test_a_correction_can_be_corrected(bench: Bench) -> None:
    await bench.post(
        attended("a", "cccd:1", data={"age": 30}),
        amended("event.corrected", "c", "a", changes={"data": {"age": 40}}),
        amended("event.corrected", "cc", "c", changes={"data": {"changes": {"data": {"age": 50}}}}),
    )
    (content,) = (await bench.counted()).values()
    assert content["data"]["age"] == 50


async def test_in_one_batch_as_one_by_one(bench: Bench) -> None:
    outcomes = await bench.post(
        amended("event.revoked", "early", "a"),
        attended("a", "cccd:1"),
        amended("event.revoked", "r", "a"),
        attended("b", "cccd:1"),
    )
    assert outcomes[0].problem is not None
    assert (outcomes[0].problem.code, outcomes[0].problem.retryable) == ("original-unknown", True)
    assert [o.status for o in outcomes[1:]] == [Status.ACCEPTED] * 3
    assert len(await bench.counted()) == 1


@pytest.mark.security("V2.2.3", "V2.3.1")
async def test_an_invalid_correction_is_refused_and_changes_nothing(bench: Bench) -> None:
    await bench.post(attended("a", "cccd:1"))
    refused = await bench.post(
        amended("event.corrected", "c1", "a", changes={"data": {"age": "old"}}),
        amended("event.corrected", "c2", "a", changes={"subject": "99999"}),
        amended("event.corrected", "c3", "a", changes={"time": "yesterday"}),
        amended("event.revoked", "c4", "a", partner="stranger", roles=frozenset({"commune"})),
    )
    assert [o.problem.code for o in refused if o.problem] == [
        "correction-invalid",
        "unit-unknown",
        "correction-invalid",
        "not-yours-to-change",
    ]
    assert people(await bench.counted()) == ["cccd:1"]


async def test_a_cancelled_class_revokes_its_attendances_later_ones_too(bench: Bench) -> None:
    await bench.post(
        attended("early", "cccd:1", data={"class_ref": "K1"}),
        candidate("class.held", "class", {"class_ref": "K1", "participants": 3}),
        attended("late", "cccd:2", data={"class_ref": "K1"}),
        attended("other", "cccd:3", data={"class_ref": "K2"}),
    )
    assert people(await bench.counted("training.attended")) == ["cccd:1", "cccd:2", "cccd:3"]
    await bench.post(amended("event.revoked", "cancel", "class"))
    await bench.post(attended("later", "cccd:4", data={"class_ref": "K1"}))
    assert people(await bench.counted("training.attended")) == ["cccd:3"]
    # Corrected to another class, the attendance counts again; un-cancelled, all do.
    await bench.post(amended("event.corrected", "x", "late", changes={"data": {"class_ref": "K2"}}))
    assert people(await bench.counted("training.attended")) == ["cccd:2", "cccd:3"]
    await bench.post(amended("event.revoked", "uncancel", "cancel"))
    assert people(await bench.counted("training.attended")) == [f"cccd:{n}" for n in range(1, 5)]


async def test_linked_persons_are_one_until_the_link_is_revoked(bench: Bench) -> None:
    await bench.post(attended("a", "phone:1"), attended("b", "cccd:1"))
    keys = {key for _, key in await bench.counted("training.attended")}
    assert len(keys) == 2
    link = candidate("person.linked", "l", {"person_ref": "cccd:1", "same_as_ref": "phone:1"})
    await bench.post(link)
    await bench.post(attended("c", "cccd:1"), attended("d", "phone:1"))
    assert len({key for _, key in await bench.counted("training.attended")}) == 1
    # The log keeps the original refs.
    assert people(await bench.counted("training.attended")) == sorted(
        ["phone:1", "cccd:1", "cccd:1", "phone:1"]
    )
    await bench.post(amended("event.revoked", "unlink", "l"))
    counted = await bench.counted("training.attended")
    by_key: dict[bytes, set[str]] = {}
    for (_, key), content in counted.items():
        by_key.setdefault(key, set()).add(content["data"]["person_ref"])
    assert sorted(by_key.values(), key=sorted) == [{"cccd:1"}, {"phone:1"}]


async def test_a_corrected_link_links_whom_it_names_now(bench: Bench) -> None:
    await bench.post(attended("a", "cccd:1"), attended("b", "phone:1"), attended("c", "phone:2"))
    link = candidate("person.linked", "l", {"person_ref": "cccd:1", "same_as_ref": "phone:1"})
    await bench.post(link)

    async def persons() -> list[set[str]]:
        by_key: dict[bytes, set[str]] = {}
        for (_, key), content in (await bench.counted("training.attended")).items():
            by_key.setdefault(key, set()).add(content["data"]["person_ref"])
        return sorted(by_key.values(), key=sorted)

    wrong = amended("event.corrected", "wrong", "l", changes={"data": {"same_as_ref": "phone:2"}})
    await bench.post(wrong)
    assert await persons() == [{"cccd:1", "phone:2"}, {"phone:1"}]
    # A link to itself is none, as a correction too.
    itself = amended("event.corrected", "x", "l", changes={"data": {"same_as_ref": "cccd:1"}})
    (refused,) = await bench.post(itself)
    assert refused.problem is not None
    assert refused.problem.code == "link-to-itself"
    # Revoked while its correction stands, and the correction taken back while it is revoked.
    await bench.post(amended("event.revoked", "gone", "l"))
    assert await persons() == [{"cccd:1"}, {"phone:1"}, {"phone:2"}]
    await bench.post(amended("event.revoked", "right", "wrong"))
    await bench.post(amended("event.revoked", "back", "gone"))
    assert await persons() == [{"cccd:1", "phone:1"}, {"phone:2"}]


async def test_what_is_corrected_after_a_link_still_counts_for_the_one_person(bench: Bench) -> None:
    """Each in a transaction of its own, which must learn of a link that others made before."""
    await bench.post(attended("a", "cccd:1"), attended("b", "phone:1"), attended("c", "cccd:2"))
    link = candidate("person.linked", "l", {"person_ref": "cccd:1", "same_as_ref": "phone:1"})
    await bench.post(link)

    async def persons() -> int:
        return len({key for _, key in await bench.counted("training.attended")})

    assert await persons() == 2
    await bench.post(amended("event.corrected", "age", "b", changes={"data": {"age": 40}}))
    assert await persons() == 2
    changes = {"data": {"person_ref": "phone:1"}}
    await bench.post(amended("event.corrected", "who", "c", changes=changes))
    assert await persons() == 1
    await bench.post(amended("event.revoked", "gone", "b"))
    await bench.post(amended("event.revoked", "back", "gone"))
    assert await persons() == 1


async def test_a_corrected_unit_changes_the_tree_for_later_events(bench: Bench) -> None:
    await bench.post(
        amended("event.revoked", "r", "unit-24133@2025", roles=frozenset({"administrator"}))
    )
    (refused,) = await bench.post(attended("a", "cccd:1", subject="24133"))
    assert refused.problem is not None
    assert refused.problem.code == "unit-unknown"


async def test_a_corrected_day_moves_the_event_and_may_not_lie_ahead(bench: Bench) -> None:
    data = {"person_ref": "cccd:1", "target_groups": ["adult"]}
    await bench.post(
        candidate("citizen.certified", "a", data),
        amended("event.corrected", "c", "a", changes={"data": {"certified_on": "2026-05-29"}}),
    )
    (content,) = (await bench.counted()).values()
    assert content["occurred"] == "2026-05-29"
    (refused,) = await bench.post(
        amended("event.corrected", "d", "a", changes={"data": {"certified_on": "2031-05-29"}})
    )
    assert refused.problem is not None
    assert (refused.problem.code, refused.problem.pointer) == (
        "time-in-future",
        "/data/changes/data/certified_on",
    )
    await bench.post(amended("event.revoked", "r", "c"))
    (content,) = (await bench.counted()).values()
    assert content["occurred"] != "2026-05-29"


async def test_a_request_and_what_was_done_about_it_are_one_subject(bench: Bench) -> None:
    """Whoever answers, and however the reference is spelt: one lane, so one order of events."""
    source = candidate("citizen.certified", "x", {}).source
    await bench.post(
        candidate("assistance.requested", "q", {"request_ref": "A-1"}),
        candidate("assistance.given", "g", {"request_ref": "A-1", "able_to_act": False}),
        candidate("assistance.given", "h", {"request_ref": f"{source}#A-1", "able_to_act": True}),
        candidate("assistance.given", "i", {"request_ref": "A-2", "able_to_act": True}),
    )
    keys: dict[bytes, int] = {}
    for (_, key), content in (await bench.counted()).items():
        if content["type"].startswith("assistance."):
            keys[key] = keys.get(key, 0) + 1
    assert sorted(keys.values()) == [1, 1, 1, 1, 1, 3]
