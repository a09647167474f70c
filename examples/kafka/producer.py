"""A partner's first event over Kafka, and the answer to it.

    pip install aiokafka
    python producer.py --partner vnpt --servers broker.example:9093 \
        --username vnpt --password-file vnpt.password --ca-file ca.pem

Without --username it speaks PLAINTEXT, as the pilot on one machine does. Run it as often as you
like: the same ids are the same events. Exit codes: 0 all accepted or known, 2 some refused, 1 not all
answered.
"""

import argparse
import asyncio
import json
import ssl
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

VIETNAM = timezone(timedelta(hours=7))


def event(number: int, source: str, subject: str) -> dict[str, Any]:
    """One attendance. `id` is yours: the same id again is the same event, so resending is safe."""
    return {
        "specversion": "1.0",
        "id": f"example-{number:06}",
        "source": source,
        "type": "vn.hocvuso.training.attended",
        "subject": subject,
        "time": datetime(2026, 6, 30, 9, 12, tzinfo=VIETNAM).isoformat(),
        "data": {
            "person": {"scheme": "cccd", "value": f"0660990{number:05}"},
            "target_groups": ["adult"],
        },
    }


def structured(made: dict[str, Any]) -> tuple[bytes, list[tuple[str, bytes]]]:
    """Structured mode: the whole event is the value."""
    return json.dumps(made).encode(), [("content-type", b"application/cloudevents+json")]


def binary(made: dict[str, Any]) -> tuple[bytes, list[tuple[str, bytes]]]:
    """Binary mode: attributes are headers with the prefix ce_, the data is the value."""
    attributes = [(f"ce_{name}", value.encode()) for name, value in made.items() if name != "data"]
    headers = [("content-type", b"application/json"), *attributes]
    return json.dumps(made["data"]).encode(), headers


def security(arguments: argparse.Namespace) -> dict[str, Any]:
    """How to speak to the brokers."""
    if arguments.username is None:
        return {}
    return {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": arguments.username,
        "sasl_plain_password": arguments.password_file.read_text().strip(),
        "ssl_context": ssl.create_default_context(cafile=arguments.ca_file),
    }


@dataclass
class Sent:
    """What this run sent: `mine` are (partition, offset), `ends` the offset after the last one."""

    mine: set[tuple[int, int]] = field(default_factory=set)
    ends: dict[int, int] = field(default_factory=dict)


@dataclass
class Outcome:
    """What became of it: `statuses` of answered messages, `waiting` of those nobody dealt with."""

    statuses: Counter[str] = field(default_factory=Counter)
    waiting: int = 0


async def send(arguments: argparse.Namespace) -> Sent:
    """Send the events."""
    producer = AIOKafkaProducer(
        bootstrap_servers=arguments.servers,
        acks="all",
        enable_idempotence=arguments.idempotent,
        **security(arguments),
    )
    await producer.start()
    sent = Sent()
    try:
        for number in range(arguments.count):
            made = event(number, arguments.source, arguments.subject)
            value, headers = (binary if number % 2 else structured)(made)
            # No key: it would lie in clear on the topic. Order does not matter to hocvuso.
            done = await producer.send_and_wait(
                f"hocvuso.intake.{arguments.partner}.v1", value, headers=headers
            )
            sent.mine.add((done.partition, done.offset))
            sent.ends[done.partition] = done.offset + 1
    finally:
        await producer.stop()
    return sent


async def wait(consumer: AIOKafkaConsumer, sent: Sent, seconds: float) -> Outcome:
    """Print the refusals of what was sent, until all of it is dealt with or the time is over."""
    outcome, answered, left = Outcome(), set[tuple[int, int]](), dict(sent.ends)
    until = time.monotonic() + seconds
    while left and time.monotonic() < until:
        for messages in (await consumer.getmany(timeout_ms=500)).values():
            for message in messages:
                receipt = json.loads(message.value)
                partition = receipt["partition"]
                if receipt.get("committed", -1) >= sent.ends.get(partition, 1 << 62):
                    left.pop(partition, None)
                    continue
                # Receipts of other runs and processes of this partner come on the same topic, and
                # each may come twice.
                at = partition, receipt.get("offset")
                if at not in sent.mine or at in answered:
                    continue
                answered.add(at)
                outcome.statuses[receipt["status"]] += 1
                if receipt["status"] == "rejected":
                    problem = receipt["problem"]
                    print(receipt["id"], problem["detail"], problem.get("hint", ""))
    outcome.waiting = sum(partition in left for partition, _ in sent.mine - answered)
    return outcome


async def run(arguments: argparse.Namespace) -> int:
    """Send, and say what became of it; the exit code."""
    topic = f"hocvuso.receipts.{arguments.partner}.v1"
    consumer = AIOKafkaConsumer(
        bootstrap_servers=arguments.servers, enable_auto_commit=False, **security(arguments)
    )
    await consumer.start()
    try:
        if topic not in await consumer.topics():
            print(f"There is no topic {topic}. Is the partner enabled (hocvuso intake enable)?")
            return 1
        # From here on, before anything is sent: what was answered earlier is of other messages.
        # A consumer of no group reads all partitions, once it has seen which there are.
        consumer.subscribe([topic])
        async with asyncio.timeout(60):
            while not consumer.assignment():  # noqa: ASYNC110 - the client tells it in no other way
                await asyncio.sleep(0.05)
        await consumer.seek_to_end()
        for partition in consumer.assignment():
            await consumer.position(partition)
        sent = await send(arguments)
        outcome = await wait(consumer, sent, arguments.wait)
    finally:
        await consumer.stop()
    refused = outcome.statuses["rejected"]
    fine = arguments.count - refused - outcome.waiting
    told = ", ".join(f"{name} {n}" for name, n in outcome.statuses.items() if name != "rejected")
    print(
        f"sent {arguments.count}, refused {refused}, accepted or known before {fine}"
        + (f" ({told})" if told else "")
    )
    if outcome.waiting:
        print(f"{outcome.waiting} are not dealt with after {arguments.wait:g} s: they stay on the"
              " topic and will be; sending them again is safe.")  # fmt: skip
        return 1
    return 2 if refused else 0


def main() -> int:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--partner", required=True)
    parser.add_argument("--servers", default="127.0.0.1:9092")
    parser.add_argument("--source", help="default https://PARTNER.example/training")
    parser.add_argument("--subject", default="24133", help="code of a commune")
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--wait", type=float, default=60, help="seconds to wait for the answers")
    parser.add_argument("--username")
    parser.add_argument("--password-file", type=Path)
    parser.add_argument("--ca-file", type=Path)
    parser.add_argument(
        "--no-idempotence", dest="idempotent", action="store_false", help="for the embedded broker"
    )
    arguments = parser.parse_args()
    arguments.source = arguments.source or f"https://{arguments.partner}.example/training"
    return asyncio.run(run(arguments))


if __name__ == "__main__":
    sys.exit(main())
