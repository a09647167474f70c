"""Definition events: the same every time, valid by their schemas, posted parents first."""

import json
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import msgspec
import pytest
import yaml

from services.registry.plans.load import content_digest, files_of, publish, read_files
from services.registry.units.catalogue import stages
from services.registry.units.load import LoadFailed, load
from shared.contracts.definitions import Catalogue
from tests.registry import fakes


def test_events_are_the_same_every_time() -> None:
    once, again = stages(), stages()
    assert msgspec.json.encode(once) == msgspec.json.encode(again)
    ids = [event["id"] for stage in once for event in stage.events]
    assert len(ids) == len(set(ids))
    assert "unit-24133@2025-established" in ids


def test_events_are_valid_by_their_published_schemas(definitions: list[fakes.CloudEvent]) -> None:
    catalogue = Catalogue.load()
    validators: dict[str, Any] = {}
    for event in definitions:
        short = event["type"].removeprefix("vn.hocvuso.")
        if short not in validators:
            validators[short] = jsonschema_rs.validator_for(catalogue.data_schema(short))
        validators[short].validate(event["data"])


def test_parents_come_in_earlier_stages() -> None:
    seen: set[str] = set()
    for stage in stages():
        for event in stage.events:
            data = event["data"]
            if data.get("parent"):
                assert data["parent"] in seen, event["id"]
            assert all(s["unit_id"] in seen for s in data.get("successors", []))
        seen.update(e["data"]["unit_id"] for e in stage.events if "unit_id" in e["data"])


class Log:
    """Activities as far as a loader sees it: remembers (source, id)."""

    def __init__(self, refuse: str | None = None, busy: int = 0) -> None:
        self.positions: dict[tuple[str, str], int] = {}
        self.refuse = refuse
        self.busy = busy

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.busy:
            self.busy -= 1
            return httpx.Response(503, headers={"Retry-After": "0"}, json={})
        results = []
        for index, event in enumerate(json.loads(request.content)):
            key = event["source"], event["id"]
            result = {"index": index, "source": key[0], "id": key[1]}
            if event["id"] == self.refuse:
                problem = {"code": "unit-exists", "detail": "it was", "hint": "rename it"}
                results.append(result | {"status": "rejected", "problem": problem})
                continue
            status = "duplicate" if key in self.positions else "accepted"
            position = self.positions.setdefault(key, len(self.positions) + 1)
            results.append(result | {"status": status, "position": position})
        counts = {s: sum(r["status"] == s for r in results) for s in ("accepted", "duplicate")}
        answer = {"accepted": counts["accepted"], "duplicates": counts["duplicate"], "rejected": 0}
        return httpx.Response(200, json=answer | {"results": results})

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self), base_url="http://activities")


async def test_loading_again_changes_nothing() -> None:
    log = Log(busy=2)
    async with log.client() as client:
        first = await load(client, stages())
        again = await load(client, stages())
    assert sum(r.accepted for r in first) == len(log.positions) == 28_419
    assert sum(r.accepted for r in again) == 0
    assert sum(r.duplicates for r in again) == 28_419


async def test_a_refusal_stops_the_loading_and_says_why() -> None:
    log = Log(refuse="unit-66@2025-established")
    async with log.client() as client:
        with pytest.raises(LoadFailed, match=r"unit-66@2025-established: unit-exists: it was"):
            await load(client, stages())
    assert ("https://hocvuso.example/registry", "unit-24133@2025-established") not in log.positions


async def test_a_wrong_key_is_not_tried_again() -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        return httpx.Response(401, json={"code": "key-wrong"})

    async with httpx.AsyncClient(
        transport=httpx.MockTransport(refuse), base_url="http://activities"
    ) as client:
        with pytest.raises(LoadFailed, match="HTTP 401"):
            await load(client, stages()[:1])


def test_a_changed_plan_becomes_the_next_version() -> None:
    documents = read_files(files_of(fakes.PLANS), Catalogue.load())
    assert len(documents) == 5
    first = publish(documents, {}, fakes.TODAY).events
    assert [event["data"]["version"] for event in first] == [1] * 5
    newest = {e["data"]["plan"]: (1, content_digest(e["data"]["document"])) for e in first}
    assert publish(documents, newest, fakes.TODAY).events == []
    changed = [documents[0] | {"issued_note": "numbered since"}, *documents[1:]]
    (event,) = publish(changed, newest, fakes.TODAY).events
    assert (event["id"], event["data"]["version"]) == ("plan-dak-lak-2026-v2", 2)


def test_a_wrong_plan_is_refused_with_file_and_line(tmp_path: Path) -> None:
    plan = yaml.safe_load((fakes.PLANS / "dak-lak-2026.yaml").read_text())
    plan["objectives"][0]["measure"]["of"][0]["filter"] = {"target_groop": "adult"}
    (tmp_path / "wrong.yaml").write_text(yaml.safe_dump(plan, allow_unicode=True))
    with pytest.raises(LoadFailed, match=r"wrong\.yaml:\d+: .*target_groop"):
        read_files(files_of(tmp_path), Catalogue.load())
