"""Rows of the log, for what the tables do not say."""

import httpx

from shared.contracts.record import LogRecord
from shared.lane_consumer import LogReader
from shared.problems import Problem


async def read_rows(reader: LogReader, positions: list[int], through: int) -> dict[int, LogRecord]:
    """Rows of the log by position, with all rows of their events; Problem log-unavailable."""
    found: dict[int, LogRecord] = {}
    try:
        for at in range(0, len(positions), 1_000):
            for row in await reader.rows_of(positions[at : at + 1_000], through):
                found[row.position] = row
    except httpx.HTTPError as error:
        raise Problem(
            "log-unavailable",
            f"The log does not answer ({type(error).__name__}).",
            status=503,
            hint="Check that activities runs; ask again in a moment.",
            retryable=True,
            retry_after=2,
        ) from error
    return found
