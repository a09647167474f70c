"""The asyncio client keeps the same promises."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from service import Service, cut, says

from hocvuso_client import AsyncClient, EventsRefused, NotDelivered, QueueFull, Result, SpoolInUse
from hocvuso_client import answers as answers_module
from hocvuso_client.events import ClassHeld


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    def next_wait(self: Any, _: float | None = None) -> float:
        self.failures += 1
        return 0.001

    monkeypatch.setattr(answers_module.Backoff, "next", next_wait)


def client(service: Service, **how: Any) -> AsyncClient:
    how.setdefault("source", "https://s.example/a")
    return AsyncClient("http://x", "key", transport=httpx.MockTransport(service), **how)


async def emit(to: AsyncClient, count: int, **how: Any) -> list[str]:
    return [
        (await to.emit(ClassHeld(participants=n), subject="24133", **how)).id for n in range(count)
    ]


@pytest.mark.parametrize("spooled", [False, True])
async def test_everything_arrives_once_through_trouble(tmp_path: Path, spooled: bool) -> None:
    service = Service()
    service.before = [says(503), cut, says(429, {"Retry-After": "9"})]
    service.after = [cut, cut]
    told: list[Result] = []
    how = {"spool": tmp_path / "s"} if spooled else {}
    async with client(service, max_batch=30, on_result=told.append, **how) as one:
        ids = await emit(one, 100)
        counts = await one.flush(20)
    assert [key[1] for key in service.log] == ids
    assert counts.accepted + counts.duplicate == 100 == len(told)


async def test_the_spool_goes_to_the_next_client(tmp_path: Path) -> None:
    down = Service()
    down.before = [cut] * 10_000
    first = client(down, spool=tmp_path / "s")
    ids = await emit(first, 4)
    with pytest.raises(SpoolInUse):
        client(down, spool=tmp_path / "s")
    await first.close(0.05)
    up = Service()
    async with client(up, spool=tmp_path / "s") as second:
        await second.flush(20)
    assert [key[1] for key in up.log] == ids


async def test_rejected_blocked_full_and_left() -> None:
    service = Service()
    service.before = [says(401, None, code="key-missing", detail="No key.")]
    service.refuse = lambda event: {"code": "x"} if event["data"]["participants"] == 1 else None
    async with client(service, linger=60, max_waiting=3) as one:
        await emit(one, 3)
        with pytest.raises(QueueFull):
            await emit(one, 1, timeout=0.02)
        with pytest.raises(NotDelivered, match="key-missing"):
            await one.flush(20)
        with pytest.raises(EventsRefused):
            await one.flush(20)
        assert (one.counts.accepted, one.counts.rejected) == (2, 1)
    service.before = [cut] * 10_000
    two = client(service)
    await emit(two, 1)
    with pytest.raises(NotDelivered):
        await two.close(0.02)
