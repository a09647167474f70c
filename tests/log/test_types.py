"""Reading only some types from the log: nothing of them is missing, the end is reached."""

from typing import Any

import httpx
import pytest

from services.activities.log import replay as replaying
from shared.contracts.record import LANES, LogRecord
from shared.lane_consumer import LogReader
from tests.log.conftest import Bench, amended, attended, candidate


class _Served(LogReader):
    """The reader over the log itself, without HTTP between."""

    def __init__(self, bench: Bench) -> None:
        async def answer(request: httpx.Request) -> httpx.Response:
            asked = request.url.params
            body = await replaying.replay(
                bench.pool,
                int(asked["after"]),
                [int(lane) for lane in asked.get_list("lane")],
                int(asked["limit"]),
                asked.get_list("type") or None,
            )
            return httpx.Response(200, content=body)

        transport = httpx.MockTransport(answer)
        super().__init__(httpx.AsyncClient(transport=transport, base_url="http://log.example"))


async def _all(reader: LogReader, **how: Any) -> tuple[list[LogRecord], list[int]]:
    rows, through = [], []
    async for page, marker in reader.read(0, list(range(LANES)), **how):
        rows += page
        through.append(marker.through)
    return rows, through


@pytest.mark.parametrize("span", [1, 3, 100_000])
async def test_rows_of_some_types_and_every_revision(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, span: int
) -> None:
    monkeypatch.setattr(replaying, "SPAN", span)
    person = {"person_ref": "cccd:1", "target_groups": ["adult"]}
    await bench.post(
        attended("t1", "cccd:1"),
        candidate("citizen.certified", "c1", person),
        attended("t2", "cccd:2"),
    )
    await bench.post(amended("event.corrected", "k1", "t1", changes={"data": {"age": 32}}))
    everything, ends = await _all(_Served(bench))
    some, some_ends = await _all(_Served(bench), types=["citizen.certified"])
    expected = [r for r in everything if r.short_type == "citizen.certified" or r.revision > 0]
    assert [r.position for r in some] == [r.position for r in expected]
    assert {r.short_type for r in some} >= {"citizen.certified", "event.corrected"}
    assert some_ends[-1] == ends[-1] and some_ends == sorted(some_ends)
    paged, _ = await _all(_Served(bench), types=["citizen.certified"], page=1)
    assert [r.position for r in paged] == [r.position for r in expected]
