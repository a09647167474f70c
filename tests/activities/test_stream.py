"""Named streams over a real server: duplex answers, cuts at any byte, resuming, bad lines."""

import asyncio
import json
from typing import Any

import pytest

from tests.activities.wire import Wire, lines


async def committed(service: Any, key: str, name: str) -> int:
    answer = await service[1].get(f"/v1/streams/{name}", headers={"Authorization": f"Bearer {key}"})
    return int(answer.json()["committed"])


async def test_answers_come_while_lines_are_sent(service: Any, admin: str, port: int) -> None:
    async with Wire(port, admin, "duplex", "?acks=all") as wire:
        await wire.send(lines(0, 2))
        first = await wire.read()
        assert [x.get("status") for x in first] == ["accepted", "accepted", None]
        assert first[-1] == {"committed": 2}
        bad = b"no json\r\n\r\n" + lines(2, 1).strip() + b"\r\n" + lines(0, 1)
        await wire.send(bad[:20])
        await wire.send(bad[20:])
        answers = await wire.read()
        while answers[-1] != {"committed": 6}:
            answers += await wire.read()
        told = [(x["line"], x["status"]) for x in answers if "line" in x]
        assert told == [(2, "rejected"), (4, "accepted"), (5, "duplicate")]
        await wire.send(lines(3, 1)[:-1])
        await wire.end()
        closing = [*await wire.read()]
        while "done" not in closing[-1]:
            closing += await wire.read()
        assert closing[-1] == {
            "done": True, "committed": 7, "closed": False, "accepted": 4, "duplicate": 1, "rejected": 1,
        }  # fmt: skip
    assert await committed(service, admin, "duplex") == 7


@pytest.mark.parametrize("cut", [1, 200, 1500])
async def test_a_cut_stream_goes_on_where_it_was_committed(
    service: Any,
    admin: str,
    port: int,
    cut: int,
) -> None:
    everything = lines(0, 20)
    async with Wire(port, admin, "cut") as wire:
        await wire.send(everything[:cut])
        await asyncio.sleep(0.2)
    await asyncio.sleep(0.2)
    done = await committed(service, admin, "cut")
    assert done == everything[:cut].count(b"\n")
    rest = b"".join(everything.splitlines(keepends=True)[done:])
    answer = await service[1].put(
        "/v1/streams/cut", params={"offset": done, "acks": "none"}, content=rest,
        headers={"Authorization": f"Bearer {admin}", "Content-Type": "application/x-ndjson"},
    )  # fmt: skip
    closing = json.loads(answer.text.splitlines()[-1])
    assert closing["committed"] == 20 and closing["accepted"] == 20 - done
    again = await service[1].put(
        "/v1/streams/cut", content=everything,
        headers={"Authorization": f"Bearer {admin}", "Content-Type": "application/x-ndjson"},
    )  # fmt: skip
    assert json.loads(again.text.splitlines()[-1])["accepted"] == 0


async def test_refusals(service: Any, admin: str) -> None:
    sent = {"Authorization": f"Bearer {admin}", "Content-Type": "application/x-ndjson"}
    for path, headers, status, code in (
        ("ahead?offset=5", sent, 409, "stream-offset-ahead"),
        ("a%20b", sent, 422, "stream-name-malformed"),
        ("x", {**sent, "Content-Type": "application/json"}, 415, "content-type-unsupported"),
        ("x", {"Content-Type": "application/x-ndjson"}, 401, "key-missing"),
    ):
        answer = await service[1].put(f"/v1/streams/{path}", content=b"", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
