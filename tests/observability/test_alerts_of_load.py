"""Alerts that need events in plenty, a rebuild that hangs, or an intake that cannot write."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import httpx
import pytest
import yaml
from aiokafka import AIOKafkaProducer

from deploy.local.stack import LocalStack
from tests.activities.fake import BATCH, event
from tests.activities.posting import UNITS, unit
from tests.observability.alerts import post, prometheus, stack
from tests.observability.watched import Prometheus

__all__ = ["prometheus", "stack"]  # fixtures

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(600)]
PLAN = Path(__file__).parents[2] / "plans/dong-nai-2026.yaml"
"""Another than the one that the stack has loaded: that one would need no new measure."""
LOCKED = "LOCK TABLE activities.log IN ACCESS EXCLUSIVE MODE"
REBUILDING = "SELECT pg_advisory_xact_lock(hashtext('hocvuso-metrics-rebuild'))"
PARTNER, SOURCE = "viettel", "https://viettel.example/training"


@asynccontextmanager
async def forgotten(stack: LocalStack, statement: str) -> AsyncIterator[None]:
    """A session that somebody left open after this statement."""
    connection = await asyncpg.connect(stack.superuser_url)
    try:
        async with connection.transaction():
            await connection.execute(statement)
            yield
    finally:
        await connection.close()


def headers(stack: LocalStack, kind: str = "application/json") -> dict[str, str]:
    key = stack.home.admin_key.read_text().strip()
    return {"Authorization": f"Bearer {key}", "Content-Type": kind}


async def test_events_wait_for_the_log_and_posts_are_slow(
    stack: LocalStack, prometheus: Prometheus
) -> None:
    units = [unit(*u) for u in UNITS]
    first = await asyncio.to_thread(post, stack, *units)
    assert first.json()["accepted"] + first.json()["duplicates"] == len(units), first.text
    await asyncio.to_thread(prometheus.wait_for_quiet, "all is well")
    person = {"scheme": "account", "value": "somebody"}
    data = {"person": person, "target_groups": ["adult"], "platform": "vneid"}
    bodies = [
        json.dumps([event(id=f"load-{n}-{m}", data=data) for m in range(1000)]) for n in range(18)
    ]
    async with httpx.AsyncClient(
        headers=headers(stack, BATCH), timeout=90, trust_env=False
    ) as client:
        address = f"{stack.urls['activities']}/v1/events"
        async with forgotten(stack, LOCKED):
            posting = [asyncio.create_task(client.post(address, content=b)) for b in bodies]
            await asyncio.to_thread(
                prometheus.wait_for, {"AppendBacklog"}, "the log is held and events wait"
            )
        # Now they are written, each after it has waited.
        await asyncio.to_thread(prometheus.wait_for, {"PostSlow"}, "posts have waited")
        answers = [(await task).status_code for task in posting]
    assert set(answers) <= {200, 207, 503}, answers


async def test_a_rebuild_that_hangs(stack: LocalStack, prometheus: Prometheus) -> None:
    """A plan needs new measures once facts are counted; another rebuild holds the lock for good."""
    units = [unit(*u) for u in UNITS]
    fact = await asyncio.to_thread(post, stack, *units, event(id="one-fact"))
    assert fact.json()["rejected"] == 0, fact.text
    await _counted(stack)
    document = yaml.safe_load(PLAN.read_text())
    plan = event(
        id="a-plan", type="vn.hocvuso.plan.published", subject=document["unit"],
        data={"plan": document["id"], "version": document["version"], "document": document},
    )  # fmt: skip
    async with forgotten(stack, REBUILDING):
        answer = await asyncio.to_thread(post, stack, plan)
        assert answer.json()["accepted"] == 1, answer.text
        await asyncio.to_thread(prometheus.wait_for, {"RebuildStuck"}, "a rebuild hangs")
        assert prometheus.values("max(hocvuso_rebuild_measures)")[0] > 0
    deadline = time.monotonic() + 60
    while prometheus.values("max(hocvuso_rebuild_measures)") != [0.0]:
        assert time.monotonic() < deadline, "nothing was built after the lock was let go"
        await asyncio.sleep(0.5)


async def _counted(stack: LocalStack) -> None:
    """Until the fact is counted, by the database: what was scraped last may be from before it."""
    deadline = time.monotonic() + 90
    connection = await asyncpg.connect(stack.superuser_url)
    try:
        while not await connection.fetchval(
            "SELECT max(last) FROM metrics.progress WHERE lane < 64"
        ):
            assert time.monotonic() < deadline, "the fact was not counted"
            await asyncio.sleep(0.2)
    finally:
        await connection.close()


async def test_an_intake_that_cannot_write_falls_behind(
    stack: LocalStack, prometheus: Prometheus
) -> None:
    order = {"roles": ["telecom"], "sources": [SOURCE], "subtree": "VN@2025", "partitions": 1}
    async with httpx.AsyncClient(headers=headers(stack), timeout=60, trust_env=False) as client:
        enabled = await client.put(
            f"{stack.urls['activities']}/v1/intake/{PARTNER}", json=order
        )  # fmt: skip
    assert enabled.status_code == 200, enabled.text
    deadline = time.monotonic() + 60
    reading = f'max(hocvuso_intake_reading{{hocvuso_partner="{PARTNER}"}})'
    while prometheus.values(reading) != [1.0]:
        assert time.monotonic() < deadline, "the topic is not read"
        await asyncio.sleep(0.5)
    producer = AIOKafkaProducer(bootstrap_servers=stack.bootstrap_servers)
    await producer.start()
    try:
        async with forgotten(stack, LOCKED):
            await producer.send_and_wait(
                f"hocvuso.intake.{PARTNER}.v1", json.dumps(event(source=SOURCE)).encode(),
                headers=[("content-type", b"application/cloudevents+json")],
            )  # fmt: skip
            await asyncio.to_thread(prometheus.wait_for, {"IntakeBehind"}, "the log is held")
    finally:
        await producer.stop()
