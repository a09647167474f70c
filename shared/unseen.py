"""Server spans that cost little, whether anybody will see them or not.

A span of the SDK costs most of what tracing costs. Whether a trace is kept is known when a request
begins. If it is not, a bare span context does: its ids stand in rows, receipts and problems; where
such a request fails, its span is made afterwards with the same ids, because failures are always
exported. If it is kept, `RequestSpan` notes what is said of it, and becomes what the SDK's exporter
takes when it ends.
"""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.sampling import Decision, Sampler
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.util.types import Attributes, AttributeValue

_RANDOM = TraceFlags(TraceFlags.RANDOM_TRACE_ID)
_KEPT = TraceFlags(TraceFlags.RANDOM_TRACE_ID | TraceFlags.SAMPLED)
_UNSET = Status(StatusCode.UNSET)


@dataclass(slots=True)
class Planned:
    """The ids of a request's span; `kept`: whether its trace is kept."""

    context: SpanContext
    parent: SpanContext | None
    kept: bool


class RequestSpan(Span):
    """A span that is recorded: one thread's, without events. `ended` takes it when it ends."""

    def __init__(
        self,
        planned: Planned,
        name: str,
        attributes: dict[str, AttributeValue],
        start_time: int,
        ended: Callable[["RequestSpan"], None],
    ) -> None:
        self.context, self.parent = planned.context, planned.parent
        self.name, self.attributes, self.start_time = name, attributes, start_time
        self.links: list[Link] = []
        self.status = _UNSET
        self.end_time: int | None = None
        self._ended = ended

    def end(self, end_time: int | None = None) -> None:
        """End it now, or at `end_time` (ns since 1970); a second time does nothing."""
        if self.end_time is None:
            self.end_time = end_time or time.time_ns()
            self._ended(self)

    def get_span_context(self) -> SpanContext:
        """Its ids."""
        return self.context

    def is_recording(self) -> bool:
        """Until it has ended."""
        return self.end_time is None

    def set_attribute(self, key: str, value: AttributeValue) -> None:
        """Say something of it."""
        self.attributes[key] = value

    def set_attributes(self, attributes: Mapping[str, AttributeValue]) -> None:
        """Say several things of it."""
        self.attributes.update(attributes)

    def update_name(self, name: str) -> None:
        """Name it anew."""
        self.name = name

    def add_link(self, context: SpanContext, attributes: Attributes = None) -> None:
        """Point at another span."""
        self.links.append(Link(context, attributes))

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Say whether it went well."""
        self.status = status if isinstance(status, Status) else Status(status, description)

    def add_event(
        self, name: str, attributes: Attributes = None, timestamp: int | None = None
    ) -> None:
        """Events are not kept: their texts may repeat what a partner wrote."""

    def record_exception(
        self,
        exception: BaseException,
        attributes: Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        """Not kept either: `error.type` says what kind it was."""


class ServerSpanPlans:
    """Decides when a request begins; `sampler` None: nothing is ever exported. `export` gets the
    spans that have ended, `resource` and `scope` say whose they are."""

    def __init__(
        self,
        sampler: Sampler | None,
        resource: Resource,
        scope: InstrumentationScope,
        export: Callable[[ReadableSpan], None],
    ) -> None:
        self._sampler = sampler
        self._resource, self._scope, self._export = resource, scope, export

    def plan(self, parent: SpanContext | None) -> Planned:
        """Ids for a request in the trace of `parent`, or in a trace of its own."""
        if parent is None:
            # 0 has one chance in 2^128, and would only mean "no trace".
            trace_id, random_flag = random.getrandbits(128), True
        else:
            trace_id = parent.trace_id
            random_flag = bool(parent.trace_flags & TraceFlags.RANDOM_TRACE_ID)
        kept = False
        if self._sampler is not None:
            around = None if parent is None else set_span_in_context(NonRecordingSpan(parent))
            result = self._sampler.should_sample(around, trace_id, "", SpanKind.SERVER)
            kept = result.decision is Decision.RECORD_AND_SAMPLE
        if random_flag:
            flags = _KEPT if kept else _RANDOM
        else:
            flags = TraceFlags(TraceFlags.SAMPLED if kept else TraceFlags.DEFAULT)
        return Planned(SpanContext(trace_id, random.getrandbits(64), False, flags), parent, kept)

    def span(
        self, name: str, planned: Planned, attributes: dict[str, AttributeValue], start_time: int
    ) -> RequestSpan | None:
        """The span with these ids, recorded since `start_time` (ns since 1970); None where nothing
        is exported. Ending it is the caller's."""
        if self._sampler is None:
            return None
        return RequestSpan(planned, name, attributes, start_time, self._ended)

    def _ended(self, span: RequestSpan) -> None:
        self._export(
            ReadableSpan(
                span.name, span.context, span.parent, self._resource, span.attributes,
                links=span.links, kind=SpanKind.SERVER, status=span.status,
                start_time=span.start_time, end_time=span.end_time,
                instrumentation_scope=self._scope,
            )
        )  # fmt: skip
