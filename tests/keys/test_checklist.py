"""A partner's checklist: what it says at each step, and the page in a real browser."""

import json
import shlex
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.activities.reconciliation.explain import Explanations
from shared.contracts.definitions import Catalogue
from tests.activities.fake import event
from tests.activities.posting import send
from tests.keys.browser import CHROMIUM, browser
from tests.keys.conftest import Api


class Metrics:
    """What metrics answers about any position."""

    def __init__(self, app: Any) -> None:
        self.state: dict[str, Any] | None = {"state": "not_yet", "code": "not_yet", "reason": "x"}
        app.state.explanations = Explanations("http://metrics", httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if self.state is None:
            raise httpx.ConnectError("down")
        positions = json.loads(request.content)["positions"]
        return httpx.Response(
            200,
            json={"watermark": 9, "results": [{"position": p, **self.state} for p in positions]},
        )

    def counts(self) -> None:
        named = {"plan": "dak-lak-2026", "objective": "o", "unit_id": "24133@2025", "counts": True}
        self.state = {"state": "counted", "objectives": [named]}


@pytest.fixture
def metrics(service: Any) -> Metrics:
    return Metrics(service[0])


async def made(api: Api, **order: Any) -> Api:
    every = ["events:write", "events:stream"]
    key = await api(
        "POST", "/v1/keys", {"name": "cong-an", "roles": ["police"], "scopes": every, **order}
    )
    return api.with_key(key["key"])


async def states(key: Api) -> dict[str, str]:
    found = await key("GET", "/v1/checklist")
    assert found["done"] == sum(s["state"] == "done" for s in found["steps"])
    assert found["of"] == len(found["steps"])
    open_steps = [s["id"] for s in found["steps"] if s["state"] != "done"]
    assert found["next"] == (open_steps[0] if open_steps else None)
    assert all(s["title"] and s["title_vi"] for s in found["steps"])
    return {s["id"]: s["state"] for s in found["steps"]}


async def test_a_partner_ticks_off_step_by_step(api: Api, metrics: Metrics) -> None:
    key = await made(api)
    begun = {
        "key": "done",
        "rights": "done",
        "accepted": "todo",
        "counted": "todo",
        "stream": "todo",
    }
    assert await states(key) == begun
    await send(api.client, key.key, event(id="bad", subject="99999"))
    assert await states(key) == begun
    steps = (await key("GET", "/v1/checklist"))["steps"]
    assert "0 accepted, 1 refused" in steps[2]["detail"]
    assert "0 được nhận, 1 bị từ chối" in steps[2]["detail_vi"]
    assert "/v1/quarantine" in steps[2]["detail"]
    await send(api.client, key.key, event(id="0"))
    assert await states(key) == {**begun, "accepted": "done"}
    assert (await key("GET", "/v1/checklist"))["steps"][2]["at"] is not None
    metrics.state = None
    assert (await states(key))["counted"] == "unknown"
    metrics.state = {"state": "not_counted", "code": "no_filter_matches", "reason": "No filter."}
    assert (await states(key))["counted"] == "todo"
    assert "no_filter_matches" in str(await key("GET", "/v1/checklist"))
    metrics.counts()
    assert (await states(key))["counted"] == "done"
    line = json.dumps(event(id="line")).encode() + b"\n"
    headers = {"Content-Type": "application/x-ndjson"}
    await key.ask("PUT", "/v1/streams/s", content=line, headers=headers)
    assert set((await states(key)).values()) == {"done"}


async def test_rights_that_lead_nowhere_and_ways_by_scope(api: Api, metrics: Metrics) -> None:
    key = await made(api, scopes=["quarantine:replay"])
    assert (await states(key))["rights"] == "todo" and "stream" not in await states(key)
    key = await made(api, scopes=["xapi:write"], expires_at="2026-07-08T00:00:00Z")
    assert (await states(key))["rights"] == "done" and "xapi" in await states(key)
    assert "2026-07-08" in str(await key("GET", "/v1/checklist"))
    other = await made(api, name="cong-an-khac")
    await send(api.client, other.key, event())
    assert (await states(key))["accepted"] == "todo"
    assert (await api.with_key("hv_x_y")("GET", "/v1/checklist"))["code"] == "key-wrong"


@pytest.mark.parametrize(
    "order",
    [{}, {"roles": ["commune"], "subtree": "66@2025"}, {"roles": ["school"]},
     {"types": ["citizen.certified"], "sources": ["https://congan.daklak.example/"]}],
)  # fmt: skip
async def test_the_command_it_gives_works(
    api: Api, metrics: Metrics, order: dict[str, Any]
) -> None:
    """The example is one that this very key may post; it writes nothing."""
    key = await made(api, **order)
    steps = {s["id"]: s for s in (await key("GET", "/v1/checklist"))["steps"]}
    command = shlex.split(steps["accepted"]["curl"])
    assert key.key not in str(steps) and "$KEY" in steps["accepted"]["curl"]
    posted = json.loads(command[command.index("-d") + 1])
    assert posted["type"].removeprefix("vn.hocvuso.") in Catalogue.load()
    answer = await send(api.client, key.key, posted, dry_run="true")
    assert answer.get("code") in (None, "unit-unknown", "original-unknown"), answer
    assert (await states(key))["accepted"] == "todo"


async def test_the_page_loads_nothing_from_elsewhere_and_keeps_nothing(api: Api) -> None:
    for path in ("/checklist", "/checklist/checklist.js", "/checklist/checklist.css"):
        answer = await api.client.get(path)
        assert answer.status_code == 200
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "http:" not in answer.text and "https:" not in answer.text
        for keeping in ("localStorage", "sessionStorage", "document.cookie", "innerHTML"):
            assert keeping not in answer.text
    text = (await api.client.get("/checklist")).text
    assert '<html lang="vi">' in text and text.count("<h1") == text.count("<main") == 1
    assert "name=" not in text.replace('name="viewport"', ""), "a form without script sends nothing"
    assert (await api.client.get("/checklist/..%2froutes.py")).status_code == 404


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: page not seen")
async def test_a_real_browser_ticks_live(
    api: Api, metrics: Metrics, port: int, tmp_path: Path
) -> None:
    key = await made(api)
    async with browser(tmp_path) as page:
        await page.open(f"http://127.0.0.1:{port}/checklist")
        await page.until("document.readyState === 'complete' && !!document.getElementById('key')")
        await page.run("document.getElementById('key').focus()")
        await page.type(key.key)
        await page.press_enter()
        await page.until("document.querySelectorAll('#steps li').length === 5")
        done = "[...document.querySelectorAll('#steps li.done')].map(e => e.dataset.step).join()"
        assert await page.run(done) == "key,rights"
        assert "Chưa" in await page.run("document.querySelector('[data-step=accepted]').innerText")
        assert await page.run("document.getElementById('key').value") == ""
        await send(api.client, key.key, event(id="0"))
        metrics.counts()
        await page.until(f"{done} === 'key,rights,accepted,counted'")
        await page.click("#language")
        assert await page.run("document.documentElement.lang") == "en"
        assert "4 of 5" in await page.run("document.getElementById('status').textContent")
        kept = "JSON.stringify([localStorage, sessionStorage, document.cookie, location.href,"
        kept += " history.state, document.documentElement.outerHTML])"
        assert key.key not in await page.run(kept)
        assert await page.run("document.documentElement.scrollWidth <= innerWidth")
        await page.click("#forget")
        assert await page.run("document.querySelectorAll('#steps li').length") == 0
        await page.run("document.getElementById('key').focus()")
        await page.type("hv_00000000_wrong")
        await page.press_enter()
        assert "key-wrong" in await page.until("document.getElementById('error').textContent")
        assert not [address for address in page.requests if f":{port}/" not in address]
        assert not [address for address in page.requests if "hv_" in address]
        assert not [entry for entry in page.log if "401" not in entry], page.log
