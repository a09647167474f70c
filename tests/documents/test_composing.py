"""Drafts: golden texts for three states of data, and that nothing is said without a figure."""

import re
from datetime import date, timedelta

import pytest

from services.registry.documents.authors import author_of
from services.registry.documents.compose import compose
from services.registry.documents.occurrences import as_of, before, find, listed
from services.registry.documents.wording import cut, day, period_vi, quoted
from services.registry.documents.wording import listed as names_listed
from services.registry.plans.bodies import Body
from services.registry.reports.periods import periods
from tests.documents.goldens import FOLDER, SCENES, text_of
from tests.documents.reading import every_number_is_a_figure
from tests.documents.scenes import Scene, defined, material


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_the_draft_is_the_one_that_was_read(scene: Scene) -> None:
    draft = compose(material(scene))
    assert text_of(draft) == (FOLDER / f"{scene.name}.txt").read_text()
    every_number_is_a_figure(draft)


@pytest.mark.parametrize("plan", sorted(defined()[1]))
def test_without_data_no_result_is_claimed(plan: str) -> None:
    for scene in SCENES:
        if scene.plan == plan and scene.state == "empty":
            draft = compose(material(scene))
            text = " ".join(s.text for s in draft.sentences())
            assert not re.search(
                r"Cao nhất|Tăng \d|Giảm \d|Đã (tổ chức|thành lập|ban hành|đăng)|phản ánh \(", text
            )
            assert all(row.done_vi == "chưa có số liệu" and not row.ratio_vi for row in draft.rows)


def test_every_duty_of_the_five_plans_is_drafted() -> None:
    """36 of 36, each for a body that owes it and for those it goes through."""
    _, plans = defined()
    drafted = 0
    for name, plan in plans.items():
        organisations = {o["id"]: o for o in plan["organisations"]}
        for duty in plan["reporting"]:
            on = date.fromisoformat(plan["period"]["end"]) - timedelta(days=20)
            spans = periods(duty, plan)
            open_ = [p for p in spans if p.closing_day <= on]
            period = (open_ or spans)[-1].id if spans else on.isoformat()
            for body in [duty["who"][0], *(n for n in duty.get("via") or () if not organisations[n].get("group"))]:  # fmt: skip
                draft = compose(material(Scene(name, duty["id"], period, body, on, "bad")))
                assert draft.sections and draft.head.extract and draft.head.body
                every_number_is_a_figure(draft)
            drafted += 1
    assert drafted == 36


def test_who_speaks_of_what() -> None:
    tree, plans = defined()
    gia_lai, dong_nai = plans["gia-lai-2026"], plans["dong-nai-2026"]

    def author(plan: dict, duty: str, body: str):
        owed = next(o for o in plan["reporting"] if o["id"] == duty)
        name = {o["id"]: o["name_vi"] for o in plan["organisations"]}.get(body, body)
        unit = tree.unit(body)
        return author_of(
            plan, owed, Body(body, name, unit and unit.unit_id), unit, date(2026, 6, 1)
        )

    school = author(gia_lai, "quarterly-report", "so-gddt")
    assert (school.whole, school.objectives) == (False, ("pupils-digital-skills",))
    assert author(gia_lai, "quarterly-consolidation", "so-khcn").whole
    commune = author(gia_lai, "quarterly-report", "23563@2025")
    assert (commune.name_vi, commune.place_vi) == ("Ủy ban nhân dân phường Diên Hồng", "Diên Hồng")
    assert commune.superior is None
    police = author(dong_nai, "vneid-extract", "cong-an-tinh")
    assert "adults-certified-vneid" in police.objectives and len(police.objectives) == 2
    party = author(plans["yen-bai-2025-2026"], "party-office-monthly", "van-phong-tinh-uy")
    assert party.party and party.superior == "Tỉnh ủy Yên Bái"


def test_occurrences_and_the_day_of_their_figures() -> None:
    _, plans = defined()
    plan = plans["gia-lai-2026"]
    quarterly, adhoc = plan["reporting"][0], plan["reporting"][2]
    spans = periods(quarterly, plan)
    second = find(quarterly, plan, spans, "2026-Q2", date(2026, 6, 1))
    assert second is not None
    assert as_of(second, plan, date(2026, 6, 15)) == (date(2026, 6, 14), False)
    assert as_of(second, plan, date(2026, 6, 14)) == (date(2026, 6, 13), True)
    assert before(spans, second, plan) == date(2026, 3, 14)
    assert before(spans, spans[0], plan) is None
    assert not listed(second, date(2026, 6, 4)) and listed(second, date(2026, 6, 5))
    assert find(quarterly, plan, spans, "2026-06-01", date(2026, 6, 1)) is None
    today = find(adhoc, plan, [], "2026-06-01", date(2026, 6, 1))
    assert today is not None and today.closing_day == date(2026, 6, 1)
    for wrong in ("2026-06-02", "2025-12-31", "2026-02-30", "x"):
        assert find(adhoc, plan, [], wrong, date(2026, 6, 1)) is None


def test_words() -> None:
    assert [day(date(2026, m, 5)) for m in (2, 6, 12)] == ["05/02/2026", "05/6/2026", "05/12/2026"]
    assert names_listed(["A", "B", "C"]) == "A, B và C"
    assert names_listed(["Sở Văn hóa, Thể thao", "B"]) == "Sở Văn hóa, Thể thao; B"
    assert quoted("mỗi “mentor”") == "“Mỗi ‘mentor’”"
    assert cut("a" * 200).endswith("…")
    assert period_vi("2026-H1", date(2026, 1, 1), date(2026, 6, 30)) == "6 tháng đầu năm 2026"
