"""Logs: one JSON object per line, with the trace it belongs to, and without anybody's numbers."""

import json
import logging
import re
import traceback
from datetime import UTC, datetime

from opentelemetry import trace

_NUMBER = r"(?<![\w.])(?:0\d{8,11}|\+?84\d{8,10})(?![\w.])"
_MAIL = r"[\w.+-]+@[\w-]+\.[\w.-]+"
_PERSONAL = re.compile(f"{_NUMBER}|{_MAIL}")
"""Identity and telephone numbers, e-mail addresses; unit ids (24133@2025) and times are none."""


def masked(text: str) -> str:
    """A text without identity and telephone numbers and e-mail addresses.

    No line of ours logs what a partner wrote; this is for messages of libraries and databases, which may quote it.
    """
    return _PERSONAL.sub("[masked]", text)


class JsonFormatter(logging.Formatter):
    """`time` (UTC), `level`, `logger`, `message`, and where there is one `trace_id`, `span_id`,
    `exception` (its traceback)."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": masked(record.getMessage()),
        }
        context = trace.get_current_span().get_span_context()
        if context.is_valid:
            line["trace_id"] = trace.format_trace_id(context.trace_id)
            line["span_id"] = trace.format_span_id(context.span_id)
        if record.exc_info:
            line["exception"] = masked("".join(traceback.format_exception(*record.exc_info)))
        return json.dumps(line, ensure_ascii=False)
