"""Steps of tests that restart processes."""

import asyncio

import httpx

from tests.activities.posting import UNITS, send, unit
from tests.deploy.serving import Poster


async def with_units(url: str, key: str) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:
        answer = await send(client, key, [unit(*u) for u in UNITS])
    assert answer["accepted"] == len(UNITS), answer


async def until(poster: Poster, number: int) -> None:
    while len(poster.answered) < number:
        await asyncio.sleep(0.02)
