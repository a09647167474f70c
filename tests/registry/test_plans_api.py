"""Plans over REST."""

import pytest

from tests.registry.conftest import Running

TOTALS = {
    "dak-lak-2026": 25,
    "gia-lai-2026": 10,
    "tan-lap-100-days-2025": 17,
    "dong-nai-2026": 15,
    "yen-bai-2025-2026": 16,
}


async def test_the_five_plans(registry: Running) -> None:
    plans = (await registry.client.get("/v1/plans")).json()["plans"]
    assert {plan["id"]: plan["objectives"] for plan in plans} == TOTALS
    assert sum(plan["tasks"] for plan in plans) == 196
    assert sum(plan["obligations"] for plan in plans) == 36


@pytest.mark.parametrize("plan", TOTALS)
async def test_every_objective_is_counted_or_says_why_not(registry: Running, plan: str) -> None:
    answer = (await registry.client.get(f"/v1/plans/{plan}/objectives")).json()
    assert len(answer["objectives"]) == TOTALS[plan]
    assert sum(answer["states"].values()) == TOTALS[plan]
    for objective in answer["objectives"]:
        assert objective["state"] in ("counted", "building", "not_counted")
        assert objective["state"] == "counted" or objective["reason"]
        assert objective["text_vi"]
        assert objective["source_line"]


async def test_the_15th_is_included_in_gia_lai_and_excluded_in_yen_bai(registry: Running) -> None:
    days = {}
    for plan in ("gia-lai-2026", "yen-bai-2025-2026"):
        answer = await registry.client.get(
            f"/v1/plans/{plan}/calendar", params={"on": "2026-12-01"}
        )
        quarterly = answer.json()["obligations"][0]
        assert quarterly["next_due"] == "2026-12-15"
        days[plan] = quarterly["next_last_day"]
    assert days == {"gia-lai-2026": "2026-12-15", "yen-bai-2025-2026": "2026-12-14"}
