"""While the database is away, streams and pages say so, each in its own way."""

import errno
from collections.abc import Callable
from typing import NoReturn

import pytest

from tests.registry.conftest import Running


class Away:
    """A pool of whose connections there is none."""

    def __getattr__(self, name: str) -> Callable[..., NoReturn]:
        def refused(*_: object, **__: object) -> NoReturn:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")

        return refused


@pytest.fixture
def away(registry: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry.app.state.registry, "pool", Away())


@pytest.mark.parametrize(
    ("address", "accept"), [("/v1/nation", "text/csv"), ("/v1/changes", "text/event-stream")]
)
async def test_a_stream_says_it_at_once(
    registry: Running, away: None, address: str, accept: str
) -> None:
    answer = await registry.client.get(address, headers={"Accept": accept})
    assert (answer.status_code, answer.json()["code"]) == (503, "database-unavailable")
    assert answer.headers["Retry-After"] == "5"


@pytest.mark.parametrize(
    "address",
    [
        "/plans/dak-lak-2026",
        "/plans/dak-lak-2026/objectives/adults-certified-vneid",
        "/plans/dak-lak-2026/units/24133",
    ],
)
async def test_a_page_says_it_in_words(registry: Running, away: None, address: str) -> None:
    answer = await registry.client.get(address, headers={"Accept": "text/html"})
    assert answer.status_code == 503 and answer.headers["Content-Type"].startswith("text/html")
    assert "Cơ sở dữ liệu chưa trả lời; hãy thử lại sau ít phút." in answer.text
    assert answer.headers["Retry-After"] == "5"
