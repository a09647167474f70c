"""What goes wrong: each trouble is one function that makes it, waits, and ends it."""

import asyncio
import contextlib
import random
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg

from deploy.local.stack import LocalStack
from tests.observability.watched import freeze

VICTIMS = ("registry", "activities", "metrics", "relay", "intake", "worker", "postgres", "broker")
Trouble = Callable[[LocalStack, random.Random], Awaitable[str]]


async def kill(stack: LocalStack, dice: random.Random) -> str:
    """kill -9 of one component, or of two at once."""
    names = dice.sample(VICTIMS, dice.choice((1, 1, 2)))
    for name in names:
        await asyncio.to_thread(stack.kill, name)
    return f"kill -9 {' '.join(names)}"


async def forget(stack: LocalStack, _dice: random.Random) -> str:
    """The broker loses everything it held: it starts empty."""
    await asyncio.to_thread(stack.kill, "broker")
    return "broker forgets"


async def stop(stack: LocalStack, dice: random.Random) -> str:
    """A component stands still for a while, its connections open."""
    name, seconds = dice.choice(VICTIMS), dice.uniform(0.5, 8)
    pid = stack.pid(name)
    if pid is None:
        return await kill(stack, dice)
    freeze(pid)
    try:
        await asyncio.sleep(seconds)
    finally:
        with contextlib.suppress(ProcessLookupError):
            freeze(pid, thaw=True)
    return f"freeze {name} {seconds:.0f} s"


async def cut(stack: LocalStack, _dice: random.Random) -> str:
    """Every connection to PostgreSQL is cut at once."""
    connection = await asyncpg.connect(stack.superuser_url, timeout=5)
    try:
        await connection.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name LIKE 'hocvuso%'"
        )
    finally:
        connection.terminate()
    return "cut all database connections"


class Disk:
    """A file system of its own, which can be full without hurting anybody else's."""

    SIZE = "6g"

    def __init__(self, place: Path) -> None:
        self.place = place
        place.mkdir(parents=True, exist_ok=True)
        made = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={self.SIZE}", "none", str(place)],
            check=False, capture_output=True,
        )  # fmt: skip
        self.own = made.returncode == 0

    async def fill(self, _stack: LocalStack, dice: random.Random) -> str:
        """No byte more fits for a while: everything of the instance lies here."""
        seconds = dice.uniform(1, 5)
        used = subprocess.run(
            ["df", "--output=used", "--block-size=1K", str(self.place)],
            check=True, capture_output=True, text=True,
        ).stdout.split()[-1]  # fmt: skip
        self._resize(f"{int(used) + 64}k")
        try:
            await asyncio.sleep(seconds)
        finally:
            self._resize(self.SIZE)
        return f"full disk {seconds:.0f} s"

    def _resize(self, size: str) -> None:
        # A size below what is used by now is refused: then the disk is as it was.
        subprocess.run(
            ["mount", "-o", f"remount,size={size}", str(self.place)],
            check=False, capture_output=True,
        )  # fmt: skip

    def close(self) -> None:
        """Give it back."""
        if self.own:
            subprocess.run(["umount", "-l", str(self.place)], check=False, capture_output=True)


def all_of(disk: Disk) -> list[Trouble]:
    """Every trouble that can be made here, kills and freezes more often than others."""
    found: list[Trouble] = [kill, kill, stop, stop, cut, forget]
    return [*found, disk.fill] if disk.own else found
