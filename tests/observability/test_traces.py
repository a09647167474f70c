"""What a real run exports: published names only, whole ways, errors, and nobody's data."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaConsumer
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from deploy.local import services
from deploy.local.stack import LocalStack
from shared import exposition, telemetry
from shared.instruments import MEASUREMENTS
from shared.kafka import stop_quietly
from shared.measuring import Counter, Gauge, Histogram, UpDown
from tests.activities.fake import event
from tests.activities.posting import UNITS, unit
from tests.e2e.collector import Collector, Span
from tests.observability import conventions, doors
from tests.observability.doors import CCCD, KAFKA, NAME, PERSONAL, PHONE

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
OWN = ("1" * 32, "2" * 16)
"""The trace that an event brings along in its own attribute."""
SAMPLED = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
DOOR_TRACE = "d00d" * 8
DOORS = {"traceparent": f"00-{DOOR_TRACE}-{PARENT}-01"}


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.close()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[LocalStack]:
    """All processes; of those traces that nobody asked for, none is kept."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint)
        patch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
        patch.setenv("OTEL_TRACES_SAMPLER_ARG", "0")
        patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "300")
        patch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "1000")
        home = tmp_path_factory.mktemp("traces") / "home"
        with LocalStack(home, stages=lambda e, a: services.stages(e, a)[:2]) as made:
            yield made


@pytest.fixture(scope="module")
def ran(stack: LocalStack, collector: Collector) -> LocalStack:
    """One traced event all the way, many that carry personal data where it does not belong, and
    one failure in a trace that is not kept."""
    assert post(stack, [unit(*u) for u in UNITS]).json()["accepted"] == len(UNITS)
    person = {"scheme": "cccd", "value": CCCD}
    good = event(
        id="way-1", data={"person": person, "target_groups": ["adult"], "platform": "vneid"}
    )
    assert post(stack, [good], **SAMPLED).json()["accepted"] == 1
    own = {**good, "id": "way-own", "traceparent": f"00-{OWN[0]}-{OWN[1]}-01"}
    assert post(stack, [own]).json()["accepted"] == 1
    phone = event(id="way-2", data={**good["data"], "person": {"scheme": "phone", "value": PHONE}})
    bad = [
        phone, {**good, "id": CCCD}, {**good, "id": "x", "subject": CCCD}, {**good, "type": NAME},
        {**good, "id": "y", "data": {**good["data"], "person": NAME}}, {**good, CCCD: PHONE},
    ]  # fmt: skip
    assert post(stack, bad, **SAMPLED).status_code == 200
    key = stack.home.admin_key.read_text().strip()
    statuses = doors.knock(stack, key, DOORS)
    assert {200, 201, 400, 404, 422} <= set(statuses), statuses
    headers = {**bearer(stack), **SAMPLED}
    for service, path in {
        "activities": f"/v1/events?source=s&id={CCCD}", "registry": f"/v1/units/{PHONE}?on={NAME}",
        "metrics": f"/v1/cells?plan={CCCD}",
    }.items():  # fmt: skip
        httpx.get(stack.urls[service] + path, headers=headers, timeout=20, trust_env=False)
    collector.wait_for(
        "the refresh of the kept event", lambda s: s.name == "refresh indicators", 60
    )
    sql(stack, "ALTER TABLE activities.log RENAME TO lost")
    assert post(stack, [{**good, "id": "way-3"}]).status_code == 503
    sql(stack, "ALTER TABLE activities.lost RENAME TO log")
    collector.wait_for(
        "the refresh of the kept event", lambda s: s.name == "refresh indicators", 60
    )
    collector.wait_for(
        "the failure", lambda s: s.attributes.get("error.type", "").find("503") >= 0, 60
    )
    return stack


def bearer(stack: LocalStack) -> dict[str, str]:
    return {"Authorization": f"Bearer {stack.home.admin_key.read_text().strip()}"}


def post(stack: LocalStack, events: list[dict[str, Any]], **headers: str) -> httpx.Response:
    return httpx.post(
        f"{stack.urls['activities']}/v1/events",
        json=events,
        headers={
            **bearer(stack), "Content-Type": "application/cloudevents-batch+json", **headers,
        },
        timeout=60,
        trust_env=False,
    )  # fmt: skip


def sql(stack: LocalStack, statement: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(stack.superuser_url)
        await connection.execute(statement)
        await connection.close()

    asyncio.run(run())


def test_spans_follow_the_semantic_conventions(ran: LocalStack, collector: Collector) -> None:
    """Names, values, kinds, and what must be said, for HTTP, databases and messaging."""
    seen = list(collector.spans)
    wrong = {(s.name, fault) for s in seen for fault in conventions.faults(s)}
    assert not wrong
    for area in conventions.REQUIRED:
        assert any(name.startswith(f"{area}.") for s in seen for name in s.attributes), area


def test_the_version_is_pinned_together_with_the_names() -> None:
    assert conventions.newest_schema() == telemetry.SCHEMA_URL
    known = conventions.attributes()
    assert {"http.route", "messaging.destination.name", "db.system.name"} <= known.keys()
    assert "db.system" not in known, "deprecated names are not taken for published ones"


@pytest.mark.parametrize("name", sorted(MEASUREMENTS.instruments))
def test_metrics_follow_the_semantic_conventions(name: str) -> None:
    one = MEASUREMENTS.instruments[name]
    known = conventions.attributes()
    assert all(a in known or a.startswith("hocvuso.") for a in one.attributes)
    if not name.startswith("hocvuso."):
        kinds: dict[type, str] = {
            Counter: "counter", Histogram: "histogram", UpDown: "up_down_counter", Gauge: "gauge",
        }  # fmt: skip
        assert (one.unit, kinds[type(one)]) == conventions.metrics()[name]


def test_the_way_of_a_kept_event_is_whole(ran: LocalStack, collector: Collector) -> None:
    """Request, append, relay, projection, refresh; tests/e2e asks for the table, too."""

    def one(name: str, to: Span) -> Span:
        return collector.wait_for(
            name, lambda s: s.name == name and (to.trace_id, to.span_id) in s.links, 30
        )

    request = next(
        s for s in collector.spans if s.name == "POST /v1/events" and s.trace_id == TRACE
    )
    assert request.parent_id == PARENT
    one("INSERT activities.log", request)
    one("send hocvuso.activities.v1", request)
    counted = one("process hocvuso.activities.v1", request)
    one("refresh indicators", counted)


def test_the_intake_is_traced_per_batch(ran: LocalStack, collector: Collector) -> None:
    """Each batch of messages links to what its producer said, and its rows go on from the batch."""
    intake = collector.wait_for(
        "intake", lambda s: s.name == f"process hocvuso.intake.{KAFKA}.v1" and bool(s.links), 60
    )
    assert (DOOR_TRACE, PARENT) in intake.links
    batches = [s for s in collector.spans if s.name == intake.name]
    assert len(batches) < 10, "not one per event"
    ids = {(s.trace_id, s.span_id) for s in batches}
    collector.wait_for(
        "append", lambda s: s.name == "INSERT activities.log" and bool(s.links & ids), 30
    )


def test_an_event_s_own_trace_leads_to_the_tables(ran: LocalStack, collector: Collector) -> None:
    """Its producer kept a trace; the request that carried it, with others, was in none."""
    for name in ("INSERT activities.log", "send hocvuso.activities.v1"):
        collector.wait_for(name, lambda s, n=name: s.name == n and OWN in s.links, 30)  # type: ignore[misc]
    counted = collector.wait_for(
        "process", lambda s: s.name == "process hocvuso.activities.v1" and OWN in s.links, 30
    )
    collector.wait_for(
        "refresh",
        lambda s: s.name == "refresh indicators" and (counted.trace_id, counted.span_id) in s.links,
        30,
    )
    receipt = httpx.get(
        f"{ran.urls['activities']}/v1/events",
        params={"source": event()["source"], "id": "way-own"},
        headers=bearer(ran), timeout=20, trust_env=False,
    )  # fmt: skip
    assert receipt.json()["trace_id"] == OWN[0], "hocvuso trace prints it"


def test_only_kept_ways_and_failures_are_exported(ran: LocalStack, collector: Collector) -> None:
    sampled = {s.trace_id for s in collector.spans if s.trace_id in (TRACE, DOOR_TRACE) or s.links}
    others = [s for s in collector.spans if s.trace_id not in sampled]
    assert others, "the failure is there although its trace is not kept"
    assert all("error.type" in span.attributes for span in others), [s.name for s in others]


def test_a_slow_bucket_names_the_trace(ran: LocalStack) -> None:
    answer = httpx.get(
        f"{ran.urls['activities']}/metrics",
        headers={"Accept": exposition.OPEN_METRICS},
        trust_env=False,
    )
    found = {
        sample.exemplar.labels["trace_id"]
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.exemplar and sample.labels.get("http_route") == "/v1/events"
    }
    assert TRACE in found and found <= {TRACE, DOOR_TRACE}


def test_metrics_arrive_by_otlp_from_every_process(ran: LocalStack, collector: Collector) -> None:
    wanted = {f"hocvuso-{n}" for n in ("registry", "activities", "metrics", "relay", "worker")}
    deadline = time.monotonic() + 30
    while True:
        names: dict[str, set[str]] = {}
        for request in list(collector.metrics):
            for resource in request.resource_metrics:
                about = {a.key: a.value.string_value for a in resource.resource.attributes}
                kept = names.setdefault(about["service.name"], set())
                kept |= {m.name for scope in resource.scope_metrics for m in scope.metrics}
        if wanted <= names.keys() and "hocvuso.projection.rows" in names["hocvuso-worker"]:
            break
        assert time.monotonic() < deadline, names.keys()
        time.sleep(0.5)
    assert {"hocvuso.events", "hocvuso.append.duration", "http.server.request.duration"} <= names[
        "hocvuso-activities"
    ]


@pytest.mark.security("V16.2.5", "V14.2.4")
def test_no_personal_data_in_traces_metrics_and_logs(ran: LocalStack, collector: Collector) -> None:
    said = [repr(span) for span in collector.spans] + [str(m) for m in collector.metrics]
    logs = sorted(Path(ran.home.logs).glob("*.log"))
    assert {"activities.log", "worker.log", "registry.log"} <= {path.name for path in logs}
    said += [path.read_text(errors="replace") for path in logs if path.stem != "postgres"]
    said += asyncio.run(topics(ran))
    for port in ("relay", "worker", "intake"):
        url = f"http://127.0.0.1:{ran.added_env[f'HOCVUSO_{port.upper()}_METRICS_PORT']}/metrics"
        said.append(httpx.get(url, trust_env=False).text)
    said += [
        httpx.get(f"{url}/metrics", headers={"Accept": kind}, trust_env=False).text
        for url in ran.urls.values()
        for kind in ("text/plain", exposition.OPEN_METRICS)
    ]
    for text in said:
        for value in PERSONAL:
            assert value not in text, text[:300]


async def topics(stack: LocalStack) -> list[str]:
    """All that lies in Kafka but the intake topic, which only the partner writes and we read."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=stack.bootstrap_servers, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        names = {t for t in await consumer.topics() if not t.startswith("hocvuso.intake.")}
        assert {"hocvuso.activities.v1", f"hocvuso.receipts.{KAFKA}.v1"} <= names
        consumer.subscribe(names)
        found = []
        for _ in range(12):  # some never end: relay and workers say every second that they live
            batches = await consumer.getmany(timeout_ms=500, max_records=5_000)
            found += [repr((m.key, m.value, m.headers)) for b in batches.values() for m in b]
        assert any("hocvuso.citizen.certified" in one for one in found)
        return found
    finally:
        await stop_quietly(consumer)
