"""Looking regularly at what only a database or a service knows, to measure it."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

from shared.instruments import LOOK_FAILURES, LOOK_OK

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
_AGAIN_SECONDS = 1.0
"""After a look that failed: at a start one is early for what is looked at."""
_LOOK_TIMEOUT = 4.0


async def look_forever(
    name: str, once: Callable[[], Awaitable[None]], seconds: float = LOOK_SECONDS
) -> None:
    """Run `once` regularly, sooner after a failure; says whether it succeeded."""
    well = True
    while True:
        try:
            async with asyncio.timeout(_LOOK_TIMEOUT):
                await once()
        except Exception as error:
            if well:
                log.warning("%s cannot be measured: %s: %s", name, type(error).__name__, error)
            well = False
            LOOK_FAILURES.add(1, name)
        else:
            well = True
        LOOK_OK.set(int(well), name)
        await asyncio.sleep(seconds if well else min(seconds, _AGAIN_SECONDS))


@contextlib.asynccontextmanager
async def looking(
    name: str, once: Callable[[], Awaitable[None]], seconds: float = LOOK_SECONDS
) -> AsyncIterator[None]:
    """`look_forever` while the block runs."""
    task = asyncio.create_task(look_forever(name, once, seconds), name=f"look at {name}")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
