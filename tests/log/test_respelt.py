"""One number spelt otherwise by earlier versions: still one person, nothing stored is rewritten."""

import asyncio
from typing import Any

import pytest

from services.activities.log.model import Status
from shared.problems import Problem
from tests.log.conftest import Bench, amended, attended, candidate

OLD, NEW = "phone:OLD", "phone:NEW"
FORMER = {NEW: (OLD,)}


@pytest.fixture
async def upgraded(bench: Bench) -> Bench:
    """A log that an earlier version wrote, as the migration marks it."""
    await bench.pool.execute("UPDATE counter SET respelling = true")
    return bench


async def persons(bench: Bench) -> list[set[str]]:
    by_key: dict[bytes, set[str]] = {}
    for (_, key), content in (await bench.counted("training.attended")).items():
        by_key.setdefault(key, set()).add(content["data"]["person_ref"])
    return sorted(by_key.values(), key=sorted)


async def test_a_number_seen_again_is_the_person_of_its_former_spelling(upgraded: Bench) -> None:
    await upgraded.post(attended("a", OLD), attended("x", "cccd:1"))
    await upgraded.post(attended("b", NEW, former=FORMER))
    assert await persons(upgraded) == [{"cccd:1"}, {NEW, OLD}]
    # The stored row is as it was; who counts first stays who is counted.
    rows, _ = await upgraded.read()
    assert next(r.data["person_ref"] for r in rows if r.id == "a") == OLD
    assert [r.id for r in rows].count("a") == 1
    # Also without the former spelling at hand, and in a later transaction.
    await upgraded.post(attended("c", NEW))
    assert await persons(upgraded) == [{"cccd:1"}, {NEW, OLD}]


async def test_both_spellings_counted_before_become_one_when_the_number_is_seen(
    upgraded: Bench,
) -> None:
    await upgraded.post(attended("a", NEW), attended("b", OLD))
    assert await persons(upgraded) == [{NEW}, {OLD}]
    (outcome,) = await upgraded.post(attended("c", NEW, former=FORMER))
    assert outcome.status is Status.ACCEPTED
    assert await persons(upgraded) == [{NEW, OLD}]
    rows, marker = await upgraded.read()
    assert [r.position for r in rows] == list(range(1, marker.through + 1))
    assert {(r.source, r.id) for r in rows if r.origin != r.position} == {(rows[-1].source, "c")}


async def test_nothing_is_looked_for_or_linked_that_the_log_does_not_have(upgraded: Bench) -> None:
    await upgraded.post(attended("a", NEW, former=FORMER))
    assert await upgraded.pool.fetchval("SELECT count(*) FROM respelt") == 0
    assert await upgraded.pool.fetchval("SELECT count(*) FROM canonical_person") == 0


async def test_a_refused_or_undone_event_links_nobody(upgraded: Bench) -> None:
    await upgraded.post(attended("a", OLD))
    (refused,) = await upgraded.post(attended("b", NEW, former=FORMER, subject="99999"))
    assert refused.problem is not None
    await upgraded.post(attended("c", NEW, former=FORMER), dry_run=True)
    assert await upgraded.pool.fetchval("SELECT count(*) FROM respelt") == 0
    before, _ = await upgraded.read()
    assert len([r for r in before if r.id in "abc"]) == 1
    first, second = await upgraded.post(
        attended("d", NEW, former=FORMER, subject="99999"), attended("e", NEW, former=FORMER)
    )
    assert (first.status, second.status) == (Status.REJECTED, Status.ACCEPTED)
    assert await persons(upgraded) == [{NEW, OLD}]


async def test_a_correction_to_a_number_finds_its_former_spelling(upgraded: Bench) -> None:
    await upgraded.post(attended("a", OLD), attended("b", "cccd:1"))
    changes = {"data": {"person_ref": NEW}}
    await upgraded.post(amended("event.corrected", "k", "b", changes=changes, former=FORMER))
    assert await persons(upgraded) == [{NEW, OLD}]
    link: dict[str, Any] = {"person_ref": "cccd:1", "same_as_ref": NEW}
    await upgraded.post(candidate("person.linked", "l", link), attended("c", "cccd:1"))
    assert await persons(upgraded) == [{NEW, OLD, "cccd:1"}]


async def test_an_undone_batch_does_not_forget_links_for_those_behind_it(bench: Bench) -> None:
    """Submissions of one group commit share what was learnt of links."""
    link = {"person_ref": "cccd:1", "same_as_ref": "phone:1"}
    await bench.post(attended("a", "cccd:1"), candidate("person.linked", "l", link))

    await asyncio.gather(
        bench.post(attended("t", "phone:1"), dry_run=True), bench.post(attended("b", "phone:1"))
    )
    assert await persons(bench) == [{"cccd:1", "phone:1"}]


async def test_an_event_sent_again_under_another_version_is_a_duplicate(upgraded: Bench) -> None:
    changes = {"data": {"person_ref": OLD}}
    first, corrected = await upgraded.post(
        attended("a", OLD), amended("event.corrected", "k", "a", changes=changes)
    )
    again = attended("a", NEW, former=FORMER)
    changes = {"data": {"person_ref": NEW}}
    patch = amended("event.corrected", "k", "a", changes=changes, former=FORMER)
    outcomes = await upgraded.post(again, patch, again)
    assert {o.status for o in outcomes} == {Status.DUPLICATE}
    assert [o.position for o in outcomes[:2]] == [first.position, corrected.position]
    (other,) = await upgraded.post(attended("a", NEW, former={NEW: ("phone:OTHER",)}))
    assert other.problem is not None
    assert other.problem.code == "event-conflict"


async def test_what_is_refused_today_and_was_accepted_before_is_a_duplicate(bench: Bench) -> None:
    (first,) = await bench.post(attended("a", "cccd:1", content_mac=b"as posted"))
    refusal = Problem("reference-malformed", "nobody")
    known, changed, unknown = await bench.post(
        attended("a", "cccd:1", content_mac=b"as posted", refusal=refusal),
        attended("a", "cccd:1", content_mac=b"other", refusal=refusal),
        attended("b", "cccd:1", content_mac=b"as posted", refusal=refusal),
    )
    assert (known.status, known.position) == (Status.DUPLICATE, first.position)
    assert changed.problem is unknown.problem is refusal
    assert len(await bench.counted("training.attended")) == 1
