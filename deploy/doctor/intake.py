"""Kafka as a way in: whether somebody reads, and every partner's topic."""

from collections.abc import Mapping
from datetime import UTC, datetime

import asyncpg

from deploy.doctor.databases import connect
from deploy.doctor.model import Finding, fail, ok, skip, warn
from services.activities.intake.lag import Lag, lags

_LATE_SECONDS = 300.0
_READERS = "SELECT count(*) FROM intake_worker WHERE heartbeat > now() - interval '15 seconds'"


async def check_intake(env: Mapping[str, str]) -> list[Finding]:
    """What the reader says of itself and of each partner, in the database of activities."""
    url = env.get("HOCVUSO_ACTIVITIES_DATABASE_URL")
    if not url:
        return [skip("intake", "the database of activities is not named")]
    try:
        connection = await connect(url, "activities")
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return [skip("intake", f"the database cannot be asked ({type(error).__name__})")]
    try:
        readers = int(await connection.fetchval(_READERS))
        return judge(readers, await lags(connection, datetime.now(UTC)))
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return [skip("intake", f"the database cannot be asked ({type(error).__name__})")]
    finally:
        connection.terminate()


def judge(readers: int, partners: list[Lag]) -> list[Finding]:
    """Pure: what `readers` processes and the partners' states mean."""
    enabled = [lag for lag in partners if lag.state != "disabled"]
    if not readers and enabled:
        return [
            fail(
                "intake", f"no process was heard of, and {len(enabled)} partners write over Kafka",
                "start the process `intake`; what they wrote waits until the topics' retention ends",
            )
        ]  # fmt: skip
    if not readers:
        return [warn("intake", "no process was heard of; no partner writes over Kafka either",
                     "start the process `intake` before a partner is registered")]  # fmt: skip
    return [ok("intake", f"{readers} running, {len(enabled)} partners")] + [
        finding for lag in enabled if (finding := _partner(lag)) is not None
    ]


def _partner(lag: Lag) -> Finding | None:
    part = f"intake of {lag.partner}"
    if lag.state == "unattended":
        return fail(
            part, "nobody looks at its topic", "restart the process `intake`; its log says why"
        )
    if lag.state == "attention":
        said = "its topic is compacted" if lag.compacted else f"{lag.troubles} troubles are open"
        return warn(part, said, f"`hocvuso intake list --details`, then `hocvuso intake acknowledge"
                    f" {lag.partner}` (docs/runbooks.md, IntakeTroubled)")  # fmt: skip
    if lag.state == "waiting":
        return fail(part, f"waits for: {lag.waits_for}",
                    "mend the topic or its rights on the broker (docs/intake.md)")  # fmt: skip
    if lag.seconds > _LATE_SECONDS:
        return warn(part, f"{lag.messages} messages are not read, the oldest for {lag.seconds:.0f} s",
                    "docs/runbooks.md, IntakeBehind")  # fmt: skip
    return None
