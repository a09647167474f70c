"""From a number to its events, their receipts and traces; why it changed: as pages."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.registry.conftest import Running
from tests.registry.proof import EVENT, STORY, Metrics
from tests.registry.proof import metrics as metrics


@pytest.fixture
def effect(registry: Running) -> Iterator[dict[str, Any]]:
    before = registry.activities.effect
    registry.activities.effect = {"objectives": [], "reason": None}
    yield registry.activities.effect
    registry.activities.effect = before


async def test_every_step_from_the_number_to_the_trace_is_a_link(
    registry: Running, metrics: Metrics, effect: dict[str, Any]
) -> None:
    card = (await registry.client.get("/plans/dak-lak-2026/units/24133")).text
    assert STORY.replace("24133", "24133@2025") in card
    story = (await registry.client.get(STORY)).text
    (link,) = re.findall(r'href="(/receipts[^"]+)"', story)
    effect["objectives"] = [
        {"plan": "dak-lak-2026", "objective": "adults-certified-vneid", "unit_id": "24133@2025",
         "counts": True},
    ]  # fmt: skip
    page = await registry.client.get(link.replace("&amp;", "&"))
    assert page.status_code == 200
    assert "ab" * 16 in page.text
    assert "hocvuso trace https://congan.example/v proof-1" in page.text
    assert "Phường Buôn Ma Thuột" in page.text and "09:00:00 20/11/2026" in page.text
    assert "VNeID" in page.text
    evidence = await registry.client.get(
        "/v1/plans/dak-lak-2026/evidence",
        params={"objective": "adults-certified-vneid", "unit": "24133"},
    )
    receipt = await registry.client.get(evidence.json()["events"][0]["receipt"])
    assert (receipt.status_code, receipt.json()["trace_id"]) == (200, "ab" * 16)


async def test_why_it_does_not_count_is_said_in_words(
    registry: Running, metrics: Metrics, effect: dict[str, Any]
) -> None:
    effect["reason"] = "no_filter_matches"
    text = (
        await registry.client.get("/receipts", params={k: EVENT[k] for k in ("source", "id")})
    ).text
    assert "không thuộc nhóm đối tượng" in text
    unknown = await registry.client.get("/v1/receipts", params={"source": "https://x", "id": "y"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "event-unknown")
    missing = await registry.client.get("/v1/receipts", params={"source": "https://x"})
    assert missing.json()["code"] == "invalid-parameter"


async def test_why_a_number_changed_is_told_as_it_was_seen(
    registry: Running, metrics: Metrics
) -> None:
    """By default both days as they stood then; by the day things happened where that is wanted."""
    story = (await registry.client.get(STORY)).text
    assert f"{STORY.replace('24133', '24133@2025')}/changes" in story
    page = await registry.client.get(f"{STORY}/changes", params={"before": "2026-11-01"})
    assert page.status_code == 200, page.text
    assert metrics.asked["from_as_of"] == metrics.asked["from_known_at"] == "2026-11-01"
    assert metrics.asked["to_as_of"] == "2026-11-21" and "to_known_at" not in metrics.asked
    for words in ("gửi đến muộn, mới được ghi nhận", "tăng 1", "Số liệu nền", "từ 100 thành 120"):
        assert words in page.text
    await registry.client.get(f"{STORY}/changes", params={"before": "2026-11-01", "seen": "no"})
    assert "from_known_at" not in metrics.asked
    metrics.before = {"count": None, "not_in_operation": True}
    text = (await registry.client.get(f"{STORY}/changes")).text
    assert "chưa vận hành" in text


async def test_a_wrong_day_is_said_in_vietnamese(registry: Running, metrics: Metrics) -> None:
    answer = await registry.client.get(f"{STORY}/changes", params={"after": "2027-01-01"})
    assert answer.status_code == 422
    assert "Ngày sau" in answer.text and "tương lai" in answer.text
