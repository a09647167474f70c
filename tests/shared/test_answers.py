"""Answers of other services are freed when nobody needs them, without the collector."""

import gc
import weakref

import httpx
import pytest

from shared import answers
from shared.garbage import calm_collector


@pytest.mark.parametrize("forgets", [True, False])
async def test_an_answer_does_not_wait_for_the_collector(forgets: bool) -> None:
    """Without `content` it does: when that is no longer so, `content` is not needed any more."""
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=b"x" * 100_000))
    gc.disable()
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://a") as client:
            answer = await client.get("/")
            body = answers.content(answer) if forgets else answer.content
            there = weakref.ref(answer)
            del answer
            assert len(body) == 100_000
            assert (there() is None) is forgets
    finally:
        gc.enable()


def test_the_collector_is_calm_where_it_was_told() -> None:
    before = gc.get_threshold()
    try:
        calm_collector()
        assert gc.get_threshold()[0] >= 100_000 and gc.isenabled()
    finally:
        gc.set_threshold(*before)
