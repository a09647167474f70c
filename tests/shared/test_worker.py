"""`forever` ends only when it is itself cancelled."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

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


@pytest.mark.parametrize("module", ["services.activities.relay", "services.metrics.worker"])
def test_a_process_waits_for_its_database_and_still_stops(module: str) -> None:
    unused = "postgresql://nobody:x@127.0.0.1:1/none"
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=Path(__file__).parents[2],
        env={
            **os.environ,
            "HOCVUSO_ACTIVITIES_DATABASE_URL": unused,
            "HOCVUSO_METRICS_DATABASE_URL": unused,
        },
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    line = process.stderr.readline()
    assert "PostgreSQL is not there yet" in line
    process.terminate()
    assert process.wait(30) == 0
