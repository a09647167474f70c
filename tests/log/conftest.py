"""A log of its own for every test, over the shared PostgreSQL."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest_asyncio

from deploy.local.stack import LocalStack
from services.activities.log.log import Log
from services.activities.log.model import Candidate, Outcome
from services.activities.log.replay import replay
from shared.clock import FixedClock, vietnam_day
from shared.contracts.definitions import Catalogue
from shared.contracts.record import LANES, LogRecord, Through, record_decoder, through_decoder
from shared.db import connect_pool
from tests.conftest import migrated_database

MIGRATIONS = Path(__file__).parents[2] / "services" / "activities" / "migrations"
NOON = datetime(2026, 6, 30, 5, tzinfo=UTC)
DAK_LAK = "66@2025"
TAN_LAP = "24121@2025"


class Bench:
    """A log with a standing clock and a few units, and short ways to post to it."""

    def __init__(self, pool: asyncpg.Pool, log: Log, clock: FixedClock, url: str) -> None:
        self.pool, self.log, self.clock, self.url = pool, log, clock, url

    async def post(self, *candidates: Candidate, **how: Any) -> list[Outcome]:
        return await self.log.submit(list(candidates), **how)

    async def read(self) -> tuple[list[LogRecord], Through]:
        body = await replay(self.pool, 0, list(range(LANES)), 100_000)
        lines = body.splitlines()
        return [record_decoder.decode(x) for x in lines[:-1]], through_decoder.decode(lines[-1])

    async def counted(self, type: str | None = None) -> dict[tuple[int, bytes], dict[str, Any]]:
        """What a consumer holds: per (origin, key) the content of the highest revision."""
        rows, _ = await self.read()
        newest: dict[tuple[int, bytes], LogRecord] = {}
        for row in rows:
            held = newest.get((row.origin, row.key))
            if held is None or row.revision > held.revision:
                newest[row.origin, row.key] = row
        contents = {k: r.effective_content() for k, r in newest.items() if r.lane < 64}
        return {
            k: msgspec.to_builtins(c)
            for k, c in contents.items()
            if c is not None and (type is None or c.type == type)
        }


def candidate(type: str, id: str, data: dict[str, Any], **other: Any) -> Candidate:
    """A candidate as the front door would make it."""
    time = other.pop("time", "2026-06-01T08:00:00+07:00")
    source = other.pop("source", "https://partner.example/system")
    subject = other.pop("subject", TAN_LAP)
    mac = msgspec.json.encode([type, id, subject, time, data], order="deterministic")
    return Candidate(
        source=source,
        id=id,
        type=type,
        subject=subject,
        time=time,
        occurred=other.pop("occurred", vietnam_day(datetime.fromisoformat(time))),
        data=data,
        content_mac=other.pop("content_mac", mac),
        partner=other.pop("partner", "partner"),
        roles=other.pop("roles", frozenset({"police"})),
        **other,
    )


def attended(id: str, person: str, **other: Any) -> Candidate:
    data = {"person_ref": person, "target_groups": ["adult"], **other.pop("data", {})}
    return candidate("training.attended", id, data, **other)


def amended(type: str, id: str, named: str, **other: Any) -> Candidate:
    field = "corrects" if type == "event.corrected" else "revokes"
    source = other.pop("named_source", "https://partner.example/system")
    data = {field: {"source": source, "id": named}, "reason": "mistake"}
    if "changes" in other:
        data["changes"] = other.pop("changes")
    return candidate(type, id, data, **other)


ADMINISTRATOR = frozenset({"administrator"})


def unit(unit_id: str, name: str, kind: str, parent: str | None, since: str) -> Candidate:
    code, era = unit_id.split("@")
    data = {
        "unit_id": unit_id, "code": code, "era": era, "name_vi": name, "kind": kind, "from": since,
    }  # fmt: skip
    if parent is not None:
        data["parent"] = parent
    return candidate("unit.established", f"unit-{unit_id}", data, subject=code, roles=ADMINISTRATOR)


def dissolved(unit_id: str, on: str, *successors: tuple[str, str]) -> Candidate:
    data = {
        "unit_id": unit_id,
        "dissolved_on": on,
        "successors": [{"unit_id": u, "part": part} for u, part in successors],
    }
    return candidate("unit.dissolved", f"end-{unit_id}", data, subject=unit_id, roles=ADMINISTRATOR)


UNITS = [
    unit("VN@2025", "Việt Nam", "nation", None, "2025-07-01"),
    unit(DAK_LAK, "Tỉnh Đắk Lắk", "province", "VN@2025", "2025-07-01"),
    unit(TAN_LAP, "Phường Tân Lập", "ward", DAK_LAK, "2025-07-01"),
    unit("24133@2025", "Phường Buôn Ma Thuột", "ward", DAK_LAK, "2025-07-01"),
    unit("VN@2004", "Việt Nam", "nation", None, "2004-07-01"),
    unit("15@2004", "Tỉnh Yên Bái", "province", "VN@2004", "2004-07-01"),
    unit("15@2025", "Tỉnh Lào Cai", "province", "VN@2025", "2025-07-01"),
    dissolved("15@2004", "2025-07-01", ("15@2025", "whole")),
    unit("10@2004", "Tỉnh Lào Cai", "province", "VN@2004", "2004-07-01"),
    dissolved("10@2004", "2025-07-01", ("15@2025", "whole")),
]


@pytest_asyncio.fixture
async def bench(infrastructure: LocalStack) -> AsyncIterator[Bench]:
    url = await migrated_database(infrastructure, "activities")
    pool = await connect_pool(url, "activities", high=6)
    clock = FixedClock(NOON)
    log = Log(pool, Catalogue.load(), clock)
    await log.start()
    made = Bench(pool, log, clock, url)
    outcomes = await made.post(*UNITS)
    assert [o.problem for o in outcomes] == [None] * len(UNITS)
    yield made
    await log.stop()
    await pool.close()


def day(text: str) -> date:
    return date.fromisoformat(text)
