"""What asyncio and threads do differently; `concurrency` has the same names for threads.

Everything else of the blocking client is made from the asyncio one (`clients/python/unasync.py`).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
sleep = asyncio.sleep


class Monitor(asyncio.Condition):
    """A condition whose waiting ends in time."""

    async def until(self, true: Callable[[], bool], timeout: float | None) -> bool:  # noqa: ASYNC109
        """Wait until `true()`; False when `timeout` seconds are over first."""
        try:
            async with asyncio.timeout(timeout):
                return await self.wait_for(true)
        except TimeoutError:
            return bool(true())

    async def pause(self, timeout: float | None) -> None:  # noqa: ASYNC109
        """Wait for a notification, at most `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self.wait()
        except TimeoutError:
            pass


class Worker:
    """One task beside the caller."""

    def __init__(self, run: Callable[[], Awaitable[None]]) -> None:
        self._run = run
        self._task: asyncio.Future[None] | None = None

    def start(self) -> None:
        """Start once; where no loop runs yet, at the next call."""
        if self._task is None:
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:
                return
            self._task = loop.create_task(_of(self._run), name="hocvuso-client")

    async def stop(self, timeout: float) -> bool:  # noqa: ASYNC109
        """End it; whether it has ended."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task], timeout=timeout)
            return self._task.done()
        return True


async def _of(run: Callable[[], Awaitable[None]]) -> None:
    await run()


async def in_thread(work: Callable[[], T], slow: bool) -> T:
    """Do some work, beside the loop when it is `slow`: it touches the disk."""
    return await asyncio.to_thread(work) if slow else work()
