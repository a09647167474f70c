"""Words that an instance adds to lists, at the log: one process defines, every door takes them."""

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from services.activities.ingest.door import Door, Path
from services.activities.ingest.intake import Intake
from services.activities.keys.model import Key
from services.activities.log.growth import Growth
from services.activities.log.log import Log
from services.activities.log.model import Candidate, Outcome
from services.activities.privacy import Pseudonyms
from shared.clock import FixedClock
from shared.contracts.definitions import Catalogue
from shared.contracts.live import LiveCatalogue
from tests.log.conftest import ADMINISTRATOR, TAN_LAP, Bench, amended, candidate

Json = dict[str, Any]
KEY = Key("admin", "admin", frozenset({"administrator"}))
NOW = datetime(2026, 6, 30, 5, tzinfo=UTC)


def extended(id: str, name: str, *entries: Json, **more: Any) -> Candidate:
    data = {"list_name": name, "entries": list(entries)}
    return candidate("list.extended", id, data, subject="66", roles=ADMINISTRATOR, **more)


def entry(value: str, title: str, **more: Any) -> Json:
    return {"value": value, "title_vi": title} | more


def told(outcome: Outcome) -> tuple[str, str | None] | None:
    problem = outcome.problem
    return None if problem is None else (problem.code, problem.pointer)


@contextlib.asynccontextmanager
async def door(bench: Bench) -> AsyncIterator[Door]:
    """A process of its own on the same log."""
    catalogue, clock = LiveCatalogue(Catalogue.load()), FixedClock(NOW)
    intake = Intake(catalogue, Pseudonyms(bytes(32)), clock)
    log = Log(bench.pool, catalogue, clock)
    await log.start()
    try:
        yield Door(intake, log, newer=Growth(bench.pool, catalogue).catch_up)
    finally:
        await log.stop()


def installed(id: str, app: str, **data: Any) -> bytes:
    person = {"scheme": "cccd", "value": "066099000001"}
    event = {
        "specversion": "1.0", "id": id, "source": "https://partner.example/system",
        "type": "vn.hocvuso.app.installed", "subject": TAN_LAP,
        "time": "2026-06-01T08:00:00+07:00", "data": {"person": person, "app": app} | data,
    }  # fmt: skip
    return msgspec.json.encode(event)


async def test_a_word_is_taken_at_once_wherever_it_was_defined(bench: Bench) -> None:
    how: Json = {"traceparent": None, "dry_run": True}
    async with door(bench) as there:
        before = await there.one(installed("a", "dong-thap-so"), KEY, Path.REST, **how)
        assert before.problem is not None and before.problem.code == "value-not-allowed"
        (said,) = await bench.post(extended("e", "app", entry("dong-thap-so", "Đồng Tháp Số")))
        assert told(said) is None
        one = await there.one(installed("a", "dong-thap-so"), KEY, Path.REST, **how)
        assert one.problem is None, one.problem
    many = [installed("a", "dong-thap-so"), installed("b", "vneid"), installed("c", "no-such")]
    async with door(bench) as fresh:
        results = await fresh.take(many, KEY, Path.STREAM, **how)
    codes = [r.problem and r.problem.code for r in results]
    assert codes == [None, None, "value-not-allowed"]


async def test_what_collides_is_refused_beside_its_place(bench: Bench) -> None:
    first = await bench.post(extended("a", "topic", entry("smart-farm", "Nông nghiệp thông minh")))
    assert told(first[0]) is None
    cases = [
        (extended("b", "topic", entry("vneid", "Khác hẳn")), "/data/entries/0/value"),
        (extended("c", "topic", entry("smart-farm", "Khác hẳn")), "/data/entries/0/value"),
        (extended("d", "topic", entry("x", "Mới"), entry("x", "Mới 2")), "/data/entries/1/value"),
        (
            extended("e", "topic", entry("x", " nông  nghiệp THÔNG minh")),
            "/data/entries/0/title_vi",
        ),
        (extended("f", "topic", entry("x", "Chữ ký số")), "/data/entries/0/title_vi"),
    ]
    outcomes = await bench.post(*(case for case, _ in cases))
    assert [told(o) for o in outcomes] == [("list-entry-exists", at) for _, at in cases]


async def test_groups_imply_only_what_was_there(bench: Bench) -> None:
    good = extended(
        "a", "target_group",
        entry("tieu-thuong-cho", "Tiểu thương tại chợ", implies=["small_trader", "adult"]),
        entry("tieu-thuong-cho-dem", "Tiểu thương chợ đêm", implies=["tieu-thuong-cho"]),
    )  # fmt: skip
    wrong = [
        extended("b", "target_group", entry("x", "X", implies=["nobody"])),
        extended("c", "target_group", entry("x", "X", implies=["x"])),
        extended("d", "app", entry("x", "X", implies=["adult"])),
    ]
    outcomes = await bench.post(good, *wrong)
    assert [told(o) for o in outcomes] == [
        None,
        ("list-implies-invalid", "/data/entries/0/implies/0"),
        ("list-implies-invalid", "/data/entries/0/implies/0"),
        ("list-implies-invalid", "/data/entries/0/implies"),
    ]


async def test_a_list_is_no_register_of_names(bench: Bench) -> None:
    batches = [
        extended(f"e{n}", "model_kind", *(entry(f"m-{n}-{i}", f"Mô hình {n}.{i}") for i in range(100)))
        for n in range(3)
    ]  # fmt: skip
    outcomes = await bench.post(*batches)
    assert [told(o) for o in outcomes] == [None, None, ("list-full", "/data/entries")]


async def test_words_stay_and_titles_may_be_corrected(bench: Bench) -> None:
    said = extended("a", "target_group", entry("g", "Nhóm", implies=["adult"]))
    assert told((await bench.post(said))[0]) is None

    async def corrected(id: str, *entries: Json) -> tuple[str, str | None] | None:
        changes = {"data": {"entries": list(entries)}}
        event = amended("event.corrected", id, "a", changes=changes, roles=ADMINISTRATOR)
        return told((await bench.post(event))[0])

    better = entry("g", "Nhóm khác", implies=["adult"])
    assert await corrected("c1", better, entry("h", "Nhóm thứ hai")) is None
    stays = "list-entry-stays"
    assert await corrected("c2", better) == (stays, "/data/changes/data/entries")
    assert await corrected("c3", entry("g", "Nhóm"), entry("h", "H")) == (
        stays, "/data/changes/data/entries/0/implies",
    )  # fmt: skip
    revoked = amended("event.revoked", "r", "a", roles=ADMINISTRATOR)
    assert told((await bench.post(revoked))[0]) == (stays, "/data/revokes")
