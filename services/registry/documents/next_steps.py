"""Part VI: what comes next and what is asked for, from what is late, behind or missing. Pure."""

from collections.abc import Sequence
from datetime import timedelta

from services.registry.documents.difficulties import MISSING
from services.registry.documents.figures import Book, Figure, Section, Sentence, item
from services.registry.documents.material import Material
from services.registry.documents.nouns import population_vi, units_vi
from services.registry.documents.results import Result
from services.registry.documents.standing import silent_units
from services.registry.documents.wording import cut, quoted
from services.registry.documents.work import works
from shared.contracts.live import of_process

AHEAD = timedelta(days=92)
"""How far ahead the work of the next period is looked for."""
NO_WORK = frozenset({"inspection", "supervision", "feedback", "data_extract"})
"""Duties whose reports give nobody work."""
FEW = 3
"""How many late things are named again."""


def next_steps(book: Book, material: Material, rows: Sequence[Result]) -> Section:
    """Work of the next period, then proposals; a part with nothing to say is left out."""
    section = Section("next", "Nhiệm vụ trọng tâm kỳ tới; kiến nghị, đề xuất")
    todo: list[Sentence] = []
    if material.duty["kind"] not in NO_WORK and material.duty["event"] != "issue.raised":
        todo = [*_targets(book, rows), *_tasks(book, material), *_silent(book, material)]
    if todo:
        section.parts.append(Section("todo", "Nhiệm vụ trọng tâm", todo))
    asked = [*_proposals(book, material), *_populations(book, material)]
    if asked:
        section.parts.append(Section("asked", "Kiến nghị, đề xuất", asked))
    return section


def _targets(book: Book, rows: Sequence[Result]) -> list[Sentence]:
    lagging = [r for r in rows if r.group in ("behind", "overdue")]
    over = [r for r in rows if r.group == "exceeded"]
    said = []
    for name, found, words in (
        ("target", lagging, "Tập trung thực hiện {n}chỉ tiêu chậm tiến độ, quá hạn{names}."),
        ("limit", over, "Có biện pháp đưa {n}chỉ tiêu về trong mức cho phép{names}."),
    ):
        if found:
            fields = {
                "n": book.count(f"next.{name}s", len(found)),
                "names": _listed(book, f"next.{name}_names", [quoted(cut(r.full_vi)) for r in found]),
            }  # fmt: skip
            text = words.replace("{n}", "{n} " if len(found) > 1 else "")
            said.append(item(f"next.{name}s", text, **fields))
    return said


def _tasks(book: Book, material: Material) -> list[Sentence]:
    found = works(material)
    until = material.as_of + AHEAD
    late = [w for w in found if w.state in ("overdue", "blocked")]
    coming = [
        w
        for w in found
        if w.state in ("not_started", "in_progress")
        and (last := w.standing.last_day) is not None
        and material.as_of < last <= until
    ]
    said = []
    if late:
        fields: dict[str, Figure] = {
            "n": book.count("next.late", len(late)),
            "names": _listed(book, "next.late_names", [cut(w.title_vi, 120) for w in late]),
        }
        text = "Hoàn thành dứt điểm {n} nhiệm vụ quá hạn, vướng mắc{names}."
        if len(late) == 1:
            text = "Hoàn thành dứt điểm nhiệm vụ quá hạn, vướng mắc{names}."
        said.append(item("next.late", text, **fields))
    if coming:
        fields = {
            "n": book.count("next.coming", len(coming)),
            "until": book.day("next.until", until),
            "names": _listed(
                book, "next.coming_names", [cut(w.title_vi, 120) for w in coming], " theo Kế hoạch"
            ),
        }
        text = "Thực hiện {n} nhiệm vụ đến hạn từ nay đến hết ngày {until}{names}."
        said.append(item("next.coming", text, **fields))
    return said


def _listed(book: Book, key: str, names: Sequence[str], many: str = " nêu trên") -> Figure:
    """A few by name; many are named elsewhere, as `many` says."""
    return book.words(key, f": {'; '.join(names)}" if len(names) <= FEW else many)


def _silent(book: Book, material: Material) -> list[Sentence]:
    table = material.table
    rows = silent_units(table, [o["id"] for o in material.objectives]) if table else []
    if not rows:
        return []
    n = book.count("silent.number", len(rows))
    text = f"Đôn đốc {{n}} {units_vi(table)} chưa gửi số liệu."
    return [item("next.silent", text, n=n)]


def _proposals(book: Book, material: Material) -> list[Sentence]:
    found = []
    for fact in material.issues:
        if fact.data.get("kind") != "proposal" or fact.data.get("status") in (
            "resolved",
            "rejected",
        ):
            continue
        key = f"issue.{fact.origin}"
        fields = {
            "who": book.units(f"{key}.unit", [fact.unit_id], [material.name_of(fact.unit_id)]),
            "text": book.words(f"{key}.text", str(fact.data["text"]).strip().rstrip(".")),
        }
        found.append(item(key, "{who} kiến nghị: {text}.", **fields))
    return found


def _populations(book: Book, material: Material) -> list[Sentence]:
    table, names = material.table, of_process().words.enums["population"]
    rows = [*([table.whole] if table and table.whole else []), *(table.rows if table else [])]
    who = {
        population_vi(o, names)
        for o in material.objectives
        for row in rows
        if (cell := row.cells.get(o["id"])) is not None and {*MISSING} & {*cell.flags}
    }
    if not who - {""}:
        return []
    listed = book.words("next.populations", "; ".join(sorted(who - {""})))
    text = "Đề nghị cơ quan có thẩm quyền công bố số liệu nền để tính tỷ lệ: {listed}."
    return [item("next.populations", text, listed=listed)]
