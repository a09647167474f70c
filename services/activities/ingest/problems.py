"""The front door's own refusals that more than one module gives. The table is `docs/errors.md`."""

from shared.problems import Problem

MAX_EVENT_BYTES = 256 * 1024
MAX_BATCH_BYTES = 10 * 1024 * 1024
MAX_BATCH_EVENTS = 1_000


def too_large(limit: int, what: str) -> Problem:
    """A body over its limit, compressed or not."""
    return Problem(
        "body-too-large",
        f"{what} may have at most {limit} bytes, also after decompression.",
        status=413,
        hint=f"Limits: {MAX_EVENT_BYTES} bytes per event, {MAX_BATCH_EVENTS} events or"
        f" {MAX_BATCH_BYTES} bytes per batch. Split it.",
    )
