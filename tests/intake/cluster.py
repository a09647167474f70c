"""A secured Kafka cluster and the rights that our own processes need there."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from services.activities.intake.kafka import Kafka
from tests.intake.secure import Cluster

# What our own processes need: see docs/intake.md. (resource, name, pattern, operations)
TOPIC, CLUSTER, LITERAL, PREFIXED, ALLOW = 2, 4, 3, 4, 3

READ, WRITE, CREATE, ALTER, DESCRIBE, DESCRIBE_CONFIGS = 3, 4, 5, 7, 8, 10

OURS = [
    (TOPIC, "hocvuso.", PREFIXED, "User:hocvuso", "*", operation, ALLOW)
    for operation in (READ, WRITE, CREATE, DESCRIBE, DESCRIBE_CONFIGS)
] + [(CLUSTER, "kafka-cluster", LITERAL, "User:hocvuso", "*", ALTER, ALLOW)]


@pytest_asyncio.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    async with Cluster(tmp_path, Path(os.environ["HOCVUSO_KAFKA_HOME"])).running() as running:
        async with Kafka(running.user("broker")) as kafka:
            assert await kafka.allow(OURS) is None
        yield running
