"""Every type's events through every reader: each says what the event says, by value."""

import html
from datetime import date
from typing import Any

import httpx
import pytest

from hocvuso_cli.trace import describe
from tests.every_type import CATALOGUE, SOURCE
from tests.oracle.truth import day_of
from tests.readers.events import PLAN, UNITS
from tests.readers.world import Posted, World

DEFINITE = {"counted", "counted_by_another_event", "not_counted", "definition"}
NOT_A_ROW = {"event.corrected", "event.revoked"}
"""They are told of with what they change."""
ANSWERS = {"assistance.given"}
"""They count together with what they answer: one of the two changed the number, evidence lists both."""


def happened(one: Posted) -> str:
    """The day that the event itself names, else that of its time."""
    field = CATALOGUE[one.type].day
    said = one.event["data"].get(field) if field else None
    return str(said or day_of(one.event["time"]))


def test_each_has_a_receipt_that_says_what_it_says(world: World) -> None:
    for one in world.posted:
        named = (one.type, one.kind)
        asked = {"source": SOURCE, "id": one.event["id"]}
        receipt = world.json("/v1/receipts", **asked)
        own = world.json("/v1/events", "activities", **asked)
        for said in (receipt, own):
            assert said["type"].removeprefix("vn.hocvuso.") == one.type, named
            assert (said["unit_id"], said["position"]) == (one.unit, one.position), named
            assert (said["status"], said["visible"]["reached"]) == ("visible", True), (named, said)
            assert said["reason"] != "not_yet" and said["why_not_known"] is None, (named, said)
            assert said["objectives"] or said["reason_text"], (named, said)
        if one.type not in NOT_A_ROW:
            assert receipt["occurred"] == happened(one), (named, receipt)
        page = world.get("/receipts", **asked)
        assert page.status_code == 200, named
        text = html.unescape(page.text)
        assert CATALOGUE[one.type].title_vi in text and one.event["id"] in text, named
        shown = date.fromisoformat(receipt["occurred"])
        assert f"{shown:%d/%m/%Y}" in text or f"{shown.day}/{shown.month}/{shown.year}" in text, (
            named
        )


def test_each_is_explained(world: World) -> None:
    positions = [one.position for one in world.posted]
    answer = world.client.post(
        world.stack.urls["metrics"] + "/v1/explanations", json={"positions": positions}
    )
    assert answer.status_code == 200, answer.text
    brief = {said["position"]: said for said in answer.json()["results"]}
    for one in world.posted:
        named = (one.type, one.kind)
        said = world.json(f"/v1/events/{one.position}", "metrics")
        assert said["state"] == brief[one.position]["state"], named
        assert said["type"] == one.type, named
        if one.type in NOT_A_ROW:
            continue
        assert said["state"] in DEFINITE, (named, said)
        assert said["unit_id"] == one.unit, named
        assert bool(said["objectives"]) == said["state"].startswith("counted"), (named, said)


def test_a_trace_prints_each(world: World) -> None:
    for one in world.posted:
        receipt = world.json("/v1/events", "activities", source=SOURCE, id=one.event["id"])
        why = world.json(f"/v1/events/{one.position}", "metrics")
        printed = "\n".join(describe(receipt, why))
        for words in (one.type, one.event["id"], SOURCE, one.unit, f"{one.position}"):
            assert words in printed, (one.type, one.kind, printed)
        assert "not yet" not in printed, printed


def counted(world: World) -> dict[tuple[str, str, str], list[Posted]]:
    """The events that count, by (plan, objective, unit)."""
    found: dict[tuple[str, str, str], list[Posted]] = {}
    for one in world.posted:
        if one.type in NOT_A_ROW:
            continue
        said = world.json(f"/v1/events/{one.position}", "metrics")
        for effect in said["objectives"]:
            if effect["counts"]:
                key = (effect["plan"], effect["objective"], effect["unit_id"])
                found.setdefault(key, []).append(one)
    return found


def test_evidence_and_differences_hold_what_counts(world: World) -> None:
    cells = counted(world)
    assert len(cells) > 40 and {one.kind for held in cells.values() for one in held} == set(UNITS)
    for (plan, objective, unit), held in cells.items():
        asked: dict[str, Any] = {"objective": objective, "unit": unit}
        evidence = f"/v1/plans/{plan}/evidence"
        rhythm = "bucket" in measure(world, plan, objective)
        if rhythm:
            asked["as_of"] = max(happened(one) for one in held)
        if world.json(evidence, **asked)["figure"] == "units":
            continue  # a share of units lists what the units hold that meet the threshold
        of_value = {row["id"] for row in world.pages(evidence, "events", **asked)}
        rows = {
            row["id"]: row
            for part in parts(world, plan, objective)
            for row in world.pages(evidence, "events", part=part, **asked)
        }
        page = world.get(f"/plans/{plan}/units/{unit}/objectives/{objective}")
        assert page.status_code == 200, (plan, objective, unit, page.status_code)
        text = html.unescape(page.text)
        for one in held:
            named = (plan, objective, one.type, one.kind)
            row = rows[one.event["id"]]
            assert row["type"] == one.type and row["occurred"] == happened(one), (named, row)
            assert row["unit_id"] == one.unit and row["source"] == SOURCE, (named, row)
            if one.event["id"] in of_value and not rhythm:
                assert one.event["id"] in text, (named, "the page of evidence")
        if plan != PLAN or rhythm:
            continue  # published within these positions; the rhythm's week or month is over
        asked |= {"from_position": world.before, "to_position": world.posted[-1].position}
        changes = [
            row
            for part in parts(world, plan, objective)
            for row in world.pages(f"/v1/plans/{plan}/changes", "events", part=part, **asked)
        ]
        new = {one.event["id"] for one in held if one.type not in ANSWERS}
        assert new <= {row["id"] for row in changes}, named


def measure(world: World, plan: str, objective: str) -> dict[str, Any]:
    """How the plan counts an objective."""
    if plan not in world.documents:
        world.documents[plan] = world.json(f"/v1/plans/{plan}")["document"]
    listed = world.documents[plan]["objectives"]
    return next(dict(o["measure"]) for o in listed if o["id"] == objective)


def parts(world: World, plan: str, objective: str) -> list[str]:
    """Of which parts of a share events are counted."""
    over = measure(world, plan, objective).get("over", {})
    return ["value", "denominator"] if "measure" in over else ["value"]


WORDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "feedback.received": ("/v1/plans/{plan}/feedback", ("feedback_ref", "text")),
    "inspection.held": ("/v1/plans/{plan}/inspections", ("inspection_ref", "inspector", "findings", "remedy", "document_ref")),
    "report.submitted": ("/v1/plans/{plan}/reports/final-report-2026/once", ("from_unit", "document_ref", "file_name")),
    "report.returned": ("/v1/plans/{plan}/reports/final-report-2026/once", ("remark",)),
    "report.progressed": ("/v1/plans/{plan}/documents/final-report-2026/once/life?unit={unit}", ("by", "remark", "document_ref", "file_name")),
    "report.requested": ("/v1/plans/{plan}/reports?obligation=final-report-2026&unit={unit}", ("request_ref",)),
    "task.progressed": ("/v1/plans/{plan}/tasks/v-3-integrate", ("done", "product", "document_ref", "difficulties")),
    "task.returned": ("/v1/plans/{plan}/tasks/v-3-integrate", ("reason",)),
    "population.declared": ("/v1/plans/{plan}/populations?unit={unit}", ("authority", "source_ref")),
    "ranking.published": ("/v1/plans/{plan}/ranking", ("document_ref",)),
    "plan.amended": ("/v1/plans/maximal-2026", ("document_ref", "reason")),
    "unit.established": ("/v1/units/29903/history", ("source_ref",)),
    "unit.attributed": ("/v1/units/29903/history", ("source_ref",)),
    "unit.renamed": ("/v1/units/29903/history", ("source_ref", "name_vi")),
    "unit.dissolved": ("/v1/units/29903/history", ("source_ref",)),
    "review.held": ("/v1/plans/{plan}/cold-spots?as_of=2026-11-03", ("decisions",)),
    "force.dispatched": ("/v1/plans/{plan}/cold-spots?as_of=2026-11-03&limit=200&objective=commune-classes", ("team",)),
}  # fmt: skip
"""Where the words of a type's maximal event are shown."""


@pytest.mark.parametrize("name", WORDS)
def test_its_words_stand_where_it_is_shown(world: World, name: str) -> None:
    (one,) = [p for p in world.posted if (p.type, p.kind) == (name, "maximal")]
    path, fields = WORDS[name]
    address, _, query = path.format(plan=PLAN, unit=one.unit).partition("?")
    answer = world.get(address, **dict(httpx.QueryParams(query)))
    assert answer.status_code == 200, answer.text
    for field in fields:
        assert one.event["data"][field] in answer.text, (field, answer.text[:3000])
