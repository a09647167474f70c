"""Spans as OTLP protobuf, written by hand: a quarter of the time that the SDK's encoder takes.

Whoever encodes holds the interpreter's lock, and the event loop waits for it: 15 ms for 512 spans with
the SDK, in steps of the 5 ms after which Python lets another thread on. Field numbers are those of
opentelemetry/proto/trace/v1/trace.proto; a test compares every kind of span with what the SDK's encoder
writes, and what is rare (events, a trace state, other values) is left to that one.
"""

import time
from collections.abc import Sequence
from struct import Struct

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, StatusCode
from opentelemetry.util.types import AttributeValue

_TIMES = Struct("<BQBQ").pack  # fields 7 and 8, fixed64
_FLAGS = Struct("<BBI").pack  # field 16, fixed32
_LINK_FLAGS = Struct("<BI").pack  # field 6, fixed32
_HAS_IS_REMOTE, _IS_REMOTE = 0x100, 0x200
_LIMIT = 128  # of attributes and of links, in the SDK
_KEPT = 4096
_TURN = 32
"""After so many spans other threads get a turn: the event loop must not wait for all of them."""

_attributes: dict[tuple[str, AttributeValue, type], bytes] = {}
"""Attributes as bytes; most repeat."""


class Exporter(OTLPSpanExporter):
    """The SDK's exporter (addresses, headers, TLS, compression, retries) with the encoder here."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans of one resource; waits out a collector that is away, as the SDK's does."""
        if self._shutdown or not spans:
            return SpanExportResult.FAILURE
        sent = self._client.export(encode(spans))
        return SpanExportResult.SUCCESS if sent.success else SpanExportResult.FAILURE


def encode(spans: Sequence[ReadableSpan]) -> bytes:
    """An ExportTraceServiceRequest. Spans keep their order within resource and scope."""
    # By identity: a resource's own hash writes it out as JSON, and a process has one.
    parts: dict[tuple[int, int], tuple[ReadableSpan, list[bytes]]] = {}
    for number, span in enumerate(spans):
        if number % _TURN == 0:
            time.sleep(0)
        made = _span(span) or _rare(span)
        key = (id(span.resource), id(span.instrumentation_scope))
        parts.setdefault(key, (span, []))[1].append(b"\x12" + _varint(len(made)) + made)
    resources: dict[int, tuple[ReadableSpan, list[bytes]]] = {}
    for (resource_id, _), (first, encoded) in parts.items():
        body = _scope(first.instrumentation_scope) + b"".join(encoded)
        scopes = resources.setdefault(resource_id, (first, []))[1]
        scopes.append(b"\x12" + _varint(len(body)) + body)
    out = []
    for one, scopes in resources.values():
        about = encode_spans([one]).resource_spans[0].resource.SerializeToString()
        body = b"\x0a" + _varint(len(about)) + about + b"".join(scopes)
        body += _text(0x1A, one.resource.schema_url)
        out.append(b"\x0a" + _varint(len(body)) + body)
    return b"".join(out)


def _span(span: ReadableSpan) -> bytes | None:
    """A span's fields; None where it has any that are rare."""
    context, parent, status = span.context, span.parent, span.status
    if context is None or context.trace_state or status.description or span.events:
        return None
    attributes, links = span.attributes or {}, span.links
    if len(attributes) >= _LIMIT or len(links) >= _LIMIT:
        return None  # some may have been dropped, which must be said
    about = b""
    for name, value in attributes.items():
        field = _attribute(name, value)
        if field is None:
            return None
        about += field
    flags = _HAS_IS_REMOTE
    fields: bytes = (
        b"\x0a\x10" + context.trace_id.to_bytes(16) + b"\x12\x08" + context.span_id.to_bytes(8)
    )
    if parent is not None:
        fields += b"\x22\x08" + parent.span_id.to_bytes(8)
        flags |= _IS_REMOTE if parent.is_remote else 0
    fields += _text(0x2A, span.name) + bytes((0x30, span.kind.value + 1))
    fields += _TIMES(0x39, span.start_time or 0, 0x41, span.end_time or 0) + about
    for link in links:
        if link.attributes or link.context.trace_state:
            return None
        fields += _link(link.context)
    code = status.status_code
    fields += b"\x7a\x00" if code is StatusCode.UNSET else bytes((0x7A, 2, 0x18, code.value))
    fields += _FLAGS(0x85, 0x01, flags)
    return fields


def _link(context: SpanContext) -> bytes:
    flags = _HAS_IS_REMOTE | (_IS_REMOTE if context.is_remote else 0)
    ids = b"\x6a\x21\x0a\x10" + context.trace_id.to_bytes(16) + b"\x12\x08"
    return ids + context.span_id.to_bytes(8) + _LINK_FLAGS(0x35, flags)


def _attribute(name: str, value: AttributeValue) -> bytes | None:
    """A KeyValue as field 9 of a span; None for kinds of values that are rare."""
    kind = type(value)
    if kind is not str and kind is not int and kind is not bool:
        return None
    key = (name, value, kind)
    field = _attributes.get(key)
    if field is None:
        body = _key_value(name, value)
        if len(_attributes) >= _KEPT:
            _attributes.clear()
        field = _attributes[key] = b"\x4a" + _varint(len(body)) + body
    return field


def _key_value(name: str, value: AttributeValue) -> bytes:
    if isinstance(value, bool):
        inner = bytes((0x10, value))
    elif isinstance(value, int):
        inner = b"\x18" + _varint(value & 0xFFFFFFFFFFFFFFFF)
    else:
        raw = str(value).encode()
        inner = b"\x0a" + _varint(len(raw)) + raw
    return _text(0x0A, name) + b"\x12" + _varint(len(inner)) + inner


def _scope(scope: InstrumentationScope | None) -> bytes:
    if scope is None:
        return b"\x0a\x00"
    inner = _text(0x0A, scope.name) + _text(0x12, scope.version)
    return b"\x0a" + _varint(len(inner)) + inner + _text(0x1A, scope.schema_url)


def _rare(span: ReadableSpan) -> bytes:
    """The same by the SDK's encoder."""
    [resource] = encode_spans([span]).resource_spans
    return bytes(resource.scope_spans[0].spans[0].SerializeToString())


def _text(tag: int, value: str | None) -> bytes:
    if not value:
        return b""
    raw = value.encode()
    return bytes((tag,)) + _varint(len(raw)) + raw


def _varint(number: int) -> bytes:
    if number < 0x80:
        return bytes((number,))
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
