"""Kafka: reachable, with the topics that the system needs, kept long enough and not too long."""

import asyncio
import logging
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from deploy.doctor.model import Finding, fail, ok, skip, warn
from shared.broker import options_of
from shared.contracts import topics
from shared.settings import CommonSettings

_TIMEOUT = 8.0
_DAY_MS = 24 * 3600 * 1000
_INTAKE_MOST_DAYS = 7


async def check_broker(settings: CommonSettings) -> list[Finding]:
    """Topics and how long they keep what they hold."""
    try:
        async with asyncio.timeout(_TIMEOUT):
            return await _look(settings)
    except (KafkaError, OSError, TimeoutError) as error:
        return [
            fail(
                "Kafka", f"cannot be reached at {settings.kafka_bootstrap_servers}"
                f" ({type(error).__name__})",
                "start the broker or mend HOCVUSO_KAFKA_BOOTSTRAP_SERVERS; meanwhile events are"
                " taken and counted, more slowly",
            )
        ]  # fmt: skip


async def _look(settings: CommonSettings) -> list[Finding]:
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    admin = AIOKafkaAdminClient(
        **options_of(settings.broker()), request_timeout_ms=5000, client_id="hocvuso-doctor"
    )
    await admin.start()
    try:
        names = sorted(await admin.list_topics())
        found = [
            fail(
                "Kafka", f"the topic {name} does not exist", "start the relay: it makes the topics"
            )
            for name in (topics.LOG, topics.PROGRESS)
            if name not in names
        ]
        described = await admin.describe_topics([n for n in names if n == topics.LOG])
        partitions = len(described[0]["partitions"]) if described else 0
        if not found:
            found.append(
                ok("Kafka", f"{len(names)} topics; {topics.LOG} has {partitions} partitions")
            )
        found += await _intakes(admin, [n for n in names if n.startswith("hocvuso.intake.")])
        return found
    finally:
        await admin.close()


async def _intakes(admin: AIOKafkaAdminClient, names: list[str]) -> list[Finding]:
    """Intake topics hold raw identifiers: they must not keep them for long."""
    if not names:
        return []
    try:
        answers = await admin.describe_configs(
            [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
        )
    except (KafkaError, OSError, KeyError, ValueError) as error:
        return [skip("intake topics", f"their settings cannot be read ({type(error).__name__})")]
    kept = {}
    for answer in answers:
        for resource in answer.resources:
            values: dict[str, Any] = {entry[0]: entry[1] for entry in resource[4]}
            kept[resource[3]] = int(values.get("retention.ms", -1))
    long = [n for n, ms in kept.items() if ms < 0 or ms > _INTAKE_MOST_DAYS * _DAY_MS]
    if long:
        return [
            warn(
                "intake topics", f"keep raw identifiers longer than {_INTAKE_MOST_DAYS} days:"
                f" {', '.join(long)}",
                f"set retention.ms to at most {_INTAKE_MOST_DAYS * _DAY_MS}",
            )
        ]  # fmt: skip
    return [ok("intake topics", f"{len(names)}, none keeps longer than {_INTAKE_MOST_DAYS} days")]
