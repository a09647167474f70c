"""Whether events flow: services answer, the relay leads, the worker counts, tables follow."""

import asyncio
from collections.abc import Mapping

import asyncpg
import httpx

from deploy.doctor.databases import connect
from deploy.doctor.model import Finding, fail, ok, skip, warn
from services.activities.relay import LEADER_LOCK

_MOVES_WITHIN = 15.0
SERVICES = ("registry", "activities", "metrics")

_RELAY = """
SELECT (SELECT position FROM counter WHERE one) AS log, (SELECT position FROM relay WHERE one) AS relayed,
  EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND classid = ($1::bigint >> 32)::oid AND objid = ($1::bigint & 4294967295)::oid) AS led,
  (SELECT epoch FROM counter WHERE one) AS epoch
"""
_WORKER = """
SELECT (SELECT min(through) FROM progress) AS counted, (SELECT position FROM shown WHERE one) AS shown,
  (SELECT count(*) FROM worker WHERE heartbeat > now() - interval '10 seconds') AS workers,
  (SELECT count(DISTINCT (lane, subject)) FROM parked) AS parked,
  (SELECT log_epoch FROM projection WHERE one) AS epoch
"""


async def check_services(env: Mapping[str, str]) -> list[Finding]:
    """Each says itself whether it is ready, and why not."""
    async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
        return [await _service(client, name, env) for name in SERVICES]


async def _service(client: httpx.AsyncClient, name: str, env: Mapping[str, str]) -> Finding:
    url = env.get(f"HOCVUSO_{name.upper()}_URL")
    if not url:
        return skip(name, f"HOCVUSO_{name.upper()}_URL is not set")
    try:
        answer = await client.get(f"{url}/health/ready")
    except httpx.TransportError as error:
        return fail(name, f"does not answer at {url} ({type(error).__name__})",
                    "start it; its log says why it ended")  # fmt: skip
    if answer.status_code == 200:
        return ok(name, f"ready at {url}")
    try:
        problem = answer.json()
        return fail(name, str(problem["detail"]), str(problem.get("hint", "look at its log")))
    except (ValueError, KeyError, TypeError):
        return fail(name, f"{url} answers {answer.status_code}", "look at its log")


async def check_flow(env: Mapping[str, str]) -> list[Finding]:
    """From the log to the tables, in the databases. Posts nothing."""
    urls = [env.get(f"HOCVUSO_{s}_DATABASE_URL") for s in ("ACTIVITIES", "METRICS")]
    if not all(urls):
        return [skip("flow", "the databases of activities and metrics are not named")]
    log = metrics = None
    try:
        log = await connect(str(urls[0]), "activities")
        metrics = await connect(str(urls[1]), "metrics")
        return await _flow(log, metrics)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return [skip("flow", f"the databases cannot be asked ({type(error).__name__})")]
    finally:
        for connection in (log, metrics):
            if connection is not None:
                connection.terminate()


async def _flow(log: asyncpg.Connection, metrics: asyncpg.Connection) -> list[Finding]:
    relay = await log.fetchrow(_RELAY, LEADER_LOCK)
    worker = await metrics.fetchrow(_WORKER)
    assert relay is not None and worker is not None  # noqa: S101 - SELECTs without FROM
    found = []
    if not relay["led"]:
        found.append(fail("relay", "nobody leads: nothing goes to Kafka",
                          "start the relay; numbers stay right but come later"))  # fmt: skip
    if not worker["workers"]:
        found.append(fail("worker", "none was heard of for ten seconds: nothing is counted",
                          "start the worker; its log says why it stopped"))  # fmt: skip
    if worker["epoch"] not in (None, relay["epoch"]):
        found.append(
            fail(
                "log epoch", "metrics has counted another log than this one",
                "make sure which log is the right one, then `hocvuso start-over`"
                " (docs/operations.md, after a restore)",
            )
        )  # fmt: skip
    if not found:
        found += await _moves(log, metrics, int(relay["log"]))
    if worker["parked"]:
        found.append(warn("parked", f"{worker['parked']} subjects wait for a person",
                          "`hocvuso parked` says why; mend it, then `hocvuso parked retry`"))  # fmt: skip
    return found


async def _moves(log: asyncpg.Connection, metrics: asyncpg.Connection, aim: int) -> list[Finding]:
    """Whether what was in the log just now is sent, counted and shown within seconds."""
    deadline = asyncio.get_running_loop().time() + _MOVES_WITHIN
    while True:
        reached = {
            "relay": await log.fetchval("SELECT position FROM relay WHERE one"),
            "worker": await metrics.fetchval("SELECT min(through) FROM progress"),
            "tables": await metrics.fetchval("SELECT position FROM shown WHERE one"),
        }
        late = asyncio.get_running_loop().time() > deadline
        if late or min(reached.values()) >= aim:
            break
        await asyncio.sleep(0.3)
    fixes = {
        "relay": "look at the relay's log and at the broker",
        "worker": "look at the worker's log; more workers share the lanes",
        "tables": "look at the worker's log (`refresh failed`) and for long transactions",
    }
    found = []
    for part, position in reached.items():
        if position >= aim:
            found.append(ok(part, f"has reached position {aim}, the log's end"))
        else:
            found.append(
                warn(part, f"is at {position}, the log was at {aim} {_MOVES_WITHIN:.0f} s ago",
                     fixes[part])
            )  # fmt: skip
    return found
