"""What a large body without a key costs others: the longest wait of a health check beside it."""

import asyncio
import time

import httpx

from bench.ingest import migrated, serving
from bench.report import Row
from deploy.local.stack import LocalStack

BODY = b"[" * (15 * 1024 * 1024)
ROUTES = ("/v1/keys", "/v1/log/rows", "/v1/events", "/v1/quotas/x")
TIMES = 3
GOAL_MS = 250.0


async def measure(stack: LocalStack) -> list[Row]:
    """The longest wait beside 15 MB of nested arrays for several routes, in milliseconds; beside it
    the longest without."""
    env = await migrated(stack)
    async with (
        serving("services.activities.app:create_app", env) as port,
        httpx.AsyncClient(trust_env=False, base_url=f"http://127.0.0.1:{port}") as client,
    ):
        quiet = await _longest_wait(client, asyncio.create_task(asyncio.sleep(1)))
        beside = await _longest_wait(client, asyncio.create_task(_refused(client)))
    return [
        Row("longest wait of a health check beside 15 MB without a key", beside, "ms",
            f"without it {quiet:,.1f} ms", None, GOAL_MS, at_most=True),
    ]  # fmt: skip


async def _refused(client: httpx.AsyncClient) -> None:
    kinds = {"Content-Type": "application/json"}
    for _ in range(TIMES):
        for route in ROUTES:
            method = "PUT" if "quotas" in route else "POST"
            try:
                answer = await client.request(method, route, content=BODY, headers=kinds)
            except httpx.WriteError:
                continue  # it was refused before it was read
            if answer.status_code not in (401, 413):
                raise RuntimeError(f"{route} answered {answer.status_code}")


async def _longest_wait(client: httpx.AsyncClient, busy: "asyncio.Task[None]") -> float:
    longest = 0.0
    while not busy.done():
        began = time.perf_counter()
        (await client.get("/health/live")).raise_for_status()
        longest = max(longest, time.perf_counter() - began)
        await asyncio.sleep(0.005)
    await busy
    return longest * 1000
