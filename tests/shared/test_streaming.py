"""What is sent while it is made."""

from collections.abc import AsyncGenerator

import pytest

from shared.streaming import begun


async def test_all_parts_come_and_the_maker_is_closed_early() -> None:
    closed = []

    async def parts() -> AsyncGenerator[bytes]:
        try:
            for n in range(3):
                yield bytes([n])
        finally:
            closed.append(True)

    assert [part async for part in await begun(parts())] == [b"\x00", b"\x01", b"\x02"]
    assert closed == [True]
    half = await begun(parts())
    assert await anext(half) == b"\x00"
    await half.aclose()  # type: ignore[attr-defined]
    assert closed == [True, True]


async def test_what_fails_before_the_first_part_is_raised_at_once() -> None:
    async def parts() -> AsyncGenerator[bytes]:
        raise ConnectionRefusedError
        yield b""

    with pytest.raises(ConnectionRefusedError):
        await begun(parts())


async def test_nothing_at_all() -> None:
    async def parts() -> AsyncGenerator[bytes]:
        return
        yield b""

    assert [part async for part in await begun(parts())] == [b""]
