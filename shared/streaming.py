"""Answers that are sent as they are made."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing


async def begun(parts: AsyncGenerator[bytes]) -> AsyncIterator[bytes]:
    """The parts, once the first is there: what fails before it can still be a problem of its own,
    what fails later can only end the answer in its middle."""
    first = await anext(parts, b"")

    async def rest() -> AsyncIterator[bytes]:
        async with aclosing(parts):
            yield first
            async for part in parts:
                yield part

    return rest()
