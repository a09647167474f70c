"""Kafka: reachable, with the topics that the system needs, kept long enough and not too long."""

import asyncio
import logging
from collections.abc import Mapping

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, SaslAuthenticationFailed, UnsupportedSaslMechanismError

from deploy.doctor.model import Finding, fail, ok, skip, warn
from shared.broker import options_of
from shared.contracts import topics
from shared.kafka import start
from shared.settings import CommonSettings

_TIMEOUT = 8.0
_DAY_MS = 24 * 3600 * 1000
_DEFAULT_MS = 7 * _DAY_MS
_INTAKE_MOST_DAYS = 7


async def check_broker(settings: CommonSettings) -> list[Finding]:
    """Topics and how long they keep what they hold."""
    try:
        async with asyncio.timeout(_TIMEOUT):
            return await _look(settings)
    except (SaslAuthenticationFailed, UnsupportedSaslMechanismError) as error:
        return [
            fail(
                "Kafka", f"{settings.kafka_bootstrap_servers} does not let us in"
                f" ({type(error).__name__})",
                "mend HOCVUSO_KAFKA_USERNAME, the content of HOCVUSO_KAFKA_PASSWORD_FILE or"
                " HOCVUSO_KAFKA_SASL_MECHANISM; meanwhile events are taken and counted, more slowly",
            )
        ]  # fmt: skip
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
    await start(admin, settings.broker())
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
        said = "kafka_partitions" in settings.model_fields_set
        if said and partitions not in (0, settings.kafka_partitions):
            found.append(
                warn(
                    "partitions", f"{topics.LOG} has {partitions}, the settings say"
                    f" {settings.kafka_partitions}",
                    "the topic's number holds; set HOCVUSO_KAFKA_PARTITIONS to it",
                )
            )  # fmt: skip
        ours = (topics.LOG, topics.PROGRESS)
        judged = [n for n in names if n in ours or n.startswith(topics.intake("")[:-4])]
        try:
            configs = await _configs(admin, judged)
            copies = {
                topic["topic"]: [(len(p["replicas"]), len(p["isr"])) for p in topic["partitions"]]
                for topic in await admin.describe_topics(judged)
            }
            return found + judge(configs) + judge_copies(copies, configs)
        except (KafkaError, OSError, KeyError, ValueError) as error:
            return [
                *found, skip("topics", f"their settings cannot be read ({type(error).__name__})"),
            ]  # fmt: skip
    finally:
        await admin.close()


async def _configs(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    """The settings of topics, by name."""
    if not names:
        return {}
    answers = await admin.describe_configs(
        [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    )
    return {
        resource[3]: {entry[0]: entry[1] or "" for entry in resource[4]}
        for answer in answers
        for resource in answer.resources
    }


def judge(configs: Mapping[str, Mapping[str, str]]) -> list[Finding]:
    """What the topics' settings mean. Pure. A broker that says nothing of one means its default."""
    found = []
    for name, said in sorted(configs.items()):
        days = int(said.get("retention.ms", _DEFAULT_MS)) / _DAY_MS
        compacts = "compact" in said.get("cleanup.policy", "delete")
        intake = name.startswith(topics.intake("")[:-4])
        if compacts:
            what = "messages with equal keys vanish, unread" if intake else "rows vanish from it"
            found.append(
                (fail if intake else warn)(
                    "topics", f"{name} is compacted: {what}",
                    f"set cleanup.policy=delete for {name}"
                    + (", and ask the partner what is missing (docs/runbooks.md)" if intake else ""),
                )
            )  # fmt: skip
        if intake and not 0 <= days <= _INTAKE_MOST_DAYS:
            found.append(
                warn(
                    "intake topics", f"{name} keeps raw identifiers longer than"
                    f" {_INTAKE_MOST_DAYS} days",
                    f"set retention.ms to at most {_INTAKE_MOST_DAYS * _DAY_MS}",
                )
            )  # fmt: skip
        if not intake and 0 <= days < 1:
            found.append(
                warn(
                    "topics", f"{name} keeps its messages for less than a day",
                    f"set retention.ms to {_DEFAULT_MS}: projections that fall behind read the log"
                    " instead, more slowly",
                )
            )  # fmt: skip
    if configs and not found:
        found.append(ok("topics", f"the settings of {len(configs)} are as they should be"))
    return found


def judge_copies(
    copies: Mapping[str, list[tuple[int, int]]], configs: Mapping[str, Mapping[str, str]]
) -> list[Finding]:
    """What the numbers of copies mean: per topic, of each partition all and those in sync. Pure."""
    found = []
    for name, partitions in sorted(copies.items()):
        least = int(configs.get(name, {}).get("min.insync.replicas") or 1)
        made = min((replicas for replicas, _ in partitions), default=1)
        alive = min((isr for _, isr in partitions), default=1)
        if made < least:
            found.append(
                fail(
                    "copies", f"{name} has {made} copies and wants {least} of them in sync"
                    " (min.insync.replicas): nothing can be written to it",
                    f"more replicas (kafka-reassign-partitions), or min.insync.replicas={made}",
                )
            )  # fmt: skip
        elif alive < least:
            found.append(
                fail(
                    "copies", f"{alive} of {made} copies of {name} are in sync, {least} are wanted:"
                    " nothing can be written to it",
                    "start the brokers that are missing; meanwhile events are taken and counted,"
                    " more slowly",
                )
            )  # fmt: skip
        elif alive < made:
            found.append(
                warn("copies", f"{alive} of {made} copies of {name} are in sync",
                     "start the brokers that are missing")
            )  # fmt: skip
    return found
