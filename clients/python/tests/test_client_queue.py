"""The queue of the blocking client: nothing lost, nothing twice, whatever the service does."""

import gzip
import json
import sqlite3
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from service import Service, cut, fine, says

from hocvuso_client import (
    Client,
    ClientClosed,
    EventsRefused,
    Forbidden,
    NotDelivered,
    QueueFull,
    Result,
    SpoolInUse,
    Throttled,
)
from hocvuso_client import answers as answers_module
from hocvuso_client.events import ClassHeld
from hocvuso_client.store import Spool


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    """Nobody waits in tests; what the service asked for is noted."""
    asked: list[float | None] = []

    def next_wait(self: Any, wanted: float | None = None) -> float:
        self.failures += 1
        asked.append(wanted)
        return 0.001

    monkeypatch.setattr(answers_module.Backoff, "next", next_wait)
    return asked


def client(service: Service, **how: Any) -> Client:
    how.setdefault("source", "https://s.example/a")
    return Client("http://x", "key", transport=httpx.MockTransport(service), **how)


def emit(to: Client, count: int, **how: Any) -> list[str]:
    return [to.emit(ClassHeld(participants=n), subject="24133", **how).id for n in range(count)]


def test_batches_are_full_compressed_and_in_order() -> None:
    service = Service()
    with client(service, max_batch=100, linger=60) as one:
        ids = emit(one, 250)
        counts = one.flush(20)
        assert counts.accepted == 250 and one.waiting == 0
    assert [key[1] for key in service.log] == ids
    assert max(service.batches) == 100 and len(service.batches) <= 4
    assert service.requests[0].headers["content-encoding"] == "gzip"
    assert service.requests[0].headers["authorization"] == "Bearer key"


def test_bytes_bound_a_batch() -> None:
    service = Service()
    with client(service, max_batch_bytes=4_000, linger=60) as one:
        for n in range(20):
            one.emit({"note": "x" * 900, "n": n}, type="class.held", subject="1")
        one.flush(20)
    assert max(service.batches) <= 4 and sum(service.batches) == 20


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_it_tries_again_and_waits_as_told(status: int, quick: list[float | None]) -> None:
    service = Service()
    service.before = [says(status, {"Retry-After": "17"}, code="overloaded"), cut, fine]
    with client(service) as one:
        emit(one, 3)
        one.flush(20)
    assert len(service.log) == 3
    assert quick[:2] == [17.0, None]


def test_an_answer_lost_after_the_commit_makes_duplicates_only() -> None:
    service = Service()
    service.after = [cut, says(200, None, not_the="answer")]
    told: list[Result] = []
    with client(service, on_result=told.append, linger=60) as one:
        emit(one, 5)
        assert one.flush(20).duplicate == 5
    assert len(service.log) == 5
    assert [result.status for result in told] == ["duplicate"] * 5


def test_a_rejected_event_is_kept_aside_and_never_sent_again(tmp_path: Path) -> None:
    service = Service()
    problem = {"code": "unit-unknown", "detail": "No such unit.", "status": 422}
    service.refuse = lambda event: problem if event["data"]["participants"] == 1 else None
    told: list[Result] = []
    with client(service, spool=tmp_path / "spool", on_result=told.append, linger=60) as one:
        ids = emit(one, 3)
        with pytest.raises(EventsRefused):
            one.flush(20)
        counts = one.counts
    assert (counts.accepted, counts.rejected) == (2, 1) and sum(service.batches) == 3
    kept = [json.loads(x) for x in (tmp_path / "spool/rejected.ndjson").read_text().splitlines()]
    assert [(k["event"]["id"], k["problem"]) for k in kept] == [(ids[1], problem)]
    (rejected,) = [result for result in told if result.status == "rejected"]
    assert rejected.problem is not None and rejected.problem.code == "unit-unknown"


def test_a_result_that_may_pass_later_is_sent_again() -> None:
    service = Service()
    left = [3]

    def for_now(event: dict[str, Any]) -> dict[str, Any] | None:
        if event["data"]["participants"] == 0 and left[0]:
            left[0] -= 1
            return {"code": "units-changing", "status": 503, "retryable": True}
        return None

    service.refuse = for_now
    with client(service) as one:
        emit(one, 2)
        assert one.flush(20).rejected == 0
    assert len(service.log) == 2


def test_one_poisonous_event_is_found_among_many() -> None:
    service = Service()

    def poison(request: httpx.Request) -> httpx.Response | None:
        body = request.content
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        return (
            says(400, None, code="json-invalid")(request) if b'"participants":13}' in body else None
        )

    service.before = [poison] * 1_000
    with client(service, linger=60) as one:
        ids = emit(one, 40)
        with pytest.raises(EventsRefused):
            one.flush(20)
        counts = one.counts
    assert (counts.accepted, counts.rejected) == (39, 1)
    assert {key[1] for key in service.log} == set(ids) - {ids[13]}


def test_a_wrong_key_stops_flush_at_once_and_loses_nothing(tmp_path: Path) -> None:
    service = Service()
    service.before = [says(403, None, code="key-wrong", detail="The key is wrong.")]
    with client(service, spool=tmp_path / "s", linger=60) as one:
        emit(one, 2)
        with pytest.raises(NotDelivered, match=r"2 events .*kept in .*key-wrong") as caught:
            one.flush(60)
        assert isinstance(caught.value.cause, Forbidden) and caught.value.left == 2
        one.flush(20)  # the key was mended meanwhile
    assert len(service.log) == 2


def test_what_is_in_the_spool_is_sent_by_the_next_client_with_its_ids(tmp_path: Path) -> None:
    down = Service()
    down.before = [cut] * 10_000
    first = client(down, spool=tmp_path / "s")
    ids = emit(first, 7)
    first.close(timeout=0.05)
    up = Service()
    with client(up, spool=tmp_path / "s") as second:
        assert second.waiting + len(up.log) >= 7
        second.flush(20)
    assert [key[1] for key in up.log] == ids


def test_one_client_per_spool(tmp_path: Path) -> None:
    with client(Service(), spool=tmp_path / "s"), pytest.raises(SpoolInUse, match="in use"):
        client(Service(), spool=tmp_path / "s")
    client(Service(), spool=tmp_path / "s").close()


def test_the_spool_is_private_and_empty_when_all_is_sent(tmp_path: Path) -> None:
    with client(Service(), spool=tmp_path / "s", linger=60) as one:
        one.emit({"person": {"scheme": "cccd", "value": "066099000001"}}, type="x.y", subject="1")
        assert (tmp_path / "s").stat().st_mode & 0o777 == 0o700
        one.flush(20)
    for file in (tmp_path / "s").iterdir():
        assert file.stat().st_mode & 0o077 == 0
        assert b"066099000001" not in file.read_bytes()


def test_emit_waits_for_room() -> None:
    service, gate = Service(), threading.Event()

    def hold(_: httpx.Request) -> None:
        gate.wait(30)

    service.before = [hold]
    with client(service, max_waiting=5, linger=0) as one:
        emit(one, 5)
        with pytest.raises(QueueFull):
            emit(one, 1, timeout=0.05)
        gate.set()
        emit(one, 10, timeout=20)
        one.flush(20)
    assert len(service.log) == 15


def test_without_a_spool_closing_tells_what_is_left() -> None:
    service = Service()
    service.before = [cut] * 10_000
    one = client(service)
    emit(one, 2)
    with pytest.raises(NotDelivered, match="memory only"):
        one.close(timeout=0.05)
    with pytest.raises(ClientClosed):
        emit(one, 1)


def test_a_failing_callback_stops_nothing() -> None:
    service = Service()

    def fails(_: Result) -> None:
        raise RuntimeError

    with client(service, on_result=fails) as one:
        emit(one, 3)
        one.flush(20)
    assert len(service.log) == 3


def test_many_threads_emit() -> None:
    service = Service()
    with client(service, max_batch=50, max_waiting=60) as one:
        threads = [threading.Thread(target=emit, args=(one, 50)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        one.flush(20)
    assert len(service.log) == 400


def test_no_error_holds_the_data() -> None:
    service = Service()
    service.before = [cut] * 10_000
    one = client(service)
    one.emit({"person": {"scheme": "cccd", "value": "066099000001"}}, type="x.y", subject="1")
    with pytest.raises(NotDelivered) as caught:
        one.flush(0.05)
    chain: BaseException | None = caught.value
    while chain is not None:
        assert "066099000001" not in str(chain) + repr(chain)
        chain = chain.__cause__ or chain.__context__
    with pytest.raises(NotDelivered):
        one.close(0.05)


def test_a_quota_smaller_than_the_batch_makes_smaller_batches() -> None:
    service = Service()

    def quota(request: httpx.Request) -> httpx.Response | None:
        body = request.content
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        if len(json.loads(body)) <= 8:
            return None
        return says(429, None, code="quota-exceeded", retryable=False, limit=8)(request)

    service.before = [quota] * 1_000
    with client(service, linger=60) as one:
        emit(one, 40)
        assert one.flush(20).accepted == 40
        raws = [json.dumps(one.event({"n": n}, type="x.y")).encode() for n in range(20)]
        assert [result.status for result in one.deliver(raws)] == ["accepted"] * 20
    assert max(service.batches) == 8 and len(service.log) == 60


def test_who_waits_for_an_answer_is_not_kept_until_tomorrow() -> None:
    service = Service()
    service.before = [says(429, {"Retry-After": "40000"}, code="quota-exceeded", retryable=True)]
    with client(service) as one, pytest.raises(Throttled) as caught:
        one.deliver([b"{}"])
    assert caught.value.retry_after == 40_000


def test_a_disk_that_fails_for_a_while_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, left = Spool.remove, [3]

    def fails(self: Spool, events: Any) -> None:
        if left[0]:
            left[0] -= 1
            raise sqlite3.OperationalError("disk I/O error")
        original(self, events)

    monkeypatch.setattr(Spool, "remove", fails)
    service = Service()
    with client(service, spool=tmp_path / "s", linger=60) as one:
        emit(one, 5)
        one.flush(20)
        assert one.waiting == 0 and one.trouble is None
    assert len(service.log) == 5 and left == [0]
