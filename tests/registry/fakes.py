"""Stand-ins for activities and metrics, and a database with the published views filled by hand."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import msgspec

from services.registry.plans.load import publish
from services.registry.progress.pace import least
from services.registry.units.catalogue import CloudEvent as CloudEvent
from services.registry.units.catalogue import stages
from shared.clock import vietnam_day
from shared.contracts.definitions import Catalogue
from shared.contracts.record import LogRecord, Through
from shared.domain.deadlines import deadline_day
from shared.domain.plan_files.document import load_plan
from shared.merge_patch import merge_patch
from tests.plans.five import FIVE

TODAY = date(2026, 11, 21)
RECORDED = date(2026, 11, 20)
KEY = "hv_12345678_secret"
SESSION = "hvs_12345678_secret"
PLANS = Path(__file__).parents[2] / "plans"

INDICATORS = """
CREATE SCHEMA indicators;
COMMENT ON SCHEMA indicators IS 'hocvuso:indicators';
CREATE TABLE indicators.cells (
  plan text, plan_version int, objective text, unit_id text, value bigint, total bigint,
  denominator bigint, ratio double precision, target numeric, target_unit text, met boolean,
  met_on_time boolean, status text, basis text, required_per_week numeric, flags text[],
  as_of date, building boolean, not_attributable bigint, beside jsonb, comparator text,
  required bigint, last_day date, bucket jsonb, status_bucket jsonb,
  deadlines jsonb NOT NULL DEFAULT '[]', PRIMARY KEY (plan, unit_id, objective)
);
CREATE TABLE indicators.watermark (
  position bigint, refreshed_at timestamptz, as_of date, log_epoch text, traced text[],
  definitions bigint NOT NULL DEFAULT 0
);
CREATE TABLE indicators.objectives_state (plan text, objective text, state text, reason text);
"""


CELL_COLUMNS = (
    "plan", "plan_version", "objective", "unit_id", "value", "total", "denominator", "ratio",
    "target", "target_unit", "met", "met_on_time", "status", "basis", "required_per_week", "flags",
    "as_of", "building", "not_attributable", "beside", "comparator", "required", "last_day", "bucket",
    "status_bucket",
)  # fmt: skip


def definition_events() -> list[CloudEvent]:
    """Everything that ships in the repository, in posting order."""
    catalogue = Catalogue.load()
    documents = [load_plan(PLANS / f"{name}.yaml", catalogue).data for name in FIVE]
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
    """The log, the keys and the door of activities, as far as registry sees them.

    What is posted is checked against its published schema and appended, so that it comes back to
    registry through the log. `keys`: what `GET /v1/keys/self` says of each key.
    """

    def __init__(self, rows: list[LogRecord]) -> None:
        self.rows = rows
        self.key_checks = 0
        tester = {"name": "tester", "roles": ["administrator"], "prefix": "12345678"}
        self.keys: dict[str, dict[str, Any]] = {KEY: tester, SESSION: tester}
        self.sessions: list[dict[str, Any]] = []
        self.posted: list[CloudEvent] = []
        self.positions: dict[tuple[str, str], int] = {}
        self.writers: dict[tuple[str, str], str] = {}
        self.refuse: dict[str, Any] | None = None
        self.unknown: dict[str, Any] = {"code": "key-wrong"}
        self.effect: dict[str, Any] = {"objectives": [], "reason": "no_filter_matches"}
        self.invitations: list[dict[str, Any]] = []
        self.acts: list[dict[str, Any]] = []
        self._validators: dict[str, Any] = {}

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/keys/self":
            self.key_checks += 1
            rights = self._rights(request)
            if rights is None:
                status = 401 if self.unknown["code"] == "key-wrong" else 403
                return httpx.Response(status, json=self.unknown)
            return httpx.Response(200, json=rights)
        if request.url.path == "/v1/events" and request.method == "GET":
            return self._receipt(request)
        if request.url.path == "/v1/events/recent":
            return self._recent(request)
        if request.url.path == "/v1/events":
            return self._take(request)
        if request.url.path.startswith("/v1/sessions"):
            return self._session(request)
        if request.url.path.startswith("/v1/invitations"):
            return self._invitation(request)
        if request.url.path == "/v1/audit":
            return self._audit(request)
        if request.url.path == "/v1/log/rows":
            wanted = set(msgspec.json.decode(request.content)["positions"])
            wanted |= {row.origin for row in self.rows if row.position in wanted}
            rows = [msgspec.json.encode(row) for row in self.rows if row.origin in wanted]
            return httpx.Response(200, content=b"\n".join(rows) + b"\n")
        return self._log(request)

    def _recent(self, request: httpx.Request) -> httpx.Response:
        """As activities answers: in full there, tests/log/test_recent.py."""
        rights = self._rights(request)
        if rights is None:
            return httpx.Response(401, json={"code": "key-wrong", "detail": "no"})
        params = request.url.params
        found = [
            {
                "source": row.source, "id": row.id, "type": row.short_type, "position": row.position,
                "recorded": row.recorded.isoformat(), "recorded_at": "2026-11-20T02:00:00+00:00",
            }
            for row in reversed(self.rows)
            if row.origin == row.position and row.source == params["source"]
            and self.writers.get((row.source, row.id)) == rights["name"]
            and params.get("id", row.id) == row.id and not row.short_type.startswith("event.")
        ]  # fmt: skip
        events = found[: int(params["limit"])]
        return httpx.Response(200, json={"position": self.rows[-1].position, "events": events})

    def _receipt(self, request: httpx.Request) -> httpx.Response:
        """As activities answers a key that reads the log; in full there, tests/log."""
        wanted = request.url.params["source"], request.url.params["id"]
        for row in self.rows:
            if (row.source, row.id) == wanted:
                stage = {"reached": True, "at": "2026-11-20T02:00:00.5Z"}
                return httpx.Response(
                    200,
                    json={
                        "source": row.source, "id": row.id, "type": row.type.removeprefix("vn.hocvuso."),
                        "status": "counted", "position": row.position, "unit_id": row.unitid,
                        "occurred": row.occurred.isoformat(), "recorded": row.recorded.isoformat(),
                        "accepted": stage, "published": stage, "counted": stage,
                        "visible": {"reached": False, "at": None}, "trace_id": "ab" * 16,
                    }
                    | self.effect,
                )  # fmt: skip
        return httpx.Response(404, json={"code": "event-unknown", "detail": "no"})

    def _invitation(self, request: httpx.Request) -> httpx.Response:
        """As activities answers: in full there, tests/keys/test_invitations.py."""
        if request.url.path.endswith("/accept"):
            code = msgspec.json.decode(request.content)["code"]
            for one in self.invitations:
                if one["code"] == code and one["state"] == "open":
                    one["state"], key = "accepted", f"hv_{one['id']}_made"
                    self.keys[key] = {
                        "name": "staff",
                        "roles": ["commune"],
                        "scopes": ["tables:read"],
                    }
                    return httpx.Response(200, json=one | {"key": key, "prefix": one["id"]})
            return httpx.Response(404, json={"code": "invitation-wrong", "detail": "no"})
        rights = self._rights(request)
        if rights is None:
            return httpx.Response(401, json={"code": "key-wrong", "detail": "no"})
        if "administrator" not in rights["roles"]:
            return httpx.Response(403, json={"code": "scope-missing", "detail": "no"})
        if request.method == "DELETE":
            for one in self.invitations:
                if request.url.path.endswith(one["id"]):
                    one["state"] = "revoked"
            return httpx.Response(204)
        if request.method == "GET":
            return httpx.Response(200, json=self.invitations)
        order = msgspec.json.decode(request.content)
        if order["unit"] == "99999":
            return httpx.Response(422, json={"code": "unit-unknown", "detail": "no"})
        number = len(self.invitations) + 1
        times = dict.fromkeys(("created_at", "accept_until"), "2026-11-27T03:00:00+00:00")
        made = order | times | {"id": f"0000000{number}", "code": f"hvi_{number}", "state": "open"}
        self.invitations.append(
            made | {"unit": f"{order['unit']}@2025", "last_used": None, "may_end": True}
        )
        return httpx.Response(201, json=made)

    def _audit(self, request: httpx.Request) -> httpx.Response:
        """As activities answers: in full there, tests/keys/test_audit.py."""
        rights = self._rights(request)
        if rights is None:
            return httpx.Response(401, json={"code": "key-wrong", "detail": "no"})
        if "administrator" not in rights["roles"]:
            return httpx.Response(403, json={"code": "role-not-permitted", "detail": "no"})
        asked, limit = request.url.params, int(request.url.params["limit"])
        kept = [
            one
            for one in reversed(self.acts)
            if one["number"] < int(asked.get("before", 10**9))
            and asked.get("action", one["action"]) == one["action"]
            and asked.get("by", one["by_name"]) in (one["by_name"], one["by_prefix"])
            and asked.get("about", one["about"]) == one["about"]
        ]
        more = kept[limit - 1]["number"] if len(kept) > limit else None
        return httpx.Response(200, json={"acts": kept[:limit], "next": more})

    def _session(self, request: httpx.Request) -> httpx.Response:
        """As activities answers: in full there, tests/keys/test_sessions.py."""
        rights, shown = self._rights(request), request.headers["Authorization"].split()[1]
        if rights is None:
            return httpx.Response(401, json={"code": "key-wrong", "detail": "no"})
        action = request.url.path.removeprefix("/v1/sessions").strip("/")
        if request.method == "DELETE":
            for one in self.sessions:
                if action in ("", one["id"]) or (action == "current" and shown == one["text"]):
                    self.keys.pop(one["text"], None)
            self.sessions = [one for one in self.sessions if one["text"] in self.keys]
            return httpx.Response(200 if not action else 204)
        if request.method == "GET":
            return httpx.Response(
                200, json=[one | {"current": one["text"] == shown} for one in self.sessions]
            )
        order = msgspec.json.decode(request.content)
        if action == "current/confirmation":
            if order["key"] != KEY:
                return httpx.Response(403, json={"code": "key-of-another", "detail": "no"})
            rights = rights | {"recent": True}
            self.keys.pop(shown)
        number = f"{len(self.sessions) + 1:08}"
        at = dict.fromkeys(("created_at", "last_seen"), "2026-11-21T03:00:00+00:00")
        one = at | {"id": number, "text": f"hvs_{number}_made", "ends_at": "2026-12-21T03:00:00+00:00",
                    "device": order.get("device", "")}  # fmt: skip
        self.sessions.append(one)
        self.keys[one["text"]] = rights
        return httpx.Response(201, json=one | {"session": one["text"]})

    def _rights(self, request: httpx.Request) -> dict[str, Any] | None:
        return self.keys.get(request.headers.get("Authorization", "").removeprefix("Bearer "))

    def _take(self, request: httpx.Request) -> httpx.Response:
        if self._rights(request) is None:
            return httpx.Response(401, json={"code": "key-wrong", "detail": "no"})
        results: list[dict[str, Any]] = []
        events = msgspec.json.decode(request.content)
        problems = [self.refuse or self._wrong(event) for event in events]
        dry = request.url.params.get("dry_run") == "true"
        for index, (event, problem) in enumerate(zip(events, problems, strict=True)):
            about = {"index": index, "source": event["source"], "id": event["id"]}
            if any(problems):
                problem = problem or {"code": "atomic-batch-refused", "detail": "another"}
                results.append(about | {"status": "rejected", "problem": problem})
                continue
            key = (event["source"], event["id"])
            status = "duplicate" if key in self.positions else "accepted"
            if any(e != event and (e["source"], e["id"]) == key for e in self.posted):
                refused = {"code": "event-conflict", "detail": "other content", "status": 409}
                results.append(about | {"status": "rejected", "problem": refused})
                continue
            if status == "accepted" and not dry:
                self.posted.append(event)
                self.positions[key] = self.append(event)
                self.writers[key] = (self._rights(request) or {})["name"]
            results.append(about | {"status": status, "position": self.positions.get(key)})
        counts = {s: sum(r["status"] == s for r in results) for s in ("accepted", "duplicate")}
        body = {"accepted": counts["accepted"], "duplicates": counts["duplicate"]}
        return httpx.Response(200, json=body | {"rejected": 0, "results": results})

    def _wrong(self, event: CloudEvent) -> dict[str, Any] | None:
        short = event["type"].removeprefix("vn.hocvuso.")
        if short not in self._validators:
            schema = Catalogue.load().data_schema(short)
            self._validators[short] = jsonschema_rs.validator_for(schema, validate_formats=True)
        error = next(self._validators[short].iter_errors(event["data"]), None)
        if error is None:
            return None
        return {"code": "data-invalid", "detail": f"{short}: {error.message}", "status": 422}

    def append(
        self, event: CloudEvent, *, unitid: str | None = None, recorded: date = RECORDED
    ) -> int:
        """Put an event into the log as activities would; its position."""
        short = event["type"].removeprefix("vn.hocvuso.")
        definition = Catalogue.load()[short].lane == "definition"
        position = self.rows[-1].position + 1 if self.rows else 1
        at = datetime.fromisoformat(event["time"])
        lane = 64 if definition else 7
        before = [row.position for row in self.rows if row.lane == lane]
        (row,) = records([event], position - 1)
        self.rows.append(
            msgspec.structs.replace(
                row,
                lane=lane,
                prev=before[-1] if before else 0,
                keykind="definition" if definition else "event",
                occurred=vietnam_day(at),
                unitid=unitid or event["subject"],
                recorded=recorded,
            )
        )
        if short == "event.revoked":
            self._void(event["data"]["revokes"])
        if short == "event.corrected":
            self._correct(event["data"])
        return position

    def _correct(self, said: dict[str, Any]) -> None:
        """A corrected event gets a row that says what it says now."""
        wanted = (said["corrects"]["source"], said["corrects"]["id"])
        own = [row for row in self.rows if (row.source, row.id) == wanted]
        before, changes = own[-1], said["changes"]
        content = before.effective_content()
        assert content is not None
        time = changes.get("time", content.time)
        now = msgspec.structs.replace(
            content, time=time, unitid=changes.get("subject", content.unitid),
            occurred=vietnam_day(datetime.fromisoformat(time)),
            data=merge_patch(content.data, changes.get("data", {})),
        )  # fmt: skip
        prev = [row.position for row in self.rows if row.lane == before.lane][-1]
        more = {"position": self.rows[-1].position + 1, "prev": prev, "origin": own[0].origin}
        row = msgspec.structs.replace(
            before, **more, revision=before.revision + 1, effective=now, unitid=now.unitid,
            occurred=now.occurred,
        )  # fmt: skip
        self.rows.append(row)

    def _void(self, revokes: dict[str, str]) -> None:
        """A revoked event gets a void row, after the revocation itself."""
        wanted = (revokes["source"], revokes["id"])
        own = [row for row in self.rows if (row.source, row.id) == wanted]
        of = own[-1] if own else None
        if of is not None:
            end = self.rows[-1].position + 1
            prev = [row.position for row in self.rows if row.lane == of.lane][-1]
            more = {"position": end, "prev": prev, "origin": of.origin}
            void = msgspec.structs.replace(of, **more, revision=of.revision + 1, void=True)
            self.rows.append(void)

    def _log(self, request: httpx.Request) -> httpx.Response:
        after, limit = int(request.url.params["after"]), int(request.url.params["limit"])
        lanes = {int(lane) for lane in request.url.params.get_list("lane")}
        wanted = [row for row in self.rows if row.lane in lanes]
        page = [row for row in wanted if row.position > after][:limit]
        end = self.rows[-1].position if self.rows else 0
        through = page[-1].position if len(page) == limit else max(end, after)
        last = dict.fromkeys(lanes, 0)
        for row in wanted:
            if row.position <= through:
                last[row.lane] = row.position
        marker = Through(epoch="e1", through=through, last=last)
        lines = [msgspec.json.encode(row) for row in [*page]] + [msgspec.json.encode(marker)]
        return httpx.Response(200, content=b"\n".join(lines) + b"\n")


def no_metrics(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("nobody there")


def no_cells(_: httpx.Request) -> httpx.Response:
    """A metrics that has evaluated nothing."""
    return httpx.Response(200, json={"position": 1, "cells": []})


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
            required: int | None = least(target["value"], target["comparator"])
            if share:
                required = denominator and least(
                    target["value"], target["comparator"], denominator, 100
                )
            week = None
            if "bucket" in objective["measure"]:
                week = {
                    "kind": objective["measure"]["bucket"], "start": "2026-11-16", "end": "2026-11-22",
                    "value": value, "denominator": denominator, "required": required, "met": met,
                    "judged": True,
                }  # fmt: skip
            found.append(
                (
                    plan["id"], 1, objective["id"], unit_id, value, value, denominator, ratio,
                    target.get("value"), target.get("unit"), met, None, status, "persons",
                    12 if status == "behind" else None, flags, as_of, False, None, None,
                    target["comparator"], required, deadline_day(objective), _json(week),
                    _json(week and week | {"start": "2026-11-09", "end": "2026-11-15"}),
                )
            )  # fmt: skip
    return found


def _json(value: Any) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def amendment(id: str, unit: str, valid_from: str, **data: Any) -> CloudEvent:
    """An amendment of a plan that holds from a day on."""
    return {
        "id": id, "source": "https://tinh.example", "type": "vn.hocvuso.plan.amended",
        "subject": unit, "time": f"{valid_from}T00:00:00+07:00",
        "data": {"valid_from": valid_from, **data},
    }  # fmt: skip
