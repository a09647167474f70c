"""What the log says today of facts that were sent: revoked ones are gone, corrected ones moved.

`arrival` counts what was sent, whole lanes at a time. Events that were restated since are few; of
each, the type and where it was counted first are looked up in the log once, and kept.
"""

import asyncpg
import httpx

from shared import answers
from shared.contracts.record import record_decoder
from shared.peers import READ
from shared.problems import Problem

AT_ONCE = 500

_UNKNOWN = "SELECT origin FROM restated WHERE type IS NULL ORDER BY origin LIMIT $1"
_LEARN = """
UPDATE restated r SET type = v.type, first_unit = v.unit_id, first_occurred = v.occurred
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::date[]) AS v (origin, type, unit_id, occurred)
WHERE r.origin = v.origin
"""


async def learn(pool: asyncpg.Pool, activities: httpx.AsyncClient) -> None:
    """Look up what restated events were when they came; Problem log-not-available."""
    while origins := [row["origin"] for row in await pool.fetch(_UNKNOWN, AT_ONCE)]:
        try:
            answer = await activities.post(
                "/v1/log/rows", json={"positions": origins, "through": origins[-1]}, extensions=READ
            )
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise _not_available(type(error).__name__) from error
        # The answer has all rows of these events, whichever was asked for.
        wanted = set(origins)
        every = [
            record_decoder.decode(line) for line in answers.content(answer).splitlines() if line
        ]
        rows = [row for row in every if row.position in wanted]
        if len(rows) != len(wanted):
            raise _not_available("rows are missing")
        await pool.execute(
            _LEARN,
            [row.position for row in rows],
            [row.short_type for row in rows],
            [row.unitid for row in rows],
            [row.occurred for row in rows],
        )


def _not_available(reason: str) -> Problem:
    return Problem(
        "activities-not-available",
        f"activities did not say which events were corrected or revoked ({reason}).",
        status=503,
        hint="Ask again in a moment.",
        retryable=True,
        retry_after=2,
    )
