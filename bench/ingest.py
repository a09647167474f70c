"""The front door: single POST and batches of 500, durable, beside what a bare path can do."""

import asyncio
import contextlib
import itertools
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import msgspec

from bench import load
from bench.report import Row
from deploy.local.ports import free_port
from deploy.local.stack import LocalStack
from services.registry.units import catalogue
from services.registry.units.load import load as load_definitions

SECONDS = 6.0
CONNECTIONS = 64
ROUNDS = 3
SINGLE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"


def event(number: int) -> dict[str, Any]:
    """One certification, as the police extract would post it."""
    return {
        "specversion": "1.0",
        "id": f"bench-{number}",
        "source": "https://congan.daklak.example/vneid",
        "type": "vn.hocvuso.citizen.certified",
        "subject": "24133",
        "time": "2026-06-30T09:12:00+07:00",
        "data": {
            "person": {"scheme": "account", "value": f"bench-person-{number}"},
            "target_groups": ["adult"],
            "platform": "vneid",
        },
    }


@contextlib.asynccontextmanager
async def serving(app: str, env: dict[str, str]) -> AsyncIterator[int]:
    """Run an ASGI app factory under uvicorn on a free port until the block ends."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "uvicorn", app, "--factory", "--host", "127.0.0.1",
        "--port", str(port), "--log-level", "error", "--no-access-log",
        env={**os.environ, **env}, cwd=Path(__file__).parents[1],
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            for _ in range(300):
                with contextlib.suppress(httpx.HTTPError):
                    answer = await client.get(f"http://127.0.0.1:{port}/health/ready")
                    if answer.status_code == 200:
                        break
                await asyncio.sleep(0.1)
            else:
                raise RuntimeError(f"{app} did not become ready")
        yield port
    finally:
        process.terminate()
        await process.wait()


async def measure(stack: LocalStack) -> list[Row]:
    """Both rows of the front door."""
    env = await migrated(stack)
    key = Path(env["HOCVUSO_ADMIN_KEY_FILE"]).read_text().strip()
    numbers = itertools.count()

    def singles(bearer: str | None) -> Iterator[bytes]:
        for n in numbers:
            yield load.request("/v1/events", msgspec.json.encode(event(n)), SINGLE, bearer)

    def batches() -> Iterator[bytes]:
        while True:
            body = msgspec.json.encode([event(n) for n in itertools.islice(numbers, 500)])
            yield load.request("/v1/events", body, BATCH, key)

    async with (
        serving("services.activities.app:create_app", env) as port,
        serving("bench.reference_app:create_app", {}) as reference_port,
    ):
        await load_units(port, key)
        single, plain, batch, insert = [], [], [], []
        ready = list(itertools.islice(batches(), 120))
        for turn in range(ROUNDS):
            single.append((await load.run(port, lambda: singles(key), CONNECTIONS, SECONDS)).rate)
            plain.append(
                (await load.run(reference_port, lambda: singles(None), CONNECTIONS, SECONDS)).rate
            )
            share = ready[turn * 40 : (turn + 1) * 40]
            batch.append(500 * (await load.run(port, lambda s=share: iter(s), 4, 60)).rate)  # type: ignore[misc]
            insert.append(await insert_rate(stack.superuser_url, turn))
    return [
        Row("single POST, durable, 64 connections", _middle(single), "events/s",
            "route that only validates", _middle(plain), 0.7),
        Row("batch POST of 500", _middle(batch), "events/s",
            "unnest insert with conflict check", _middle(insert), 0.6),
    ]  # fmt: skip


async def migrated(stack: LocalStack) -> dict[str, str]:
    """Migrate the stack's databases; the environment of its services."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy.local", "migrate",
        env=stack.env, cwd=Path(__file__).parents[1],
    )  # fmt: skip
    if await process.wait():
        raise RuntimeError("migrate failed")
    return stack.added_env


async def load_units(port: int, key: str) -> None:
    """Post the units of the repository (again changes nothing)."""
    headers = {"Authorization": f"Bearer {key}"}
    url = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=120) as client:
        await load_definitions(client, catalogue.stages(catalogue.DEFAULT_FOLDER))


async def insert_rate(url: str, turn: int) -> float:
    """The reference of the batch row: 4 connections, 500 rows a statement, one transaction each."""
    name = f"bench_insert_{turn}"
    setup = await asyncpg.connect(url)
    await setup.execute(
        f"CREATE TABLE {name} (position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
        " source text, id text, data json, UNIQUE (source, id))"
    )
    await setup.close()
    statement = (
        f"INSERT INTO {name} (source, id, data) SELECT * FROM unnest($1::text[], $2::text[],"
        " $3::json[]) ON CONFLICT DO NOTHING RETURNING position"
    )
    batches = iter(range(40))

    async def one() -> None:
        connection = await asyncpg.connect(url)
        for batch in batches:
            events = [event(batch * 500 + i) for i in range(500)]
            await connection.fetch(
                statement,
                [e["source"] for e in events],
                [e["id"] for e in events],
                [msgspec.json.encode(e["data"]).decode() for e in events],
            )
        await connection.close()

    started = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(4)))
    seconds = time.perf_counter() - started
    # What is left in this database would be taken for somebody else's by the next `migrate`.
    cleaner = await asyncpg.connect(url)
    await cleaner.execute(f"DROP TABLE {name}")
    await cleaner.close()
    return 40 * 500 / seconds


def _middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]
