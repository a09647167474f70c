"""Waiting for a broker: one that answers UnknownError for a while, and stopping meanwhile."""

import asyncio
import gc
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError, KafkaError, UnknownError

from services.activities.intake import outbox
from services.activities.intake.sender import Sender
from shared import kafka


class Refusing:
    """A producer whose first messages are refused."""

    def __init__(self, times: int, error: type[KafkaError] = UnknownError) -> None:
        self.times, self.error, self.sent = times, error, 0

    async def partitions_for(self, _: str) -> set[int]:
        return {0}

    async def send(self, *_: object, **__: object) -> "asyncio.Future[None]":
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.sent += 1
        if self.sent <= self.times:
            answer.set_exception(self.error())
        else:
            answer.set_result(None)
        return answer


async def test_other_errors_and_long_ones_are_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    refusing = Refusing(3, KafkaConnectionError)

    async def send() -> None:
        await (await refusing.send())

    with pytest.raises(KafkaConnectionError):
        await kafka.insisting(send)
    assert refusing.sent == 1
    monkeypatch.setattr(kafka, "REQUEST_TIMEOUT_MS", 500)
    refusing.times, refusing.error = 1_000_000, UnknownError
    with pytest.raises(UnknownError):
        await kafka.insisting(send)
    assert refusing.sent > 2


@pytest.mark.parametrize("times", [0, 5])
async def test_a_receipt_is_forgotten_once_the_broker_has_it(
    monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    dropped: list[int] = []
    producer = Refusing(times)

    async def waiting(*_: object) -> list[tuple[int, outbox.ReceiptMessage]]:
        return [(7, outbox.ReceiptMessage(0, None, b"{}"))]

    async def drop(_: object, numbers: list[int]) -> None:
        assert producer.sent > times
        dropped.extend(numbers)

    monkeypatch.setattr(outbox, "waiting_receipts", waiting)
    monkeypatch.setattr(outbox, "drop_receipts", drop)
    who = SimpleNamespace(name="p", receipts="receipts")
    sender = Sender(None, who, "")  # type: ignore[arg-type]
    assert await sender._send_some(producer)  # type: ignore[arg-type]
    assert dropped == [7]


async def test_what_is_stopped_while_it_waits_leaves_nothing_to_complain_of() -> None:
    loop = asyncio.get_running_loop()
    complaints: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    try:
        waiting = asyncio.create_task(kafka.acknowledged([loop.create_future()]))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        del waiting
        gc.collect()
        await asyncio.sleep(0)
    finally:
        loop.set_exception_handler(None)
    assert complaints == []
