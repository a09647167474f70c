"""How long a start takes, and which part of it: a first one, and one on data that are there.

Seconds of the clock say what a user waits, those of the processor what a busy or slower machine makes
of it. Each stage is what `make up` prints a line for; services of one stage start at the same time.
"""

import re
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from deploy.local.stack import LocalStack

_LINE = re.compile(r"^(\S+)\s+(?:ready|done)\b.*\(([\d.]+) s\)$")


@dataclass
class Start:
    """One start. `stages`: component -> seconds until it was ready or done."""

    name: str
    stages: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    processor: float = 0.0

    def hear(self, line: str) -> None:
        """A line that the supervisor prints."""
        if found := _LINE.match(line):
            self.stages[found[1]] = float(found[2])


def started(name: str, home: Path) -> Start:
    """Start a system, say how long it took, stop it."""
    start = Start(name)
    busy, begun = _busy(), time.monotonic()
    with LocalStack(home, report=start.hear) as stack:
        start.seconds = time.monotonic() - begun
        start.processor = _busy() - busy
        for component in stack.states():
            pid = stack.pid(component)
            if pid is not None:
                root = psutil.Process(pid)
                for process in (root, *root.children(recursive=True)):
                    times = process.cpu_times()
                    start.processor += times.user + times.system
    return start


def _busy() -> float:
    """Of this process and of its children that have ended (the steps)."""
    times = psutil.Process().cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


def render(starts: list[Start]) -> str:
    """A column for each start, a row for each stage."""
    names = list(dict.fromkeys(stage for start in starts for stage in start.stages))
    lines = [f"{'start':<12}" + "".join(f"{s.name:>12}" for s in starts)]
    lines += [
        f"{name:<12}" + "".join(f"{s.stages.get(name, 0):>10.1f} s" for s in starts)
        for name in names
    ]
    lines.append(f"{'all':<12}" + "".join(f"{s.seconds:>10.1f} s" for s in starts))
    lines.append(f"{'processor':<12}" + "".join(f"{s.processor:>10.1f} s" for s in starts))
    return "\n".join(lines)


def measure() -> str:
    """A first start in an empty home, then one on what it left."""
    with tempfile.TemporaryDirectory(prefix="hocvuso-bench-") as folder:
        home = Path(folder) / "home"
        return render([started("first", home), started("warm", home)])
