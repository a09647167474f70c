"""Whether an event costs the same in a long log as in a short one, and what a worker's memory does.

The same number of facts every day; half of the persons were seen before. The first tenth of the
rows is compared with the last one: in seconds, and in the processor's time of worker and PostgreSQL
(vacuum and checkpoints too), which other programs of a shared machine disturb less.

    python -m bench growth --rows 10000000
"""

import contextlib
import random
import resource
import sys
import time
from datetime import date, timedelta
from pathlib import Path

import asyncpg
import msgspec
import psutil

from bench.projection import MIX, lay, project
from bench.report import Row
from deploy.local.stack import LocalStack
from services.metrics.projecting.compacting import compact
from shared.contracts.definitions import Catalogue
from tests.conftest import new_database
from tests.metrics.memory_log import MemoryLog

ROWS = 300_000
PER_DAY = 2_000
CHUNK = 10_000
COMPACT = 200_000
"""Rows between two passes over the tallies: about as many as a worker counts in ten seconds."""


class _Rows(list):  # type: ignore[type-arg]
    """Rows of which the earlier are forgotten, but still count: positions follow from `len`."""

    forgotten = 0

    def __len__(self) -> int:
        return self.forgotten + super().__len__()

    def take(self) -> list[bytes]:
        """The rows since the last time, as JSON."""
        lines = [msgspec.json.encode(row) for row in self]
        self.forgotten += len(lines)
        self.clear()
        return lines


async def measure(stack: LocalStack, rows: int = ROWS) -> list[Row]:
    """Cost per event and memory at the end, beside those of the first tenth."""
    log = MemoryLog(Catalogue.load())
    laid = await lay(await new_database(stack, "metrics"), 0, log)
    kept = log.rows = _Rows()
    kept.forgotten = laid.defined
    communes = [f"{24000 + n}@2025" for n in range(102)]
    dice = random.Random(1)
    seconds: list[float] = []
    busy: list[float] = []
    memory: list[float] = []
    postmaster = await _postmaster(stack)
    for start in range(0, rows, CHUNK):
        for index in range(start, start + CHUNK):
            _post(log, dice, index, communes)
        lines = kept.take()
        log._events.clear()
        before = _busy(postmaster)
        started = time.perf_counter()
        await project(laid.projection, lines)
        if (start + CHUNK) % COMPACT == 0:
            await compact(laid.pool, _day(start) - timedelta(days=1))
        seconds.append(time.perf_counter() - started)
        busy.append(_busy(postmaster) - before)
        memory.append(_resident())
        if len(seconds) % 100 == 0:
            spent = 1e6 * sum(busy[-100:]) / (100 * CHUNK)
            print(f"{start + CHUNK:,} rows, {memory[-1]:.0f} MB, {spent:.1f} us", file=sys.stderr)
    await laid.pool.close()
    tenth = max(len(seconds) // 10, 1)
    return [
        *(
            Row(
                f"{name} of an event, last tenth of {rows:,}",
                1e6 * sum(spent[-tenth:]) / (tenth * CHUNK),
                "us",
                "first tenth",
                1e6 * sum(spent[1 : 1 + tenth]) / (tenth * CHUNK),  # the very first is cold
                1.2,
                at_most=True,
            )
            for name, spent in (("cost", seconds), ("processor time", busy))
        ),
        Row(
            f"worker memory after {rows:,}",
            memory[-1],
            "MB",
            f"after a tenth {memory[tenth - 1]:.0f}, most {_most():.0f}; with the maker of facts",
            None,
            500,
            at_most=True,
        ),
    ]


def _day(index: int) -> date:
    return date(2026, 1, 1) + timedelta(days=index // PER_DAY)


def _post(log: MemoryLog, dice: random.Random, index: int, communes: list[str]) -> None:
    name = dice.choices([name for name, _ in MIX[:4]], [weight for _, weight in MIX[:4]])[0]
    day = _day(index)
    occurred = day - timedelta(days=dice.choice((0, 0, 0, 1, 3)))
    person = dice.randrange(index // 2 + 1_000)
    data: dict[str, object] = {
        "target_groups": dice.choice((["adult"], ["adult", "worker"], ["civil_servant"])),
        "person_ref": f"cccd:{person:032X}",
    }
    if name == "skill.confirmed":
        data["topic"] = "admin_procedure_platforms"
    log.post(name, dice.choice(communes), occurred, day, data)


async def _postmaster(stack: LocalStack) -> psutil.Process:
    admin = await asyncpg.connect(stack.superuser_url)
    try:
        folder = await admin.fetchval("SHOW data_directory")
    finally:
        await admin.close()
    return psutil.Process(int((Path(folder) / "postmaster.pid").read_text().split()[0]))


def _busy(postmaster: psutil.Process) -> float:
    """Seconds that this process and all of PostgreSQL's have computed; those that ended too."""
    spent = [psutil.Process().cpu_times()[:2], postmaster.cpu_times()[:4]]
    for child in postmaster.children():
        with contextlib.suppress(psutil.NoSuchProcess):
            spent.append(child.cpu_times()[:2])
    return sum(map(sum, spent))


def _resident() -> float:
    """Resident memory of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def _most() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
