"""Server spans: bare ids where nobody looks, recorded where somebody does, failures always."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from starlette.types import Message, Receive, Scope, Send

from shared import http_spans, telemetry
from shared.instruments import HTTP_DURATION
from shared.sampling import KeepErrors, KeepWays
from shared.unseen import ServerSpanPlans

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PRODUCER = "00-11111111111111111111111111111111-2222222222222222-01"


class Running:
    """The middleware around an application that answers `status`, fails, or says nothing."""

    def __init__(self, ratio: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
        self.exporter = InMemorySpanExporter()
        inner = ParentBasedTraceIdRatio(ratio or 0.0)
        self.provider = TracerProvider(sampler=KeepWays(inner))
        keeping = KeepErrors(self.exporter)
        self.provider.add_span_processor(keeping)
        plans = ServerSpanPlans(
            None if ratio is None else inner, Resource({"service.name": "s"}),
            InstrumentationScope("test"), keeping.on_end,
        )  # fmt: skip
        monkeypatch.setattr(telemetry, "server_spans", plans)
        monkeypatch.setattr(http_spans, "tracer", self.provider.get_tracer("test"))
        self.inside = ""
        self.answer: int | Exception | None = 200

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.inside = telemetry.traceparent() or ""
        telemetry.link_to(PRODUCER)
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer is not None:
            await send({"type": "http.response.start", "status": self.answer})

    def request(self, **headers: str) -> None:
        scope: dict[str, Any] = {
            "type": "http", "method": "POST", "path": "/x", "scheme": "http",
            "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
        }  # fmt: skip

        async def receive() -> Message:
            return {"type": "http.request"}

        async def send(_: Message) -> None: ...

        asyncio.run(http_spans.ServerSpans(self._app)(scope, receive, send))

    def spans(self) -> list[ReadableSpan]:
        self.provider.force_flush()
        return list(self.exporter.get_finished_spans())


@pytest.fixture(params=[None, 0.0, 1.0], ids=["nothing exported", "none kept", "all kept"])
def running(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[float | None, Running]]:
    made = Running(request.param, monkeypatch)
    yield request.param, made
    made.provider.shutdown()


def test_every_request_has_ids_and_only_kept_ones_a_span(
    running: tuple[float | None, Running],
) -> None:
    ratio, made = running
    made.request()
    first = made.inside
    made.request()
    version, trace_id, span_id, flags = made.inside.split("-")
    assert version == "00" and int(trace_id, 16) and int(span_id, 16)
    assert first.split("-")[1] != trace_id and first.split("-")[2] != span_id
    assert int(flags, 16) & 1 == (ratio == 1.0)
    exported = made.spans()
    assert len(exported) == (2 if ratio == 1.0 else 0)
    for span in exported:
        assert [trace.format_trace_id(link.context.trace_id) for link in span.links] == ["1" * 32]
    if exported:
        assert telemetry_of(exported[1]) == (trace_id, span_id)


def telemetry_of(span: ReadableSpan) -> tuple[str, str]:
    assert span.context is not None
    return trace.format_trace_id(span.context.trace_id), trace.format_span_id(span.context.span_id)


@pytest.mark.parametrize("kept", [False, True])
def test_the_caller_s_trace_goes_on(running: tuple[float | None, Running], kept: bool) -> None:
    ratio, made = running
    made.request(traceparent=f"00-{TRACE}-{PARENT}-0{int(kept)}")
    assert made.inside.split("-")[1] == TRACE and made.inside.split("-")[2] != PARENT
    seen = kept and ratio is not None
    assert int(made.inside[-2:], 16) & 1 == seen
    exported = made.spans()
    assert len(exported) == seen
    for span in exported:
        assert span.parent is not None and span.parent.is_remote
        assert trace.format_span_id(span.parent.span_id) == PARENT


@pytest.mark.parametrize("answer", [503, KeyError("066204012345")])
def test_a_failure_is_exported_with_the_ids_it_answered(
    running: tuple[float | None, Running], answer: int | Exception
) -> None:
    ratio, made = running
    made.answer = answer
    HTTP_DURATION.cells.clear()
    for headers in ({}, {"traceparent": f"00-{TRACE}-{PARENT}-00"}):
        if isinstance(answer, Exception):
            with pytest.raises(KeyError):
                made.request(**headers)
        else:
            made.request(**headers)
    status, error = (503, "503") if answer == 503 else (500, "KeyError")
    assert [values[3:] for values in HTTP_DURATION.cells] == [(status, error)]
    exported = made.spans()
    assert len(exported) == (0 if ratio is None else 2)
    for span in exported:
        assert span.attributes is not None and span.end_time and span.start_time
        assert span.attributes["error.type"] == error
        assert span.attributes["http.response.status_code"] == status
        assert "066204012345" not in span.to_json()
    if exported:
        assert telemetry_of(exported[1]) == tuple(made.inside.split("-")[1:3])
        assert exported[1].parent is not None and exported[1].parent.is_remote


def test_a_request_without_an_answer_is_no_failure_of_ours(
    running: tuple[float | None, Running],
) -> None:
    ratio, made = running
    made.answer = None
    HTTP_DURATION.cells.clear()
    made.request()
    assert [values[3:] for values in HTTP_DURATION.cells] == [(None, "no-answer")]
    assert len(made.spans()) == (1 if ratio == 1.0 else 0)


def test_a_ratio_keeps_that_share_once_not_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Running(0.5, monkeypatch)
    for _ in range(400):
        made.request()
    assert 120 < len(made.spans()) < 280, "asked twice with other ids it would be about 100"
    made.provider.shutdown()


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        (PRODUCER, PRODUCER),
        (PRODUCER[:-2] + "03", PRODUCER[:-2] + "03"),
        (PRODUCER[:-2] + "ff", PRODUCER[:-2] + "03"),  # unknown flags do not go on
        ("01" + PRODUCER[2:] + "-what-comes-later", PRODUCER),
        ("01" + PRODUCER[2:], PRODUCER),
        (PRODUCER[:-2] + "00", None),  # not kept by its producer
        (PRODUCER + "-more", None),  # version 00 ends there
        ("ff" + PRODUCER[2:], None),
        ("01" + PRODUCER[2:] + "x", None),
        (f"00-{'0' * 32}-{'2' * 16}-01", None),
        (f"00-{'1' * 32}-{'0' * 16}-01", None),
        (PRODUCER.replace("2222", "ABCD"), None),
        (PRODUCER[1:], None),
        (7, None),
        (None, None),
    ],
)
def test_an_event_s_own_trace_by_the_rules_of_w3c(said: object, taken: str | None) -> None:
    assert telemetry.own_traceparent(said) == taken
