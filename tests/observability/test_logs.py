"""A line of the log: one JSON object, the trace it belongs to, and nobody's numbers."""

import json
import logging
import sys

import pytest
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext

from shared.json_logs import JsonFormatter, masked


def line(message: str, error: BaseException | None = None) -> dict[str, str]:
    info = None if error is None else (type(error), error, error.__traceback__)
    record = logging.LogRecord("n", logging.WARNING, __file__, 1, message, None, info)
    text = JsonFormatter().format(record)
    assert "\n" not in text, "one line per fact"
    return dict(json.loads(text))


@pytest.mark.security("V16.2.1", "V16.2.2", "V16.2.4", "V16.2.3")
def test_a_line_says_when_who_what_and_in_which_trace() -> None:
    with trace.use_span(NonRecordingSpan(SpanContext(0xABC, 0xDEF, False))):
        said = line("nguyên văn\nsecond")
    assert said.keys() == {"time", "level", "logger", "message", "trace_id", "span_id"}
    assert said["message"] == "nguyên văn\nsecond" and said["time"].endswith("+00:00")
    assert (said["trace_id"][-3:], said["span_id"][-3:]) == ("abc", "def")
    assert "trace_id" not in line("outside of any request")


@pytest.mark.security("V16.4.1", "V16.5.1", "V16.3.4")
def test_an_exception_is_one_line_and_quotes_nobody() -> None:
    try:
        try:
            raise ValueError("Key (id)=(066204012345) exists: +84905123456")
        except ValueError as first:
            raise KeyError("binh.66@example.vn") from first
    except KeyError:
        said = line("it failed", sys.exc_info()[1])
    assert "test_logs.py" in said["exception"] and "KeyError" in said["exception"]
    for personal in ("066204012345", "84905123456", "binh.66"):
        # The traceback quotes the source line, too.
        assert personal not in said["exception"], said["exception"]


@pytest.mark.parametrize(
    "text",
    [
        "24133@2025 at 2026-11-21 10:42:19.725394", "position 123456789012", "0.123456789",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "127.0.0.1:5432", "1763721600000",
    ],
)  # fmt: skip
def test_what_operators_need_stays(text: str) -> None:
    assert masked(text) == text
