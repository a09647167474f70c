"""The page of the audit: what was done to keys and the like, for administrators only."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.registry import fakes
from tests.registry.conftest import Running


def act(number: int, action: str = "key.revoked", **more: Any) -> dict[str, Any]:
    """One act as activities tells it."""
    return {
        "number": number, "at": f"2026-11-27T03:{number % 60:02}:00+00:00", "action": action,
        "by_prefix": "12345678", "by_name": "Chị Hạnh", "about": f"{number:08}", "trace_id": None,
        "detail": {"reason": "lost", "scopes": ["events:write", "tables:read"], "note": None},
    } | more  # fmt: skip


@pytest.fixture
def acts(registry: Running) -> Iterator[list[dict[str, Any]]]:
    registry.client.cookies.set("hocvuso_session", fakes.SESSION)
    kept = registry.activities.acts
    kept += [act(n) for n in range(1, 121)]
    yield kept
    kept.clear()
    registry.client.cookies.clear()


@pytest.mark.security("V16.2.1")
async def test_acts_are_told_in_words_newest_first_page_by_page(
    registry: Running, acts: list[dict[str, Any]]
) -> None:
    acts.append(act(121, "quota.set", by_name="Anh <b>Nam</b>"))
    page = (await registry.client.get("/audit")).text
    rows = page.partition("<tbody>")[2]
    assert rows.index("Đặt hạn mức gửi") < rows.index("Thu hồi khóa truy cập")
    assert "Anh &lt;b&gt;Nam" in page and "<b>Nam" not in page
    assert "10:01:00 27/11/2026" in page and "events:write, tables:read" in page
    assert "<code>note</code>" not in page, "nothing was said of it"
    assert "00000121" in page and "00000072" in page and "00000071" not in page
    older = (await registry.client.get("/audit?before=72")).text
    assert "00000071" in older and "00000072" not in older and "Mới nhất" in older
    last = (await registry.client.get("/audit?before=20")).text
    assert "Cũ hơn" not in last


async def test_acts_are_filtered_and_the_filter_stays(
    registry: Running, acts: list[dict[str, Any]]
) -> None:
    acts += [act(121, "quota.set"), act(122, "other.done")]
    page = (await registry.client.get("/audit?action=quota.set")).text
    assert "00000121" in page and "00000120" not in page
    assert '<option value="quota.set" selected>' in page
    assert "other.done" in (await registry.client.get("/audit")).text, (
        "a word that is not known yet"
    )
    older = (await registry.client.get("/audit?by=Ch%E1%BB%8B+H%E1%BA%A1nh")).text
    assert "by=Ch%E1%BB%8B+H%E1%BA%A1nh&amp;before=" in older
    assert "Không có việc nào như vậy." in (await registry.client.get("/audit?about=nobody")).text


async def test_it_is_for_administrators(registry: Running, acts: list[dict[str, Any]]) -> None:
    registry.activities.keys["hv_staff_audit"] = {
        "name": "s", "roles": ["commune"], "scopes": ["tables:read"],
    }  # fmt: skip
    registry.client.cookies.clear()
    headers = {"Authorization": "Bearer hv_staff_audit", "Accept": "text/html"}
    answer = await registry.client.get("/audit", headers=headers)
    assert answer.status_code == 403 and "Chị Hạnh" not in answer.text
