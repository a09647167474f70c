"""The published vectors over Kafka: the same answers as on every other way in."""

import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
import pytest_asyncio

from deploy.local.stack import LocalStack
from services.activities.ingest.door import Path
from services.activities.keys.model import Key
from shared.clock import FixedClock
from tests.intake.conftest import STRUCTURED, Headers, System, binary, close, make_system
from tests.vectors.read import load, to_bytes
from tests.vectors.story import check
from tests.vectors.ways import Answer

pytestmark = pytest.mark.stack
STORY, REFUSED = load("story"), load("refused")
THEIRS = "police"
"""The partner of the story that posts over Kafka; the others post their steps elsewhere."""


@pytest_asyncio.fixture
async def system(infrastructure: LocalStack) -> AsyncIterator[System]:
    clock = FixedClock(datetime.fromisoformat(STORY["now"]))
    made = await make_system(infrastructure, infrastructure.bootstrap_servers, clock, units=False)
    yield made
    await close(made)


async def ask(system: System, messages: list[tuple[bytes, Headers]]) -> list[Answer]:
    """Send messages; the answer to each from the receipts topic."""
    places = await system.produce(*messages, partition=0)
    await system.read_to_end()
    said = {(r["partition"], r["offset"]): r for r in await system.answers()}
    found = [said[place] for place in places]
    return [
        Answer(r["status"], r.get("position"), r.get("problem"), r.get("warnings", []))
        for r in found
    ]


async def test_everything_that_must_be_refused(system: System) -> None:
    await system.enable(**REFUSED["key"], sources=None, acks="all")
    system.start()
    await system.topic_there()
    cases = [c for c in REFUSED["cases"] if to_bytes(c["input"])]
    answers = await ask(system, [(to_bytes(c["input"]), STRUCTURED) for c in cases])
    for case, answer in zip(cases, answers, strict=True):
        assert answer.problem is not None, case["name"]
        found = {name: answer.problem.get(name) for name in ("status", "code", "pointer")}
        assert found == {"pointer": None, **case["expected"]}, case["name"]
    assert await system.accepted() == []


@pytest.mark.parametrize("mode", ["structured", "binary"])
async def test_the_story(system: System, mode: str) -> None:
    rights = STORY["keys"][THEIRS]
    await system.enable(**rights, acks="all")
    system.start()
    await system.topic_there()
    keys = {
        name: Key(
            name, name, frozenset(k["roles"]), sources=k.get("sources") and tuple(k["sources"]),
            subtree=k.get("subtree"),
        )
        for name, k in STORY["keys"].items()
    }  # fmt: skip
    positions: dict[str, int | None] = {}
    waiting: list[dict[str, Any]] = []

    async def send() -> None:
        messages = [_message(step["event"], mode) for step in waiting]
        for step, answer in zip(waiting, await ask(system, messages), strict=True):
            positions[step["name"]] = answer.position
            check(step, answer, positions)
        waiting.clear()

    for step in STORY["steps"]:
        if step["by"] == THEIRS:
            waiting.append(step)
            continue
        if waiting:
            await send()
        body = json.dumps(step["event"]).encode()
        (result,) = await system.door.take([body], keys[step["by"]], Path.REST, traceparent=None)
        problem = result.problem.body() if result.problem else None
        answer = Answer(result.status.value, result.position, problem, list(result.warnings))
        positions[step["name"]] = answer.position
        check(step, answer, positions)
    await send()


def _message(event: dict[str, Any], mode: str) -> tuple[bytes, Headers]:
    if mode == "structured":
        return json.dumps(event, ensure_ascii=False).encode(), STRUCTURED
    value, headers = binary({k: v for k, v in event.items() if k != "datacontenttype"})
    return value, headers
