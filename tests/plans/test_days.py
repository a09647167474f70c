"""The last day of every objective of the five plans, read from the plans' own words by hand, and
what each means on the days around it: in time, overdue, how many per week are needed."""

from datetime import date, timedelta

import pytest

from services.metrics.evaluating.cell import Count
from services.metrics.evaluating.status import status_of
from shared.contracts.definitions import Catalogue
from shared.domain.amending import read_amendments
from shared.domain.compile import compile_plan
from shared.domain.objectives import Objective
from shared.domain.plan_history import PlanHistory, PlanVersion
from shared.domain.populations import Number
from tests.plans.files import PLANS

CATALOGUE = Catalogue.load()
COMPILED = {name: {o.id: o for o in compile_plan(p.data, CATALOGUE)} for name, p in PLANS.items()}

# (plan, the plan's words; "" where it has none of its own) -> the last day in time.
LAST_DAYS: dict[tuple[str, str], date | None] = {
    ("dak-lak-2026", "Trước ngày 30/11/2026"): date(2026, 11, 29),
    ("dak-lak-2026", "Trước ngày 30/11/2026 và thường xuyên thực hiện"): date(2026, 11, 29),
    ("dak-lak-2026", "Trước ngày 30/6/2026"): date(2026, 6, 29),
    ("dak-lak-2026", "Thường xuyên"): date(2026, 12, 31),
    ("dak-lak-2026", "Hằng tháng"): None,
    ("dak-lak-2026", "Trong tháng 03/2026"): date(2026, 3, 31),
    ("dak-lak-2026", "Hoàn thành trước ngày 30/4/2026 và thường xuyên cập nhật"): date(2026, 4, 29),
    ("dak-lak-2026", "Tháng 08/2026"): date(2026, 8, 31),
    ("dak-lak-2026", "Từ ngày 05/10/2026 đến ngày 10/10/2026"): date(2026, 10, 10),
    ("dak-lak-2026", "Trước ngày 30/4/2026"): date(2026, 4, 29),
    ("dak-lak-2026", "Trước ngày 31/12/2026"): date(2026, 12, 30),
    ("dong-nai-2026", ""): date(2026, 12, 31),
    ("dong-nai-2026", "Trước ngày 30/11/2026"): date(2026, 11, 29),
    ("dong-nai-2026", "Tháng 5/2026"): date(2026, 5, 31),
    ("dong-nai-2026", "Quý III-IV/2026"): date(2026, 12, 31),
    ("dong-nai-2026", "Quý III/2026"): date(2026, 9, 30),
    ("dong-nai-2026", "Dự kiến Quý III, Quý IV/2026"): date(2026, 12, 31),
    ("dong-nai-2026", "Quý III, IV/2026"): date(2026, 12, 31),
    ("gia-lai-2026", ""): date(2026, 12, 31),
    ("gia-lai-2026", "Hằng năm"): None,
    ("gia-lai-2026", "Thường xuyên"): None,
    ("tan-lap-100-days-2025", ""): date(2025, 10, 25),
    ("tan-lap-100-days-2025", "Đến hết năm 2025"): date(2025, 12, 31),
    ("yen-bai-2025-2026", "Hoàn thành xong trong tháng 12/2025"): date(2025, 12, 31),
    ("yen-bai-2025-2026", "Hoàn thành xong trong tháng 12/2026"): date(2026, 12, 31),
    ("yen-bai-2025-2026", "Thực hiện từ tháng 5/2025; duy trì thường xuyên"): None,
    ("yen-bai-2025-2026", "Hoàn thành xong trong tháng 9/2025"): date(2025, 9, 30),
    ("yen-bai-2025-2026", "hoàn thành xong trong tháng 5/2025"): date(2025, 5, 31),
}
ALL = [
    (plan, raw["id"], raw.get("deadline_vi") or "")
    for plan, document in PLANS.items()
    for raw in document.data["objectives"]
]


def unmet(value: int = 3, required: int = 10) -> Count:
    return Count(value, Number(10), False, required, value / 10)


@pytest.mark.parametrize(("plan", "name", "words"), ALL)
def test_the_last_day_is_what_the_plan_says(plan: str, name: str, words: str) -> None:
    found: Objective = COMPILED[plan][name]
    last = LAST_DAYS[plan, words]
    assert found.last_day == last
    if last is None:
        assert status_of(found, unmet(), date(2027, 6, 1), True) == ("behind", None)
        return
    day = timedelta(days=1)
    assert status_of(found, unmet(), last, True)[0] in ("on_track", "behind")
    assert status_of(found, unmet(), last + day, True) == ("overdue", None)
    assert status_of(found, unmet(10)._replace(met=True), last + day, True) == ("met", 0)
    # From tomorrow to the last day, rounded up: 7 in 7 days, 4 in 14 days; none are left at last.
    assert status_of(found, unmet(), last - 7 * day, True)[1] == 7
    assert status_of(found, unmet(), last - 14 * day, True)[1] == 4
    assert status_of(found, unmet(), last - day, True)[1] == 49
    assert status_of(found, unmet(), last, True)[1] is None
    first = found.first_day
    assert first is not None and first <= last
    # Nothing is asked before the period; on its last day everything is.
    assert status_of(found, unmet(0), first - day, True)[0] == "on_track"
    assert status_of(found, unmet(9), last, True)[0] == "behind"


def test_the_table_has_no_words_that_no_plan_says() -> None:
    assert set(LAST_DAYS) == {(plan, words) for plan, _, words in ALL}


@pytest.mark.parametrize("name", ["pupils-digital-skills", "pupils-students-digital-skills"])
@pytest.mark.parametrize(
    ("asked", "granted", "limited"),
    [
        ("2026-12-19", date(2026, 12, 19), False),
        ("2026-12-20", date(2026, 12, 19), True),
        ("2027-03-31", date(2026, 12, 19), True),
        ("2026-12-05", date(2026, 12, 5), False),
    ],
)
def test_a_school_of_dak_lak_may_end_later_but_before_20_december(
    name: str, asked: str, granted: date, limited: bool
) -> None:
    """III.6: "được linh hoạt ... hoàn thành trước ngày 20/12/2026"."""
    day = date(2026, 1, 1)
    change = {
        "plan": "dak-lak-2026",
        "objective": name,
        "for_unit": "truong-1@2025",
        "changes": {"last_day": asked},
        "valid_from": day.isoformat(),
    }
    document = PLANS["dak-lak-2026"].data
    version = PlanVersion("dak-lak-2026", 1, document, 1, 1, day, "66@2025")
    history = PlanHistory(
        [version], read_amendments(2, 2, change, day), CATALOGUE, {}, lambda unit: True, {}
    )
    found = next(o for o in history.on(day).objectives if o.id == name)
    assert found.last_day == date(2026, 11, 29), "everybody else's day stays"
    school = found.of("truong-1@2025")
    assert school.last_day == granted
    assert ("extension_limited" in school.flags) is limited
    assert status_of(school, unmet(), granted, True)[0] != "overdue"
    assert status_of(school, unmet(), granted + timedelta(days=1), True)[0] == "overdue"


@pytest.mark.parametrize("plan", PLANS)
def test_seven_days_after_a_document_begin_with_its_day_of_issue(plan: str) -> None:
    """Yên Bái's "Muộn nhất 7 ngày sau khi Trung ương ban hành", put into an objective."""
    document = PLANS[plan].data
    raw = document["objectives"][0] | {
        "last_day": None,
        "deadline": {
            "relative": {"after": "central_document.issued", "document": "d", "within_days": 7}
        },
    }
    changed = {**document, "objectives": [raw]}
    [waiting] = compile_plan(changed, CATALOGUE)
    [started] = compile_plan(changed, CATALOGUE, {"d": date(2025, 5, 26)})
    assert (waiting.last_day, started.last_day) == (None, date(2025, 6, 2))
