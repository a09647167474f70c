"""The books and the quarantine agree with an oracle, whatever comes on whatever path."""

import json
from collections import Counter
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.activities.ingest.door import Path
from services.activities.keys.model import Key
from services.activities.log.model import GiveUp, Status
from shared.problems import Problem
from tests.activities.fake import CCCD, PHONE, event

SOURCE = "https://congan.daklak.example/vneid"
ADMIN = Key("p", "partner-a", frozenset({"administrator"}))
UNREAD = Problem("line-too-long", "Too long.", status=413)


async def book(app: Any, partner: str = "partner-a") -> Counter[tuple[str, str, str, str]]:
    rows = await app.state.pool.fetch("SELECT * FROM book WHERE partner = $1", partner)
    found: Counter[tuple[str, str, str, str]] = Counter()
    for r in rows:
        for status in ("accepted", "duplicate", "rejected", "not_kept"):
            found[r["source"], r["type"], r["path"], status] += r[status]
    return +found


def raw(**changes: Any) -> bytes:
    return json.dumps(event(**changes)).encode()


KINDS = {
    "good": lambda n: raw(id=f"good-{n}"),
    "again": lambda n: raw(id="good-0"),
    "conflict": lambda n: raw(id="good-0", subject="66"),
    "unit": lambda n: raw(id=f"unit-{n}", subject="99999"),
    "field": lambda n: raw(id=f"field-{n}", data={"persn": 1}),
    "type": lambda n: raw(id=f"type-{n}", type="vn.hocvuso.no.such"),
    "nonsense": lambda n: b"{" + str(n).encode(),
    "unread": lambda n: UNREAD,
}
MIX = st.lists(
    st.tuples(
        st.sampled_from([Path.REST, Path.STREAM, Path.KAFKA, Path.XAPI]),
        st.sampled_from(["batch", "atomic", "dry_run", "one", "given_up"]),
        st.lists(
            st.tuples(st.sampled_from(sorted(KINDS)), st.integers(0, 3)), min_size=1, max_size=6
        ),
    ),
    max_size=6,
)


class Stop(GiveUp):
    """What a superseded path raises."""


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(MIX)
async def test_books_are_the_sum_of_the_answers(service: Any, admin: str, mix: Any) -> None:
    app, _ = service
    await app.state.pool.execute("DELETE FROM book; DELETE FROM quarantine")
    await app.state.pool.execute("DELETE FROM quarantine_use")
    before = await app.state.pool.fetchval("SELECT position FROM counter")
    expected: Counter[tuple[str, str, str, str]] = Counter()
    refused: Counter[bytes | str] = Counter()
    accepted = 0

    async def stop(_: object) -> None:
        raise Stop

    for path, how, picked in mix:
        elements = [KINDS[kind](n) for kind, n in picked]
        door = app.state.door
        if how == "given_up":
            with pytest.raises(Stop):
                await door.take(elements, ADMIN, path, traceparent=None, also=stop)
            continue
        if how == "one" and not isinstance(elements[0], Problem):
            elements = elements[:1]
            results = [await door.one(elements[0], ADMIN, path, traceparent=None)]
        else:
            results = await door.take(
                elements, ADMIN, path, traceparent=None,
                atomic=how == "atomic", dry_run=how == "dry_run",
            )  # fmt: skip
        if how == "dry_run":
            continue
        for element, result in zip(elements, results, strict=True):
            known = not isinstance(element, Problem) and element[:2] != b"{0"
            try:
                posted = json.loads(element) if known else {}
            except ValueError:
                posted = {}
            kind = "citizen.certified" if posted.get("type", "").endswith("certified") else ""
            expected[posted.get("source", ""), kind, path.value, result.status.value] += 1
            accepted += result.status is Status.ACCEPTED
            if result.problem is not None and result.problem.code != "atomic-batch-refused":
                refused["unread" if isinstance(element, Problem) else element] += 1
    assert await book(app) == expected
    rows = await app.state.pool.fetch("SELECT times FROM quarantine")
    assert sorted(r["times"] for r in rows) == sorted(refused.values())
    use = await app.state.pool.fetchval("SELECT coalesce(sum(rows), 0)::int FROM quarantine_use")
    assert use == len(rows)
    after = await app.state.pool.fetchval("SELECT position FROM counter")
    assert after - before == accepted


async def test_what_fails_to_commit_is_in_no_book(
    service: Any, admin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The transaction fails at its last statement: neither log, books nor quarantine have it."""
    app, _ = service
    connection = await asyncpg.connect(**_address(app))
    await connection.execute(
        "CREATE FUNCTION activities.fail() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'lost'; END $$;"
        "CREATE TRIGGER fail BEFORE UPDATE ON activities.counter EXECUTE FUNCTION activities.fail()"
    )
    elements = [KINDS["good"](1), KINDS["unit"](1), KINDS["nonsense"](1)]
    with pytest.raises(Problem, match="log-unavailable"):
        await app.state.door.take(elements, ADMIN, Path.REST, traceparent=None)
    assert await book(app) == {}
    assert await connection.fetchval("SELECT count(*) FROM activities.quarantine") == 0
    await connection.execute("DROP TRIGGER fail ON activities.counter")
    results = await app.state.door.take(elements, ADMIN, Path.REST, traceparent=None)
    assert [r.status.value for r in results] == ["accepted", "rejected", "rejected"]
    assert sum((await book(app)).values()) == 3
    await connection.close()


def _address(app: Any) -> dict[str, Any]:
    args = app.state.pool._connect_args
    return {"dsn": args[0]} if args else {}


async def test_the_quarantine_is_bounded_and_says_what_it_did_not_keep(
    service: Any, admin: str
) -> None:
    app, _ = service
    app.state.log_limits.rows = 3
    elements = [KINDS["nonsense"](n) for n in (1, 2, 3, 4, 5, 5)]
    await app.state.door.take(elements, ADMIN, Path.REST, traceparent=None)
    found = await book(app)
    assert found["", "", "rest", "rejected"] == 6 and found["", "", "rest", "not_kept"] == 3
    assert await app.state.pool.fetchval("SELECT count(*) FROM quarantine") == 3
    again = await app.state.door.take([KINDS["nonsense"](1)], ADMIN, Path.REST, traceparent=None)
    assert again[0].status is Status.REJECTED
    assert await app.state.pool.fetchval("SELECT max(times) FROM quarantine") == 2
    app.state.log_limits.rows, app.state.log_limits.bytes = 100, 700
    many = [KINDS["unit"](n) for n in range(4)]
    await app.state.door.take(many, ADMIN, Path.REST, traceparent=None)
    use = await app.state.pool.fetchrow("SELECT * FROM quarantine_use")
    real = await app.state.pool.fetchrow(
        "SELECT count(*) AS rows, sum(bytes) FILTER (WHERE event IS NOT NULL) AS bytes"
        " FROM quarantine"
    )
    assert (use["rows"], use["bytes"]) == (real["rows"], real["bytes"])
    assert (
        use["bytes"] <= 700 and (await book(app))[SOURCE, "citizen.certified", "rest", "not_kept"]
    )


async def test_invented_sources_do_not_fill_the_books(service: Any, admin: str) -> None:
    app, _ = service
    elements = [raw(id="x", source=f"https://a.example/{n}", subject="99999") for n in range(300)]
    await app.state.door.take(elements, ADMIN, Path.REST, traceparent=None)
    found = await book(app)
    assert sum(found.values()) == 300 and len(found) == 201


async def test_nothing_kept_names_a_person(service: Any, admin: str) -> None:
    """Whatever place a number or a name stands in, no table of the quarantine has it."""
    app, _ = service
    person = {"scheme": "cccd", "value": CCCD, "name": "Nguyễn Thị Bí Mật"}
    email = "bi.mat@example.vn"
    bad: list[Any] = [
        event(subject="99999"),
        event(data={"person": person}),
        event(data={"person": CCCD, "note": f"gọi {PHONE}"}),
        event(data={"persons": [{"scheme": "cccd", "value": CCCD}], "target_groups": ["x"]}),
        event(data={"person": {"scheme": "cccd", "value": "06609900123"}}),
        event(data={"person": {"scheme": "cccd", "value": int(CCCD)}}),
        event(data={"person": {"scheme": CCCD, "value": CCCD}}),
        event(data={"ho_ten": "Nguyễn Thị Bí Mật", "platform": email, CCCD: 1}),
        event(data={"Nguyễn Thị Bí Mật": {"deep": [CCCD]}}),
        event(data=f"Nguyễn {CCCD}"),
        event(data=[CCCD, {"age": int(CCCD)}]),
        event(id=CCCD),
        event(id=email, subject="99999"),
        event(subject=PHONE, partitionkey=PHONE, ho_ten="Nguyễn Thị Bí Mật"),
        event(type="vn.hocvuso.citizen.certifed"),
        event(data={"corrects": {"source": SOURCE, "id": PHONE},
                    "changes": {"data": {"person": person}}}, type="vn.hocvuso.event.corrected"),
    ]  # fmt: skip
    elements = [json.dumps(e).encode() for e in bad] + [f'{{"cccd": "{CCCD}'.encode()]
    results = await app.state.door.take(elements, ADMIN, Path.REST, traceparent=None)
    assert {r.status for r in results} == {Status.REJECTED}
    assert await app.state.pool.fetchval("SELECT count(*) FROM quarantine") == len(elements)
    rows = await app.state.pool.fetch("SELECT q::text AS kept FROM quarantine q")
    rows += await app.state.pool.fetch("SELECT b::text AS kept FROM book b")
    kept = "\n".join(r["kept"] for r in rows)
    assert "cccd:" in kept and "$masked" in kept
    for secret in (CCCD, CCCD[1:], PHONE, PHONE[1:], "Nguyễn", "Bí Mật", email, "06609900123"):
        assert secret not in kept
