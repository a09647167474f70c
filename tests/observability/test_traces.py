"""What a real run exports: published names only, whole ways, errors, and nobody's data."""

import asyncio
import importlib
import pkgutil
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import opentelemetry.semconv._incubating.attributes as incubating
import opentelemetry.semconv.attributes as stable
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from deploy.local import services
from deploy.local.stack import LocalStack
from shared import exposition, telemetry
from tests.activities.fake import event
from tests.activities.posting import UNITS, unit
from tests.e2e.collector import Collector, Span

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
OWN = ("1" * 32, "2" * 16)
"""The trace that an event brings along in its own attribute."""
SAMPLED = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
CCCD, PHONE, NAME = "066204012345", "0905123456", "Nguyễn Thị Bình"
PERSONAL = (CCCD, PHONE, "+84905123456", NAME, "Nguy\\u1ec5n Th\\u1ecb B\\u00ecnh")


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
    headers = {**bearer(stack), **SAMPLED}
    for service, path in {
        "activities": f"/v1/events?source=s&id={CCCD}", "registry": f"/v1/units/{PHONE}?on={NAME}",
        "metrics": f"/v1/cells?plan={CCCD}",
    }.items():  # fmt: skip
        httpx.get(stack.urls[service] + path, headers=headers, timeout=20, trust_env=False)
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


def published() -> set[str]:
    """All attribute names of the semantic conventions that are installed."""
    names = set()
    for package in (stable, incubating):
        for module in pkgutil.iter_modules(package.__path__):
            members = vars(importlib.import_module(f"{package.__name__}.{module.name}"))
            names |= {v for k, v in members.items() if k.isupper() and isinstance(v, str)}
    return names


def test_attributes_have_published_names_or_ours(ran: LocalStack, collector: Collector) -> None:
    known = published()
    assert {"http.route", "messaging.destination.name", "db.system.name"} <= known
    for span in collector.spans:
        for name in span.attributes:
            assert name in known or name.startswith("hocvuso."), (span.name, name)
    from shared.instruments import MEASUREMENTS

    for instrument in MEASUREMENTS.instruments.values():
        for name in instrument.attributes:
            assert name in known or name.startswith("hocvuso."), (instrument.name, name)


def test_metrics_that_are_not_ours_are_published(ran: LocalStack) -> None:
    import opentelemetry.semconv._incubating.metrics as newer
    import opentelemetry.semconv.metrics as older

    names: set[str] = set()
    for package in (older, newer):
        names |= {v for k, v in vars(package).items() if k.isupper() and isinstance(v, str)}
        for module in pkgutil.iter_modules(package.__path__):
            members = vars(importlib.import_module(f"{package.__name__}.{module.name}"))
            names |= {v for k, v in members.items() if k.isupper() and isinstance(v, str)}
    from shared.instruments import MEASUREMENTS

    foreign = {n for n in MEASUREMENTS.instruments if not n.startswith("hocvuso.")}
    assert foreign <= names, foreign - names


def test_span_names_are_those_of_the_conventions(ran: LocalStack, collector: Collector) -> None:
    for span in collector.spans:
        if "http.request.method" in span.attributes:
            expected = span.attributes["http.request.method"].strip().split('"')[1]
            assert re.fullmatch(rf"{expected}( /\S*)?", span.name), span.name
            assert "http.route" not in span.attributes or span.name.endswith(
                span.attributes["http.route"].strip().split('"')[1]
            )
        elif "messaging.system" in span.attributes:
            assert re.fullmatch(r"(send|process) hocvuso\.\S+", span.name), span.name
            assert {
                "messaging.operation.name",
                "messaging.destination.name",
            } <= span.attributes.keys()
        else:
            assert span.name in {"append log", "refresh indicators"}, span.name
    assert telemetry.SCHEMA_URL.endswith("/1.36.0")


def test_the_way_of_a_kept_event_is_whole(ran: LocalStack, collector: Collector) -> None:
    """Request, append, relay, projection, refresh: each links to the one before; nobody else's."""

    def one(name: str, to: Span) -> Span:
        return collector.wait_for(
            name, lambda s: s.name == name and (to.trace_id, to.span_id) in s.links, 30
        )

    request = next(
        s for s in collector.spans if s.name == "POST /v1/events" and s.trace_id == TRACE
    )
    assert request.parent_id == PARENT
    one("append log", request)
    one("send hocvuso.activities.v1", request)
    counted = one("process hocvuso.activities.v1", request)
    one("refresh indicators", counted)


def test_an_event_s_own_trace_leads_to_the_tables(ran: LocalStack, collector: Collector) -> None:
    """Its producer kept a trace; the request that carried it, with others, was in none."""
    for name in ("append log", "send hocvuso.activities.v1"):
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
    sampled = {s.trace_id for s in collector.spans if s.trace_id == TRACE or s.links}
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
    assert found == {TRACE}


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


def test_no_personal_data_in_traces_metrics_and_logs(ran: LocalStack, collector: Collector) -> None:
    said = [repr(span) for span in collector.spans] + [str(m) for m in collector.metrics]
    logs = sorted(Path(ran.home.logs).glob("*.log"))
    assert {"activities.log", "worker.log", "registry.log"} <= {path.name for path in logs}
    said += [path.read_text(errors="replace") for path in logs if path.stem != "postgres"]
    for port in ("relay", "worker"):
        url = f"http://127.0.0.1:{ran.added_env[f'HOCVUSO_{port.upper()}_METRICS_PORT']}/metrics"
        said.append(httpx.get(url, trust_env=False).text)
    for text in said:
        for value in PERSONAL:
            assert value not in text, text[:300]
