"""A partner proves its day: sums, digest, differences; nobody sees another's."""

import asyncio
import csv
import gzip
import hashlib
import io
import json
import random
import subprocess
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.activities.reconciliation import counted, listed
from services.activities.reconciliation.explain import Explanations
from shared.clock import FixedClock
from tests.activities.fake import CCCD, event
from tests.activities.granting import make_key
from tests.activities.posting import send

Service = tuple[FastAPI, httpx.AsyncClient]
SOURCE = "https://congan.daklak.example/vneid"
DAY = "2026-07-01"
STATES = ["counted", "counted_by_another_event", "not_counted", "parked", "not_yet"]


def state_of(position: int) -> tuple[str, str | None]:
    state = STATES[position % len(STATES)]
    return state, ("outside_period" if position % 2 else "no_objective") if state in (
        "not_counted",
    ) else None


class Metrics:
    """A stub of metrics: the state of a position follows from its number."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.down = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            raise httpx.ConnectError("down")
        assert request.url.path == "/v1/explanations"
        positions = json.loads(request.content)["positions"]
        assert len(positions) <= 1000
        self.asked += positions
        results = []
        for p in positions:
            state, code = state_of(p)
            counts = [{"plan": "dak-lak-2026", "objective": "adults", "unit_id": "24133@2025",
                       "counts": True}] if state == "counted" else []  # fmt: skip
            results.append(
                {"position": p, "state": state, "code": code, "reason": "x", "objectives": counts}
            )
        return httpx.Response(200, json={"watermark": 10**6, "results": results})


@pytest.fixture
def metrics(service: Service) -> Metrics:
    stub = Metrics()
    service[0].state.explanations = Explanations("http://metrics", httpx.MockTransport(stub))
    return stub


@pytest.fixture
async def police(service: Service, admin: str) -> str:
    return await make_key(service[1], admin, name="cong-an", roles=["police"], sources=[SOURCE])


async def ask(client: httpx.AsyncClient, key: str, path: str = "", **params: Any) -> httpx.Response:
    return await client.get(
        f"/v1/reconciliations{path}", headers={"Authorization": f"Bearer {key}"},
        params={"source": SOURCE, "day": DAY, **params},
    )  # fmt: skip


async def upload(
    client: httpx.AsyncClient, key: str, body: bytes, kind: str = "text/plain",
    headers: dict[str, str] | None = None, **params: Any,
) -> httpx.Response:  # fmt: skip
    return await client.post(
        "/v1/reconciliations/manifest", content=body,
        headers={"Authorization": f"Bearer {key}", "Content-Type": kind, **(headers or {})},
        params={"source": SOURCE, "day": DAY, **params},
    )  # fmt: skip


def digest(ids: list[str]) -> str:
    return hashlib.sha256(
        b"".join(i + b"\n" for i in sorted({i.encode() for i in ids}))
    ).hexdigest()


async def fill(service: Service, police: str) -> list[str]:
    """Good, duplicate, refused and another partner's; the accepted ids."""
    client = service[1]
    ids = [f"{n:02}é" if n % 3 else f"Z{n}" for n in range(20)]
    await send(client, police, [event(id=i) for i in ids])
    await send(client, police, [event(id=ids[0]), event(id=ids[1])])
    bad = [event(id="bad-1", subject="99999"), event(id="bad-2", data={"x": 1})]
    await send(client, police, [*bad, bad[0]])
    return ids


async def test_the_sums_of_a_day(
    service: Service, admin: str, police: str, metrics: Metrics, clock: FixedClock
) -> None:
    app, client = service
    ids = await fill(service, police)
    other = await make_key(client, admin, name="other", roles=["police"])
    await send(client, other, event(id="theirs"))
    body = (await ask(client, police)).json()
    assert (body["received"], body["accepted"], body["duplicate"], body["rejected"]) == (
        25,
        20,
        2,
        3,
    )
    assert body["paths"] == {"rest": {"accepted": 20, "duplicate": 2, "rejected": 3}}
    assert body["books_agree"] is True and body["final"] is False
    assert body["digest"] == digest(ids)
    assert body["refused"] == {
        "open": 2, "resolved": 0, "dismissed": 0, "not_kept": 0, "expired": 0,
    }  # fmt: skip
    assert body["refused_codes"] == {"field-unknown": 1, "unit-unknown": 1}
    rows = await app.state.pool.fetch("SELECT position FROM log WHERE partner = 'cong-an'")
    expected = [state_of(r["position"]) for r in rows]
    # A partner is not told whether a person counts already by another event; an administrator is.
    for state, name in (("parked", "parked"), ("not_yet", "pending")):
        assert body[name] == sum(s == state for s, _ in expected)
    both = ("counted", "counted_by_another_event")
    assert body["counted"] == sum(s in both for s, _ in expected)
    assert body["counted_by_another_event"] == 0
    told = (await ask(client, admin, partner="cong-an")).json()
    assert [told[name] for name in both] == [sum(s == b for s, _ in expected) for b in both]
    assert told["counted_by_another_event"] > 0
    for code, number in body["not_counted"].items():
        assert number == sum(c == code for _, c in expected)
    total = sum(body[n] for n in ("counted", "counted_by_another_event", "parked", "pending"))
    assert total + sum(body["not_counted"].values()) == body["explained"] == 20
    assert (body["partial"], body["why_partial"]) == (False, None)
    all_of_it = (await ask(client, admin)).json()
    assert (all_of_it["accepted"], all_of_it["partner"]) == (21, None)
    assert (await ask(client, admin, partner="other")).json()["digest"] == digest(["theirs"])
    nothing = (await ask(client, other, partner="cong-an")).json()
    assert (nothing["accepted"], nothing["partner"]) == (1, "other")
    clock.at = datetime(2026, 7, 1, 17, tzinfo=UTC)
    try:
        assert (await ask(client, police)).json()["final"] is True
        await send(client, police, event(id="next day"))
        assert (await ask(client, police, day="2026-07-02")).json()["digest"] == digest(
            ["next day"]
        )
        assert (await ask(client, police)).json()["digest"] == digest(ids)
    finally:
        clock.at = datetime(2026, 7, 1, 8, tzinfo=UTC)


async def test_the_digest_is_that_of_the_shell(
    service: Service, admin: str, police: str, tmp_path: Path
) -> None:
    """The two commands of the page, run as they stand there."""
    ids = await fill(service, police)
    (tmp_path / "ids").write_text("\n".join(random.Random(1).sample(ids * 2, 40)) + "\n")
    line = "LC_ALL=C sort -u ids | sha256sum"
    assert line in (Path(__file__).parents[2] / "docs" / "reconciliation.md").read_text()
    done = await asyncio.to_thread(
        subprocess.run, line, shell=True, cwd=tmp_path, capture_output=True, check=True
    )
    body = (await ask(service[1], police, seconds=0)).json()
    assert body["digest"] == done.stdout.decode().split()[0]


async def test_without_metrics_it_says_so(
    service: Service, admin: str, police: str, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, client = service
    await fill(service, police)
    metrics.down = True
    body = (await ask(client, police)).json()
    assert (body["accepted"], body["explained"], body["partial"]) == (20, 0, True)
    assert "metrics does not answer" in body["why_partial"] and body["watermark"] is None
    assert (await ask(client, police, seconds=0)).json()["why_partial"] == "It was not asked for."
    empty = (await ask(client, police, day="2026-06-30")).json()
    assert (empty["received"], empty["partial"], empty["digest"]) == (0, False, digest([]))
    metrics.down = False
    monkeypatch.setattr(counted, "PAGE", 7)
    ticks = iter([0.0, 0.0, 0.0, 99.0, 99.0])
    monkeypatch.setattr(counted, "monotonic", lambda: next(ticks, 99.0))
    body = (await ask(client, police, seconds=5)).json()
    assert (body["explained"], body["partial"]) == (14, True)
    assert "first 14 events" in body["why_partial"]


async def test_as_csv_and_every_event(
    service: Service, admin: str, police: str, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counted, "PAGE", 7)
    _app, client = service
    ids = await fill(service, police)
    await send(client, police, event(id="=1+1"))
    answer = await ask(client, police, format="csv")
    lines = list(csv.reader(io.StringIO(answer.text)))
    assert answer.headers["content-type"].startswith("text/csv")
    assert ["", "accepted", "21"] in lines and ["paths.rest", "rejected", "3"] in lines
    listed_rows = [json.loads(x) for x in (await ask(client, police, "/events")).text.splitlines()]
    good = [r for r in listed_rows if r["state"] != "rejected"]
    assert [r["id"] for r in good] == [*ids, "=1+1"]
    # Nor here is a partner told whether a person counts already by another event.
    told = [state_of(r["position"])[0] for r in good]
    assert "counted_by_another_event" in told
    assert [r["state"] for r in good] == [
        "counted" if state == "counted_by_another_event" else state for state in told
    ]
    assert sorted(r["id"] for r in listed_rows if r["state"] == "rejected") == ["bad-1", "bad-2"]
    assert metrics.asked.count(good[0]["position"]) == 2
    whole = (await ask(client, admin, "/events", partner="cong-an")).text.splitlines()
    exact = {r["position"]: r["state"] for r in map(json.loads, whole) if r["state"] != "rejected"}
    assert exact == dict(zip((r["position"] for r in good), told, strict=True))
    table = list(
        csv.DictReader(io.StringIO((await ask(client, police, "/events", format="csv")).text))
    )
    assert len(table) == 23 and table[20]["id"] == "'=1+1"
    assert {r["objectives"] for r in table} == {"", "dak-lak-2026/adults"}
    metrics.down = True
    down = [json.loads(x) for x in (await ask(client, police, "/events")).text.splitlines()]
    assert {r["state"] for r in down} == {"unknown", "rejected"}


IDS = st.text(st.sampled_from("aé\\=,\"'ờ 0"), min_size=1, max_size=6).map(
    lambda t: t.strip() or "x"
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sets(IDS, max_size=8), st.sets(IDS, max_size=8), st.integers(0, 2), st.booleans())
async def test_a_manifest_is_compared_exactly(
    service: Service, admin: str, posted: set[str], sent: set[str], form: int, zipped: bool
) -> None:
    """Any ids, in each form, compressed or not, beside sets."""
    _app, client = service
    source = f"https://congan.daklak.example/{uuid.uuid4()}"
    if posted:
        await send(client, admin, [event(id=i, source=source) for i in sorted(posted)])
    twice = [*sorted(sent), *sorted(sent)[:1]]
    if form == 0:
        body, kind = "".join(f"{i}\n" for i in twice), "text/plain"
    elif form == 1:
        body = "".join(json.dumps({"id": i, "x": 1}) + "\r\n" for i in twice)
        kind = "application/x-ndjson"
    else:
        out = io.StringIO()
        csv.writer(out).writerows([("n", "id"), *((1, i) for i in twice)])
        body, kind = out.getvalue(), "text/csv"
    raw = body.encode()
    headers = {"Content-Encoding": "gzip"} if zipped else {}
    answer = await upload(
        client, admin, gzip.compress(raw) if zipped else raw, kind, headers, source=source
    )
    found = answer.json()
    assert answer.status_code == 200, found
    assert (found["ids"], found["repeated"], found["accepted"]) == (
        len(sent), len(twice) - len(sent), len(posted),
    )  # fmt: skip
    assert found["both"] == len(sent & posted)
    assert {x["id"] for x in found["missing_ids"]} == sent - posted
    assert {x["id"] for x in found["not_in_manifest_ids"]} == posted - sent
    assert found["digest"] == {
        "manifest": digest(list(sent)), "accepted": digest(list(posted)), "agree": sent == posted,
    }  # fmt: skip
    assert (found["missing"], found["not_in_manifest"]) == (len(sent - posted), len(posted - sent))


async def test_a_manifest_says_why_and_when(
    service: Service, admin: str, police: str, clock: FixedClock
) -> None:
    _, client = service
    ids = await fill(service, police)
    other = await make_key(client, admin, name="other", roles=["police"])
    await send(client, other, event(id="theirs"))
    clock.at = datetime(2026, 7, 2, 8, tzinfo=UTC)
    await send(client, police, event(id="late"))
    clock.at = datetime(2026, 7, 1, 8, tzinfo=UTC)
    body = "\n".join([*ids[1:], "late", "bad-1", "never", "theirs", CCCD, "x" * 300, "a\tb", ""])
    answer = await upload(client, police, b"\xef\xbb\xbf" + body.encode())
    found = answer.json()
    assert [(x["id"], x["code"]) for x in found["missing_ids"]] == [
        ("bad-1", "unit-unknown"), ("never", None), ("theirs", None),
    ]  # fmt: skip
    assert [x["id"] for x in found["not_in_manifest_ids"]] == [ids[0]]
    assert [(x["id"], x["recorded"]) for x in found["other_day_ids"]] == [("late", "2026-07-02")]
    first = len(ids[1:]) + 5
    assert found["malformed"] == {"count": 3, "lines": [first, first + 1, first + 2]}
    assert CCCD not in answer.text and found["digest"]["agree"] is False
    short = (await upload(client, police, body.encode(), limit=1)).json()
    assert (len(short["missing_ids"]), short["missing"], short["truncated"]) == (1, 3, True)
    table = await upload(client, police, body.encode(), format="csv")
    rows = [(r["kind"], r["id"], r["code"]) for r in csv.DictReader(io.StringIO(table.text))]
    assert rows == [
        ("missing", "bad-1", "unit-unknown"), ("missing", "never", ""), ("missing", "theirs", ""),
        ("not_in_manifest", ids[0], ""), ("other_day", "late", ""),
    ]  # fmt: skip


async def test_manifests_that_are_refused(
    service: Service, admin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = service[1]
    for body, kind, headers, status, code in (
        (b"a", "application/json", {}, 415, "content-type-unsupported"),
        (b"a", "text/plain", {"Content-Encoding": "br"}, 415, "content-encoding-unsupported"),
        (b"a", "text/plain", {"Content-Encoding": "gzip"}, 400, "gzip-invalid"),
        (gzip.compress(b"a")[:-3], "text/plain", {"Content-Encoding": "gzip"}, 400, "gzip-invalid"),
        (b"x,y\n1,2\n", "text/csv", {}, 422, "manifest-without-ids"),
    ):
        answer = await upload(client, admin, body, kind, headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    monkeypatch.setattr(listed, "MAX_IDS", 2)
    answer = await upload(client, admin, b"1\n2\n3\n")
    assert (answer.status_code, answer.json()["code"]) == (413, "manifest-too-long")
    assert (await ask(client, "hv_x_y")).status_code == 401
    for params in ({"day": "x"}, {"source": ""}, {"seconds": 61}, {"format": "xml"}):
        assert (await ask(client, admin, **params)).json()["code"] == "invalid-parameter"


async def test_receipts(service: Service, admin: str, police: str, metrics: Metrics) -> None:
    app, client = service
    await fill(service, police)
    other = await make_key(client, admin, name="other", roles=["police"])

    async def receipt(key: str, id: str) -> tuple[int, Any]:
        answer = await client.get(
            "/v1/events", params={"source": SOURCE, "id": id},
            headers={"Authorization": f"Bearer {key}"},
        )  # fmt: skip
        return answer.status_code, answer.json()

    status, found = await receipt(police, "01é")
    assert (status, found["status"], found["reason"]) == (200, "accepted", "not_yet")
    assert metrics.asked == [] and found["objectives"] == []
    for key in (other, police):
        status, found = await receipt(key, "01é" if key == other else "unknown")
        assert (status, found["code"]) == (404, "event-unknown")
    status, found = await receipt(police, "bad-1")
    assert (status, found["status"], found["problem"]["code"]) == (200, "rejected", "unit-unknown")
    assert found["times"] == 2 and found["number"] > 0
    assert (await receipt(other, "bad-1"))[0] == 404
    assert (await receipt(admin, "bad-1"))[0] == 200
    await app.state.pool.execute(
        "INSERT INTO mark SELECT 'counted', lane, 1000, now() FROM generate_series(0, 64) AS lane"
    )
    told = {}
    for n in range(20):
        id = f"{n:02}é" if n % 3 else f"Z{n}"
        _, found = await receipt(police, id)
        told[state_of(found["position"])[0]] = found
        assert found["why_not_known"] is None
    assert [o["objective"] for o in told["counted"]["objectives"]] == ["adults"]
    assert told["counted"]["reason"] is None
    assert told["not_counted"]["reason"] in ("outside_period", "no_objective")
    metrics.down = True
    status, found = await receipt(police, "01é")
    assert (status, found["objectives"]) == (200, []) and "metrics" in found["why_not_known"]
