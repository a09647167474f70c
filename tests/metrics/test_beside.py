"""What stands beside a number: other counts, totals of authorities, the met of an organisation."""

from datetime import date, timedelta

import asyncpg

from services.metrics.evaluating.cell import BesideCount, Cell
from services.metrics.explaining.explain import Explainer
from services.metrics.tables.refresh import Refresher
from shared.clock import FixedClock
from shared.contracts.definitions import Catalogue
from tests.metrics.histories import BASE
from tests.metrics.memory_log import MemoryLog
from tests.metrics.province import ROOT, A, B, define, document, follow, moments, objective, of

DAY = BASE + timedelta(days=5)
SCHOOL = "s1@2025"
REGISTERED = {
    "id": "registered",
    "name_vi": "x",
    "measure": {"count": "distinct_persons", "of": [of("signature.registered")]},
}
RECIPIENTS = {
    "id": "recipients",
    "name_vi": "y",
    "measure": {"count": "sum", "of": [of("outreach.delivered")]},
}
PLAN = document(
    [
        objective(
            "reached",
            {
                "count": "distinct_persons",
                "of": [of("training.attended")],
                "over": {"population": "adults"},
            },
            beside=[REGISTERED, RECIPIENTS],
        ),
        objective(
            "promoters",
            {
                "count": "distinct_organisations",
                "of": [of("contest.promoted")],
                "over": {"population": "organisations"},
            },
        ),
    ]
)


def figure(log: MemoryLog, number: int, occurred: date, recorded: date, **more: str) -> None:
    said = {"objective": "reached", "plan": "p", "number": number, "authority": "x"}
    said |= {"as_of": occurred.isoformat(), **more}
    log.post("figure.reported", ROOT, occurred, recorded, said)


def story(log: MemoryLog) -> None:
    define(log, PLAN)
    person = {"person_ref": "cccd:1", "target_groups": ["adult"]}
    log.post("training.attended", A, BASE, BASE, person)
    for who in ("1", "2", "2"):
        log.post("signature.registered", A, BASE, BASE, {"person_ref": f"cccd:{who}"})
    for recipients in (30, 12):
        batch = {"recipients": recipients, "channel": "sms"}
        log.post("outreach.delivered", A, BASE, BASE, batch)
    figure(log, 70, BASE, BASE)
    figure(log, 90, DAY, DAY)
    figure(log, 80, BASE + timedelta(days=1), DAY)
    figure(log, 999, DAY, DAY, objective="another")


async def cells(
    pool: asyncpg.Pool, catalogue: Catalogue, as_of: date, known_at: date | None = None
) -> dict[tuple[str, str], Cell]:
    found = moments(pool, catalogue, DAY)
    async with found.snapshot() as connection:
        moment = await found.at(connection, "p", as_of, known_at)
        units = [ROOT, A, B, SCHOOL]
        answer = await moment.cells(connection, moment.objectives, units)
    return {(cell.unit_id, cell.objective): cell for cell in answer}


async def test_counts_beside_are_shown_and_never_added(
    pool: asyncpg.Pool, catalogue: Catalogue
) -> None:
    log = MemoryLog(catalogue)
    story(log)
    await follow(pool, catalogue, log)
    now = await cells(pool, catalogue, DAY)
    shown = now[ROOT, "reached"]
    assert (shown.value, shown.denominator, shown.basis) == (1, 4, "persons")
    assert shown.beside == [
        BesideCount(id="registered", basis="persons", value=2),
        BesideCount(id="recipients", basis="reported", value=42, reporters=2),
        BesideCount(id="figure.reported", basis="reported", value=90, reporters=1),
    ]
    assert [b.value for b in now[B, "reached"].beside] == [0], "no totals were reported there"
    early = (await cells(pool, catalogue, DAY - timedelta(days=1), BASE))[ROOT, "reached"]
    assert {b.id: b.value for b in early.beside}["figure.reported"] == 70
    late = (await cells(pool, catalogue, DAY - timedelta(days=1)))[ROOT, "reached"]
    assert {b.id: b.value for b in late.beside}["figure.reported"] == 80


async def test_published_cells_carry_what_stands_beside(
    pool: asyncpg.Pool, catalogue: Catalogue
) -> None:
    log = MemoryLog(catalogue)
    story(log)
    await follow(pool, catalogue, log)
    clock = FixedClock(moments(pool, catalogue, DAY)._clock.now())
    refresher = Refresher(pool, catalogue, clock)
    await refresher.refresh()
    ask = "SELECT beside FROM indicators.cells WHERE unit_id = $1 AND objective = 'reached'"
    before = {b["id"]: b["value"] for b in await pool.fetchval(ask, ROOT)}
    assert before == {"registered": 2, "recipients": 42, "figure.reported": 90}
    log.post("signature.registered", B, DAY, DAY, {"person_ref": "cccd:9"})
    await follow(pool, catalogue, log)
    await refresher.refresh()
    after = {b["id"]: b["value"] for b in await pool.fetchval(ask, ROOT)}
    assert after == before | {"registered": 3}


async def test_an_organisation_has_a_met_of_its_own(
    pool: asyncpg.Pool, catalogue: Catalogue
) -> None:
    log = MemoryLog(catalogue)
    define(log, PLAN)
    data = {"unit_id": SCHOOL, "code": "s1", "era": "2025", "name_vi": "s", "kind": "organisation",
            "parent": A, "from": "2025-07-01"}  # fmt: skip
    log.post("unit.established", SCHOOL, BASE, BASE, data)
    await follow(pool, catalogue, log)
    before = await cells(pool, catalogue, DAY)
    school = before[SCHOOL, "promoters"]
    assert (school.value, school.target, school.met) == (0, 1, False)
    log.post("contest.promoted", SCHOOL, BASE, BASE, {})
    log.post("contest.promoted", SCHOOL, DAY, DAY, {})
    await follow(pool, catalogue, log)
    after = await cells(pool, catalogue, DAY)
    assert (after[SCHOOL, "promoters"].value, after[SCHOOL, "promoters"].met) == (1, True)
    whole = after[ROOT, "promoters"]
    assert (whole.value, whole.met) == (1, None), "organisations do not roll up into met"


async def test_an_event_that_only_stands_beside_says_so(
    pool: asyncpg.Pool, catalogue: Catalogue
) -> None:
    log = MemoryLog(catalogue)
    define(log, PLAN)
    person = {"person_ref": "cccd:1", "target_groups": ["adult"]}
    counted = log.post("training.attended", A, BASE, BASE, person)
    beside = log.post("signature.registered", A, BASE, BASE, {"person_ref": "cccd:1"})
    neither = log.post("feedback.received", A, BASE, BASE, {})
    said = {"objective": "reached", "number": 7, "authority": "x", "as_of": BASE.isoformat()}
    total = log.post("figure.reported", ROOT, BASE, BASE, said | {"plan": "p"})
    lost = log.post("figure.reported", ROOT, BASE, BASE, said)
    odd = log.post("figure.reported", ROOT, BASE, BASE, said | {"plan": "p", "objective": "x"})
    await follow(pool, catalogue, log)
    found = moments(pool, catalogue, DAY)
    explainer = Explainer(pool, found._definitions, log, found._clock)  # type: ignore[arg-type]
    _, answers = await explainer.explain([counted, beside, neither, total, lost, odd])
    assert [(a.state, a.code) for a in answers] == [
        ("counted", None),
        ("not_counted", "shown_beside"),
        ("not_counted", "no_objective_for_type"),
        ("not_counted", "shown_beside"),
        ("not_counted", "plan_not_named"),
        ("not_counted", "total_unknown"),
    ]
    assert "`plan`" in (answers[4].reason or "")
