"""Stand-ins for activities and metrics, and a database with the published views filled by hand."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import msgspec

from services.registry.plans.document import load_plan
from services.registry.plans.load import publish
from services.registry.units.catalogue import CloudEvent, stages
from shared.contracts.definitions import Catalogue
from shared.contracts.record import LogRecord, Through

TODAY = date(2026, 11, 21)
RECORDED = date(2026, 11, 20)
KEY = "hv_12345678_secret"
PLANS = Path(__file__).parents[2] / "plans"

INDICATORS = """
CREATE SCHEMA indicators;
COMMENT ON SCHEMA indicators IS 'hocvuso:indicators';
CREATE TABLE indicators.cells (
  plan text, plan_version int, objective text, unit_id text, value bigint, total bigint,
  denominator bigint, ratio double precision, target numeric, target_unit text, met boolean,
  met_on_time boolean, status text, basis text, required_per_week numeric, flags text[],
  as_of date, building boolean, not_attributable bigint, PRIMARY KEY (plan, unit_id, objective)
);
CREATE TABLE indicators.watermark (
  position bigint, refreshed_at timestamptz, as_of date, log_epoch text
);
CREATE TABLE indicators.objectives_state (plan text, objective text, state text, reason text);
"""


def definition_events() -> list[CloudEvent]:
    """Everything that ships in the repository, in posting order."""
    catalogue = Catalogue.load()
    documents = [load_plan(file, catalogue).data for file in sorted(PLANS.glob("*.yaml"))]
    units = [event for stage in stages() for event in stage.events]
    return units + publish(documents, {}, TODAY).events


def records(events: list[CloudEvent], start: int = 0) -> list[LogRecord]:
    """Events as rows of lane 64, from `start` on."""
    found = []
    for number, event in enumerate(events, start + 1):
        found.append(
            LogRecord(
                id=event["id"],
                source=event["source"],
                type=event["type"],
                subject=event["subject"],
                time=event["time"],
                epoch="e1",
                position=number,
                prev=number - 1,
                lane=64,
                recorded=RECORDED,
                occurred=date.fromisoformat(event["time"][:10]),
                unitid=event["subject"],
                origin=number,
                keykind="definition",
                key=b"k",
                data=event["data"],
            )
        )
    return found


class FakeActivities:
    """Answers `GET /v1/log` from a list of rows and `GET /v1/keys/self` for one key."""

    def __init__(self, rows: list[LogRecord]) -> None:
        self.rows = rows
        self.key_checks = 0

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/keys/self":
            self.key_checks += 1
            good = request.headers.get("Authorization") == f"Bearer {KEY}"
            return httpx.Response(200 if good else 401, json={})
        after, limit = int(request.url.params["after"]), int(request.url.params["limit"])
        page = [row for row in self.rows if row.position > after][:limit]
        end = self.rows[-1].position if self.rows else 0
        through = page[-1].position if len(page) == limit else max(end, after)
        last = max((row.position for row in self.rows if row.position <= through), default=0)
        marker = Through(epoch="e1", through=through, last={64: last})
        lines = [msgspec.json.encode(row) for row in [*page]] + [msgspec.json.encode(marker)]
        return httpx.Response(200, content=b"\n".join(lines) + b"\n")


def no_metrics(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("nobody there")


Answer = Callable[[httpx.Request], httpx.Response]


def cell_rows(
    plan: dict[str, Any], unit_ids: list[tuple[str, int]], as_of: date
) -> list[tuple[Any, ...]]:
    """Plausible cells for the units: (unit_id, size) x objectives that can be counted."""
    found: list[tuple[Any, ...]] = []
    statuses = ["on_track", "behind", "met", "overdue", "unknown"]
    for n, objective in enumerate(plan["objectives"]):
        if objective.get("not_counted"):
            continue
        target = objective["target"]
        for i, (unit_id, size) in enumerate(unit_ids):
            status = statuses[(n * 7 + i * 3) % 5]
            share = objective.get("denominator") is not None
            denominator = size if share and status != "unknown" else None
            value = size * ((n * 13 + i * 17) % 100) // 100 if share else (n + i) % 23
            ratio = value / denominator if denominator else None
            met = None if status == "unknown" else status == "met"
            flags = ["denominator_missing"] if status == "unknown" else []
            found.append(
                (
                    plan["id"], 1, objective["id"], unit_id, value, value, denominator, ratio,
                    target.get("value"), target.get("unit"), met, None, status, "persons",
                    12 if status == "behind" else None, flags, as_of, False, None,
                )
            )  # fmt: skip
    return found
