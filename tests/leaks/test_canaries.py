"""Canaries: numbers of two made-up persons in many spellings, in every place of every way in; then
everything that was stored, said, answered or measured is searched by digits alone.

Spans and other services: tests/observability/test_traces.py. The intake topics hold what partners
write (docs/intake.md); what is taken out of them is searched here.
"""

import copy
import json
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from services.activities.ingest.door import Path
from services.activities.ingest.openapi import example
from services.activities.intake.messages import event_of
from services.activities.intake.model import Message
from services.activities.log.rows import WIRE_SQL, to_wire
from shared.contracts.definitions import Catalogue
from tests.activities.fake import BATCH, event
from tests.leaks.canaries import FEW, SPELLINGS, canaries_in
from tests.registry.routes import walk
from tests.xapi.samples import statement

Json = dict[str, Any]
CATALOGUE = Catalogue.load()
TYPED = {
    "POST /v1/keys": {
        "name": "vnpt", "roles": ["telecom"], "types": ["class.held"],
        "sources": ["https://vnpt.example/"], "subtree": "66@2025", "era": "2025",
    },
    "POST /v1/keys/clients": {
        "name": "vnpt", "roles": ["telecom"], "sources": ["https://vnpt.example/"],
        "issuer": "https://sso.example", "client_id": "vnpt", "token_subject": "x",
    },
    "PUT /v1/quotas/{partner}": {"per_day": 1_000},
    "PUT /v1/intake/{partner}": {
        "roles": ["telecom"], "types": ["class.held"], "sources": ["https://vnpt.example/"],
        "principal": "User:vnpt",
    },
    "POST /v1/invitations": {"role": "editor", "unit": "24133", "label": "Một cửa"},
    "POST /v1/invitations/accept": {"code": "abcdefgh"},
    "POST /v1/sessions": {"device": "Máy của xã"},
    "POST /v1/sessions/current/confirmation": {"key": "abcdefgh"},
    "PUT /xapi/platforms": {"home_page": "https://mooc.example", "subject": "24133", "scheme": "account"},
    "POST /xapi/replay": {},
    "POST /v1/quarantine/{number}/dismiss": {"reason": "trùng"},
    "POST /v1/quarantine/{number}/replay": {"changes": {"subject": "24133", "data": {"note": "x"}}},
    "POST /v1/quarantine/replay": {"source": "https://x.example", "code": "unit-unknown"},
}  # fmt: skip
"""Routes that take texts, and bodies of which each text is replaced by a canary in turn."""
EVENTS = {
    "POST /v1/events", "PUT /v1/streams/{name}", "POST /xapi/statements", "PUT /xapi/statements",
    "POST /v1/reconciliations/manifest",
}  # fmt: skip
WITHOUT_TEXTS = {
    "POST /v1/keys/{prefix}/rotate", "PATCH /v1/keys/{prefix}", "DELETE /v1/keys/{prefix}", "DELETE /v1/invitations/{id}",
    "DELETE /v1/intake/{partner}", "DELETE /v1/sessions", "DELETE /v1/sessions/{id}", "POST /v1/intake/{partner}/acknowledgement",
    "POST /v1/log/rows", "HEAD /xapi/statements",
}  # fmt: skip
"""Nothing that they are given is stored."""


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where the texts and numbers of a JSON value are."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from places(item, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, (*path, index))
    elif isinstance(value, str | int):
        yield path


def put(value: Any, path: tuple[Any, ...], item: Any) -> Any:
    made = copy.deepcopy(value)
    node = made
    for name in path[:-1]:
        node = node[name]
    node[path[-1]] = item
    return made


class Watch:
    """The service as a partner uses it; everything that it answers is kept to be searched."""

    def __init__(self, app: FastAPI, client: httpx.AsyncClient, key: str) -> None:
        self.app, self.client, self.key = app, client, key
        self.answers: list[str] = []

    async def ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.key}", **how.pop("headers", {})}
        answer = await self.client.request(method, path, headers=headers, **how)
        assert answer.status_code < 500, (method, path, answer.text)
        self.answers.append(answer.text)
        return answer

    async def batch(self, events: list[Json]) -> list[Json]:
        """The results of events posted together."""
        found: list[Json] = []
        for start in range(0, len(events), 500):
            part = json.dumps(events[start : start + 500], ensure_ascii=False).encode()
            answer = await self.ask(
                "POST", "/v1/events", content=part, headers={"Content-Type": BATCH}
            )
            found += answer.json()["results"]
        return found

    async def everything(self) -> AsyncIterator[tuple[str, str]]:
        """(where, text) of all that was stored, said, answered, measured or relayed."""
        for answer in self.answers:
            yield "an answer", answer
        async with self.app.state.pool.acquire() as connection:
            await self.app.state.keys.rights.write(self.app.state.pool)
            tables = await connection.fetch(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'activities'"
            )
            for (table,) in tables:
                for (row,) in await connection.fetch(
                    f"SELECT to_jsonb(t) - 'mac' - 'digest' FROM {table} t"
                ):
                    for text in texts(row if isinstance(row, dict) else json.loads(row)):
                        yield table, text
            for row in await connection.fetch(WIRE_SQL):
                yield "the topic", to_wire(row, "epoch").decode()
        metrics = await self.client.get("/metrics")
        yield "metrics", metrics.text


def texts(value: Any) -> Iterator[str]:
    """Every text and number of a JSON value alone, names of members too."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from texts(item)
    elif isinstance(value, list):
        yield " ".join(str(item) for item in value)
        for item in value:
            yield from texts(item)
    elif value is not None:
        yield str(value)


@pytest.fixture
async def watch(
    service: tuple[FastAPI, httpx.AsyncClient], admin: str, caplog: pytest.LogCaptureFixture
) -> AsyncIterator[Watch]:
    caplog.set_level(logging.DEBUG)
    watching = Watch(*service, admin)
    yield watching
    found: dict[str, str] = {}
    async for where, text in watching.everything():
        if canaries_in(text):
            found.setdefault(where, text[:400])
    spoken = "\n".join(record.getMessage() for record in caplog.records)
    if canaries_in(spoken):
        found["the log of the process"] = "see its output"
    assert not found


async def test_every_place_of_an_event(watch: Watch) -> None:
    good = event(data={"target_groups": ["adult"], "person": {"scheme": "cccd", "value": "001099000001"},
                       "batch_id": "x", "framework": "x", "level": "x", "platform": "vneid"})  # fmt: skip
    more = {
        "partitionkey": "x", "correlationid": "x", "sequence": "x", "causationid": "x",
        "traceparent": "x", "tracestate": "x", "dataschema": "https://x.example/schemas/x/1",
        "datacontenttype": "x", "ho_ten": "x", "source": "https://x.example/",
    }  # fmt: skip
    events: list[Json] = []
    for text in SPELLINGS.values():
        number = len(events)
        for place in places({**good, **more}):
            given = f"https://x.example/{text}" if place == ("source",) else text
            whole = {**good, place[0]: more[place[0]]} if place[0] in more else good
            events.append({**put(whole, place, given), **({} if place == ("id",) else {"id": f"c-{number}-{len(events)}"})})  # fmt: skip
        events.append({**good, "id": f"n-{number}", text: "x"})
        events.append(put({**good, "id": f"m-{number}"}, ("data", text), "x"))
    results = await watch.batch(events)
    assert {r["status"] for r in results} <= {"rejected", "accepted"}
    # Where a person belongs, a number is taken in any spelling that means one.
    assert any(r["status"] == "accepted" for r in results)


async def test_every_field_of_every_type(watch: Watch) -> None:
    events = []
    for name in CATALOGUE:
        for number in range(len(CATALOGUE[name].examples)):
            whole = example(CATALOGUE, name, number)
            for place in places(whole["data"]):
                for spelling, text in FEW.items():
                    made = put(whole, ("data", *place), text)
                    events.append({**made, "id": f"{name}-{number}-{place}-{spelling}"})
                for digits in (66099001234, 912345678):
                    made = put(whole, ("data", *place), digits)
                    events.append({**made, "id": f"{name}-{number}-{place}-{len(events)}"})
    await watch.batch(events)


async def test_corrections_at_any_depth(watch: Watch) -> None:
    await watch.batch([event()])
    named = {"source": event()["source"], "id": event()["id"]}
    events = []
    for number, text in enumerate(SPELLINGS.values()):
        for patch in (
            {"data": {"note": text}}, {"subject": text}, {"time": text}, {"data": {text: "x"}},
            {"data": {"changes": {"data": {"note": text}}}}, {"data": {"target_groups": [text]}},
        ):  # fmt: skip
            data = {"corrects": named, "changes": patch, "reason": "nhầm"}
            events.append(event(id=f"k-{number}-{len(events)}", type="vn.hocvuso.event.corrected", data=data))  # fmt: skip
        data = {"revokes": {**named, "id": text}, "reason": text}
        events.append(event(id=f"r-{number}", type="vn.hocvuso.event.revoked", data=data))
    await watch.batch(events)


@pytest.mark.parametrize("spelling", FEW)
async def test_every_way_in(watch: Watch, spelling: str) -> None:
    text = FEW[spelling]
    bad = [
        event(id=text), event(id="w1", subject=text), event(id="w2", partitionkey=text),
        event(id="w3", data={**event()["data"], "note": text}), event(id="w4", ho_ten=text),
    ]  # fmt: skip
    for one in bad:
        kind = {"Content-Type": "application/cloudevents+json"}
        await watch.ask("POST", "/v1/events", content=json.dumps(one), headers=kind)
        headers = {"Content-Type": "application/json"}
        headers |= {f"ce-{n}": quote(str(v), safe=" :/") for n, v in one.items() if n != "data"}
        await watch.ask("POST", "/v1/events", content=json.dumps(one["data"]), headers=headers)
    lines = b"\n".join(json.dumps(one).encode() for one in bad) + b"\n{broken " + text.encode()
    for name in ("canary", quote(text, safe="")):
        kind = {"Content-Type": "application/x-ndjson"}
        await watch.ask("PUT", f"/v1/streams/{name}", content=lines, headers=kind)
        await watch.ask("GET", f"/v1/streams/{name}")
    key = await watch.app.state.keys.authenticate(f"Bearer {watch.key}")
    raw = text.encode()
    structured = (("content-type", b"application/cloudevents+json"), (text, raw))
    binary = (("content-type", b"application/json"), ("ce_specversion", b"1.0"), ("ce_id", raw),
              (f"ce_{text}", raw), ("traceparent", raw))  # fmt: skip
    messages = [Message(0, n, 0, json.dumps(one).encode(), structured) for n, one in enumerate(bad)]
    messages += [
        Message(0, 9, 0, json.dumps(bad[0]["data"]).encode(), binary),
        Message(0, 10, 0, raw, ()),
    ]
    elements = [event_of(message) for message in messages]
    results = await watch.app.state.door.take(elements, key, Path.KAFKA, traceparent=None)
    watch.answers += [
        json.dumps(r.body() | (r.problem.body() if r.problem else {})) for r in results
    ]
    for path in (
        "/v1/events", "/v1/quarantine", "/v1/reconciliations", "/v1/reconciliations/events",
        "/v1/audit", "/v1/log", "/v1/keys", "/v1/intake", "/v1/quotas", "/v1/checklist",
    ):  # fmt: skip
        # Positions and cursors are numbers by nature, and are repeated as such.
        names = ("source", "id", "day", "code", "type", "partner", "about", "x")
        await watch.ask("GET", path, params=dict.fromkeys(names, text))
        await watch.ask("GET", f"{path}/{quote(text, safe='')}")
    manifest = {"source": "https://x.example", "day": "2026-06-30"}
    await watch.ask("POST", "/v1/reconciliations/manifest", params=manifest, content=f"a\n{text}\n",
                    headers={"Content-Type": "text/plain"})  # fmt: skip
    about = {"User-Agent": "x", "Authorization": f"Bearer hv_{text.encode().hex()[:8]}_x"}
    about |= {"X-Request-Id": quote(text), "Referer": quote(text), "Cookie": f"a={quote(text)}"}
    await watch.ask("GET", "/v1/keys/self", headers=about)
    if text.isascii() and text.isprintable() and " " not in text:
        await watch.ask("GET", "/v1/keys/self", headers={"Authorization": f"Bearer hv_{text}_x"})


def _like(place: tuple[Any, ...], text: str) -> tuple[Any, ...]:
    """What may pass at a place of a statement and hold a canary."""
    last = place[-1]
    if last in ("id", "homePage") or str(last).startswith("http"):
        return text, f"https://x.example/{quote(text)}"
    special = {"duration": f"PT{text}S", "version": f"1.0.{text}", "raw": 66099001234}
    return text, special.get(str(last), "vi-x-" + quote(text))


async def test_statements_of_xapi(watch: Watch) -> None:
    given: Json = statement(
        result={"duration": "PT1H", "response": "x", "score": {"raw": 5, "scaled": 0.5}},
        version="1.0.3",
    )
    given["context"] |= {"platform": "x", "language": "vi", "revision": "x", "instructor": {"mbox": "mailto:a@b.example"}}  # fmt: skip
    given["context"]["contextActivities"] = {"parent": [{"id": "https://x.example/1"}]}
    given["object"]["definition"] |= {"description": {"vi": "x"}, "extensions": {"https://x.example/e": "x"}}  # fmt: skip
    headers = {"X-Experience-API-Version": "1.0.3"}
    for text in FEW.values():
        for place in places(given):
            for value in _like(place, text):  # fmt: skip
                if place[-1] == "id" and len(place) == 1 and value != text:
                    continue
                made = put({k: v for k, v in given.items() if k != "id"} if place[0] != "id" else given, place, value)  # fmt: skip
                await watch.ask("POST", "/xapi/statements", json=made, headers=headers)
        agent = json.dumps({"account": {"homePage": "https://mooc.example", "name": text}})
        for params in ({"agent": agent}, {"activity": f"https://x.example/{text}"}, {"verb": text}):
            await watch.ask("GET", "/xapi/statements", params=params, headers=headers)


async def test_every_route_that_takes_texts(watch: Watch) -> None:
    routes = {
        f"{method} {route.path}"
        for route in walk(watch.app.routes)
        if isinstance(route, APIRoute)
        for method in route.methods
        if method != "GET" and not (method == "HEAD" and not route.path.startswith("/xapi"))
    }
    assert routes == {*TYPED, *EVENTS, *WITHOUT_TEXTS}, "say here what a new route stores"
    await watch.batch([event(subject="99999")])
    for route, order in TYPED.items():
        method, path = route.split(" ")
        for text in FEW.values():
            for place in places(order):
                shown = path.format(partner="somebody", number=1)
                headers = {"X-Experience-API-Version": "1.0.3"} if "xapi" in path else {}
                await watch.ask(method, shown, json=put(order, place, text), headers=headers)
            if "{partner}" in path:
                shown = path.format(partner=quote(text, safe=""))
                await watch.ask(method, shown, json=order)
