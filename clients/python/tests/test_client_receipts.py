"""Receipts, and waiting until an event is counted."""

from typing import Any

import httpx
import pytest

from hocvuso_client import BadAnswer, Direct, NotCounted, NotFound


def asked(*answers: tuple[int, Any]) -> Direct:
    """A client whose service gives these answers, one for each question."""
    left = list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        assert dict(request.url.params) == {"source": "https://s.example/a", "id": "1"}
        status, body = left.pop(0)
        return httpx.Response(status, json=body)

    return Direct("http://x", "k", transport=httpx.MockTransport(answer))


def body(status: str, **more: Any) -> dict[str, Any]:
    return {"source": "https://s.example/a", "id": "1", "status": status, "position": 5, **more}


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    found: list[float] = []
    monkeypatch.setattr("hocvuso_client.direct.sleep", found.append)
    return found


def test_it_asks_until_the_event_is_counted(pauses: list[float]) -> None:
    unknown = (404, {"code": "event-unknown"})
    client = asked(
        unknown, (200, body("accepted")), (200, body("published")),
        (200, body("counted", reason="counted", objectives=[{"plan": "p"}]))
    )  # fmt: skip
    receipt = client.wait_counted("https://s.example/a", "1")
    assert receipt.counted and receipt.objectives == ({"plan": "p"},)
    assert pauses == sorted(pauses) and len(pauses) == 3


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (body("parked"), "parked"),
        (body("rejected", position=None, problem={"code": "unit-unknown", "detail": "No unit."}),
         "unit-unknown: No unit."),
    ],
)  # fmt: skip
def test_what_will_not_count_is_told_at_once(
    answer: dict[str, Any], message: str, pauses: list[float]
) -> None:
    with pytest.raises(NotCounted, match=message) as caught:
        asked((200, answer)).wait_counted("https://s.example/a", "1")
    assert caught.value.receipt.status == answer["status"] and not pauses


def test_other_answers_are_errors() -> None:
    with pytest.raises(NotFound, match="event-unknown"):
        asked((404, {"code": "event-unknown"})).receipt("https://s.example/a", "1")
    with pytest.raises(BadAnswer):
        asked((200, ["?"])).receipt("https://s.example/a", "1")
