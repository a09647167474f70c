"""From the intake topic into the log and back to the receipts topic, on a real broker."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from services.activities.ingest.door import Door, Path
from services.activities.intake import admin
from services.activities.intake.lag import lags
from services.activities.keys.model import Key
from shared.problems import Problem
from tests.intake.conftest import CCCD, SOURCE, STRUCTURED, System, attended, binary, raw

pytestmark = pytest.mark.stack


async def test_both_modes_and_every_kind_of_bad_message(system: System) -> None:
    await system.enable()
    system.start()
    await system.topic_there()
    big = attended("big")
    big["data"]["organisation"] = "x" * 300_000
    messages = {
        "structured": (raw(attended("structured")), STRUCTURED),
        "binary": binary(attended("binary", dataschema="https://hocvuso.example/schemas/training.attended/1")),
        "tombstone": (None, STRUCTURED),
        "big": (raw(big), STRUCTURED),
        "unknown type of content": (raw(attended("text")), [("content-type", b"text/plain")]),
        "no content type": (raw(attended("bare")), []),
        "batch": (b"[]", [("content-type", b"application/cloudevents-batch+json")]),
        "no json": (b'{"specversion": ', STRUCTURED),
        "no utf-8": (b"\xff\xfe\x00", STRUCTURED),
        "header no utf-8": (b"{}", [*binary(attended("h"))[1], ("ce_partitionkey", b"\xff")]),
        "attribute twice": (b"{}", [*binary(attended("h"))[1], ("ce_id", b"again")]),
        "source of another": (raw(attended("theirs", source="https://other.example/x")), STRUCTURED),
        "identity in the open": (raw(attended("leak", subject=CCCD)), STRUCTURED),
        "again": (raw(attended("structured")), STRUCTURED),
        "other content": (raw(attended("structured", time="2026-06-29T00:00:00Z")), STRUCTURED),
        "last": (raw(attended("last")), STRUCTURED),
    }  # fmt: skip
    placed = dict(zip(messages, await system.produce(*messages.values(), partition=0), strict=True))
    await system.read_to_end()
    assert await system.accepted() == ["structured", "binary", "last"]
    name_of = {place: name for name, place in placed.items()}
    codes = {
        name_of[r["partition"], r["offset"]]: r["problem"]["code"] for r in await system.answers()
    }
    assert codes == {
        "tombstone": "message-without-value",
        "big": "body-too-large",
        "unknown type of content": "content-type-unsupported",
        "no content type": "content-type-unsupported",
        "batch": "content-type-unsupported",
        "no json": "json-invalid",
        "no utf-8": "json-utf16",
        "header no utf-8": "attribute-malformed",
        "attribute twice": "attribute-repeated",
        "source of another": "source-not-permitted",
        "identity in the open": "personal-data-in-clear",
        "other content": "event-conflict",
    }
    assert CCCD not in json.dumps(await system.receipts())
    stored = await system.pool.fetch("SELECT convert_from(body, 'utf-8') AS b FROM intake_receipt")
    assert stored == []
    (lag,) = await lags(system.pool, system.clock.now(), system.partner)
    assert (lag.messages, lag.troubles, lag.waits_for) == (0, 0, None)
    done = lag.partitions[0]
    assert (done.accepted, done.duplicates, done.rejected) == (3, 1, 12)


@pytest.mark.parametrize("acks", ["all", "errors", "none"])
async def test_answers_as_the_partner_wants_them(system: System, acks: str) -> None:
    await system.enable(acks=acks)
    system.start()
    await system.topic_there()
    placed = await system.events(attended("a"), attended("b", type="vn.hocvuso.x"), attended("c"))
    await system.read_to_end()
    receipts = await system.receipts()
    wanted = {"all": {"a", "b", "c"}, "errors": {"b"}, "none": set()}[acks]
    answered = {r["id"]: r for r in receipts if "committed" not in r}
    assert answered.keys() == wanted
    for id, place in zip("abc", placed, strict=True):
        if id in answered:
            one = answered[id]
            assert (one["partition"], one["offset"]) == place and one["topic"] == system.topic
            assert one["source"] == SOURCE
            assert (one["position"] is None) == (id == "b")
    # Checkpoints say how far each partition is done, whatever else is wanted.
    last = {r["partition"]: r["committed"] for r in receipts if "committed" in r}
    assert last == await system.ends()


async def test_the_same_events_by_rest_at_once(system: System) -> None:
    await system.enable(acks="all")
    system.start()
    await system.topic_there()
    events = [attended(f"e{n}") for n in range(300)]
    key = Key("rest", system.partner, frozenset({"telecom"}))

    async def post() -> Counter[str]:
        found: Counter[str] = Counter()
        for at in range(0, len(events), 20):
            results = await system.door.take(
                [raw(e) for e in events[at : at + 20]], key, Path.REST, traceparent=None
            )
            found.update(r.status.value for r in results)
            await asyncio.sleep(0)
        return found

    rest, _ = await asyncio.gather(post(), system.events(*events))
    await system.read_to_end()
    assert sorted(await system.accepted()) == sorted(e["id"] for e in events)
    kafka = Counter(a["status"] for a in await system.answers())
    total = rest + kafka
    assert total == Counter(accepted=300, duplicate=300)


async def test_partners_are_noticed_changed_and_stopped_without_a_restart(system: System) -> None:
    system.start()
    await asyncio.sleep(0.3)
    await system.enable()
    await system.topic_there()
    await system.events(attended("one"))
    await system.read_to_end()
    await system.enable(sources=["https://elsewhere.example/"])
    await system.events(attended("two"))
    await system.read_to_end()
    assert await system.accepted() == ["one"]
    assert [a["problem"]["code"] for a in await system.answers()] == ["source-not-permitted"]
    await admin.disable(system.pool, system.partner, system.clock.now())

    async def disabled() -> bool:
        (lag,) = await lags(system.pool, system.clock.now(), system.partner)
        return lag.state == "disabled"

    await system.until(disabled)
    before = await system.positions()
    await system.events(attended("three"), attended("four"))
    await asyncio.sleep(2)
    assert await system.positions() == before
    await system.enable()
    await system.read_to_end()
    assert sorted(await system.accepted()) == ["four", "one", "three"]


class Hesitant(Door):
    """A door that refuses with each problem once, before it opens."""

    def __init__(self, door: Door, problems: Sequence[Problem]) -> None:
        self._door, self._problems = door, list(problems)

    async def take(self, *arguments: Any, **how: Any) -> Any:
        if self._problems:
            raise self._problems.pop(0)
        return await self._door.take(*arguments, **how)


async def test_overload_outage_and_quota_are_waited_out(system: System) -> None:
    await system.enable(acks="all")
    passing = [
        Problem("overloaded", "Too many.", status=503, retryable=True, retry_after=1),
        Problem("log-unavailable", "Gone.", status=503, retryable=True, retry_after=1),
        Problem("quota-exceeded", "Enough.", status=429, retry_after=1),
    ]
    system.start(door=Hesitant(system.door, passing))
    await system.topic_there()
    await system.events(*(attended(f"e{n}") for n in range(10)))
    seen: set[str | None] = set()

    async def done() -> bool:
        (lag,) = await lags(system.pool, system.clock.now(), system.partner)
        seen.add(lag.waits_for)
        return await system.positions() == await system.ends()

    await system.until(done)
    await system.read_to_end()
    assert {"overloaded", "log-unavailable", "quota-exceeded"} <= seen
    assert len(await system.accepted()) == 10
    assert Counter(a["status"] for a in await system.answers()) == Counter(accepted=10)
