"""The front door's own refusals that more than one module gives. The table is `docs/errors.md`."""

MAX_EVENT_BYTES = 256 * 1024
MAX_BATCH_BYTES = 10 * 1024 * 1024
MAX_BATCH_EVENTS = 1_000
