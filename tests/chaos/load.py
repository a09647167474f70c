"""Partners that post, and readers that watch for wrong answers, while everything breaks."""

import asyncio
import itertools
import random
from typing import Any

import httpx

from tests.chaos.naive import Event, Ledger

SOURCE = "https://congan.daklak.example/vneid"
BATCH = "application/cloudevents-batch+json"
PLAN, OBJECTIVE = "dak-lak-2026", "adults-certified-vneid"
WARDS = ("24133", "24154", "24163", "24118")
UNIT_SOURCE = "https://hocvuso.example/registry"
AWAY = (429, 502, 503, 504)
"""Answers that say: not now."""


def unit(code: str, kind: str, parent: str | None) -> dict[str, Any]:
    """The event that establishes a unit."""
    unit_id = f"{code}@2025"
    data = {"unit_id": unit_id, "code": code, "era": "2025", "name_vi": f"Đơn vị {code}",
            "kind": kind, "from": "2025-07-01"}  # fmt: skip
    if parent:
        data["parent"] = f"{parent}@2025"
    return {"specversion": "1.0", "id": f"unit-{code}", "source": UNIT_SOURCE, "subject": unit_id,
            "type": "vn.hocvuso.unit.established", "time": "2025-07-01T00:00:00+07:00",
            "data": data}  # fmt: skip


UNITS = [unit("VN", "nation", None), unit("66", "province", "VN")] + [
    unit(code, "ward", "66") for code in WARDS
]


def body(event: Event) -> dict[str, Any]:
    """An event as it is posted."""
    about = {"specversion": "1.0", "id": event.id, "source": SOURCE, "subject": event.unit,
             "time": "2026-10-01T08:00:00+07:00"}  # fmt: skip
    if event.revokes is not None:
        return {**about, "type": "vn.hocvuso.event.revoked",
                "data": {"revokes": {"source": SOURCE, "id": event.revokes}, "reason": "nhầm"}}  # fmt: skip
    person = {"scheme": "account", "value": event.person}
    return {**about, "type": "vn.hocvuso.citizen.certified",
            "data": {"person": person, "platform": "vneid", "target_groups": ["adult"]}}  # fmt: skip


class Partners:
    """Post until told to stop, each event until it is answered; some twice at the same moment."""

    def __init__(self, url: str, key: str, ledger: Ledger, dice: random.Random) -> None:
        self._client = httpx.AsyncClient(
            base_url=url, timeout=40, trust_env=False,
            headers={"Authorization": f"Bearer {key}", "Content-Type": BATCH},
        )  # fmt: skip
        self.ledger = ledger
        self.dice = dice
        self.ended = asyncio.Event()
        self.wrong: list[str] = []
        self.posts = self.unanswered = 0
        self._numbers = itertools.count(1)

    async def run(self, tasks: int = 3) -> None:
        """Until `ended`; then until what was begun is answered."""
        async with self._client, asyncio.TaskGroup() as group:
            for _ in range(tasks):
                group.create_task(self._post_on())

    async def _post_on(self) -> None:
        own: list[str] = []
        while not self.ended.is_set():
            events = [self._next(own) for _ in range(self.dice.choice((1, 3, 15)))]
            twins = 2 if self.dice.random() < 0.2 else 1
            await asyncio.gather(*(self.insist(events) for _ in range(twins)))
            own += [event.id for event in events if event.revokes is None]
            await asyncio.sleep(self.dice.uniform(0, 0.6))

    def _next(self, own: list[str]) -> Event:
        number, dice = next(self._numbers), self.dice
        if own and dice.random() < 0.05:
            gone = self.ledger.events[own.pop(dice.randrange(len(own)))]
            return Event(f"e-{number}", gone.unit, "", revokes=gone.id)
        # A person belongs to one ward, and comes again now and then.
        person = dice.randrange(1, 3 + number)
        return Event(f"e-{number}", WARDS[person % len(WARDS)], f"person-{person}")

    async def insist(self, events: list[Event]) -> None:
        """Post until every one of them is answered."""
        for event in events:
            self.ledger.posted(event)
        content = [body(event) for event in events]
        while True:
            self.posts += 1
            try:
                answer = await self._client.post("/v1/events", json=content)
            except httpx.TransportError:
                self.unanswered += 1
                await asyncio.sleep(self.dice.uniform(0.05, 0.5))
                continue
            if answer.status_code in AWAY:
                await asyncio.sleep(self.dice.uniform(0.05, 0.5))
                continue
            if self._take(answer):
                return
            await asyncio.sleep(self.dice.uniform(0.05, 0.5))

    def _take(self, answer: httpx.Response) -> bool:
        """Whether all are answered for good."""
        if answer.status_code not in (200, 207):
            self.wrong.append(f"POST: {answer.status_code} {answer.text[:200]}")
            return True
        done = True
        for result in answer.json()["results"]:
            if result["status"] in ("accepted", "duplicate"):
                self.ledger.acknowledged(result["id"], result["position"])
            elif (result.get("problem") or {}).get("retryable"):
                done = False
            else:
                self.wrong.append(f"POST: {result}")
        return done


class Readers:
    """Ask all the time. What is answered with 200 must be right; what cannot be answered now, 503."""

    def __init__(self, urls: dict[str, str], key: str, ledger: Ledger) -> None:
        self._urls = urls
        self._headers = {"Authorization": f"Bearer {key}"}
        self.ledger = ledger
        self.ended = asyncio.Event()
        self.wrong: list[str] = []
        self.answers = self.away = 0

    async def run(self) -> None:
        async with httpx.AsyncClient(headers=self._headers, timeout=30, trust_env=False) as client:
            while not self.ended.is_set():
                for path in (f"/v1/plans/{PLAN}/table?unit=66@2025&level=commune", "/v1/plans"):
                    await self._ask(client, path)
                await asyncio.sleep(0.5)

    async def _ask(self, client: httpx.AsyncClient, path: str) -> None:
        # Noted before: what is answered now was there when it was asked.
        try:
            answer = await client.get(self._urls["registry"] + path)
        except httpx.TransportError:
            self.away += 1
            return
        if answer.status_code >= 500:
            self.away += 1
            if answer.status_code not in AWAY:
                self.wrong.append(f"{path}: {answer.status_code} {answer.text[:200]}")
            return
        self.answers += 1
        if answer.status_code != 200:
            self.wrong.append(f"{path}: {answer.status_code} {answer.text[:200]}")
        elif "table" in path:
            self.check(answer.json())
        elif PLAN not in answer.text:
            self.wrong.append(f"{path}: the plan is not there: {answer.text[:200]}")

    def check(self, table: dict[str, Any]) -> None:
        """A table complete up to its position says no less than was counted naively up to there, and
        no more than was ever posted."""
        bounds = self.ledger.bounds(table["position"])
        for row in table["rows"]:
            code = row["unit_id"].partition("@")[0]
            cell = row["cells"][OBJECTIVE]
            low, high = bounds.get(code, (0, 0))
            if cell["status"] != "building" and not low <= (cell["value"] or 0) <= high:
                self.wrong.append(
                    f"at {table['position']}: {code} says {cell['value']}, not {low} to {high}"
                )
