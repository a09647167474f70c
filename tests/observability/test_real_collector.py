"""The official OpenTelemetry Collector receives what our own collector receives, span by span.

It runs with the configuration of the observability profile. Every request of a real run goes to both.
"""

import re
import time
from collections.abc import Iterator

import httpx
import pytest

from deploy.local import services
from deploy.local.stack import LocalStack
from tests.activities.fake import event
from tests.activities.posting import UNITS, unit
from tests.e2e.collector import Collector, Span
from tests.observability.real import RealCollector

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]
TRACE = "0af7651916cd43dd8448eb211c80319c"
SAMPLED = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealCollector]:
    made = RealCollector(tmp_path_factory.mktemp("otelcol") / "c")
    yield made
    made.close()


@pytest.fixture(scope="module")
def collector(real: RealCollector) -> Iterator[Collector]:
    made = Collector(beside=real.endpoint)
    yield made
    made.close()


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[LocalStack]:
    """All processes; everything is kept. A fact has come from a POST to the tables."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint)
        patch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
        patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
        patch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "500")
        home = tmp_path_factory.mktemp("real") / "home"
        with LocalStack(home, stages=lambda e, a: services.stages(e, a)[:2]) as made:
            key = made.home.admin_key.read_text().strip()
            person = {"scheme": "cccd", "value": "066204012345"}
            fact = event(data={"person": person, "target_groups": ["adult"], "platform": "vneid"})
            for events in ([unit(*u) for u in UNITS], [fact]):
                answer = httpx.post(
                    f"{made.urls['activities']}/v1/events",
                    json=events,
                    headers={
                        "Authorization": f"Bearer {key}", **SAMPLED,
                        "Content-Type": "application/cloudevents-batch+json",
                    },
                    timeout=60, trust_env=False,
                )  # fmt: skip
                assert answer.json()["accepted"] == len(events)
            _shown(collector)
        yield made


def _shown(collector: Collector) -> None:
    """Wait until the way of the fact has reached the tables."""
    request = max(_posts(collector), key=lambda s: s.start)
    counted = collector.wait_for(
        "process",
        lambda s: s.name.startswith("process ") and (TRACE, request.span_id) in s.links,
        60,
    )
    collector.wait_for("refresh", lambda s: (counted.trace_id, counted.span_id) in s.links, 60)


def _posts(collector: Collector) -> list[Span]:
    collector.wait_for("POST", lambda s: s.name == "POST /v1/events", 60)
    deadline = time.monotonic() + 30
    while True:
        found = [s for s in list(collector.spans) if s.name == "POST /v1/events"]
        if len(found) == 2:
            return found
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _settled(collector: Collector, real: RealCollector) -> tuple[dict[str, Span], dict[str, Span]]:
    """What both have by span id, once as many have gone through the pipelines as came in."""
    deadline = time.monotonic() + 30
    while True:
        ours = {s.span_id: s for s in list(collector.spans)}
        theirs = {s.span_id: s for s in real.spans()}
        if theirs.keys() == ours.keys() or time.monotonic() > deadline:
            return theirs, ours
        time.sleep(0.5)


def test_both_have_the_same_spans(
    ran: LocalStack, collector: Collector, real: RealCollector
) -> None:
    """Names, ids, parents, links, times and attributes, through OTLP over HTTP, the pipelines that are
    deployed, OTLP over gRPC, and JSON."""
    theirs, ours = _settled(collector, real)
    assert theirs == ours
    way = {s.name for s in theirs.values() if s.trace_id == TRACE or s.links}
    assert way >= {
        "POST /v1/events", "INSERT activities.log", "send hocvuso.activities.v1",
        "process hocvuso.activities.v1", "refresh indicators",
    }  # fmt: skip
    assert {s.service for s in theirs.values()} >= {
        "hocvuso-activities", "hocvuso-relay", "hocvuso-worker",
    }  # fmt: skip


def test_it_refused_and_lost_nothing(
    ran: LocalStack, collector: Collector, real: RealCollector
) -> None:
    theirs, _ = _settled(collector, real)
    assert real.own("otelcol_receiver_accepted_spans")["http"] >= len(theirs) > 0
    assert not any(real.own("otelcol_receiver_refused_spans").values())
    assert not any(real.own("otelcol_receiver_refused_metric_points").values())
    assert not any(real.own("otelcol_exporter_send_failed_spans").values())
    assert real.own("otelcol_receiver_accepted_metric_points")["http"] > 100
    warnings = [line for line in real.log().splitlines() if re.search(r"\t(warn|error)\t", line)]
    # Its exporter says once that an empty prefix of names is no name, and goes on without.
    assert not [w for w in warnings if "failed to build namespace, ignoring" not in w], warnings


def test_metrics_by_otlp_have_the_names_that_we_say_ourselves(
    ran: LocalStack, real: RealCollector
) -> None:
    """So rules and dashboards read both: scraped from us, or from the collector."""
    from shared.exposition import series
    from shared.instruments import MEASUREMENTS

    known = {name for one in MEASUREMENTS.instruments.values() for name in series(one)}
    until = time.monotonic() + 30
    # Gauges come from looks every few seconds, the first of which may be before activities answers.
    while "hocvuso_projection_delay_seconds" not in (text := real.scrape()):
        own = httpx.get(f"{ran.urls['metrics']}/metrics", trust_env=False).text
        told = [line for line in own.splitlines() if line.startswith("hocvuso_")]
        log = (ran.home.logs / "metrics.log").read_text()[-900:]
        assert time.monotonic() < until, (told, log)
        time.sleep(0.5)
    theirs = set(re.findall(r"^([a-z][a-z_0-9]*)\{", text, re.M))
    foreign = {n for n in theirs if not n.startswith("traces_span_metrics_")} - known
    assert foreign <= {"target_info"}
    assert {
        "hocvuso_events_total", "hocvuso_append_duration_seconds_bucket",
        "http_server_request_duration_seconds_bucket", "hocvuso_projection_rows_total",
        "process_memory_usage_bytes", "process_cpu_time_seconds_total",
        "db_client_connection_count", "hocvuso_projection_delay_seconds",
    } <= theirs  # fmt: skip
    [accepted] = re.findall(
        r'^hocvuso_events_total\{.*hocvuso_outcome="accepted".*hocvuso_type="citizen.certified".*\} (\S+)$',
        text, re.M,
    )  # fmt: skip
    assert float(accepted) == 1


def test_spans_become_metrics(ran: LocalStack, real: RealCollector) -> None:
    text = real.scrape()
    for name in ("INSERT activities.log", "send hocvuso.activities.v1", "POST /v1/events"):
        assert re.search(rf'^traces_span_metrics_calls_total{{.*span_name="{name}"', text, re.M), (
            name
        )
