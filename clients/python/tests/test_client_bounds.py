"""Bounded in time, clear about refusals and wrong addresses, and nobody's number left in clear."""

import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from service import Service, cut

from hocvuso_client import (
    AsyncClient,
    Client,
    Direct,
    EventsRefused,
    NotDelivered,
    Unreachable,
    WrongService,
)
from hocvuso_client.masking import masked

CCCD = "066099000001"
NAME = "Nguyễn Văn Độc Nhất"
REFUSAL = {"code": "unit-unknown", "detail": "No such unit.", "status": 422}
PERSON = {
    "person": {"scheme": "cccd", "value": CCCD},
    "trainer": NAME,
    "note": f"gọi 0905 000 001, {CCCD}",
    "target_groups": ["adult"],
    "age": 40,
    "numbers": [66099000001],
}


def client(service: Any, **how: Any) -> Client:
    return Client(
        "http://x", "key", source="https://s.example/a",
        transport=httpx.MockTransport(service), **how,
    )  # fmt: skip


def refuse(_: dict[str, Any]) -> dict[str, Any]:
    return REFUSAL


@pytest.fixture
def refusing() -> Service:
    service = Service()
    service.refuse = refuse
    return service


@pytest.fixture
def away() -> Service:
    service = Service()
    service.before = [cut] * 10_000
    return service


def test_a_refusal_raises_from_flush_once(refusing: Service) -> None:
    with client(refusing) as one:
        made = one.emit(PERSON, type="training.attended", subject="1", id="mine-1")
        with pytest.raises(
            EventsRefused, match=r"1 events were refused.*mine-1.*unit-unknown"
        ) as e:
            one.flush()
        assert [result.id for result in e.value.refused] == [made.id] == ["mine-1"]
        assert one.flush().rejected == 1  # told once
        one.emit(PERSON, type="training.attended", subject="1", id="mine-2")
        assert one.flush(check=False).rejected == 2
        with pytest.raises(EventsRefused, match="mine-2"):
            one.flush()


def test_leaving_with_raises_what_nobody_was_told(refusing: Service) -> None:
    with pytest.raises(EventsRefused), client(refusing) as one:
        one.emit(PERSON, type="training.attended", subject="1")


def test_what_breaks_the_block_is_not_hidden_by_a_refusal(
    refusing: Service, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(KeyError), client(refusing) as one:
        one.emit(PERSON, type="training.attended", subject="1")
        raise KeyError
    assert "were refused" in caplog.text


async def test_the_asyncio_client_raises_too(refusing: Service) -> None:
    with pytest.raises(EventsRefused):
        async with AsyncClient(
            "http://x", "k", source="https://s.example/a", transport=httpx.MockTransport(refusing)
        ) as one:
            await one.emit(PERSON, type="training.attended", subject="1")


def everything(folder: Path) -> Iterator[bytes]:
    for file in folder.iterdir():
        yield file.read_bytes()


@pytest.mark.parametrize("others_wait", [False, True])
def test_nobody_stays_in_clear_after_a_refusal(
    tmp_path: Path, refusing: Service, others_wait: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    if others_wait:
        refusing.before = [lambda _: None, *[cut] * 10_000]
    with client(refusing, spool=tmp_path / "s", max_batch=1, linger=0) as one:
        one.emit(PERSON, type="training.attended", subject="24133", id=f"of-{CCCD}")
        with pytest.raises(EventsRefused) as error:
            one.flush()
        if others_wait:
            one.emit({"participants": 3}, type="class.held", subject="24133")
            with pytest.raises(NotDelivered):
                one.flush(0.2)
        inside = list(everything(tmp_path / "s"))
    for text in [*inside, *everything(tmp_path / "s"), str(error.value).encode()]:
        assert CCCD.encode() not in text and NAME.encode() not in text and b"0905" not in text
    assert CCCD not in caplog.text
    (line,) = (tmp_path / "s" / "rejected.ndjson").read_text().splitlines()
    event = json.loads(line)["event"]
    assert event["subject"] == "24133" and event["data"]["target_groups"] == ["adult"]
    assert event["data"]["age"] == 40 and event["data"]["person"]["scheme"] == "cccd"


def test_what_an_earlier_version_left_in_clear_is_masked(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    folder.mkdir()
    event = {"id": "1", "source": "https://s.example/a", "data": PERSON}
    file = folder / "rejected.ndjson"
    file.write_text(json.dumps({"problem": REFUSAL, "event": event}, ensure_ascii=False) + "\n{to")
    client(Service(), spool=folder).close()
    (line,) = file.read_text().splitlines()
    assert json.loads(line) == {"problem": REFUSAL, "event": masked(event)}
    assert CCCD not in line and NAME not in line


def test_masking_keeps_ids_that_are_uuids() -> None:
    made = "018f3c5e-1234-7123-8123-123456789012"
    assert masked({"id": made, "data": {}}) == {"id": made, "data": {}}
    assert masked({"id": f"a-{CCCD}", "data": None}) == {"id": "a-***", "data": None}


def test_leaving_while_the_service_is_away_does_not_wait(tmp_path: Path, away: Service) -> None:
    tried = len(away.before)
    with client(away, spool=tmp_path / "s") as one:
        one.emit({"participants": 1}, type="class.held", subject="1")
    # Not one try after the other until the time is over: those that were, and one more.
    assert tried - len(away.before) <= 3
    with client(Service(), spool=tmp_path / "s") as two:
        assert two.flush().accepted == 1


def test_leaving_while_the_service_does_not_answer_ends_in_time(tmp_path: Path) -> None:
    def hang(_: httpx.Request) -> httpx.Response:
        time.sleep(3)
        return httpx.Response(503)

    one = client(hang, spool=tmp_path / "s", linger=0)
    one.emit({"participants": 1}, type="class.held", subject="1")
    one.close(timeout=0.2)
    # The worker still waits; it closes the spool itself when its request has ended.
    assert one._worker.stop(60)  # type: ignore[attr-defined]
    with client(Service(), spool=tmp_path / "s") as two:
        assert two.flush().accepted == 1


def test_direct_gives_up_when_its_patience_ends(away: Service) -> None:
    with (
        Direct("http://x", "k", transport=httpx.MockTransport(away)) as one,
        pytest.raises(Unreachable),
    ):
        one.receipt("https://s.example/a", "1", patience=0.05)


@pytest.mark.parametrize("title", ["hocvuso registry", "hocvuso metrics", "another service", None])
@pytest.mark.parametrize("answer", [404, 405, 200, 307])
def test_another_service_is_named(title: str | None, answer: int, tmp_path: Path) -> None:
    def other(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/openapi.json" and title is not None:
            return httpx.Response(200, json={"info": {"title": title}})
        return httpx.Response(answer, text="<html>")

    words = title.removeprefix("hocvuso ") if (title or "").startswith("hocvuso") else "is not the"
    with client(other, spool=tmp_path / "s") as one:
        one.emit({"participants": 1}, type="class.held", subject="1")
        with pytest.raises(NotDelivered, match=f"{words}.*address") as caught:
            one.flush()
        assert isinstance(caught.value.cause, WrongService)
        with pytest.raises(WrongService, match=words):
            one.deliver([b"{}"])
        with pytest.raises(WrongService, match=words):
            one.rights()


def test_a_receipt_that_is_not_there_is_not_another_service() -> None:
    from hocvuso_client import NotFound

    def activities(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/openapi.json":
            return httpx.Response(200, json={"info": {"title": "hocvuso activities"}})
        return httpx.Response(404, json={"code": "not-found", "detail": "No."})

    with client(activities) as one, pytest.raises(NotFound):
        one.receipt("https://s.example/a", "1")
