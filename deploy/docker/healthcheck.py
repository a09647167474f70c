"""Health checks of the containers: exit code 0 when healthy, else 1 and the reason.

    python -m deploy.docker.healthcheck http PORT    the service says that it is ready
    python -m deploy.docker.healthcheck relay        the log goes out to Kafka
    python -m deploy.docker.healthcheck intake       this container's intake looks for partners
    python -m deploy.docker.healthcheck worker       this container's worker holds its heartbeat

Relay and worker serve no HTTP; what they do shows in the database.
"""

import asyncio
import os
import socket
import sys
import urllib.error
import urllib.request

import asyncpg

from deploy.docker.entrypoint import settings

TIMEOUT_SECONDS = 5.0
LEADER_LOCK = 0x68763031
"""The lock of the leading relay; the same number as in services/activities/relay.py."""

STALLED_SECONDS = 60
"""A relay that has rows to send and has sent none for so long is not healthy."""

RELAY_SQL = """
SELECT
  EXISTS (
    SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted
      AND classid = 0 AND objid = $1::bigint::oid AND objsubid = 1
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  ) AS led,
  (SELECT c.position - r.position FROM activities.counter c, activities.relay r
   WHERE c.one AND r.one) AS waiting,
  (SELECT extract(epoch FROM now() - min(recorded_at)) FROM activities.log
   WHERE position = (SELECT position + 1 FROM activities.relay WHERE one))::float AS oldest
"""

INTAKE_SQL = """
SELECT EXISTS (
  SELECT FROM activities.intake_worker
  WHERE starts_with(name, $1) AND heartbeat > now() - interval '15 seconds'
) AS alive,
(SELECT string_agg(partner, ', ' ORDER BY partner) FROM activities.intake
 WHERE enabled AND changed_at < now() - interval '60 seconds'
   AND coalesce(checked_at, '-infinity') < now() - interval '60 seconds') AS unread
"""

WORKER_SQL = """
SELECT EXISTS (
  SELECT FROM metrics.worker
  WHERE starts_with(name, $1) AND heartbeat > now() - interval '15 seconds'
)
"""


def http(port: int) -> str | None:
    """Why the service on `port` is not ready; None when it is."""
    url = f"http://127.0.0.1:{port}/health/ready"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=TIMEOUT_SECONDS) as answer:
            return None if answer.status == 200 else f"{url}: {answer.status}"
    except urllib.error.HTTPError as error:
        return f"{url}: {error.code} {error.read(500).decode(errors='replace')}"
    except OSError as error:
        return f"{url}: {error}"


async def relay(url: str) -> str | None:
    """Why the relay is not healthy; one that stands by for a leader is."""
    connection = await asyncpg.connect(url, timeout=TIMEOUT_SECONDS)
    try:
        row = await connection.fetchrow(RELAY_SQL, LEADER_LOCK, timeout=TIMEOUT_SECONDS)
    finally:
        await connection.close()
    if row is None or not row["led"]:
        return "no relay leads: none has reached the broker"
    if row["waiting"] and (row["oldest"] or 0) > STALLED_SECONDS:
        return f"{row['waiting']} rows wait, the oldest for {row['oldest']:.0f} s"
    return None


async def intake(url: str, host: str) -> str | None:
    """Why the intake of this container is not healthy; one that stands by for another is."""
    connection = await asyncpg.connect(url, timeout=TIMEOUT_SECONDS)
    try:
        row = await connection.fetchrow(INTAKE_SQL, f"intake-{host}-", timeout=TIMEOUT_SECONDS)
    finally:
        await connection.close()
    if row is None or not row["alive"]:
        return f"no heartbeat of an intake on {host} in the last 15 s"
    return f"nobody looks at the topics of {row['unread']}" if row["unread"] else None


async def worker(url: str, host: str) -> str | None:
    """Why the worker of this container is not healthy."""
    connection = await asyncpg.connect(url, timeout=TIMEOUT_SECONDS)
    try:
        alive = await connection.fetchval(WORKER_SQL, f"metrics-{host}-", timeout=TIMEOUT_SECONDS)
    finally:
        await connection.close()
    return None if alive else f"no heartbeat of a worker on {host} in the last 15 s"


def check(arguments: list[str]) -> str | None:
    """The reason why what `arguments` name is not healthy; None when it is."""
    environ = {**os.environ, **settings(os.environ)}
    match arguments:
        case ["http", port]:
            return http(int(port))
        case ["relay"]:
            return asyncio.run(relay(environ["HOCVUSO_ACTIVITIES_DATABASE_URL"]))
        case ["intake"]:
            return asyncio.run(
                intake(environ["HOCVUSO_ACTIVITIES_DATABASE_URL"], socket.gethostname())
            )
        case ["worker"]:
            return asyncio.run(
                worker(environ["HOCVUSO_METRICS_DATABASE_URL"], socket.gethostname())
            )
    return "usage: healthcheck http PORT | relay | intake | worker"


def main() -> int:
    """Say what is wrong on standard error, where `docker inspect` shows it."""
    try:
        reason = check(sys.argv[1:])
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
        reason = f"{type(error).__name__}: {error}"
    if reason is not None:
        sys.stderr.write(f"{reason}\n")
    return 0 if reason is None else 1


if __name__ == "__main__":
    raise SystemExit(main())
