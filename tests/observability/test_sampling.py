"""Which spans are exported under a ratio: kept ways whole, errors alone, the rest not."""

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from shared import sampling, telemetry
from shared.sampling import KeepErrors, KeepWays

ROOT = Path(__file__).parents[2]
KEPT = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
DROPPED = SpanContext(3, 4, is_remote=True, trace_flags=TraceFlags(TraceFlags.DEFAULT))


def exported(ratio: float) -> list[str]:
    """Names of the spans that leave a process that keeps this share of traces."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(sampler=KeepWays(ParentBasedTraceIdRatio(ratio)))
    provider.add_span_processor(KeepErrors(exporter))
    tracer = provider.get_tracer("test")
    tracer.start_span("well").end()
    failing = tracer.start_span("failing")
    failing.set_status(Status(StatusCode.ERROR))
    failing.end()
    for name, contexts in {
        "kept way": [DROPPED, KEPT],
        "dropped way": [DROPPED],
        "no way": [],
    }.items():
        tracer.start_span(name, telemetry.root_context(), links=[Link(c) for c in contexts]).end()
    for name, context in {"kept parent": KEPT, "dropped parent": DROPPED}.items():
        parent = trace.set_span_in_context(trace.NonRecordingSpan(context))
        with tracer.start_as_current_span(name, parent):
            tracer.start_span(f"child of {name}").end()
    provider.force_flush()
    names = [span.name for span in exporter.get_finished_spans()]
    provider.shutdown()
    return sorted(names)


def test_nothing_but_errors_and_kept_ways_is_exported() -> None:
    assert exported(0.0) == ["child of kept parent", "failing", "kept parent", "kept way"]


def test_everything_is_exported_where_everything_is_kept() -> None:
    assert exported(1.0) == [
        "child of kept parent", "dropped way", "failing", "kept parent", "kept way", "no way", "well",
    ]  # fmt: skip


def test_a_failed_span_says_the_type_of_the_error_and_nothing_of_its_message() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(KeepErrors(exporter))
    tracer = provider.get_tracer("test")
    with (
        pytest.raises(ValueError, match="066204012345"),
        telemetry.span(tracer, "append log", kind=SpanKind.INTERNAL, attributes={}),
    ):
        raise ValueError("Key (id)=(066204012345) exists")
    provider.force_flush()
    [span] = exporter.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes == {"error.type": "ValueError"}
    assert not span.events and span.status.description is None
    provider.shutdown()


def test_spans_are_opened_where_their_errors_are_kept_quiet() -> None:
    for path in [*(ROOT / "services").rglob("*.py"), *(ROOT / "shared").rglob("*.py")]:
        if path.name not in ("telemetry.py", "http_spans.py"):
            assert "start_as_current_span" not in path.read_text(), path


def test_a_process_ends_although_its_collector_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """By itself the SDK would hold it for half a minute; whoever stops it kills it after ten
    seconds."""
    monkeypatch.setattr(sampling, "SHUTDOWN_MS", 50)
    answer, asked = threading.Event(), threading.Event()

    class Hanging(SpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            asked.set()
            answer.wait()
            return SpanExportResult.FAILURE

    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(KeepErrors(Hanging()))
    provider.get_tracer("test").start_span("last").end()
    ending = threading.Thread(target=provider.shutdown, daemon=True)
    ending.start()
    try:
        assert asked.wait(20)
        ending.join(20)
        assert not ending.is_alive()
    finally:
        answer.set()
