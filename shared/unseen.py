"""Server spans that nobody will see: only their ids are made, by hand.

A span of the SDK costs most of what tracing costs, whether it is exported or not. Whether a trace
is kept is known when a request begins, so for the others a bare span context does: its ids stand in
rows, receipts and problems. Where such a request fails, its span is made afterwards with the same
ids, because failures are always exported.
"""

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision, Sampler
from opentelemetry.trace import (
    INVALID_SPAN,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    TraceFlags,
    Tracer,
    set_span_in_context,
)
from opentelemetry.util.types import AttributeValue

_RANDOM = TraceFlags(TraceFlags.RANDOM_TRACE_ID)


class PlannedIds(RandomIdGenerator):
    """Ids of the SDK's spans: random, but for a span whose ids have been given out already."""

    def __init__(self) -> None:
        self._planned = threading.local()

    def plan(self, context: SpanContext | None) -> None:
        """The ids of the next span of this thread; None: random ones again."""
        self._planned.context = context

    def generate_span_id(self) -> int:
        """The planned id, or a random one."""
        planned: SpanContext | None = getattr(self._planned, "context", None)
        return planned.span_id if planned else super().generate_span_id()

    def generate_trace_id(self) -> int:
        """The planned id, or a random one."""
        planned: SpanContext | None = getattr(self._planned, "context", None)
        return planned.trace_id if planned else super().generate_trace_id()


@dataclass(slots=True)
class Planned:
    """The ids of a request's span; `kept`: whether its trace is kept."""

    context: SpanContext
    parent: SpanContext | None
    kept: bool


class ServerSpanPlans:
    """Decides when a request begins; `sampler` None: nothing is ever exported."""

    def __init__(self, sampler: Sampler | None, ids: PlannedIds) -> None:
        self._sampler = sampler
        self._ids = ids

    def plan(self, parent: SpanContext | None) -> Planned:
        """Ids for a request in the trace of `parent`, or in a trace of its own."""
        if parent is None:
            # 0 has one chance in 2^128, and would only mean "no trace".
            trace_id, flags = random.getrandbits(128), _RANDOM
        else:
            trace_id = parent.trace_id
            flags = TraceFlags(parent.trace_flags & TraceFlags.RANDOM_TRACE_ID)
        kept = False
        if self._sampler is not None:
            around = None if parent is None else set_span_in_context(NonRecordingSpan(parent))
            result = self._sampler.should_sample(around, trace_id, "", SpanKind.SERVER)
            kept = result.decision is Decision.RECORD_AND_SAMPLE
        return Planned(SpanContext(trace_id, random.getrandbits(64), False, flags), parent, kept)

    def span(
        self,
        tracer: Tracer,
        name: str,
        planned: Planned,
        attributes: Mapping[str, AttributeValue],
        start_time: int | None = None,
    ) -> Span | None:
        """The span with these ids, recorded; None where nothing is exported. `start_time`: ns
        since 1970, for one that began before. Ending it is the caller's."""
        if self._sampler is None:
            return None
        parent = planned.parent
        self._ids.plan(planned.context)
        try:
            return tracer.start_span(
                name,
                set_span_in_context(INVALID_SPAN if parent is None else NonRecordingSpan(parent)),
                kind=SpanKind.SERVER,
                attributes=attributes,
                start_time=start_time,
            )
        finally:
            self._ids.plan(None)
