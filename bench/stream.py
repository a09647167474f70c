"""NDJSON streams: durable lines per second beside a raw COPY, and the memory of the service.

python -m bench.stream LINES     one stream of so many lines; the service's memory on the way
"""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import psutil

from bench.ingest import event, load_units, migrated, serving
from bench.report import Row
from deploy.local.stack import LocalStack, infrastructure_only

LINES = 100_000
FIRST = 100_000_000
"""The other parts of the bench number their events from 0 in the same log."""

PART = 1_000
"""Lines written at once."""


@dataclass
class Sent:
    """What one stream measured."""

    lines: int
    seconds: float
    closing: dict[str, Any]
    memory: list[tuple[int, float]] = field(default_factory=list)
    """Lines committed so far, MB of the service."""


async def measure(stack: LocalStack) -> list[Row]:
    """The stream's row of the design, section 8, and the service's memory on the way."""
    env = await migrated(stack)
    key = Path(env["HOCVUSO_ADMIN_KEY_FILE"]).read_text().strip()
    async with serving("services.activities.app:create_app", env) as port:
        await load_units(port, key)
        sent = await send(port, key, "bench", LINES)
    rate = LINES / sent.seconds
    copied = await copy_rate(stack.database_urls["activities"], LINES)
    grown = sent.memory[-1][1]
    return [
        Row("stream, durable, one connection", rate, "lines/s", "raw COPY of the same rows", copied, 0.5),
        Row(f"memory of the service after {LINES:,} lines", grown, "MB", "-", None, 300, at_most=True),
    ]  # fmt: skip


def body(first: int, count: int) -> bytes:
    """So many lines of distinct certifications."""
    encode = msgspec.json.encode
    return b"".join(encode(event(n)) + b"\n" for n in range(first, first + count))


async def send(port: int, key: str, name: str, lines: int, on_part: Any = None) -> Sent:
    """Send a stream by hand while its answer is read; raises unless all lines were accepted."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    server = listening(port)
    writer.write(
        (
            f"PUT /v1/streams/{name}?acks=errors HTTP/1.1\r\nHost: bench\r\n"
            f"Authorization: Bearer {key}\r\nContent-Type: application/x-ndjson\r\n"
            "Transfer-Encoding: chunked\r\n\r\n"
        ).encode()
    )
    memory: list[tuple[int, float]] = []
    closing: dict[str, Any] = {}

    async def read() -> None:
        step = max(1, lines // 50)
        async for line in _chunks(reader):
            found = json.loads(line)
            if "done" in found:
                closing.update(found)
                return
            at = found.get("committed", 0)
            if at and (not memory or at - memory[-1][0] >= step or at == lines):
                memory.append((at, server.memory_info().rss / 2**20))
                if on_part:
                    on_part(memory[-1])

    started = time.perf_counter()
    reading = asyncio.create_task(read())
    for first in range(0, lines, PART):
        part = body(FIRST + first, min(PART, lines - first))
        writer.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        await writer.drain()
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    await reading
    seconds = time.perf_counter() - started
    writer.close()
    if closing.get("accepted") != lines:
        raise RuntimeError(f"the stream ended with {closing}")
    return Sent(lines, seconds, closing, memory)


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """The lines of a chunked answer, without its headers."""
    while (await reader.readline()).strip():
        pass
    rest = b""
    while size := int((await reader.readline()).strip() or b"0", 16):
        *whole, rest = (rest + await reader.readexactly(size)).split(b"\n")
        await reader.readline()
        for line in whole:
            yield line


def listening(port: int) -> psutil.Process:
    """The service that was started on a port."""
    for process in psutil.process_iter(["cmdline"]):
        if str(port) in (process.info["cmdline"] or []):
            return process
    raise RuntimeError(f"nobody listens on {port}")


async def copy_rate(url: str, lines: int) -> float:
    """The reference: the very rows that the stream left in the log, by COPY into a table of the
    same shape and indices, in the service's groups of 500 with a commit each."""
    connection = await asyncpg.connect(url, server_settings={"search_path": "activities"})
    await connection.execute("CREATE TABLE bench_copy (LIKE log INCLUDING ALL)")
    columns = [
        row["column_name"]
        for row in await connection.fetch(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'log'"
            " AND table_schema = current_schema() ORDER BY ordinal_position"
        )
    ]
    rows = await connection.fetch("SELECT * FROM log ORDER BY position DESC LIMIT $1", lines)
    records = [tuple(row) for row in rows]
    started = time.perf_counter()
    for at in range(0, len(records), 500):
        await connection.copy_records_to_table(
            "bench_copy", records=records[at : at + 500], columns=columns
        )
    seconds = time.perf_counter() - started
    await connection.execute("DROP TABLE bench_copy")
    await connection.close()
    return len(records) / seconds


async def main(lines: int) -> None:
    """One long stream; a line of memory for every fiftieth of it."""
    with tempfile.TemporaryDirectory(prefix="hocvuso-bench-") as folder:
        home = Path(folder) / "home"
        async with LocalStack(home, stages=infrastructure_only, report=lambda _: None) as stack:
            env = await migrated(stack)
            key = Path(env["HOCVUSO_ADMIN_KEY_FILE"]).read_text().strip()
            async with serving("services.activities.app:create_app", env) as port:
                await load_units(port, key)
                sent = await send(
                    port,
                    key,
                    "long",
                    lines,
                    lambda m: print(f"{m[0]:>12,} lines {m[1]:7.1f} MB", flush=True),
                )
    print(f"{lines:,} lines in {sent.seconds:,.0f} s: {lines / sent.seconds:,.0f} lines/s")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else LINES))
