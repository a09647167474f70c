"""The client against the real service: through chaos and kill -9, everything exactly once."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hocvuso_client import AsyncClient, AsyncDirect, Client, NotCounted, NotFound, cccd
from hocvuso_client import answers as answers_module
from hocvuso_client.events import CitizenCertified, ClassHeld
from tests.client.conftest import Chaos

SOURCE = "https://s.example/client"
TIME = datetime(2026, 6, 30, 9, 12, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    original = answers_module.Backoff.next
    monkeypatch.setattr(
        answers_module.Backoff, "next", lambda self, wanted=None: min(original(self, wanted), 0.02)
    )


async def ids_in_log(service: Any) -> list[str]:
    async with service[0].state.pool.acquire() as connection:
        rows = await connection.fetch("SELECT id FROM log WHERE source = $1", SOURCE)
    return [row["id"] for row in rows]


def held(n: int) -> ClassHeld:
    return ClassHeld(participants=n + 1)


async def test_blocking_client_through_chaos(
    service: Any, admin: str, chaos: Chaos, tmp_path: Path
) -> None:
    def work() -> list[str]:
        with Client(
            f"http://127.0.0.1:{chaos.port}", admin, source=SOURCE, spool=tmp_path / "s",
            durability="process", max_batch=20, linger=0.01, trust_env=False,
        ) as client:  # fmt: skip
            ids = [client.emit(held(n), subject="24133", time=TIME).id for n in range(600)]
            client.flush(120)
            return ids

    ids = await asyncio.to_thread(work)
    assert sorted(await ids_in_log(service)) == sorted(ids)
    assert chaos.done["cut after"] and chaos.done["503"] and chaos.done["cut before"]


async def test_asyncio_client_through_chaos(service: Any, admin: str, chaos: Chaos) -> None:
    async with AsyncClient(
        f"http://127.0.0.1:{chaos.port}", admin, source=SOURCE, max_batch=20, linger=0.01,
        trust_env=False,
    ) as client:  # fmt: skip
        emitted = await asyncio.gather(
            *(client.emit(held(n), subject="24133", time=TIME) for n in range(600))
        )
        await client.flush(120)
    assert sorted(await ids_in_log(service)) == sorted(one.id for one in emitted)
    assert chaos.done["cut after"] and chaos.done["half answer"]


CHILD = """
import sys
from hocvuso_client import Client
from hocvuso_client.events import ClassHeld
import datetime as dt
client = Client(sys.argv[1], sys.argv[2], source=sys.argv[4], spool=sys.argv[3], max_batch=7,
                linger=0.0, trust_env=False)
for n in range(100_000):
    one = client.emit(ClassHeld(participants=n + 1), subject="24133",
                      time=dt.datetime(2026, 6, 30, tzinfo=dt.UTC))
    print(one.id, flush=True)
"""


async def test_nothing_that_emit_returned_for_is_lost_by_kill_9(
    service: Any, admin: str, port: int, tmp_path: Path
) -> None:
    url, returned = f"http://127.0.0.1:{port}", []
    for after in (1, 40, 150):  # killed at three moments, on one spool
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", CHILD, url, admin, str(tmp_path / "s"), SOURCE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY / "clients/python/src")},
        )  # fmt: skip
        assert child.stdout is not None
        returned += [(await child.stdout.readline()).decode().strip() for _ in range(after)]
        child.send_signal(signal.SIGKILL)
        returned += (await child.stdout.read()).decode().split()
        await child.wait()
    # A line may be cut short by the kill; an id has 36 characters.
    returned = [one for one in returned if len(one) == 36]
    async with AsyncClient(url, admin, spool=tmp_path / "s", trust_env=False) as client:
        await client.flush(60)
    found = await ids_in_log(service)
    assert len(found) == len(set(found))
    assert set(returned) <= set(found) and len(returned) > 150


async def test_a_stream_goes_on_through_chaos_and_tells_of_bad_lines(
    service: Any, admin: str, chaos: Chaos, tmp_path: Path
) -> None:
    made = AsyncClient("http://x", "k", source=SOURCE)
    lines = [made.event(held(n), subject="24133", time=TIME) for n in range(900)]
    lines[450]["subject"] = "99999"
    with contextlib.suppress(ExceptionGroup):
        await made.close()
    url = f"http://127.0.0.1:{chaos.port}"

    def work() -> set[int]:
        bad = set()
        with Client(url, admin, trust_env=False) as client:
            for one in client.stream("days", lines, segment_lines=40):
                if hasattr(one, "result"):
                    bad.add(one.line)
                else:  # the answers of these were cut off with the connection
                    bad |= {450} & set(range(one.first, one.last + 1))
        return bad

    assert await asyncio.to_thread(work) == {450}
    wanted = {line["id"] for n, line in enumerate(lines) if n != 450}
    found = await ids_in_log(service)
    assert len(found) == len(set(found)) and set(found) == wanted
    assert chaos.done["cut after"] and chaos.done["503"]

    chaos.calm = True
    more = [*lines, *(made.event(held(n), subject="24133", time=TIME) for n in range(5))]

    def again() -> Iterator[bytes]:
        import json

        yield from (json.dumps(line).encode() for line in more)

    async with AsyncDirect(url, admin, trust_env=False) as direct:
        answers = [one async for one in direct.stream("days", again(), acks="all")]
    assert [one.line for one in answers] == list(range(900, 905))  # type: ignore[union-attr]


async def test_receipts_and_rights(service: Any, admin: str, port: int) -> None:
    async with AsyncClient(f"http://127.0.0.1:{port}", admin, source=SOURCE, trust_env=False) as c:
        event = CitizenCertified(
            person=cccd("066099000001"), target_groups=["adult"], platform="vneid"
        )
        one = await c.emit(event, subject="24133", time=TIME)
        await c.flush(30)
        receipt = await c.receipt(*one)
        assert (receipt.status, receipt.counted) == ("accepted", False)
        with pytest.raises(NotCounted, match="accepted"):
            await c.wait_counted(*one, timeout=0)
        with pytest.raises(NotFound, match="event-unknown"):
            await c.receipt(SOURCE, "nobody")
        assert "administrator" in (await c.rights())["roles"]
        dry = await c.deliver([b"{}"], dry_run=True)
        assert dry[0].status == "rejected" and dry[0].problem is not None
