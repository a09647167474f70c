"""The query that first shows a traced refresh says so, once per process."""

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio

from services.registry.tables import current
from shared import telemetry
from shared.sampling import KeepErrors, KeepWays


def header(number: int) -> str:
    return f"00-{number:032x}-{number:016x}-01"


def test_only_the_first_query_tells_and_it_links_to_all_that_is_new(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(sampler=KeepWays(ParentBasedTraceIdRatio(0.0)))
    provider.add_span_processor(KeepErrors(exporter))
    monkeypatch.setattr(current, "tracer", provider.get_tracer("test"))
    monkeypatch.setattr(telemetry, "_exporting", True)  # whatever ran in this process before
    shown = current.FirstShown()
    for traced in ([], [header(1)], [header(1)], [header(3), header(2), header(1)], [header(3)]):
        shown.tell(traced, 1)
    provider.force_flush()
    first, second = exporter.get_finished_spans()
    assert [link.context.span_id for link in first.links] == [1]
    assert [link.context.span_id for link in second.links] == [3, 2]
    provider.shutdown()
