"""Workers repeat where they are; what repeats is not written again, and no reader is asked to hurry."""

from typing import Any

import pytest

from services.activities import listener
from services.activities.listener import ProgressListener
from services.activities.receipts import receipts
from shared.contracts.record import LaneProgress, Progress, encode


class Pool:
    """A log of the epoch `e`."""

    def acquire(self) -> Any:
        return self

    async def __aenter__(self) -> Any:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def fetchval(self, *_: object) -> str:
        return "e"


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    found: list[Any] = []

    async def mark(_: Any, stage: str, reached: dict[int, int], __: Any) -> None:
        found.append((stage, reached))

    async def note_parked(_: Any, parked: list[int], __: Any, *, complete: bool) -> None:
        found.append(("parked", parked, complete))

    monkeypatch.setattr(receipts, "mark", mark)
    monkeypatch.setattr(receipts, "note_parked", note_parked)
    assert listener.receipts is receipts
    return found


def said(last: int, **more: Any) -> bytes:
    lanes = {3: LaneProgress(last=last, through=9)}
    about: dict[str, Any] = {"epoch": "e", "projection": "metrics", "at": "2026-11-30T00:00:00Z"}
    return encode(Progress(**{**about, "lanes": lanes, "parked_complete": True, **more}))


async def test_what_repeats_is_written_once(marked: list[Any]) -> None:
    one = ProgressListener(Pool(), "unused:1")  # type: ignore[arg-type]
    assert await one._take(said(5)) and not await one._take(said(5))
    assert marked == [("counted", {3: 5}), ("parked", [], True)]
    assert await one._take(said(5, at="2026-11-30T00:00:09Z")) is False, "later, but nothing new"
    assert await one._take(said(5, parked=[7])) and await one._take(said(5)), "parked, and no more"
    assert await one._take(said(6)) and await one._take(said(5)), "set back: said by another"
    shown = {"lanes": {}, "parked_complete": False, "refreshed": 5}
    assert await one._take(said(5, **shown)) and not await one._take(said(5, **shown))
    batch = {"parked_complete": False}
    assert await one._take(said(8, **batch)) and await one._take(said(8, **batch)), "as it happened"
    assert await one._take(said(9, projection="registry")) is False
    assert await one._take(said(9, epoch="another")) is False
