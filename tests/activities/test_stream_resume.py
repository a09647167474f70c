"""Streams cut at any byte, compressed, taken over, closed: exactly once, whatever happens."""

import asyncio
import gzip
import itertools
import json
import tracemalloc
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.activities.app import create_app
from services.activities.ingest import stream, stream_store
from services.activities.ingest.answers import Result
from services.activities.ingest.door import Path
from services.activities.ingest.stream import StreamResponse, Superseded
from services.activities.keys.model import Key
from services.activities.log.model import Status
from shared.inflate import Inflater
from shared.problems import Problem
from tests.activities.fake import event

NDJSON = "application/x-ndjson"


async def put(
    app: Any,
    key: str,
    name: str,
    chunks: list[bytes],
    query: str = "",
    *,
    cut: bool = False,
    encoding: str | None = None,
) -> tuple[int, list[Any]]:
    """One PUT over ASGI; `cut` ends it with a disconnect instead of the end of the body."""
    headers = [
        (b"authorization", f"Bearer {key}".encode()), (b"content-type", NDJSON.encode()),
    ]  # fmt: skip
    if encoding:
        headers.append((b"content-encoding", encoding.encode()))
    messages: list[Any] = [{"type": "http.request", "body": c, "more_body": True} for c in chunks]
    messages.append(
        {"type": "http.disconnect"}
        if cut
        else {"type": "http.request", "body": b"", "more_body": False}
    )
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "PUT",
        "path": f"/v1/streams/{name}", "raw_path": b"", "query_string": query.encode(),
        "headers": headers, "scheme": "http", "client": ("x", 1), "server": ("x", 80),
        "root_path": "",
    }  # fmt: skip
    await app(scope, receive, send)
    body = b"".join(m.get("body", b"") for m in sent if m["type"] == "http.response.body")
    return sent[0]["status"], [json.loads(x) for x in body.splitlines()]


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """The same bytes in chunks."""
    places = sorted({c % (len(data) + 1) for c in cuts} | {0, len(data)})
    return [data[a:b] for a, b in itertools.pairwise(places)]


LINES = st.lists(
    st.sampled_from(["good", "good", "tiếng Việt", "bad", "", "unit", "not utf-8"]),
    min_size=1, max_size=12,
)  # fmt: skip


def body_of(kinds: list[str], ends: list[bool], run: str, last_newline: bool) -> bytes:
    """One line per kind; good ones have an id of their own."""
    body = b""
    for n, kind in enumerate(kinds):
        raw = {
            "bad": b'{"no": "event"}', "": b"", "not utf-8": b'{"id": "\xff\xfe"}',
            "unit": json.dumps(event(id=f"{run}-{n}", subject="99999")).encode(),
        }.get(kind)  # fmt: skip
        if raw is None:
            made = event(id=f"{run}-{n}", correlationid=None if kind == "good" else kind)
            raw = json.dumps(made, ensure_ascii=False).encode()
        body += raw + (b"\r\n" if ends[n % len(ends)] else b"\n")
    return body if last_newline else body.rstrip(b"\r\n")


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    LINES, st.lists(st.booleans(), min_size=1, max_size=4), st.booleans(),
    st.lists(st.integers(0, 10_000), max_size=6), st.integers(0, 10_000), st.booleans(),
)  # fmt: skip
async def test_cut_at_any_byte_and_resumed_is_exactly_once(
    service: Any,
    admin: str,
    kinds: list[str],
    ends: list[bool],
    last_newline: bool,
    chunks: list[int],
    cut: int,
    compressed: bool,
) -> None:
    app, client = service
    run = uuid.uuid4().hex[:12]
    body = body_of(kinds, ends, run, last_newline)
    wire = gzip.compress(body) if compressed else body
    how = {"encoding": "gzip"} if compressed else {}
    at = cut % (len(wire) + 1)
    inflated = b"".join(Inflater().feed(wire[:at])) if compressed else body[:at]
    _, answers = await put(app, admin, run, pieces(wire[:at], chunks), cut=True, **how)
    done = inflated.count(b"\n")
    assert answers[-1]["committed"] == done and answers[-1]["done"] is False
    told = (
        await client.get(f"/v1/streams/{run}", headers={"Authorization": f"Bearer {admin}"})
    ).json()
    assert told == {"name": run, "committed": done, "closed": False}
    # Go on at the offset; or send everything again, which is the same.
    rest = b"".join(body.splitlines(keepends=True)[done:]) if chunks else body
    query = f"offset={done}" if chunks else ""
    _, answers = await put(app, admin, run, pieces(rest, chunks), query + "&acks=all")
    lines = len(body.splitlines())
    assert answers[-1]["committed"] == lines and answers[-1]["done"] is True
    fresh = [n for n in range(done, lines) if body.splitlines()[n] != b""]
    assert [a["line"] for a in answers if "line" in a] == fresh
    kept = await app.state.pool.fetch(
        "SELECT id FROM log WHERE id LIKE $1 AND ordinal = 0 ORDER BY position", f"{run}-%"
    )
    good = [f"{run}-{n}" for n, k in enumerate(kinds) if k in ("good", "tiếng Việt")]
    assert [r["id"] for r in kept] == good
    row = await app.state.pool.fetchrow(
        "SELECT sum(accepted) AS good, sum(duplicate) AS again FROM book WHERE path = 'stream'"
    )
    assert row["again"] == 0


async def test_a_group_that_does_not_commit_moves_no_offset(service: Any, admin: str) -> None:
    app, _ = service
    connection = await asyncpg.connect(app.state.pool._connect_args[0])
    await connection.execute(
        "CREATE FUNCTION activities.fail() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'lost'; END $$;"
        "CREATE TRIGGER fail BEFORE UPDATE ON activities.counter EXECUTE FUNCTION activities.fail()"
    )
    body = json.dumps(event()).encode() + b"\n"
    _, answers = await put(app, admin, "fails", [body])
    assert answers[-1]["problem"]["code"] == "log-unavailable"
    assert (answers[-1]["committed"], answers[-1]["done"]) == (0, False)
    assert (await stream_store.read(app.state.pool, "administrator", "fails")).committed == 0
    await connection.execute("DROP TRIGGER fail ON activities.counter")
    await connection.close()
    _, answers = await put(app, admin, "fails", [body])
    assert (answers[-1]["committed"], answers[-1]["accepted"]) == (1, 1)


async def test_who_is_superseded_writes_nothing_and_harms_nobody(
    service: Any, admin: str, settings: Any, clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The newer connection is in another process: another instance on the same database."""
    app, _ = service
    other = create_app(settings, clock)
    async with other.router.lifespan_context(other):
        old = await stream_store.connect(app.state.pool, "p", "s")
        new = await stream_store.connect(other.state.pool, "p", "s")
        assert new.attempt == old.attempt + 1
        key = Key("p", "p", frozenset({"administrator"}))

        def deal(at: Any, row: stream_store.StreamRow, id: str) -> Any:
            async def also(connection: Any) -> None:
                if not await stream_store.advance(
                    connection, "p", "s", row.attempt, 1, close=False
                ):
                    raise Superseded

            raw = json.dumps(event(id=id)).encode()
            return at.state.door.take([raw], key, Path.STREAM, traceparent=None, also=also)

        plain = json.dumps(event(id="neighbour")).encode()
        found = await asyncio.gather(
            deal(app, old, "old"),
            app.state.door.one(plain, key, Path.REST, traceparent=None),
            deal(app, new, "new"),
            return_exceptions=True,
        )
    assert isinstance(found[0], Superseded)
    assert found[1].status is Status.ACCEPTED and found[2][0].status is Status.ACCEPTED
    ids = await app.state.pool.fetch("SELECT id FROM log WHERE id IN ('old', 'new', 'neighbour')")
    assert sorted(r["id"] for r in ids) == ["neighbour", "new"]
    assert await app.state.pool.fetchval("SELECT sum(rejected) FROM book") == 0
    assert "group of" not in caplog.text


async def test_the_old_connection_is_told_so(service: Any, admin: str) -> None:
    app, _ = service
    line = json.dumps(event(id="a")).encode() + b"\n"
    queue: asyncio.Queue[Any] = asyncio.Queue()
    sent: list[bytes] = []

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))

    row = await stream_store.connect(app.state.pool, "administrator", "t")

    async def deal(elements: Any, lines: int, close: bool, ready: Any) -> list[Result]:
        async def also(connection: Any) -> None:
            if not await stream_store.advance(
                connection, "administrator", "t", row.attempt, lines, close=close
            ):
                raise Superseded

        key = Key("p", "administrator", frozenset({"administrator"}))
        return list(
            await app.state.door.take(
                elements, key, Path.STREAM, traceparent=None, also=also, ready=ready
            )
        )

    first = asyncio.create_task(
        StreamResponse(0, 0, "errors", deal)({"type": "http"}, queue.get, send)
    )
    await queue.put({"type": "http.request", "body": line, "more_body": True})
    while not any(b'"committed":1' in part for part in sent):
        await asyncio.sleep(0.01)
    _, answers = await put(app, admin, "t", [line + line.replace(b'"a"', b'"b"')])
    assert (answers[-1]["committed"], answers[-1]["accepted"]) == (2, 1)
    await queue.put({"type": "http.request", "body": line.replace(b'"a"', b'"c"') * 3})
    await first
    closing = json.loads(sent[-1])
    assert (closing["problem"]["code"], closing["done"]) == ("stream-superseded", False)
    assert await app.state.pool.fetchval("SELECT count(*) FROM log WHERE id = 'c'") == 0
    assert (await stream_store.read(app.state.pool, "administrator", "t")).committed == 2


async def test_closed_by_its_sender(service: Any, admin: str) -> None:
    app, client = service
    sent = {"Authorization": f"Bearer {admin}"}
    line = json.dumps(event(id="z")).encode() + b"\n"
    body = line + b'\r\n {"close" : true}\r\n\n'
    _, answers = await put(app, admin, "end", pieces(body, [3, 99, 400]))
    assert answers[-1] == {
        "done": True, "committed": 4, "closed": True, "accepted": 1, "duplicate": 0, "rejected": 0,
    }  # fmt: skip
    told = (await client.get("/v1/streams/end", headers=sent)).json()
    assert told == {"name": "end", "committed": 4, "closed": True}
    status, answers = await put(app, admin, "end", [line], "offset=4")
    assert (status, answers[0]["code"], answers[0]["committed"]) == (409, "stream-closed", 4)
    _, answers = await put(app, admin, "more", [b'{"close":true}\n' + line])
    assert answers[-1]["problem"]["code"] == "stream-closed"
    assert (answers[-1]["committed"], answers[-1]["closed"], answers[-1]["done"]) == (
        1,
        True,
        False,
    )
    _, answers = await put(app, admin, "not", [b'{"close": false}\n{"close": true, "x": 1}\n'])
    assert (answers[-1]["closed"], answers[-1]["rejected"]) == (False, 2)


async def test_gzip(service: Any, admin: str) -> None:
    app, _ = service
    one = json.dumps(event(id="1")).encode() + b"\n"
    two = json.dumps(event(id="2")).encode()
    members = gzip.compress(one) + gzip.compress(two)
    _, answers = await put(app, admin, "gz", pieces(members, [5, 70]), encoding="gzip")
    assert (answers[-1]["accepted"], answers[-1]["committed"]) == (2, 2)
    three = gzip.compress(one.replace(b'"1"', b'"3"') + two.replace(b'"2"', b'"4"'))
    _, answers = await put(app, admin, "gz2", [three[:-9]], encoding="x-gzip")
    assert answers[-1]["problem"]["code"] == "gzip-invalid"
    assert (answers[-1]["accepted"], answers[-1]["committed"]) == (1, 1), "half a line is no line"
    _, answers = await put(app, admin, "gz3", [b"no gzip"], encoding="gzip")
    assert answers[-1]["problem"]["code"] == "gzip-invalid"
    status, answers = await put(app, admin, "gz4", [b""], encoding="br")
    assert (status, answers[0]["code"]) == (415, "content-encoding-unsupported")


@pytest.mark.security("V5.2.3", "V15.2.2")
def test_a_bomb_is_harmless() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000, 9)
    inflater, given = Inflater(), 0
    tracemalloc.start()
    with pytest.raises(Problem, match="gzip-ratio-exceeded"):
        for piece in inflater.feed(bomb):
            given += len(piece)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert given < 20_000_000 and peak < 2_000_000


async def serve(
    chunks: AsyncIterator[bytes], deal: Any, acks: Any, send: Callable[..., Any]
) -> None:
    async def receive() -> Any:
        async for chunk in chunks:
            return {"type": "http.request", "body": chunk, "more_body": True}
        return {"type": "http.request", "body": b"", "more_body": False}

    await StreamResponse(0, 0, acks, deal)({"type": "http"}, receive, send)


async def test_memory_is_flat_and_checkpoints_are_few() -> None:
    """200,000 lines, one in ten blank; nothing is kept of them, hardly anything is said."""
    body = (b'{"id": "12345678901234567890"}\n' * 9 + b"\n") * 100
    sent: list[bytes] = []
    largest = 0

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield body

    async def deal(elements: Any, lines: int, close: bool, ready: Any) -> list[Result]:
        nonlocal largest
        largest = max(largest, len(elements))
        return [Result(None, None, Status.ACCEPTED, 1)] * len(elements)

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))

    tracemalloc.start()
    await serve(chunks(), deal, "none", send)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    closing = json.loads(sent[-1])
    assert (closing["committed"], closing["accepted"]) == (200_000, 180_000)
    assert largest == stream.GROUP_LINES and peak < 8_000_000
    assert len(sent) < 60, "checkpoints are periodic, not one a group"


async def test_who_does_not_read_is_not_read_either() -> None:
    read = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield b"{}\n" * stream.GROUP_LINES

    async def deal(elements: Any, lines: int, close: bool, ready: Any) -> list[Result]:
        return [Result(None, None, Status.ACCEPTED, 1)] * len(elements)

    blocked = asyncio.Event()
    said = 0

    async def send(message: Any) -> None:
        nonlocal said
        said += 1
        if said > 3:
            blocked.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(serve(chunks(), deal, "all", send))
    await asyncio.wait_for(blocked.wait(), 10)
    before = read
    await asyncio.sleep(0.1)
    assert read == before <= 4
    task.cancel()


async def test_overload_makes_the_sender_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = 0

    async def chunks() -> AsyncIterator[bytes]:
        yield b"{}\n"

    async def deal(elements: Any, lines: int, close: bool, ready: Any) -> list[Result]:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise Problem("overloaded", "Too many.", status=503, retryable=True)
        return [Result(None, None, Status.ACCEPTED, 1)]

    sent: list[bytes] = []

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))

    monkeypatch.setattr(stream, "OVERLOADED_S", 0)
    await serve(chunks(), deal, "errors", send)
    assert json.loads(sent[-1])["accepted"] == 1 and tries == 3


async def test_a_slow_and_steady_sender_is_written_soon() -> None:
    """Lines come too often for a pause between them, and too seldom to fill a group."""
    taken = asyncio.Event()
    sent = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal sent
        while not taken.is_set():
            sent += 1
            yield b"{}\n"
            await asyncio.sleep(stream.PATIENCE_S / 5)

    async def deal(elements: Any, lines: int, close: bool, ready: Any) -> list[Result]:
        await ready()
        taken.set()
        return [Result(None, None, Status.ACCEPTED, 1) for _ in elements]

    async def send(_: Any) -> None:
        pass

    await serve(chunks(), deal, "errors", send)
    assert sent < stream.GROUP_LINES


async def test_told_to_stop_it_ends_with_its_checkpoint() -> None:
    """What has come is written, and the sender is told up to where; it never ended its body."""
    stopping = asyncio.Event()
    queue: asyncio.Queue[Any] = asyncio.Queue()
    sent: list[bytes] = []

    async def deal(elements: Any, lines: int, close: bool, ready: Any) -> list[Result]:
        await ready()
        return [Result(None, None, Status.ACCEPTED, 1) for _ in elements]

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))

    await queue.put({"type": "http.request", "body": b"{}\n{}\n", "more_body": True})
    response = StreamResponse(0, 0, "errors", deal, stopping=stopping)
    running = asyncio.create_task(response({"type": "http"}, queue.get, send))
    await asyncio.sleep(0.01)
    stopping.set()
    await running
    closing = json.loads(sent[-1])
    assert (closing["committed"], closing["accepted"], closing["done"]) == (2, 2, False)
