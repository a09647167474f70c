"""The whole system as a user has it, on days that the test chooses, and the questions it is asked."""

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import yaml

from deploy.local.stack import LocalStack
from deploy.sandbox.changes import Posting
from deploy.sandbox.course import make_course
from deploy.sandbox.post import Poster, Progress
from tests.e2e.collector import Collector
from tests.oracle.oracle import Oracle
from tests.oracle.truth import Posted

PLAN = "dak-lak-2026"
ROOT = "66@2025"
DAY_ONE, DAY_TWO = date(2026, 9, 2), date(2026, 11, 21)
UNTIL = date(2026, 11, 20)
EVENTS = int(os.environ.get("HOCVUSO_E2E_EVENTS", "3000"))
PATIENCE = 120.0
Json = dict[str, Any]


class System:
    """A sandbox stack and a course that is posted to it little by little."""

    def __init__(self, home: Path, collector: Collector) -> None:
        self.collector = collector
        self.stack = LocalStack(home, sandbox=True)
        self.course = make_course(PLAN, EVENTS, 1, UNTIL)
        self.plan: Json = yaml.safe_load(
            (Path(__file__).parents[2] / "plans" / f"{PLAN}.yaml").read_text(encoding="utf-8")
        )
        self.progress = Progress(len(self.course.definitions) + len(self.course.postings))
        self.own: list[Json] = []
        self.client = httpx.Client(timeout=60, trust_env=False)

    def start(self, day: date) -> None:
        """Start the stack as if it were noon of this day."""
        noon = datetime(day.year, day.month, day.day, 5, tzinfo=UTC)
        shift = int((noon - datetime.now(UTC)).total_seconds())
        os.environ["HOCVUSO_CLOCK_SHIFT_SECONDS"] = str(shift)
        self.stack.start()

    @property
    def key(self) -> str:
        return self.stack.home.admin_key.read_text().strip()

    @property
    def headers(self) -> Json:
        return {"Authorization": f"Bearer {self.key}"}

    def url(self, service: str, path: str) -> str:
        return self.stack.urls[service] + path

    # -- posting -------------------------------------------------------------------------------

    def post(self, postings: list[Posting], **options: Any) -> None:
        """Post a part of the course, as `hocvuso simulate` does."""

        async def go() -> None:
            async with Poster(self.stack.urls["activities"], self.key, **options) as poster:
                await poster.check()
                await poster.post_all(postings, self.progress)

        asyncio.run(go())

    def post_and_kill(self, postings: list[Posting], restart_on: date) -> None:
        """Kill everything with -9 while these are being posted, start again, let posting end."""
        with self._posting(postings, rate=500):
            self.stack.kill_all()
            self.start(restart_on)

    def post_and_disturb(self, postings: list[Posting], names: list[str]) -> None:
        """Kill one component after the other with -9 while these are being posted."""
        with self._posting(postings, rate=len(postings) / 6):
            for name in names:
                self.stack.kill(name)
                time.sleep(0.7)
        deadline = time.monotonic() + PATIENCE
        while not all(self.stack.states()[name] == "ready" for name in names):
            assert time.monotonic() < deadline, self.stack.states()
            time.sleep(0.2)

    @contextlib.contextmanager
    def _posting(self, postings: list[Posting], rate: float) -> Iterator[None]:
        """Let something happen when a third of these is posted; then wait for the rest."""
        begun, failed = threading.Event(), []
        third = self.progress.done + len(postings) // 3

        def show(progress: Progress) -> None:
            if progress.done >= third:
                begun.set()

        def work() -> None:
            try:
                self.post(postings, rate=rate, on_progress=show, patience=300)
            except BaseException as error:
                failed.append(error)
                raise
            finally:
                begun.set()

        thread = threading.Thread(target=work)
        thread.start()
        assert begun.wait(PATIENCE)
        assert thread.is_alive(), "too late: everything had been posted"
        yield
        thread.join(PATIENCE)
        assert not thread.is_alive() and not failed

    def post_one(self, event: Json) -> int:
        """Post one event as the administrator; its position."""
        headers = {**self.headers, "Content-Type": "application/cloudevents+json"}
        body = msgspec.json.encode(event)
        answer = self.client.post(
            self.url("activities", "/v1/events"), content=body, headers=headers
        )
        assert answer.status_code == 201, answer.text
        self.own.append(event)
        return int(answer.json()["position"])

    # -- asking --------------------------------------------------------------------------------

    def last_position(self) -> int:
        return max(position for position, _ in self.log().values())

    def table(self, **params: Any) -> Json:
        answer = self.client.get(
            self.url("registry", f"/v1/plans/{PLAN}/table"), params=params, headers=self.headers
        )
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    def settled(self) -> Json:
        """The current table once everything in the log is in it.

        A killed worker's lanes stand still for up to ten seconds; the table says 503 meanwhile.
        """
        last, deadline = self.last_position(), time.monotonic() + PATIENCE
        params: Json = {"after_position": last, "wait": 5}
        while True:
            answer = self.client.get(
                self.url("registry", f"/v1/plans/{PLAN}/table"), params=params, headers=self.headers
            )
            if answer.status_code == 200:
                table: Json = answer.json()
                assert table["position"] >= last
                return table
            assert answer.json().get("code") == "not-yet-counted", answer.text
            assert time.monotonic() < deadline, answer.text

    def log(self) -> dict[tuple[str, str], tuple[int, date]]:
        """Of every event in the log: its first position and the day on which it was recorded."""
        found: dict[tuple[str, str], tuple[int, date]] = {}
        after = 0
        while True:
            answer = self.client.get(
                self.url("activities", "/v1/log"),
                params={"after": after, "limit": 20_000},
                headers=self.headers,
            )
            assert answer.status_code == 200, answer.text
            rows = [msgspec.json.decode(line) for line in answer.content.splitlines()][:-1]
            if not rows:
                return found
            for row in rows:
                after = max(after, row["position"])
                key = (row["source"], row["id"])
                if key not in found or row["position"] < found[key][0]:
                    found[key] = (row["position"], date.fromisoformat(row["recorded"]))

    def posted(self) -> list[Posted]:
        """What the oracle gets: our own events, in the order of the log, with their days."""
        log = self.log()
        mine = [p.event for p in self.course.definitions + self.course.postings] + self.own
        mine = [event for event in mine if (event["source"], event["id"]) in log]
        mine.sort(key=lambda event: log[event["source"], event["id"]][0])
        return [Posted(event, log[event["source"], event["id"]][1]) for event in mine]

    def differences(self, table: Json, as_of: date, known_at: date | None = None) -> list[str]:
        """Every cell of a table in which the oracle sees something else."""
        oracle = Oracle(self.plan, self.posted(), known_at)
        expected = oracle.table("commune", as_of) | oracle.table("province", as_of)
        rows = {row["unit_id"]: row["cells"] for row in [table["whole"], *table["rows"]]}
        assert rows.keys() == expected.keys(), "other units than the oracle's"
        found = []
        for unit, cells in expected.items():
            for objective, cell in cells.items():
                got = rows[unit].get(objective) or {}
                for name in ("value", "denominator", "met", "met_on_time"):
                    said = got.get(name, "no cell")
                    if said != getattr(cell, name):
                        found.append(f"{unit} {objective} {name}: {said}, oracle {cell}")
                if cell.denominator and abs(got["ratio"] - cell.value / cell.denominator) > 1e-9:
                    found.append(f"{unit} {objective} ratio: {got['ratio']}, oracle {cell}")
        return found
