"""Names on the bus. See `docs/asyncapi.yaml` for the messages."""

LOG = "hocvuso.activities.v1"
"""Every log row, partition = lane modulo partitions; key = lane as one byte; plus markers."""

PROGRESS = "hocvuso.progress.v1"
"""What the projections have counted; one partition."""

EVENT_TYPE_PREFIX = "vn.hocvuso."
"""CloudEvents type = prefix + short type name."""


def intake(partner: str) -> str:
    """Where a partner writes events: the one topic with raw identifiers."""
    return f"hocvuso.intake.{partner}.v1"


def receipts(partner: str) -> str:
    """Where a partner reads what became of them."""
    return f"hocvuso.receipts.{partner}.v1"
