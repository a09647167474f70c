"""What the intake measures by looking: lag, troubles and waiting receipts of every partner."""

import asyncpg

from services.activities.intake.lag import lags
from shared import instruments as measured
from shared.clock import Clock


class Watch:
    """Looks into the database; any replica may, all say the same."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def look(self) -> None:
        """Measure once. Raises what the database raises."""
        for lag in await lags(self._pool, self._clock.now()):
            if lag.state == "disabled":
                continue
            measured.INTAKE_LAG.set(lag.messages, lag.partner)
            measured.INTAKE_DELAY.set(lag.seconds, lag.partner)
            measured.INTAKE_TROUBLES.set(lag.troubles, lag.partner)
            measured.INTAKE_RECEIPTS.set(lag.receipts_waiting, lag.partner)
            measured.INTAKE_READ.set(lag.state in ("reading", "attention"), lag.partner)
