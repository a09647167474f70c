"""Posting a course to something that refuses, is overloaded or goes away."""

import json
import time
from collections.abc import Callable
from datetime import date

import httpx
import pytest

from deploy.sandbox.changes import Posting
from deploy.sandbox.course import make_course
from deploy.sandbox.post import Poster, PostingFailed, Progress

COURSE = make_course("dak-lak-2026", 800, 1, date(2026, 11, 20))
Handler = Callable[[httpx.Request], httpx.Response]


class Instance:
    """Stands for activities; `trouble` answers instead of it while it has something to say."""

    def __init__(self, *, sandbox: bool = True, trouble: list[object] | None = None) -> None:
        self.sandbox = sandbox
        self.trouble = trouble or []
        self.keys: dict[str, list[str]] = {"admin": ["administrator"]}
        self.events: list[tuple[str, str]] = []
        self.roles: dict[str, set[str]] = {}
        self.revoked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.trouble and request.url.path == "/v1/events":
            said = self.trouble.pop(0)
            if isinstance(said, Exception):
                raise said
            assert isinstance(said, httpx.Response)
            return said
        if request.url.path == "/v1/instance":
            return httpx.Response(200, json={"sandbox": self.sandbox, "epoch": "e"})
        key = request.headers["authorization"].removeprefix("Bearer ")
        if request.url.path == "/v1/keys":
            order = json.loads(request.content)
            assert key == "admin" and order["scopes"] == ["events:write"]
            name = f"key{len(self.keys)}"
            self.keys[name] = order["roles"]
            return httpx.Response(201, json={"key": name, "prefix": name})
        if request.method == "DELETE":
            self.revoked.append(request.url.path.rpartition("/")[2])
            return httpx.Response(204)
        return httpx.Response(
            200, json={"results": [self._take(e, key) for e in json.loads(request.content)]}
        )

    def _take(self, event: dict[str, str], key: str) -> dict[str, object]:
        self.roles.setdefault(event["type"], set()).update(self.keys[key])
        name = (event["source"], event["id"])
        if event["id"] == "bad":
            return {"status": "rejected", "problem": {"code": "no", "detail": "why"}}
        status = "duplicate" if name in self.events else "accepted"
        if status == "accepted":
            self.events.append(name)
        return {"status": status, "position": self.events.index(name) + 1}


async def posted(instance: Instance, postings: list[Posting], **options: float) -> Progress:
    progress = Progress(len(postings))
    transport = httpx.MockTransport(instance)
    async with Poster("http://x", "admin", transport=transport, **options) as poster:  # type: ignore[arg-type]
        await poster.check()
        await poster.post_all(postings, progress)
    return progress


async def test_every_role_posts_with_a_key_of_its_own() -> None:
    instance = Instance()
    progress = await posted(instance, COURSE.postings)
    assert progress.done == 800 and progress.accepted == len(set(instance.events))
    assert progress.duplicates == 800 - progress.accepted
    assert instance.roles["vn.hocvuso.citizen.certified"] == {"police"}
    assert set(instance.revoked) == instance.keys.keys() - {"admin"}


async def test_trouble_on_the_way_only_delays() -> None:
    trouble = [
        httpx.ConnectError("down"),
        httpx.Response(503, headers={"Retry-After": "0.01"}),
        httpx.ReadError("cut"),
        httpx.Response(429, headers={"Retry-After": "0.01"}),
    ]
    instance = Instance(trouble=list(trouble))
    progress = await posted(instance, COURSE.postings[:100])
    assert progress.done == 100 and progress.retries == len(trouble)


async def test_the_course_again_is_all_duplicates() -> None:
    instance = Instance()
    await posted(instance, COURSE.postings)
    assert (await posted(instance, COURSE.postings)).accepted == 0


async def test_only_a_sandbox_is_posted_to() -> None:
    instance = Instance(sandbox=False)
    with pytest.raises(PostingFailed, match="not a sandbox"):
        await posted(instance, COURSE.postings)
    assert not instance.events


async def test_what_never_answers_is_given_up_with_advice() -> None:
    down = Instance(trouble=[httpx.ConnectError("down")] * 99)
    with pytest.raises(PostingFailed, match="run the same command again"):
        await posted(down, COURSE.postings[:1], patience=0.1)


async def test_what_is_refused_is_counted_with_an_example() -> None:
    bad = Posting({**COURSE.postings[0].event, "id": "bad"}, "police", COURSE.postings[0].at, 0)
    progress = await posted(Instance(), [bad, *COURSE.postings[:5]])
    assert progress.refused == {"no": 1} and "bad: why" in progress.examples["no"]


async def test_the_rate_is_kept() -> None:
    progress = await posted(Instance(), COURSE.postings[:60], rate=100)
    assert time.monotonic() - progress.started > 0.5
