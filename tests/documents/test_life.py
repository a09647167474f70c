"""The life of a report from its events, and what of it flows into drafts; without a database."""

import itertools
from dataclasses import replace
from datetime import date
from typing import Any

from services.registry.documents.compose import compose
from services.registry.documents.life import fold
from services.registry.documents.word import to_docx
from services.registry.journal.store import Fact
from services.registry.plans.bodies import Body
from services.registry.reports.ledger import Entry, Filled
from tests.documents.reading import every_number_is_a_figure
from tests.documents.scenes import Scene, material

GATHERS = Scene("gia-lai-2026", "quarterly-consolidation", "2026-Q2", "so-khcn", date(2026, 6, 14), "good")  # fmt: skip
_positions = itertools.count(1)


def fact(step: str, type: str = "report.progressed", **data: Any) -> Fact:
    at = next(_positions)
    said = {"plan": "p", "obligation": "o", "period": "q", **data}
    if type == "report.progressed":
        said |= {"step": step, "by": "xã"}
    day = date(2026, 6, 15)
    return Fact(at, at, type, "23563@2025", day, day, "https://x.example", f"e-{at}", said)


def submitted() -> Fact:
    return fact("", "report.submitted", submitted_at="2026-06-15T00:00:00+07:00")


def returned() -> Fact:
    return fact("", "report.returned", remark="Thiếu")


def test_a_report_nobody_has_touched() -> None:
    life = fold([])
    assert (life.state, life.open, life.standing, life.edits) == ("draft", True, None, {})


def test_each_step_and_what_it_closes() -> None:
    facts: list[Fact] = []
    for made, state, open_ in (
        (fact("edited", edits={"a": "một", "b": "hai"}), "edited", True),
        (fact("reviewed"), "reviewed", True),
        (fact("edited", edits={"b": None}), "edited", True),
        (fact("reviewed"), "reviewed", True),
        (fact("confirmed", figures_sha256="f"), "confirmed", False),
        (fact("numbered", document_ref="1"), "numbered", False),
        (fact("signed", file_sha256="s"), "signed", False),
        (submitted(), "submitted", False),
        (returned(), "returned", True),
    ):
        facts.append(made)
        life = fold(facts)
        assert (life.state, life.open) == (state, open_), made
    assert life.edits == {"a": "một"} and life.edited_at.keys() == {"a", "b"}
    assert [s.step for s in life.history][-2:] == ["submitted", "returned"]
    assert life.standing is None


def test_only_the_first_confirmation_of_a_round_holds() -> None:
    life = fold([fact("confirmed", figures_sha256="1"), fact("confirmed", figures_sha256="2")])
    assert life.now.confirmed is not None
    assert life.now.confirmed.data["figures_sha256"] == "1" and len(life.history) == 2


def test_what_is_edited_after_the_confirmation_changes_nothing() -> None:
    life = fold([fact("confirmed"), fact("edited", edits={"a": "muộn"}), fact("reviewed")])
    assert (life.state, life.edits, life.now.reviewed) == ("confirmed", {}, None)


def test_a_later_submission_supersedes_the_earlier_one() -> None:
    first = [fact("edited", edits={"a": "một"}), fact("confirmed"), submitted()]
    life = fold([*first, fact("reopened", remark="Sai số")])
    assert (life.state, life.open, life.edits) == ("draft", True, {"a": "một"})
    assert life.standing is life.rounds[0] and not life.superseded(life.rounds[0])
    life = fold([*first, fact("reopened"), fact("confirmed"), submitted()])
    assert [life.superseded(r) for r in life.rounds] == [True, False]
    assert life.standing is life.rounds[1]
    # Also one that came without any step: handed in from elsewhere.
    life = fold([submitted(), submitted()])
    assert [life.superseded(r) for r in life.rounds] == [True, False]


def test_who_took_a_step_is_a_name_and_no_address_of_a_system() -> None:
    ward = Body("23563@2025", "Phường Diên Hồng", "23563@2025")
    facts = [
        fact("reviewed"),
        submitted(),
        fact("", "report.submitted", from_unit=ward.id, reporter=ward.id),
        fact("", "report.submitted", from_unit="Văn phòng phường"),
        returned(),
        fact("", "report.returned", by="Sở Nội vụ"),
    ]
    assert [s.by for s in fold(facts, ward).history] == [
        "xã", "Phường Diên Hồng", "Phường Diên Hồng", "Văn phòng phường", "Cấp trên", "Sở Nội vụ",
    ]  # fmt: skip


def with_figures(scene: Scene, figures: list[dict[str, Any]]) -> Any:
    """The material with the totals of the first units' reports."""
    found = material(scene)
    assert found.reports is not None
    entries: list[Entry] = []
    left = list(figures)
    for entry in found.reports.entries:
        if entry.debtor.unit_id and entry.reports and left:
            newest = entry.reports[-1]
            data = newest.data | {"figures": left.pop(0)}
            entry = replace(entry, reports=[replace(newest, data=data)])
        entries.append(entry)
    assert not left
    return replace(found, reports=Filled(found.reports.period, entries, []))


def test_figures_of_subordinate_reports_flow_into_the_superiors_draft() -> None:
    one = material(GATHERS)
    objective = one.objectives[0]["id"]
    assert one.table is not None and one.table.whole is not None
    whole = one.table.whole.cells[objective]
    draft = compose(with_figures(GATHERS, [{objective: 1200}, {objective: 34}, {"other": 5}]))
    said = {s.key: s.text for s in draft.sentences() if s.key.startswith("reported.")}
    assert said.keys() == {f"reported.{objective}"}
    assert "cộng 1.234" in said[f"reported.{objective}"] and "2/" in said[f"reported.{objective}"]
    assert draft.figures[f"reported.{objective}.counted"].value == whole.value
    every_number_is_a_figure(draft)
    # What a unit sent back, or never sent, counts for nothing.
    assert not any(s.key.startswith("reported.") for s in compose(material(GATHERS)).sentences())


def test_edits_are_kept_when_the_draft_is_composed_again() -> None:
    one = replace(GATHERS, period="2026-Q2")
    first = compose(material(one)).opening[0]
    text = "Câu của “Xã, Phường & Thị trấn”, sửa <tay>."
    import io

    from docx import Document

    for state in ("good", "bad", "empty"):
        content = to_docx(compose(material(replace(one, state=state))), edits={first.key: text})
        assert text in [p.text for p in Document(io.BytesIO(content)).paragraphs]
