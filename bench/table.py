"""The province table from the read model, and the time from a POST to a visible number."""

import asyncio
import itertools
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import httpx
import msgspec

from bench import ingest, load
from bench.report import Row
from bench.stream import listening
from deploy.local.stack import LocalStack
from shared.clock import VIETNAM

EVENTS = 3_000
REQUESTS = 400
POSTS = 60
PAST_DAYS = 40
NATION = "/v1/nation"
PAGE = "/plans/dak-lak-2026"
TABLE = "/v1/plans/dak-lak-2026/table"
DRAFT = "/v1/plans/dak-lak-2026/documents/final-report-2026/once"
DRAFTS = 5
TASKS = "/v1/plans/dak-lak-2026/tasks"
SELECT = "SELECT * FROM indicators.cells WHERE plan = 'dak-lak-2026'"


async def measure(_: LocalStack) -> list[Row]:
    """All rows; over a whole system of its own, with a simulated course of Đắk Lắk."""
    with tempfile.TemporaryDirectory(prefix="hocvuso-bench-") as folder:
        home = Path(folder) / "home"
        stack = LocalStack(home, sandbox=True, report=lambda _: None)
        async with stack:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "deploy.local", "simulate", "--events", str(EVENTS),
                env=stack.env, stdout=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
            if await process.wait():
                raise RuntimeError("simulate failed")
            key = (home / "admin.key").read_text().strip()
            table = await _table(stack, key)
            return [
                table,
                await _tasks(stack, key, table.figure),
                await _page(stack, key),
                await _document(stack, key),
                await _past(stack, key),
                await _nation(stack, key),
                await _visible(stack, key),
            ]


async def _answers(stack: LocalStack, key: str, address: str) -> float:
    """p99 of an answer that is asked for again and again, in ms."""
    port = int(stack.urls["registry"].rpartition(":")[2])
    request = (
        f"GET {address} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n\r\n"
    ).encode()

    def requests() -> Iterator[bytes]:
        return itertools.repeat(request, REQUESTS)

    await load.run(port, lambda: itertools.repeat(request, 20), 1, 30)
    result = await load.run(port, requests, 1, 60)
    if result.statuses != {200: REQUESTS}:
        raise RuntimeError(f"{address} answered {result.statuses}")
    return 1e3 * result.percentile(0.99)


async def _tasks(stack: LocalStack, key: str, table: float) -> Row:
    """58 tasks with their 102 communes and the occurrences of a year, beside the table."""
    return Row(
        "tasks of a province 58 x 102, current, p99",
        await _answers(stack, key, TASKS),
        "ms",
        "the province table, p99, same run",
        table,
        3,
        at_most=True,
    )


async def _table(stack: LocalStack, key: str) -> Row:
    p99 = await _answers(stack, key, TABLE)
    connection = await asyncpg.connect(stack.superuser_url)
    statement = await connection.prepare(SELECT)
    times = []
    for _ in range(REQUESTS):
        started = time.perf_counter()
        await statement.fetch()
        times.append(time.perf_counter() - started)
    await connection.close()
    return Row(
        "province table 102 x 25, current, p99",
        p99,
        "ms",
        f"SELECT of the plan's cells, p99 {1e3 * sorted(times)[int(0.99 * REQUESTS)]:.1f} ms",
        None,
        10,
        at_most=True,
    )


async def _page(stack: LocalStack, key: str) -> Row:
    """The same table as a page beside its JSON, in turn, so that both have the same machine."""
    headers = {
        "Authorization": f"Bearer {key}",
        "Accept": "text/html",
        "Accept-Encoding": "identity",
    }
    times: dict[str, list[float]] = {TABLE: [], PAGE: []}
    async with httpx.AsyncClient(headers=headers, timeout=60, trust_env=False) as client:
        for _ in range(REQUESTS // 4):
            for to, taken in times.items():
                started = time.perf_counter()
                (await client.get(stack.urls["registry"] + to)).raise_for_status()
                taken.append(time.perf_counter() - started)
    page, answer = (1e3 * sorted(taken)[len(taken) // 2] for taken in (times[PAGE], times[TABLE]))
    return Row(
        "province table as a page, median", page, "ms", "its JSON answer, median", answer, 3,
        at_most=True,
    )  # fmt: skip


async def _document(stack: LocalStack, key: str) -> Row:
    """The province's own report as Word with its appendix, gathered and composed anew, beside the
    table's export as a workbook, in turn; and how long others waited meanwhile."""
    headers = {"Authorization": f"Bearer {key}"}
    url = stack.urls["registry"]
    asked = {DRAFT: {"format": "docx", "organisation": "so-khcn"}, TABLE: {"format": "xlsx"}}
    times: dict[str, list[float]] = {DRAFT: [], TABLE: []}
    waited: list[float] = []
    async with httpx.AsyncClient(headers=headers, timeout=120, trust_env=False) as client:
        for address, params in asked.items():
            (await client.get(url + address, params=params)).raise_for_status()
        for _ in range(DRAFTS):
            for address, params in asked.items():
                started = time.perf_counter()
                task = asyncio.create_task(client.get(url + address, params=params))
                while not task.done() and address == DRAFT:
                    began = time.perf_counter()
                    (await client.get(f"{url}/health/live")).raise_for_status()
                    waited.append(time.perf_counter() - began)
                    await asyncio.sleep(0.02)
                (await task).raise_for_status()
                times[address].append(time.perf_counter() - started)
    draft, export = (1e3 * sorted(times[a])[DRAFTS // 2] for a in (DRAFT, TABLE))
    return Row(
        f"province report as Word with appendix, median (others waited {1e3 * max(waited):.0f} ms at most)",
        draft, "ms", "XLSX export of the same table, median", export, 5, at_most=True,
    )  # fmt: skip


async def _past(stack: LocalStack, key: str) -> Row:
    """Every day of the last PAST_DAYS, as known today: no answer is a repeat, and (the course having
    been posted today) none is empty."""
    today = datetime.now(VIETNAM).date()
    times = []
    headers = {"Authorization": f"Bearer {key}"}
    url = stack.urls["registry"] + TABLE
    async with httpx.AsyncClient(headers=headers, timeout=60, trust_env=False) as client:
        for back in range(1, PAST_DAYS + 1):
            day = (today - timedelta(days=back)).isoformat()
            started = time.perf_counter()
            answer = await client.get(url, params={"as_of": day, "known_at": today.isoformat()})
            answer.raise_for_status()
            times.append(time.perf_counter() - started)
    times.sort()
    return Row(
        f"province table of a past day, slowest of {PAST_DAYS}",
        1e3 * times[-1],
        "ms",
        f"median {1e3 * times[len(times) // 2]:.0f} ms, {EVENTS:,} events in the log",
        None,
        300,
        at_most=True,
    )


async def _nation(stack: LocalStack, key: str) -> Row:
    """What the memory of registry grows by while the nation is streamed, three times."""
    registry = listening(int(stack.urls["registry"].rpartition(":")[2]))
    headers = {"Authorization": f"Bearer {key}"}
    lines = 0
    async with httpx.AsyncClient(headers=headers, timeout=120, trust_env=False) as client:
        async with client.stream("GET", stack.urls["registry"] + NATION) as answer:
            answer.raise_for_status()
            async for _ in answer.aiter_bytes():
                pass
        before = registry.memory_info().rss
        for _ in range(3):
            async with client.stream("GET", stack.urls["registry"] + NATION) as answer:
                answer.raise_for_status()
                lines = 0
                async for chunk in answer.aiter_bytes():
                    lines += chunk.count(b"\n")
    grown = (registry.memory_info().rss - before) / 2**20
    return Row(
        "nation as CSV, memory grown by three more", grown, "MB", f"{lines:,} lines", None, 10,
        at_most=True,
    )  # fmt: skip


async def _visible(stack: LocalStack, key: str) -> Row:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": ingest.SINGLE}
    times = []
    async with httpx.AsyncClient(headers=headers, timeout=40, trust_env=False) as client:
        for number in range(POSTS):
            started = time.perf_counter()
            posted = await client.post(
                f"{stack.urls['activities']}/v1/events",
                content=msgspec.json.encode(ingest.event(number)),
            )
            seen = await client.get(
                stack.urls["registry"] + TABLE,
                params={"after_position": posted.json()["position"], "wait": 20},
            )
            seen.raise_for_status()
            times.append(time.perf_counter() - started)
    times.sort()
    return Row(
        f"POST to visible in the table, idle, p99 of {POSTS}",
        1e3 * times[int(0.99 * len(times))],
        "ms",
        f"median {1e3 * times[len(times) // 2]:.0f} ms",
        None,
        1000,
        at_most=True,
    )
