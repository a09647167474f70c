"""A partner's first event over Kafka, and the answer to it.

    pip install aiokafka
    python producer.py --partner vnpt --servers broker.example:9093 \
        --username vnpt --password-file vnpt.password --ca-file ca.pem

Without --username it speaks PLAINTEXT, as the pilot on one machine does.
"""

import argparse
import asyncio
import json
import ssl
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

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


async def send(arguments: argparse.Namespace) -> dict[int, int]:
    """Send the events; for each partition the offset after the last one."""
    producer = AIOKafkaProducer(
        bootstrap_servers=arguments.servers,
        acks="all",
        enable_idempotence=arguments.idempotent,
        **security(arguments),
    )
    await producer.start()
    ends: dict[int, int] = {}
    try:
        for number in range(arguments.count):
            made = event(number, arguments.source, arguments.subject)
            value, headers = (binary if number % 2 else structured)(made)
            # No key: it would lie in clear on the topic. Order does not matter to hocvuso.
            done = await producer.send_and_wait(
                f"hocvuso.intake.{arguments.partner}.v1", value, headers=headers
            )
            ends[done.partition] = done.offset + 1
    finally:
        await producer.stop()
    return ends


async def wait(arguments: argparse.Namespace, ends: dict[int, int]) -> int:
    """Print what is refused, until all that was sent is dealt with; how many were refused."""
    topic = f"hocvuso.receipts.{arguments.partner}.v1"
    consumer = AIOKafkaConsumer(
        bootstrap_servers=arguments.servers,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        **security(arguments),
    )
    await consumer.start()
    refused, left = set(), dict(ends)
    try:
        consumer.assign([TopicPartition(topic, number) for number in ends])
        while left:
            for messages in (await consumer.getmany(timeout_ms=500)).values():
                for message in messages:
                    receipt = json.loads(message.value)
                    partition = receipt["partition"]
                    if receipt.get("committed", -1) >= ends.get(partition, 1 << 62):
                        left.pop(partition, None)
                    elif receipt.get("status") == "rejected":
                        refused.add((partition, receipt["offset"]))
                        print(receipt["id"], receipt["problem"]["detail"])
    finally:
        await consumer.stop()
    return len(refused)


def main() -> None:
    """Send, and wait for the answers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--partner", required=True)
    parser.add_argument("--servers", default="127.0.0.1:9092")
    parser.add_argument("--source", default="https://telecom.example/training")
    parser.add_argument("--subject", default="24133", help="code of a commune")
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--username")
    parser.add_argument("--password-file", type=Path)
    parser.add_argument("--ca-file", type=Path)
    parser.add_argument(
        "--no-idempotence", dest="idempotent", action="store_false", help="for the embedded broker"
    )
    arguments = parser.parse_args()
    ends = asyncio.run(send(arguments))
    refused = asyncio.run(wait(arguments, ends))
    print(f"sent {arguments.count}, refused {refused}; dealt with up to {ends}")


if __name__ == "__main__":
    main()
