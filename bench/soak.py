"""`python -m bench soak --minutes 30`: half of full load for long; memory and lag must stay flat.

Posts at full speed half of the time, and looks every few seconds at the memory of each process and at how far the tables are behind. Not part of `make bench`.
"""

import asyncio
import itertools
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import msgspec
import psutil

from bench import load
from bench.ingest import SINGLE, event
from deploy.local import services
from deploy.local.stack import LocalStack
from services.registry.units import catalogue
from services.registry.units.load import load as load_definitions

NAMES = ("activities", "relay", "worker", "metrics", "registry", "postgres", "broker")
WARM_UP_SHARE = 0.25
GROWTH = 1.15
"""Memory in the last quarter over that of the quarter after the warm-up."""
SLACK_BYTES = 24 * 1024**2
DELAY_SECONDS = 10.0


@dataclass
class Samples:
    """What was seen: memory per process in bytes, delays in seconds, one entry per look."""

    memory: dict[str, list[int]] = field(default_factory=lambda: {name: [] for name in NAMES})
    behind: list[float] = field(default_factory=list)
    posted: int = 0
    refused: int = 0

    def grown(self) -> dict[str, tuple[float, float]]:
        """Processes whose memory grew: the mean after the warm-up and at the end, in MB."""
        found = {}
        for name, values in self.memory.items():
            quarter = max(len(values) // 4, 1)
            start = values[int(len(values) * WARM_UP_SHARE) :][:quarter]
            early, late = _mean(start), _mean(values[-quarter:])
            # The embedded broker keeps every message until it ends (docs/operations.md).
            if name != "broker" and late > early * GROWTH + SLACK_BYTES:
                found[name] = (early / 1024**2, late / 1024**2)
        return found


def _mean(values: list[int]) -> float:
    return sum(values) / max(len(values), 1)


def _own(process: psutil.Process) -> int:
    """Memory in bytes that no other process shares: PostgreSQL fills its buffers up to a limit."""
    try:
        return int(process.memory_full_info().uss)
    except psutil.NoSuchProcess:
        return 0


async def soak(minutes: float, look_seconds: float = 5.0) -> tuple[Samples, float]:
    """Run it; the samples and the rate that was posted."""
    with tempfile.TemporaryDirectory(prefix="hocvuso-soak-") as folder:
        stack = LocalStack(
            Path(folder) / "home",
            stages=lambda e, a: services.stages(e, a)[:2],
            report=lambda _: None,
        )
        async with stack:
            return await _soak(stack, minutes, look_seconds)


async def _soak(stack: LocalStack, minutes: float, look_seconds: float) -> tuple[Samples, float]:
    key = stack.home.admin_key.read_text().strip()
    url, port = stack.urls["activities"], stack.addresses.ports["activities"]
    numbers = itertools.count()

    def bodies() -> Iterator[bytes]:
        for n in numbers:
            yield load.request("/v1/events", msgspec.json.encode(event(n)), SINGLE, key)

    headers = {"Authorization": f"Bearer {key}", "Content-Type": SINGLE}
    limits = httpx.Limits(max_connections=64)
    async with httpx.AsyncClient(
        base_url=url, headers=headers, timeout=120, trust_env=False, limits=limits
    ) as client:
        await load_definitions(client, catalogue.stages(catalogue.DEFAULT_FOLDER))
        samples = Samples()
        looking = asyncio.create_task(_look(stack, samples, look_seconds))
        until = time.monotonic() + 60 * minutes
        # Half a second of full load and half a second of rest: half of the load, with its bursts.
        while time.monotonic() < until:
            found = await load.run(port, bodies, 32, 0.5)
            samples.posted += len(found.latencies)
            samples.refused += sum(n for s, n in found.statuses.items() if s >= 400)
            await asyncio.sleep(0.5)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
    return samples, samples.posted / (60 * minutes)


async def _look(stack: LocalStack, samples: Samples, seconds: float) -> None:
    async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
        while True:
            await asyncio.sleep(seconds)
            for name in NAMES:
                pid = stack.pid(name)
                if pid is not None:
                    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
                    samples.memory[name].append(sum(_own(process) for process in family))
            text = (await client.get(f"{stack.urls['metrics']}/metrics")).text
            delays = [
                float(line.rsplit(" ", 1)[1])
                for line in text.splitlines()
                if line.startswith(("hocvuso_projection_delay_seconds{", "hocvuso_refresh_age"))
            ]
            samples.behind.append(max(delays, default=0.0))


def report(samples: Samples, rate: float) -> tuple[str, bool]:
    """The answer as text, and whether memory and lag stayed flat."""
    grown = samples.grown()
    late = samples.behind[-max(len(samples.behind) // 4, 1) :]
    worst = max(late, default=float("inf"))
    lines = [f"{samples.posted} events at about {rate:.0f}/s, {samples.refused} refused"]
    for name, values in samples.memory.items():
        if values:
            lines.append(f"{name:<11} {values[0] / 1e6:8.0f} MB -> {values[-1] / 1e6:8.0f} MB")
    lines.append(f"behind at the end: at most {worst:.1f} s")
    lines += [f"GREW: {n} from {a:.0f} to {b:.0f} MB" for n, (a, b) in grown.items()]
    return "\n".join(lines), not grown and not samples.refused and worst <= DELAY_SECONDS
