"""Which traces are kept when not all are: those of the standard sampler, whole ways, and errors.

`OTEL_TRACES_SAMPLER` decides for a request. On top of it:

* A batch (append, send, count, refresh) is kept when any span it links to is kept. So the way of a
  kept event is whole, from the request to the tables, although each batch is a trace of its own.
* A span that ends with an error is exported although its trace is not kept: it is recorded, and
  sent alone. What went well before it is not there any more; for whole traces of errors, keep all
  traces and let the collector choose (tail sampling).
"""

from collections.abc import Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, StatusCode, TraceState
from opentelemetry.util.types import Attributes


class KeepWays(Sampler):
    """Asks `inner`, keeps batches of kept events, and records what is dropped for `KeepErrors`."""

    def __init__(self, inner: Sampler) -> None:
        self._inner = inner

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        result = self._inner.should_sample(
            parent_context, trace_id, name, kind, attributes, links, trace_state
        )
        if result.decision is Decision.RECORD_AND_SAMPLE:
            return result
        wanted = any(link.context.trace_flags.sampled for link in links or ())
        decision = Decision.RECORD_AND_SAMPLE if wanted else Decision.RECORD_ONLY
        return SamplingResult(decision, attributes, result.trace_state)

    def get_description(self) -> str:
        return f"KeepWays({self._inner.get_description()})"


SHUTDOWN_MS = 2_000
"""How long a process that ends goes on trying to hand over its spans; by itself the SDK would wait
for a collector that is away for half a minute, and who stops processes kills them after ten seconds."""


class KeepErrors(BatchSpanProcessor):
    """Exports what was kept, and of the rest what failed."""

    def on_end(self, span: ReadableSpan) -> None:
        context = span.context
        kept = context is not None and context.trace_flags.sampled
        if kept or span.status.status_code is StatusCode.ERROR:
            self._batch_processor.emit(span)

    def shutdown(self) -> None:
        """Export what waits, in bounded time; the rest is given up."""
        self._batch_processor.shutdown(timeout_millis=SHUTDOWN_MS)
