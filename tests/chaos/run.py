"""One run of chaos: a whole system, partners and readers, and one trouble after the other.

Afterwards every acknowledged event is in the log once, the tables are what a naive count says, a rebuild finds
no difference, every receipt says visible, and no definite answer in between was wrong.
"""

import asyncio
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import httpx

from deploy.local import services
from deploy.local.stack import LocalStack
from tests.chaos import troubles
from tests.chaos.load import OBJECTIVE, PLAN, SOURCE, UNITS, WARDS, Partners, Readers
from tests.chaos.naive import Event, Ledger

ROOT = Path(__file__).parents[2]
PATIENCE = 180.0
RECEIPTS = 300


@dataclass
class Outcome:
    """What a run found. `recovery`: trouble -> seconds until a new event was in the table."""

    events: int = 0
    lost: int = 0
    double: int = 0
    cells: int = 0
    wrong: list[str] = field(default_factory=list)
    recovery: list[tuple[str, float]] = field(default_factory=list)
    answers: int = 0
    away: int = 0

    def text(self) -> str:
        times = sorted(seconds for _, seconds in self.recovery)
        lines = [f"{seconds:8.1f} s until visible after: {what}" for what, seconds in self.recovery]
        lines.append(
            f"{self.events} events acknowledged, {self.lost} lost, {self.double} double;"
            f" {self.cells} cells as counted naively; {self.answers} answers read, {self.away} times"
            f" away, {len(self.wrong)} wrong answers"
        )
        if times:
            lines.append(
                f"{len(times)} troubles; visible again after {times[len(times) // 2]:.1f} s"
                f" (median), {times[-1]:.1f} s (longest)"
            )
        return "\n".join([*lines, *self.wrong[:20]])


async def chaos(minutes: float, seed: int, say: Callable[[str], None] = print) -> Outcome:
    """Run it. Raises AssertionError, with what was found, when anything is not as it must be."""
    dice, outcome = random.Random(seed), Outcome()
    with tempfile.TemporaryDirectory(prefix="hocvuso-chaos-") as folder:
        disk = troubles.Disk(Path(folder) / "disk")
        stack = LocalStack(
            disk.place / "home", report=lambda _: None,
            stages=lambda env, addresses: services.stages(env, addresses)[:2],
        )  # fmt: skip
        try:
            await asyncio.to_thread(stack.start)
            await _run(stack, disk, minutes * 60, dice, outcome, say)
        finally:
            await asyncio.to_thread(stack.kill_all)
            disk.close()
    assert not outcome.wrong and not outcome.lost and not outcome.double, outcome.text()
    return outcome


async def _run(
    stack: LocalStack, disk: troubles.Disk, seconds: float, dice: random.Random,
    outcome: Outcome, say: Callable[[str], None],
) -> None:  # fmt: skip
    key = stack.home.admin_key.read_text().strip()
    ledger = Ledger()
    partners = Partners(stack.urls["activities"], key, ledger, dice)
    readers = Readers(stack.urls, key, ledger)
    await _prepare(stack, key)
    posting, reading = asyncio.create_task(partners.run()), asyncio.create_task(readers.run())
    try:
        marks = Partners(stack.urls["activities"], key, ledger, random.Random(0))
        possible, until = troubles.all_of(disk), time.monotonic() + seconds
        number = 0
        while time.monotonic() < until:
            await asyncio.sleep(dice.uniform(1, 4))
            try:
                what = await dice.choice(possible)(stack, dice)
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                continue  # it is still broken from the one before
            number += 1
            took = await _visible_again(stack, key, marks, f"m-{number}")
            outcome.recovery.append((what, took))
            say(f"{what}: visible again after {took:.1f} s")
    finally:
        partners.ended.set()
        async with asyncio.timeout(PATIENCE):
            await posting
        readers.ended.set()
        await reading
    outcome.wrong += partners.wrong + marks.wrong
    outcome.answers, outcome.away = readers.answers, readers.away
    await _verify(stack, key, ledger, readers, outcome)
    outcome.wrong += readers.wrong


async def _prepare(stack: LocalStack, key: str) -> None:
    """Four wards of a province, and its plan."""
    async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
        answer = await client.post(
            f"{stack.urls['activities']}/v1/events", json=UNITS,
            headers={"Authorization": f"Bearer {key}",
                     "Content-Type": "application/cloudevents-batch+json"},
        )  # fmt: skip
    assert answer.json()["accepted"] == len(UNITS), answer.text
    with tempfile.TemporaryDirectory() as folder:
        text = (ROOT / "plans" / f"{PLAN}.yaml").read_text()
        (Path(folder) / f"{PLAN}.yaml").write_text(text)
        loaded = await asyncio.to_thread(_command, stack, "plans", "load", "--folder", folder)
    assert loaded.returncode == 0, loaded.stdout + loaded.stderr
    deadline = time.monotonic() + PATIENCE
    while True:
        async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
            answer = await client.get(
                f"{stack.urls['registry']}/v1/plans/{PLAN}/table?unit=66@2025&level=commune",
                headers={"Authorization": f"Bearer {key}"},
            )
        if answer.status_code == 200 and len(answer.json()["rows"]) == len(WARDS):
            return
        assert time.monotonic() < deadline, answer.text[:500]
        await asyncio.sleep(0.3)


def _command(stack: LocalStack, *arguments: str) -> subprocess.CompletedProcess[str]:
    import os

    return subprocess.run(
        [sys.executable, "-m", "deploy.local", *arguments],
        env={**os.environ, "HOCVUSO_HOME": str(stack.home.path)},
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip


async def _visible_again(stack: LocalStack, key: str, marks: Partners, id: str) -> float:
    """Seconds until an event that is posted now stands in the table."""
    began = time.monotonic()
    event = Event(id, WARDS[0], id)
    await marks.insist([event])
    position = marks.ledger.events[id].position
    assert position is not None
    await _shown(stack, key, position)
    return time.monotonic() - began


async def _shown(stack: LocalStack, key: str, position: int) -> dict[str, object]:
    """The table, once it is complete up to a position."""
    deadline = time.monotonic() + PATIENCE
    async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
        while True:
            assert time.monotonic() < deadline, f"the table does not reach {position}"
            try:
                answer = await client.get(
                    f"{stack.urls['registry']}/v1/plans/{PLAN}/table",
                    params={"unit": "66@2025", "level": "commune", "after_position": position,
                            "wait": 2},
                    headers={"Authorization": f"Bearer {key}"},
                )  # fmt: skip
            except httpx.TransportError:
                await asyncio.sleep(0.1)
                continue
            if answer.status_code == 200 and answer.json()["position"] >= position:
                found: dict[str, object] = answer.json()
                return found
            await asyncio.sleep(0.1)


async def _verify(
    stack: LocalStack, key: str, ledger: Ledger, readers: Readers, outcome: Outcome
) -> None:
    expected = ledger.exact()
    positions = {event.id: event.position or 0 for event in ledger.events.values()}
    connection = await asyncpg.connect(stack.superuser_url, timeout=30)
    try:
        rows = await connection.fetch(
            "SELECT id, count(*) FILTER (WHERE ordinal = 0) AS n, min(position) AS position"
            " FROM activities.log WHERE source = $1 GROUP BY id", SOURCE,
        )  # fmt: skip
    finally:
        await connection.close()
    found = {row["id"]: row for row in rows}
    outcome.events = len(positions)
    outcome.lost = sum(
        id not in found or found[id]["position"] > at for id, at in positions.items()
    )
    outcome.double = sum(row["n"] != 1 for row in rows) + len(found.keys() - positions.keys())
    table = await _shown(stack, key, max(positions.values()))
    for row in table["rows"]:  # type: ignore[attr-defined]
        value, code = row["cells"][OBJECTIVE]["value"], row["unit_id"].partition("@")[0]
        outcome.cells += 1
        if (value or 0) != expected.get(code, 0):
            outcome.wrong.append(f"at the end {code} says {value}, not {expected.get(code, 0)}")
    compared = await asyncio.to_thread(_command, stack, "rebuild", "--compare")
    if compared.returncode != 0:
        outcome.wrong.append(f"rebuild --compare: {compared.stdout[-400:]}{compared.stderr[-400:]}")
    await _receipts(stack, key, list(positions), outcome)


async def _receipts(stack: LocalStack, key: str, ids: list[str], outcome: Outcome) -> None:
    """Of many events: each says that it is visible."""
    chosen = random.Random(1).sample(ids, min(RECEIPTS, len(ids)))
    deadline = time.monotonic() + PATIENCE
    async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
        for id in chosen:
            while True:
                answer = await client.get(
                    f"{stack.urls['activities']}/v1/events", params={"source": SOURCE, "id": id},
                    headers={"Authorization": f"Bearer {key}"},
                )  # fmt: skip
                if answer.status_code == 200 and answer.json()["visible"]["reached"]:
                    break
                if time.monotonic() > deadline:
                    outcome.wrong.append(f"receipt of {id}: {answer.text[:300]}")
                    break
                await asyncio.sleep(0.2)
