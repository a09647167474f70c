"""Plans and amendments at the log: what is accepted can be counted, however it comes in."""

from typing import Any

import pytest

from services.activities.log.model import Candidate, Outcome, Status
from shared.contracts.definitions import Catalogue
from tests.log.conftest import ADMINISTRATOR, TAN_LAP, Bench, amended, candidate

Json = dict[str, Any]
DOCUMENT: Json = Catalogue.load()["plan.published"].examples[0]["document"]
PLAN, GOAL = DOCUMENT["id"], DOCUMENT["objectives"][0]["id"]


def published(id: str, document: Json = DOCUMENT, **more: Any) -> Candidate:
    data = {"plan": document["id"], "version": document["version"], "document": document} | more
    return candidate("plan.published", id, data, subject="66", roles=ADMINISTRATOR)


def change(id: str, **data: Any) -> Candidate:
    said = {"plan": PLAN, "objective": GOAL, "valid_from": "2026-03-01"} | data
    return candidate("plan.amended", id, said, subject="66", roles=ADMINISTRATOR)


def told(outcome: Outcome) -> tuple[str, int, str | None] | None:
    problem = outcome.problem
    return None if problem is None else (problem.code, problem.status, problem.pointer)


async def test_an_amendment_is_judged_by_what_counts_it(bench: Bench) -> None:
    (first,) = await bench.post(published("v1"))
    assert told(first) is None
    wrong = change("a", changes={"target": {"value": "tám mươi"}})
    refused = ("plan-amendment-invalid", 422, "/data/changes/target/value")
    for how in ({}, {"dry_run": True}, {"atomic": True}):
        (outcome,) = await bench.post(wrong, **how)
        assert told(outcome) == refused, how
    (good,) = await bench.post(change("b", changes={"target": {"value": 80}}))
    assert told(good) is None
    spoiled = {"data": {"changes": {"target": {"value": 400}}}}
    (outcome,) = await bench.post(
        amended("event.corrected", "c", "b", changes=spoiled, roles=ADMINISTRATOR)
    )
    assert told(outcome) == (
        "plan-amendment-invalid", 422, "/data/changes/data/changes/target/value",
    )  # fmt: skip


async def test_an_amendment_of_what_is_not_there(bench: Bench) -> None:
    (outcome,) = await bench.post(change("a", changes={"note": "x"}))
    assert told(outcome) == ("plan-unknown", 422, "/data/plan")
    outcomes = await bench.post(published("v1"), change("b", objective="x", changes={"note": "x"}))
    assert [told(o) for o in outcomes] == [
        None, ("plan-amendment-invalid", 422, "/data/objective"),
    ]  # fmt: skip


async def test_a_dry_run_leaves_nothing_and_sees_what_came_before(bench: Bench) -> None:
    outcomes = await bench.post(
        published("v1"), change("a", changes={"target": {"value": 80}}), dry_run=True
    )
    assert [told(o) for o in outcomes] == [None, None]
    (outcome,) = await bench.post(change("a", changes={"target": {"value": 80}}))
    assert told(outcome) == ("plan-unknown", 422, "/data/plan")


async def test_a_version_cannot_be_published_twice_or_backwards(bench: Bench) -> None:
    other = DOCUMENT | {"title_vi": "Khác"}
    third = other | {"version": 3}
    outcomes = await bench.post(
        published("v1"),
        published("again"),
        published("other", other),
        published("v3", third),
        published("v2", other | {"version": 2}),
    )
    assert [told(o) for o in outcomes] == [
        None, None, ("plan-version-exists", 422, "/data/version"), None,
        ("plan-version-too-low", 422, "/data/version"),
    ]  # fmt: skip


async def test_what_others_build_on_cannot_be_taken_back(bench: Bench) -> None:
    new = {k: v for k, v in DOCUMENT["objectives"][0].items() if k != "id"}
    added = change("add", objective="new", action="add", changes=new)
    after = change("more", objective="new", changes={"target": {"value": 50}})
    outcomes = await bench.post(published("v1"), added, after)
    assert [told(o) for o in outcomes] == [None, None, None]
    revoke = amended("event.revoked", "r", "add", roles=ADMINISTRATOR)
    (outcome,) = await bench.post(revoke)
    assert told(outcome) == ("plan-amendment-conflict", 422, "/data/revokes")
    outcomes = await bench.post(
        amended("event.revoked", "r2", "more", roles=ADMINISTRATOR),
        amended("event.revoked", "r3", "add", roles=ADMINISTRATOR),
    )
    assert [told(o) for o in outcomes] == [None, None]


@pytest.mark.parametrize("restarted", [False, True])
async def test_another_process_judges_alike(bench: Bench, restarted: bool) -> None:
    await bench.post(published("v1"))
    if restarted:
        bench.log._context.units.forget()
    (outcome,) = await bench.post(change("a", changes={"target": {"value": 0}}))
    assert outcome.status is Status.REJECTED
    (outcome,) = await bench.post(change("b", for_unit=TAN_LAP, changes={"target": {"value": 80}}))
    assert outcome.status is Status.ACCEPTED


async def test_a_key_of_another_province_changes_nothing(bench: Bench) -> None:
    await bench.post(published("v1"))
    mine = candidate(
        "plan.amended", "a",
        {"plan": PLAN, "objective": GOAL, "valid_from": "2026-03-01", "changes": {"note": "x"}},
        subject=TAN_LAP, subtree=TAN_LAP, roles=frozenset({"department"}),
    )  # fmt: skip
    (outcome,) = await bench.post(mine)
    assert told(outcome) == ("unit-outside-key", 403, "/data/plan")
