"""What a system costs that does nothing: processor and memory of each process over a while at rest.

Not against a reference but against a goal: a pilot shares its machine with other programs.
"""

import asyncio
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import psutil

from deploy.local.stack import LocalStack

SECONDS = 60.0
SETTLE_SECONDS = 45.0
"""After the start: until what was loaded is counted, shown and summed up."""

GOAL_PERCENT = 3.0
GOAL_MB = 600.0


@dataclass(frozen=True)
class Used:
    """Of one component, with all its processes: per cent of one core, MB (without PostgreSQL's buffers)."""

    name: str
    percent: float
    mb: float


async def rest(stack: LocalStack, seconds: float = SECONDS) -> list[Used]:
    """Look at a running system for a while; the supervisor is this process and not counted."""
    before = {name: _busy(family) for name, family in _families(stack).items()}
    await asyncio.sleep(seconds)
    return [
        Used(name, 100 * (_busy(family) - before.get(name, 0.0)) / seconds, _memory(name, family))
        for name, family in _families(stack).items()
    ]


def _families(stack: LocalStack) -> dict[str, list[psutil.Process]]:
    found = {}
    for name in stack.states():
        pid = stack.pid(name)
        if pid is not None:
            root = psutil.Process(pid)
            found[name] = [root, *root.children(recursive=True)]
    return found


def _busy(family: list[psutil.Process]) -> float:
    return sum(t.user + t.system for process in family for t in (process.cpu_times(),))


def _memory(name: str, family: list[psutil.Process]) -> float:
    """Proportional shares: what several processes share counts once."""
    kilobytes = 0
    for process in family:
        parts: defaultdict[str, int] = defaultdict(int)
        for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()[1:]:
            part, _, number = line.partition(":")
            parts[part] += int(number.split()[0])
        kilobytes += parts["Pss"] - (parts["Pss_Shmem"] if name == "postgres" else 0)
    return kilobytes / 1024


def render(used: list[Used]) -> str:
    """A row for each component, the sum, and the goal."""
    lines = [f"{'idle':<12}{'% of a core':>12}{'MB':>8}"]
    lines += [f"{u.name:<12}{u.percent:>12.2f}{u.mb:>8.0f}" for u in used]
    lines.append(f"{'all':<12}{sum(u.percent for u in used):>12.2f}{sum(u.mb for u in used):>8.0f}")
    lines.append(f"{'goal':<12}{GOAL_PERCENT:>12.2f}{GOAL_MB:>8.0f}")
    return "\n".join(lines)


async def measure(seconds: float = SECONDS) -> str:
    """Start a whole system, let it come to rest, look."""
    with tempfile.TemporaryDirectory(prefix="hocvuso-bench-") as folder:
        async with LocalStack(Path(folder) / "home", report=lambda _: None) as stack:
            await asyncio.sleep(SETTLE_SECONDS)
            return render(await rest(stack, seconds))
