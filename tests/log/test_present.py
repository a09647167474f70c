"""A receipt has one truth: what the event is now, and which later events made it so."""

from datetime import UTC, datetime
from typing import Any

import httpx
from fastapi import FastAPI

from hocvuso_cli.trace import describe
from services.activities.receipts import receipts
from services.activities.receipts.receipts import Receipt, Stage
from services.activities.reconciliation.explain import Explained, Explanation
from tests.activities.conftest import admin, clock, database, port, service, settings
from tests.activities.fake import event
from tests.activities.posting import send

__all__ = ["admin", "clock", "database", "port", "service", "settings"]
SOURCE = event()["source"]
REST = {"subject": None, "time": "2026-06-30T09:12:00+07:00"}
AT = datetime(2026, 7, 1, tzinfo=UTC)


def about(id: str, type: str, target: str, **data: Any) -> dict[str, Any]:
    what = "corrects" if type == "event.corrected" else "revokes"
    named = {what: {"source": SOURCE, "id": target}, "reason": "mistake", **data}
    return event(id=id, type=f"vn.hocvuso.{type}", data=named, **REST)


async def test_what_became_of_an_event(
    service: tuple[FastAPI, httpx.AsyncClient], admin: str
) -> None:
    app, client = service

    async def said(id: str, partner: str | None = None) -> Receipt:
        found = await receipts.receipt(app.state.pool, SOURCE, id, partner)
        assert found is not None
        return found

    async def post(one: dict[str, Any]) -> None:
        answer = await send(client, admin, one)
        assert answer["status"] == "accepted", answer

    await post(event(id="e"))
    plain = await said("e")
    assert (plain.state, plain.unit_id, plain.changed_by) == ("standing", "24133@2025", [])
    await post(about("c", "event.corrected", "e", changes={"subject": "75"}))
    corrected = await said("e")
    assert (corrected.state, corrected.unit_id) == ("corrected", "75@2025")
    assert [(c.type, c.id, c.standing) for c in corrected.changed_by] == [
        ("event.corrected", "c", True)
    ]
    correction = await said("c")
    assert (correction.state, correction.changed_by) == ("standing", [])
    assert correction.amends is not None and correction.amends.id == "e"
    await post(about("r", "event.revoked", "e"))
    assert (await said("e")).state == "revoked"
    revocation = await said("r")
    assert (revocation.state, revocation.changed_by) == ("standing", []), "it speaks of itself"
    await post(about("rr", "event.revoked", "r"))
    again = await said("e")
    assert (again.state, again.unit_id) == ("corrected", "75@2025")
    assert [(c.id, c.standing) for c in again.changed_by] == [
        ("c", True),
        ("r", False),
        ("rr", True),
    ]
    undone = await said("r")
    assert undone.state == "revoked" and [c.id for c in undone.changed_by] == ["rr"]
    await post(about("rc", "event.revoked", "c"))
    back = await said("e")
    assert (back.state, back.unit_id) == ("standing", "24133@2025")


class Answers:
    """Metrics, answering each position alike."""

    def __init__(self, state: str, code: str | None) -> None:
        self.state, self.code = state, code

    async def ask(self, positions: list[int], _: float) -> Explained:
        state: Any = self.state
        return Explained(9, [Explanation(p, state, self.code, "why") for p in positions])


def made(**changes: Any) -> Receipt:
    done = Stage(reached=True, at=AT)
    return Receipt(
        **{
            "source": "s", "id": "i", "type": "citizen.certified", "status": "visible",
            "state": "standing", "position": 1, "last_position": 1, "unit_id": "1@2025",
            "occurred": AT.date(), "recorded": AT.date(), "recorded_at": AT, "accepted": done,
            "published": done, "counted": done, "visible": done, "trace_id": None, **changes,
        }
    )  # fmt: skip


async def test_no_stage_is_reached_that_is_not_yet_counted() -> None:
    """A lane may be further than the tables are complete: then nothing is counted yet."""
    found = await receipts.explained(made(), Answers("not_yet", "not_yet"), whole=True)  # type: ignore[arg-type]
    assert (found.reason, found.status) == ("not_yet", "published")
    assert not found.counted.reached and not found.visible.reached


async def test_revocations_speak_of_themselves() -> None:
    told: Any = Answers("not_counted", "revoked")
    assert (
        await receipts.explained(made(type="event.revoked"), told, whole=True)
    ).reason == "revokes"
    gone = made(type="event.revoked", state="revoked")
    assert (await receipts.explained(gone, told, whole=True)).reason == "revoked"
    assert (await receipts.explained(made(state="revoked"), told, whole=True)).reason == "revoked"


def test_no_span_of_a_trace_is_negative() -> None:
    receipt = made(
        published=Stage(reached=True, at=AT.replace(second=5)),
        counted=Stage(reached=True, at=AT.replace(second=2)),
        visible=Stage(reached=True, at=AT.replace(second=3)),
    ).model_dump(mode="json")
    lines = describe(receipt, None)
    assert "-" not in "".join(line.partition("  +")[2] for line in lines)
    order = [line.split("+")[0].split()[-3:] for line in lines if "  +" in line]
    assert [" ".join(words) for words in order] == [
        "counted by metrics", "visible in tables", "published to Kafka",
    ]  # fmt: skip
