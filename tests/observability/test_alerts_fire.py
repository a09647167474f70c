"""Each alert fires when the real thing is broken, in a real system watched by a real Prometheus.

And every panel of the dashboards has something to show there.

Minutes are seconds here (`watched.quicker`); promtool proves the true durations (test_alerts.py).
"""

import asyncio
import os
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import httpx
import pytest

from deploy.grafana.boards import BOARDS
from deploy.local.stack import LocalStack
from tests.activities.posting import UNITS, unit
from tests.observability.alerts import post
from tests.observability.alerts import prometheus as prometheus
from tests.observability.alerts import stack as stack
from tests.observability.lossy import lossy
from tests.observability.watched import Prometheus, freeze

LATE = [
    ("68@2025", "Tỉnh Lâm Đồng", "province", "VN@2025"),
    ("56@2025", "Tỉnh Khánh Hòa", "province", "VN@2025"),
]
pytestmark = [pytest.mark.stack, pytest.mark.timeout(600), pytest.mark.slow]


def sql(stack: LocalStack, *statements: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(stack.superuser_url)
        for statement in statements:
            await connection.execute(statement)
        await connection.close()

    asyncio.run(run())


def test_alerts_fire_for_what_they_are_there_for(stack: LocalStack, prometheus: Prometheus) -> None:
    one = unit(*LATE[0])
    prometheus.wait_for_quiet("all is well")

    # Relay and worker hang, and one subject is parked.
    relay, worker = stack.pid("relay"), stack.pid("worker")
    freeze(relay)
    freeze(worker)
    sql(
        stack,
        # A hanging process keeps its lock until its connection dies.
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid ="
        f" {0x68763031}",
        "INSERT INTO metrics.parked (position, lane, subject, unit_id, type, problem, record)"
        " VALUES (1, 1, 'x', 'x', 'x', 'x', '{}')",
        "INSERT INTO activities.quarantine_use VALUES ('vnpt', 95000, 1)",
    )
    assert post(stack, one).json()["accepted"] == 1
    down = {"ProcessDown relay", "ProcessDown worker"}
    prometheus.wait_for(
        down
        | {
            "NoRelay",
            "NoWorker",
            "RelayBehind",
            "ProjectionBehind",
            "EventsParked",
            "QuarantineFull",
        },
        "relay and worker hang",
    )
    freeze(relay, thaw=True)
    freeze(worker, thaw=True)
    sql(stack, "DELETE FROM metrics.parked", "DELETE FROM activities.quarantine_use")

    # Meanwhile a partner posts nonsense for a while.
    for _ in range(20):
        assert post(stack, {"specversion": "1.0"}).json()["rejected"] == 1
        time.sleep(0.5)
    prometheus.wait_for({"PartnerRefused"}, "a partner posts nonsense")
    late = frozenset({"PartnerRefused"})  # over thirty minutes, so it stays for a while
    prometheus.wait_for_quiet("relay and worker go on", late)

    # A forgotten transaction blocks the refresh.
    asyncio.run(_blocked(stack, lambda: _waiting(stack, prometheus)))
    prometheus.wait_for_quiet("the transaction has ended", late)

    freeze(stack.pid("broker"))
    prometheus.wait_for({"BrokerSilent"}, "the broker hangs")
    freeze(stack.pid("broker"), thaw=True)
    prometheus.wait_for_quiet("the broker goes on", late)

    # The log cannot be written; then all of PostgreSQL hangs.
    sql(stack, "ALTER TABLE activities.log RENAME TO lost")
    for _ in range(3):
        assert post(stack, {**one, "id": os.urandom(4).hex()}).status_code == 503
    prometheus.wait_for({"AppendFailing", "HttpErrors"}, "the log is gone")
    sql(stack, "ALTER TABLE activities.lost RENAME TO log")
    freeze(stack.pid("postgres"))
    try:
        prometheus.wait_for({"DatabaseUnreachable"}, "PostgreSQL hangs")
    finally:
        freeze(stack.pid("postgres"), thaw=True)


def test_alerts_tell_that_no_intake_lives_and_what_it_found_and_that_the_bus_loses_rows(
    stack: LocalStack, prometheus: Prometheus
) -> None:
    key = stack.home.admin_key.read_text().strip()
    order = {"roles": ["telecom"], "sources": ["https://vnpt.example/"], "subtree": "VN@2025"}
    enabled = httpx.put(
        f"{stack.urls['activities']}/v1/intake/vnpt", json={**order, "partitions": 1},
        headers={"Authorization": f"Bearer {key}"}, timeout=60, trust_env=False,
    )  # fmt: skip
    assert enabled.status_code == 200, enabled.text
    freeze(stack.pid("intake"))
    sql(
        stack,
        "INSERT INTO activities.intake_trouble (partner, kind, detail, at)"
        " VALUES ('vnpt', 'removed', 'x', now())",
    )
    wanted = {"IntakeUnread", "IntakeTroubled", "ProcessDown intake", "BusLosesRows"}
    asyncio.run(_losing(stack, lambda: prometheus.wait_for(wanted, "no intake lives")))
    freeze(stack.pid("intake"), thaw=True)
    sql(stack, "DELETE FROM activities.intake_trouble")


async def _losing(stack: LocalStack, meanwhile: Callable[[], None]) -> None:
    async with lossy(stack):
        await asyncio.to_thread(meanwhile)


def test_an_alert_tells_that_all_connections_wait(
    stack: LocalStack, prometheus: Prometheus
) -> None:
    asyncio.run(_locked(stack, lambda: _crowd(stack, prometheus)))


async def _locked(stack: LocalStack, meanwhile: Callable[[], Awaitable[None]]) -> None:
    """A forgotten session holds the log: who reads or writes it waits."""
    connection = await asyncpg.connect(stack.superuser_url)
    async with connection.transaction():
        await connection.execute("LOCK TABLE activities.log IN ACCESS EXCLUSIVE MODE")
        await meanwhile()
    await connection.close()


async def _crowd(stack: LocalStack, prometheus: Prometheus) -> None:
    key = stack.home.admin_key.read_text().strip()
    async with httpx.AsyncClient(
        headers={"Authorization": f"Bearer {key}"}, timeout=60, trust_env=False
    ) as client:
        address = f"{stack.urls['activities']}/v1/events?source=x&id=x"
        asking = [asyncio.create_task(client.get(address)) for _ in range(30)]
        await asyncio.to_thread(prometheus.wait_for, {"PoolExhausted"}, "all connections wait")
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)


async def _blocked(stack: LocalStack, meanwhile: Callable[[], Awaitable[None]]) -> None:
    connection = await asyncpg.connect(stack.superuser_url)
    async with connection.transaction():
        await connection.execute("SELECT 1 FROM metrics.shown FOR UPDATE")
        await meanwhile()
    await connection.close()


async def _waiting(stack: LocalStack, prometheus: Prometheus) -> None:
    answer = await asyncio.to_thread(post, stack, unit(*LATE[1]))
    assert answer.json()["accepted"] == 1, answer.text
    await asyncio.to_thread(prometheus.wait_for, {"RefreshStale"}, "the refresh is blocked")


def test_a_slow_bucket_leads_to_a_trace_only_where_traces_are_kept(
    stack: LocalStack, prometheus: Prometheus
) -> None:
    """Without an exporter no trace is sampled, so no exemplar may promise one."""
    data = prometheus.get(
        "query_exemplars", query="http_server_request_duration_seconds_bucket",
        start="0", end="4102444800",
    )  # fmt: skip
    assert data == []


def test_recorded_series_have_values(
    stack: LocalStack, prometheus: Prometheus, tmp_path: Path
) -> None:
    assert prometheus.values("hocvuso:log_position")[0] >= len(UNITS)
    assert len(prometheus.values("hocvuso:projection_delay_seconds")) == 9
    assert prometheus.values('sum(hocvuso_events_total{hocvuso_outcome="accepted"})')[0] >= 1


MAY_BE_EMPTY = {
    "max(hocvuso_rebuild_progress_ratio)",  # no rebuild runs, and 0 would say that one does
}


def test_every_panel_has_something_to_show(stack: LocalStack, prometheus: Prometheus) -> None:
    """As Grafana asks, with all partners and all plans chosen."""
    key = stack.home.admin_key.read_text().strip()
    for day in ({}, {"as_of": "2026-06-30"}):
        asked = httpx.get(
            f"{stack.urls['registry']}/v1/plans/dak-lak-2026/table", params=day,
            headers={"Authorization": f"Bearer {key}"}, timeout=60, trust_env=False,
        )  # fmt: skip
        assert asked.status_code == 200, asked.text
    queries = {
        re.sub(r"\$(partner|plan)", ".*", target["expr"]).replace("$__rate_interval", "4m")
        for board in BOARDS.values()
        for panel in board["panels"]
        for target in panel["targets"]
    }
    assert len(queries) > 40
    deadline = time.monotonic() + 60  # the plans are looked at every thirty seconds
    while empty := {q for q in queries - MAY_BE_EMPTY if not prometheus.values(q)}:
        assert time.monotonic() < deadline, empty
        time.sleep(0.5)
    kinds = "count by (hocvuso_query) (hocvuso_query_duration_seconds_count)"
    assert len(prometheus.values(kinds)) == 2, "current and past"
    for query in queries:
        assert prometheus.get("query", query=query) is not None, f"not understood: {query}"
