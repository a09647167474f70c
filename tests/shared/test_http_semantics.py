"""RFC 9110 for every address: HEAD, OPTIONS, Allow, ETags and preconditions; bodies and addresses
are bounded and strict before anything of them is parsed."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Header, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from shared import problems
from shared.bodies import SMALL, read_body, read_form
from shared.http_semantics import HttpSemantics
from shared.problems import Problem
from shared.request_guard import PARAMETERS, RequestGuard

router = APIRouter()
asked: list[str] = []


class Order(BaseModel):
    name: str


def key(authorization: Annotated[str | None, Header()] = None) -> str:
    asked.append("key")
    if authorization is None:
        raise Problem("key-missing", "No key.", status=401)
    return authorization


@router.get("/things/{name}")
async def read_thing(name: str) -> dict[str, str]:
    if name == "none":
        raise Problem("thing-unknown", "There is none.", status=404)
    return {"name": name}


@router.put("/things/{name}")
async def write_thing(name: str, order: Order) -> dict[str, str]:
    return {"name": name, "new": order.name}


@router.delete("/things/{name}", status_code=204)
async def remove_thing(name: str) -> Response:
    return Response(status_code=204)


@router.post("/orders")
async def post_order(order: Order, by: Annotated[str, Depends(key)]) -> Order:
    return order


@router.post("/large")
async def post_large(request: Request) -> int:
    return len(await read_body(request, 10 * SMALL))


@router.post("/form")
async def post_form(request: Request) -> dict[str, list[str]]:
    return await read_form(request)


@router.get("/endless")
async def endless() -> StreamingResponse:
    async def lines() -> AsyncIterator[bytes]:
        yield b"first\n"
        await asyncio.sleep(3600)

    return StreamingResponse(lines(), media_type="text/event-stream")


@router.get("/tagged")
async def tagged() -> Response:
    return Response(b"x", headers={"ETag": 'W/"a"', "Last-Modified": "Tue, 01 Sep 2026 00:00:00 GMT"})  # fmt: skip


@router.get("/secret")
async def secret() -> Response:
    return Response(b"x", headers={"Cache-Control": "no-store"})


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    problems.install(app)
    app.include_router(router)
    app.add_middleware(RequestGuard, keys=(key,))
    app.add_middleware(HttpSemantics)
    asked.clear()
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as found:
        yield found


async def test_head_answers_the_headers_of_get(client: httpx.AsyncClient) -> None:
    for path in ("/things/a", "/things/none", "/tagged", "/absent"):
        got, head = await client.get(path), await client.head(path)
        assert (head.status_code, dict(head.headers)) == (got.status_code, dict(got.headers))
        assert head.content == b""
    assert (await client.head("/orders")).status_code == 405


async def test_head_of_a_stream_ends(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(20):
        head = await client.head("/endless")
    assert (head.status_code, head.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")  # fmt: skip
    assert head.content == b""


async def test_allow_is_complete(client: httpx.AsyncClient) -> None:
    every = "DELETE, GET, HEAD, OPTIONS, PUT"
    refused = await client.post("/things/a")
    assert (refused.status_code, refused.headers["allow"]) == (405, every)
    options = await client.options("/things/a")
    assert (options.status_code, options.headers["allow"], options.content) == (204, every, b"")
    assert (await client.get("/orders")).headers["allow"] == "OPTIONS, POST"
    assert (await client.options("/absent")).status_code == 404


async def test_conditional_reads(client: httpx.AsyncClient) -> None:
    tag = (await client.get("/things/a")).headers["etag"]
    for known in (tag, "*", f'"other", {tag}', f"W/{tag}"):
        for ask in (client.get, client.head):
            answer = await ask("/things/a", headers={"If-None-Match": known})
            assert (answer.status_code, answer.content) == (304, b""), known
            assert answer.headers["etag"] == tag and "content-length" not in answer.headers
    assert (await client.get("/things/b", headers={"If-None-Match": tag})).status_code == 200
    assert (await client.get("/things/none", headers={"If-None-Match": "*"})).status_code == 404
    assert (await client.get("/things/a", headers={"If-Match": tag})).status_code == 200
    failed = await client.get("/things/a", headers={"If-Match": '"other"'})
    assert (failed.status_code, failed.json()["code"]) == (412, "precondition-failed")
    weak = {"If-Match": 'W/"a"'}
    assert (await client.get("/tagged", headers=weak)).status_code == 412, "compared strongly"
    assert (await client.get("/tagged", headers={"If-None-Match": '"a"'})).status_code == 304
    later, earlier = "Wed, 02 Sep 2026 00:00:00 GMT", "Mon, 31 Aug 2026 00:00:00 GMT"
    for when, status in ((later, 304), (earlier, 200), ("nonsense", 200)):
        answer = await client.get("/tagged", headers={"If-Modified-Since": when})
        assert answer.status_code == status, when
    both = {"If-Modified-Since": later, "If-None-Match": '"other"'}
    assert (await client.get("/tagged", headers=both)).status_code == 200, "the tag decides"
    assert "etag" not in (await client.get("/secret")).headers


@pytest.mark.parametrize(
    ("path", "condition", "status"),
    [
        ("/things/a", {"If-None-Match": "*"}, 412),
        ("/things/none", {"If-None-Match": "*"}, 204),
        ("/things/none", {"If-Match": "*"}, 412),
        ("/things/a", {"If-Match": "*"}, 204),
        ("/things/a", {"If-Match": '"other"'}, 412),
    ],
)
async def test_conditional_writes(
    client: httpx.AsyncClient, path: str, condition: dict[str, str], status: int
) -> None:
    assert (await client.delete(path, headers=condition)).status_code == status
    tag = (await client.get("/things/a")).headers["etag"]
    good = await client.put("/things/a", json={"name": "n"}, headers={"If-Match": tag})
    assert good.json() == {"name": "a", "new": "n"}


BODIES: dict[str, tuple[Any, int, str]] = {
    "no UTF-8": (b'{"name": "\xff"}', 400, "json-invalid-utf8"),
    "brackets": (b"[" * 60_000, 400, "json-too-deep"),
    "twice": (b'{"name": "a", "name": "b"}', 400, "json-duplicate-key"),
    "NaN": (b'{"name": NaN}', 400, "json-nan"),
    "NUL": (b'{"name": "\\u0000"}', 400, "json-nul"),
    "surrogate": (b'{"name": "\\ud800"}', 400, "json-lone-surrogate"),
    "large": (b" " * SMALL + b"{}", 413, "body-too-large"),
    "number": (b'{"name": ' + b"9" * 5000 + b"}", 400, "json-number-out-of-range"),
    "cut": (b'{"name": ', 400, "json-invalid"),
}


@pytest.mark.parametrize("case", BODIES)
@pytest.mark.parametrize("said", [True, False])
async def test_bodies(client: httpx.AsyncClient, case: str, said: bool) -> None:
    body, status, code = BODIES[case]

    async def pieces() -> AsyncIterator[bytes]:
        yield body

    headers = {"Content-Type": "application/json", "Authorization": "x"}
    answer = await client.post("/orders", content=body if said else pieces(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    del headers["Authorization"]
    answer = await client.post("/orders", content=body if said else pieces(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "key-missing"), "the key is first"


async def test_who_needs_more_says_so(client: httpx.AsyncClient) -> None:
    assert (await client.post("/large", content=b"x" * 2 * SMALL)).json() == 2 * SMALL
    assert (await client.post("/large", content=b"x" * 20 * SMALL)).status_code == 413


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ("a=%00", "json-nul"),
        ("a=%ff", "form-malformed"),
        ("a=1&" * 4_000, "form-malformed"),
    ],
)
async def test_forms(client: httpx.AsyncClient, form: str, code: str) -> None:
    answer = await client.post("/form", content=form)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert (await client.post("/form", content="a=1&a=%C3%A9&b=")).json() == {"a": ["1", "é"]}


@pytest.mark.parametrize(
    "address",
    ["/things/%00", "/things/a?x=%00", "/things/a?x=%ff", "/things/%C3", "/things/a?" + "x=1&" * PARAMETERS],
)  # fmt: skip
async def test_addresses(client: httpx.AsyncClient, address: str) -> None:
    answer = await client.get(address)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-parameter")
    assert (await client.get("/things/a?" + "x" * 20_000)).status_code == 414
    assert (await client.get("/things/%C3%A9")).json() == {"name": "é"}
