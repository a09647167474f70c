"""Running long-lived tasks: stop on SIGTERM, restart a failed loop with back-off and jitter."""

import asyncio
import logging
import random
import signal
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

log = logging.getLogger(__name__)

STOP_SECONDS = 8
"""How long a process may drain after SIGTERM; the supervisor kills it after ten."""


async def forever(
    name: str,
    once: Callable[[], Awaitable[None]],
    *,
    first_wait_s: float = 0.2,
    longest_wait_s: float = 10,
) -> None:
    """Run `once` again whenever it ends or fails, until cancelled.

    Failures are logged and waited out with exponential back-off and full jitter; a run of more
    than a minute counts as recovered.
    """
    wait = first_wait_s
    loop = asyncio.get_running_loop()
    while True:
        started = loop.time()
        try:
            await once()
        except (Exception, asyncio.CancelledError) as error:
            task = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and task and task.cancelling():
                raise
            # A cancellation that nobody asked of this task leaked out of a library whose own
            # tasks were cancelled: it must not end the loop silently.
            if loop.time() - started > 60:
                wait = first_wait_s
            log.warning(
                "%s failed, next try within %.1f s: %s: %s",
                name,
                wait,
                type(error).__name__,
                error,
                exc_info=log.isEnabledFor(logging.DEBUG),
            )
        else:
            wait = first_wait_s
        await asyncio.sleep(random.uniform(wait / 2, wait))  # noqa: S311 - jitter, not a secret
        wait = min(wait * 2, longest_wait_s)


def run_until_stopped(main: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    """Run `main(stop)` in a new event loop; SIGTERM and SIGINT set `stop`."""

    async def body() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for sign in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sign, stop.set)
        work = asyncio.create_task(main(stop))
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
        # `main` drains by itself once `stop` is set, unless it still waits for its database.
        await asyncio.wait({work}, timeout=STOP_SECONDS)
        stopped.cancel()
        if not work.done():
            work.cancel()
            await asyncio.wait({work}, timeout=1)
        elif not work.cancelled():
            work.result()

    try:
        import uvloop
    except ImportError:
        asyncio.run(body())
    else:
        uvloop.run(body())
