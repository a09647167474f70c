"""How long fetches wait: long where the broker answers at once, by the silence where it does not."""

from types import SimpleNamespace
from typing import Any

import pytest

from deploy.local.broker import long_polls
from shared import kafka
from shared.broker import Broker
from shared.settings import CommonSettings


def waiting(servers: Broker | str, now: list[float], monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(kafka, "monotonic", lambda: now[0])
    consumer = SimpleNamespace(_fetcher=SimpleNamespace(_fetch_max_wait_ms=kafka.SHORT_WAIT_MS))
    return kafka.Waiting(consumer, servers), consumer._fetcher  # type: ignore[arg-type]


def test_a_broker_without_long_polls_is_asked_less_the_longer_it_was_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    one, fetcher = waiting("broker:1", now, monkeypatch)
    seen = []
    for seconds in (0.0, 0.1, 1.0, 4.0, 60.0):
        now[0] = seconds
        one.heard(rows=False)
        seen.append(fetcher._fetch_max_wait_ms)
    assert seen == [20, 20, 50, 200, 500]
    one.heard(rows=True)
    assert fetcher._fetch_max_wait_ms == kafka.SHORT_WAIT_MS
    one.quiet()
    assert fetcher._fetch_max_wait_ms == kafka.QUIET_WAIT_MS


def test_a_broker_with_long_polls_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    one, fetcher = waiting(Broker("broker:1", long_poll=True), [0.0], monkeypatch)
    one.quiet()
    assert fetcher._fetch_max_wait_ms == kafka.SHORT_WAIT_MS


def test_aiokafka_still_reads_the_time_for_each_fetch() -> None:
    """It is not public: a newer version may do otherwise."""
    import inspect

    from aiokafka.consumer.fetcher import Fetcher

    assert "self._fetch_max_wait_ms" in inspect.getsource(Fetcher._get_actions_per_node)


def test_only_the_embedded_broker_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not long_polls({})
    assert long_polls({"KAFKA_BOOTSTRAP_SERVERS": "kafka:9092"})
    assert long_polls({"HOCVUSO_KAFKA_HOME": "/opt/kafka"})
    assert not long_polls({"HOCVUSO_KAFKA_LONG_POLL": "0", "KAFKA_BOOTSTRAP_SERVERS": "k:1"})
    assert CommonSettings().broker().long_poll
    monkeypatch.setenv("HOCVUSO_KAFKA_LONG_POLL", "0")
    assert not CommonSettings().broker().long_poll
