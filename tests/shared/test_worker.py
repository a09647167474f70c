"""`forever` ends only when it is itself cancelled."""

import asyncio

import pytest

from shared.worker import forever


async def test_a_cancellation_leaking_from_a_library_does_not_end_the_loop() -> None:
    runs = 0

    async def once() -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise asyncio.CancelledError  # as aiokafka does when its broker is gone
        if runs == 2:
            raise ValueError
        await asyncio.sleep(3600)

    task = asyncio.create_task(forever("test", once, first_wait_s=0.01))
    async with asyncio.timeout(10):
        while runs < 3:
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
