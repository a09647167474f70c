"""Counters, gauges and histograms: what is measured is what is shown, in both text formats."""

import asyncio
import contextlib
import time
from types import SimpleNamespace

import httpx
import pytest
from opentelemetry.sdk.metrics.export import HistogramDataPoint, NumberDataPoint
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import SpanContext, TraceFlags
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain_text

from shared import exposition, instruments, looks
from shared.measuring import Measurements

SAMPLED = SpanContext(0xABC, 0xDEF, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
DROPPED = SpanContext(0x123, 0x456, is_remote=False, trace_flags=TraceFlags(TraceFlags.DEFAULT))


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Measurements:
    """Measurements of our own in place of the process's."""
    made = Measurements("test")
    monkeypatch.setattr(exposition, "MEASUREMENTS", made)
    return made


def samples(*, newer: bool = True) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    text = exposition.render(open_metrics=newer)
    parse = open_metrics if newer else plain_text
    return {
        (s.name, frozenset(s.labels.items())): s.value
        for family in parse(text)
        for s in family.samples
    }


@pytest.mark.parametrize("newer", [True, False])
def test_counters_add_up_per_attributes(own: Measurements, newer: bool) -> None:
    counter = own.counter("a.things", "{thing}", 'with "quotes" and \\', "a.kind", "a.who")
    counter.add(2, "x", 'name "1"\n')
    counter.add(3, "x", 'name "1"\n')
    counter.add(1, "y", None)
    found = samples(newer=newer)
    assert found["a_things_total", frozenset({("a_kind", "x"), ("a_who", 'name "1"\n')})] == 5
    assert found["a_things_total", frozenset({("a_kind", "y")})] == 1


def test_too_few_or_too_many_attributes_are_an_error(own: Measurements) -> None:
    own.counter("a.things", "{thing}", "", "a.kind").add(1)
    with pytest.raises(ValueError, match="zip"):
        list(own.collect())


def test_a_name_is_declared_once(own: Measurements) -> None:
    own.counter("a.things", "{thing}", "")
    with pytest.raises(ValueError, match="twice"):
        own.gauge("a.things", "{thing}", "")


def test_gauge_shows_the_newest_value_as_long_as_it_is_fresh(
    own: Measurements, monkeypatch: pytest.MonkeyPatch
) -> None:
    gauge = own.gauge("a.level", "s", "", fresh=30)
    gauge.set(True)  # a truth is a number in the text
    assert samples() == {("a_level_seconds", frozenset()): 1}
    gauge.set(2.5)
    assert samples() == {("a_level_seconds", frozenset()): 2.5}
    later = time.monotonic() + 31
    monkeypatch.setattr("shared.measuring.time", SimpleNamespace(
        monotonic=lambda: later, time_ns=time.time_ns))  # fmt: skip
    assert samples() == {}


@pytest.mark.parametrize("newer", [True, False])
def test_histogram_buckets_are_cumulative(own: Measurements, newer: bool) -> None:
    histogram = own.histogram("a.duration", "s", "", "a.route", bounds=(0.1, 1.0))
    for value in (0.05, 0.1, 0.5, 7.0):
        histogram.record(value, "/x")
    found = samples(newer=newer)
    at = {
        dict(labels)["le"]: value
        for (name, labels), value in found.items()
        if name == "a_duration_seconds_bucket"
    }
    assert at == {"0.1": 2, "1.0": 3, "+Inf": 4}
    assert found["a_duration_seconds_count", frozenset({("a_route", "/x")})] == 4
    assert found["a_duration_seconds_sum", frozenset({("a_route", "/x")})] == pytest.approx(7.65)


def test_a_slow_bucket_leads_to_its_trace(own: Measurements) -> None:
    histogram = own.histogram("a.duration", "s", "", bounds=(0.1, 1.0))
    histogram.record(0.05, span=DROPPED)  # not sampled: nobody could open it
    histogram.record(5.0, span=SAMPLED)
    [family] = open_metrics(exposition.render(open_metrics=True))
    exemplars = {s.labels["le"]: s.exemplar for s in family.samples if s.name.endswith("_bucket")}
    assert exemplars["0.1"] is None and exemplars["1.0"] is None
    assert exemplars["+Inf"].labels == {"trace_id": f"{0xABC:032x}", "span_id": f"{0xDEF:016x}"}
    assert exemplars["+Inf"].value == 5.0


def test_otlp_gets_the_same(own: Measurements) -> None:
    own.counter("a.things", "{thing}", "what", "a.kind").add(4, "x")
    own.histogram("a.duration", "s", "", bounds=(1.0,)).record(2.0, span=SAMPLED)
    [resource] = own.data(Resource.create({"service.name": "me"})).resource_metrics
    [things, duration] = resource.scope_metrics[0].metrics
    [point] = things.data.data_points
    assert isinstance(point, NumberDataPoint)
    assert (things.name, things.unit, point.value, point.attributes) == (
        "a.things", "{thing}", 4, {"a.kind": "x"},
    )  # fmt: skip
    [point] = duration.data.data_points
    assert isinstance(point, HistogramDataPoint)
    assert (list(point.bucket_counts), point.sum) == ([0, 1], 2.0)
    assert point.exemplars[0].trace_id == 0xABC


async def test_a_process_without_http_serves_its_metrics_on_a_port() -> None:
    async with (
        exposition.serve("127.0.0.1", 0) as port,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        url = f"http://127.0.0.1:{port}"
        answer = await client.get(f"{url}/metrics", headers={"Accept": exposition.OPEN_METRICS})
        assert answer.headers["content-type"] == exposition.OPEN_METRICS
        assert "process_memory_usage_bytes" in {f.name for f in open_metrics(answer.text)}
        assert (await client.get(f"{url}/health/live")).text == "live\n"
        assert (await client.get(f"{url}/secrets")).status_code == 404
        assert (await client.post(f"{url}/metrics")).status_code == 404
        async with exposition.serve("127.0.0.1", port) as second:  # taken: no reason to fail
            assert second is None


def test_no_attribute_names_what_a_partner_wrote() -> None:
    for instrument in instruments.MEASUREMENTS.instruments.values():
        for attribute in instrument.attributes:
            assert attribute.rpartition(".")[2] not in {"source", "id", "subject", "unit", "key"}


async def test_a_look_that_failed_is_repeated_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    """At a start the first look may be before that which is looked at: not a round is missed."""
    monkeypatch.setattr(looks, "_AGAIN_SECONDS", 0.0)
    looked, well = 0, asyncio.Event()

    async def once() -> None:
        nonlocal looked
        looked += 1
        if looked < 3:
            raise ConnectionError
        well.set()

    task = asyncio.create_task(looks.look_forever("test", once, seconds=3600))
    async with asyncio.timeout(30):
        await well.wait()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert looked == 3
    assert ("test",) in instruments.LOOK_OK.cells
