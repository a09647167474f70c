"""One real stack with every type's events in it, and how its readers are asked."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import yaml

from deploy.local.stack import LocalStack
from tests.every_type import SOURCE
from tests.readers import events
from tests.registry.minimal import stripped

Json = dict[str, Any]
NOON = datetime(2026, 12, 1, 5, tzinfo=UTC)
PATIENCE = 180.0
PLANS = Path(__file__).parents[2] / "plans"
PLAN: Json = yaml.safe_load((PLANS / f"{events.PLAN}.yaml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Posted:
    """An event in the log, as posted. `before`: the last position of the log without it."""

    type: str
    kind: str
    event: Json
    position: int

    @property
    def unit(self) -> str:
        return str(self.event["subject"])


class World:
    """The addresses of a stack, asked with the administrator's key."""

    def __init__(self, home: Path) -> None:
        shift = int((NOON - datetime.now(UTC)).total_seconds())
        os.environ["HOCVUSO_CLOCK_SHIFT_SECONDS"] = str(shift)
        self.stack = LocalStack(home)
        self.client = httpx.Client(timeout=60, trust_env=False)
        self.posted: list[Posted] = []
        self.before = 0
        self.documents: dict[str, Json] = {}

    def start(self) -> None:
        """Start it, with the units and plans that ship, and post everything."""
        self.stack.start()
        key = self.stack.home.admin_key.read_text().strip()
        self.client.headers["Authorization"] = f"Bearer {key}"
        self._fill()

    def _fill(self) -> None:
        for name, kind, event in events.every(PLAN):
            if name in ("event.corrected", "event.revoked"):
                self.post(events.target(name, kind))
            position = self.post(event)
            self.before = self.before or position - 1
            self.posted.append(Posted(name, kind, event, position))
        for event in bare_plans():
            self.post(event)
        self.wait(self.posted[-1].position)

    def post(self, event: Json) -> int:
        """Post one event, which must be taken; its position."""
        answer = self.client.post(
            self.stack.urls["activities"] + "/v1/events",
            json=event,
            headers={"Content-Type": "application/cloudevents+json"},
        )
        assert answer.status_code == 201, (event["type"], event["id"], answer.text)
        return int(answer.json()["position"])

    def wait(self, position: int) -> None:
        """Until tables show everything up to a position, and every measure of every plan."""
        deadline = time.monotonic() + PATIENCE
        while True:
            table = self.get(f"/v1/plans/{events.PLAN}/table", after_position=position, wait=10)
            said = table.json() if table.status_code == 200 else {}
            if said.get("position", 0) >= position and not any(
                objective["state"] == "building" for objective in said["objectives"]
            ):
                return
            assert time.monotonic() < deadline, table.text[:500]

    def get(self, path: str, service: str = "registry", **params: Any) -> httpx.Response:
        page = service == "registry" and not path.startswith("/v1/")
        return self.client.get(
            self.stack.urls[service] + path,
            params=params,
            headers={"Accept": "text/html"} if page else {},
        )

    def json(self, path: str, service: str = "registry", **params: Any) -> Json:
        answer = self.get(path, service, **params)
        assert answer.status_code == 200, (path, params, answer.text[:500])
        return dict(answer.json())

    def pages(self, path: str, items: str, **params: Any) -> list[Json]:
        """What a list holds, over all its pages."""
        found: list[Json] = []
        while True:
            said = self.json(path, **params)
            found += said[items]
            if not said["next"]:
                return found
            params["cursor"] = said["next"]

    def stop(self) -> None:
        self.client.close()
        self.stack.stop()


def bare_plans() -> Iterator[Json]:
    """Each shipped plan with nothing but what a plan must say."""
    for file in sorted(PLANS.glob("*.yaml")):
        plan = stripped(yaml.safe_load(file.read_text(encoding="utf-8")))
        yield {
            "specversion": "1.0", "id": plan["id"], "source": SOURCE,
            "type": "vn.hocvuso.plan.published", "subject": plan["unit"],
            "time": f"{plan['period']['start']}T08:00:00+07:00",
            "data": {"plan": plan["id"], "version": plan["version"], "document": plan},
        }  # fmt: skip
