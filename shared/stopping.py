"""Knowing that the process is told to stop, where an answer would otherwise go on for long.

uvicorn takes no new requests after SIGTERM and waits for those under way. Streams and server-sent
events have no end of their own: they ask here, say how far they are, and end.
"""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextlib.contextmanager
def told_to_stop() -> Iterator[asyncio.Event]:
    """An event that SIGTERM and SIGINT set, besides what they do already, while the block runs.

    To be entered when whoever runs the loop has installed its handlers (a lifespan's start).
    """
    event, loop = asyncio.Event(), asyncio.get_running_loop()
    if threading.current_thread() is not threading.main_thread():
        yield event  # signals come to the main thread only
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def stop(number: int, frame: FrameType | None) -> Any:
        loop.call_soon_threadsafe(event.set)
        then = before[signal.Signals(number)]
        if callable(then):
            return then(number, frame)
        if then is signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        return None

    for number in _SIGNALS:
        signal.signal(number, stop)
    try:
        yield event
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is stop:
                signal.signal(number, handler)


@contextlib.contextmanager
def ended_at_once() -> Iterator[None]:
    """SIGTERM ends the process at once while the block runs: nothing has begun, nothing is to drain.

    uvicorn heeds it only when the start is over, which may be never while a database is away.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
