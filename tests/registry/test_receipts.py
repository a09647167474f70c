"""What activities says to a question for a receipt, and what registry makes of it."""

from types import SimpleNamespace
from typing import cast

import httpx
import pytest

from services.registry.progress.receipts import receipt
from services.registry.state import State
from shared.auth import Principal
from shared.problems import Problem


def asked(status: int) -> State:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, json={"code": "x"}))
    client = httpx.AsyncClient(base_url="http://activities", transport=transport)
    return cast(State, SimpleNamespace(activities=client))


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (404, "event-unknown"),
        (422, "event-unknown"),
        (400, "event-unknown"),
        (503, "activities-not-available"),
        (500, "activities-not-available"),
        (401, "activities-not-available"),
    ],
)
async def test_only_a_service_that_is_away_is_away(status: int, code: str) -> None:
    with pytest.raises(Problem) as caught:
        await receipt(asked(status), cast(Principal, None), "a\0b", "1")
    assert caught.value.code == code
    assert caught.value.retryable is (code == "activities-not-available")
