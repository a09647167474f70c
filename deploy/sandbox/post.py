"""Posts a course through the public API of activities, as its partners would: a key per role.

Safe to repeat and to interrupt: an event that is there already is answered as a duplicate, and
whatever does not answer (a stack killed with -9 and started again) is asked until it does.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec

from deploy.sandbox.changes import Posting
from deploy.sandbox.course import Course
from deploy.sandbox.populations import ADMINISTRATOR

Json = dict[str, Any]
BATCH = "application/cloudevents-batch+json"
WINDOW = 400
"""Events of several partners that are on their way at the same time."""
_RETRYABLE = frozenset({429, 500, 502, 503, 504})


class PostingFailed(RuntimeError):
    """The course cannot be posted; the message says why and what to do."""


@dataclass
class Progress:
    """What became of the events so far. `refused`: reasons, with one example each."""

    total: int
    started: float = field(default_factory=time.monotonic)
    accepted: int = 0
    duplicates: int = 0
    retries: int = 0
    last_position: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    @property
    def done(self) -> int:
        """Events that were answered."""
        return self.accepted + self.duplicates + self.refused.total()

    def line(self) -> str:
        """One line for people."""
        rate = self.done / max(time.monotonic() - self.started, 0.001)
        refused = self.refused.total()
        return (
            f"{self.done:,} of {self.total:,} events: {self.accepted:,} new,"
            f" {self.duplicates:,} sent again, {refused:,} refused; {rate:,.0f}/s"
        )


class Poster:
    """Posts to one instance. Use as an asynchronous context manager: it revokes its keys."""

    def __init__(
        self,
        url: str,
        admin_key: str,
        *,
        rate: float = 0,
        patience: float = 120,
        on_progress: Callable[[Progress], None] = lambda _: None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`rate`: events per second, 0 for as fast as it goes; `patience`: seconds without any
        answer after which it gives up; `transport` replaces the network in tests."""
        self._client = httpx.AsyncClient(
            base_url=url, timeout=60, trust_env=False, transport=transport
        )
        self._url = url
        self._keys = {ADMINISTRATOR: admin_key}
        self._prefixes: list[str] = []
        self._rate = rate
        self._patience = patience
        self._on_progress = on_progress

    async def __aenter__(self) -> "Poster":
        return self

    async def __aexit__(self, *_: object) -> None:
        for prefix in self._prefixes:
            try:
                await self._client.delete(f"/v1/keys/{prefix}", headers=self._as(ADMINISTRATOR))
            except httpx.TransportError:
                break  # It is down; the keys stay listed and can be revoked later.
        await self._client.aclose()

    async def check(self) -> None:
        """Refuse to post made-up events to anything but a sandbox."""
        answer = await self._ask("GET", "/v1/instance")
        if answer.status_code != 200 or not isinstance(answer.json().get("sandbox"), bool):
            raise PostingFailed(
                f"{self._url} is not the activities service of hocvuso ({answer.status_code})."
                " Fix: give its address with --url (port 8001 by default)."
            )
        if not answer.json()["sandbox"]:
            raise PostingFailed(
                f"{self._url} is not a sandbox: simulated events would mix with real ones."
                " Fix: create one in another place, HOCVUSO_HOME=... hocvuso up --sandbox."
            )

    async def post(self, course: Course) -> Progress:
        """Definitions first, then everything else in order."""
        await self.check()
        progress = Progress(len(course.definitions) + len(course.postings))
        await self.post_all(course.definitions, progress)
        await self.post_all(course.postings, progress)
        return progress

    async def post_all(self, postings: list[Posting], progress: Progress) -> None:
        """These, in order for each role. Within a window the roles post at the same time."""
        window = WINDOW if self._rate <= 0 else int(min(WINDOW, max(1, self._rate / 2)))
        before, began = progress.done, time.monotonic()
        for start in range(0, len(postings), window):
            part = postings[start : start + window]
            await asyncio.gather(*(self._post(*group, progress) for group in _by_role(part)))
            self._on_progress(progress)
            if self._rate > 0:
                due = began + (progress.done - before) / self._rate
                await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _post(self, role: str, events: list[Json], progress: Progress) -> None:
        headers = {**self._as(await self._role(role)), "Content-Type": BATCH}
        body = msgspec.json.encode(events)
        answer = await self._ask("POST", "/v1/events", progress, content=body, headers=headers)
        if answer.status_code != 200:
            raise PostingFailed(f"a batch of {role} was refused: {answer.text[:500]}")
        for event, result in zip(events, answer.json()["results"], strict=True):
            if result["status"] == "rejected":
                problem = result["problem"]
                progress.refused[problem["code"]] += 1
                text = f"{event['type']} {event['id']}: {problem.get('detail')}"
                progress.examples.setdefault(problem["code"], text)
                continue
            progress.accepted += result["status"] == "accepted"
            progress.duplicates += result["status"] == "duplicate"
            progress.last_position = max(progress.last_position, result["position"])

    async def _role(self, role: str) -> str:
        """Make sure there is a key for the role."""
        if role not in self._keys:
            order = {
                "name": f"sandbox-{role.replace('_', '-')}",
                "roles": [role],
                "scopes": ["events:write"],
                "sources": [f"https://{role.replace('_', '-')}.sandbox.example/"],
            }
            answer = await self._ask(
                "POST", "/v1/keys", json=order, headers=self._as(ADMINISTRATOR)
            )
            if answer.status_code != 201:
                raise PostingFailed(
                    f"no key for {role}: {answer.text[:300]}."
                    " Fix: give the administrator's key with --key-file."
                )
            self._keys[role] = answer.json()["key"]
            self._prefixes.append(answer.json()["prefix"])
        return role

    def _as(self, role: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._keys[role]}"}

    async def _ask(
        self, method: str, path: str, progress: Progress | None = None, **request: Any
    ) -> httpx.Response:
        """Ask until there is an answer that is not `later`; the same request is always safe."""
        began, wait = time.monotonic(), 0.2
        while True:
            try:
                answer = await self._client.request(method, path, **request)
                if answer.status_code not in _RETRYABLE:
                    return answer
                reason = f"{answer.status_code} {answer.text[:200]}"
                pause = _retry_after(answer) or wait
            except httpx.TransportError as error:
                reason, pause = f"{type(error).__name__} {error}", wait
            if time.monotonic() - began > self._patience:
                raise PostingFailed(
                    f"{self._url} has not answered for {self._patience:.0f} s ({reason})."
                    " Fix: start it (hocvuso up); run the same command again and it goes on."
                )
            if progress is not None:
                progress.retries += 1
            await asyncio.sleep(pause)
            wait = min(wait * 2, 5.0)


def _retry_after(answer: httpx.Response) -> float | None:
    try:
        return float(answer.headers.get("Retry-After", ""))
    except ValueError:
        return None


def _by_role(postings: list[Posting]) -> Iterator[tuple[str, list[Json]]]:
    groups: dict[str, list[Json]] = {}
    for posting in postings:
        groups.setdefault(posting.role, []).append(posting.event)
    yield from groups.items()
