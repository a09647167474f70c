"""Ending tasks for sure: a cancellation may be swallowed by a library, so it is said again."""

import asyncio
from collections.abc import Collection
from typing import Any


async def end(tasks: Collection["asyncio.Task[Any]"]) -> None:
    """Cancel tasks until they are done; what they raise is left in them."""
    while left := {task for task in tasks if not task.done()}:
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=1)
