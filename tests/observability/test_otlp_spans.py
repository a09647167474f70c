"""Our encoder of spans writes what the SDK's writes."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as some
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import (
    Link,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
)

RESOURCES = [Resource({"service.name": f"s{n}", "n": n}, schema_url="u" * n) for n in range(2)]
SCOPES = [InstrumentationScope("a", "1", "https://s"), InstrumentationScope("b")]
NANOS = some.integers(0, 2**64 - 1)
STATES = some.sampled_from([None, None, None, TraceState([("vendor", "x")])])
CONTEXTS = some.builds(
    SpanContext, some.integers(1, 2**128 - 1), some.integers(1, 2**64 - 1), some.booleans(),
    some.sampled_from([TraceFlags(0), TraceFlags(1)]), STATES,
)  # fmt: skip
COMMON = some.text() | some.integers(-(2**63), 2**63 - 1) | some.booleans()
VALUES = some.one_of(COMMON, COMMON, some.floats(allow_nan=False), some.just(("a", "b")))
ATTRIBUTES = some.dictionaries(some.text(min_size=1, max_size=300), VALUES, max_size=4)
STATUSES = some.sampled_from(
    [Status(), Status(StatusCode.OK), Status(StatusCode.ERROR), Status(StatusCode.ERROR, "why")]
)


@some.composite
def spans(draw: some.DrawFn) -> ReadableSpan:
    def links() -> Any:
        attributes = draw(some.sampled_from([None, None, None, {"k": "v"}]))
        return Link(draw(CONTEXTS), attributes)

    events = [Event("e", {"k": 1}, 7)] if draw(some.integers(0, 9)) == 0 else []
    return ReadableSpan(
        draw(some.text()), draw(CONTEXTS), draw(some.none() | CONTEXTS),
        draw(some.sampled_from(RESOURCES)), draw(ATTRIBUTES), events,
        [links() for _ in range(draw(some.integers(0, 3)))],
        draw(some.sampled_from(list(SpanKind))), status=draw(STATUSES),
        start_time=draw(NANOS), end_time=draw(NANOS),
        instrumentation_scope=draw(some.sampled_from(SCOPES)),
    )  # fmt: skip


@settings(deadline=None)
@given(some.lists(spans(), min_size=1, max_size=5))
def test_the_bytes_say_what_the_sdk_s_say(made: list[ReadableSpan]) -> None:
    from shared.otlp_spans import encode

    theirs = encode_spans(made)
    ours = ExportTraceServiceRequest.FromString(encode(made))
    assert ours == ExportTraceServiceRequest.FromString(theirs.SerializeToString())


def test_a_span_with_more_attributes_than_a_name_can_count() -> None:
    """Lengths above 127 take two bytes; at the SDK's limits its encoder is asked."""
    from shared.otlp_spans import encode

    for count in (100, 127, 128, 200):
        context = SpanContext(1, 2, False)
        span = ReadableSpan(
            "x" * 300, context, None, RESOURCES[1], {f"a{n}": n for n in range(count)}, (),
            [Link(SpanContext(n + 1, 2, True)) for n in range(count)], start_time=1, end_time=2,
            instrumentation_scope=SCOPES[0],
        )  # fmt: skip
        assert ExportTraceServiceRequest.FromString(encode([span])) == encode_spans([span])
