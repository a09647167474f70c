"""Part V: what hinders, and what the numbers do not know. Pure."""

from collections.abc import Sequence

from services.registry.documents.figures import Book, Section, Sentence, item
from services.registry.documents.material import Material
from services.registry.documents.nouns import population_vi, units_vi
from services.registry.documents.occasion import expanded
from services.registry.documents.results import Result
from services.registry.documents.standing import MOST, silent_units
from services.registry.documents.wording import cut, listed
from services.registry.documents.work import works
from services.registry.plans.bodies import Body
from services.registry.progress.doubts import doubts
from services.registry.reports.ledger import Entry
from services.registry.tables.model import Table
from shared.contracts.live import of_process

MISSING = ("denominator_missing", "denominator_undeclared")
DOUBT_WORDS = {
    "exceeds_denominator": "số đếm lớn hơn số liệu nền",
    "denominator_partial": "số liệu nền chưa đủ",
    "hamlets_incomplete": "danh sách thôn, buôn chưa đủ",
    "parked": "còn hoạt động chờ xử lý",
    "amendment_refused": "có điều chỉnh Kế hoạch không áp dụng được",
}


def difficulties(book: Book, material: Material, rows: Sequence[Result] = ()) -> Section:
    """What is late, difficulties raised, silent units, missing denominators, late data, doubts."""
    section = Section("difficulties", "Tồn tại, khó khăn, vướng mắc")
    raised = [*_raised(book, material), *_reported(book, material)]
    if not raised:
        day = book.day("as_of", material.as_of)
        text = "Đến hết ngày {day}, hệ thống chưa nhận được phản ánh khó khăn, vướng mắc nào."
        raised = [item("difficulties.none", text, day=day)]
    section.sentences = [*_lagging(book, material, rows), *raised, *_missing(book, material)]
    table = material.table
    if table is not None:
        section.sentences += _silent(book, material, table)
        section.sentences += _denominators(book, material, table)
        section.sentences += _doubtful(book, material, table)
    section.sentences += _late(book, material)
    return section


def _lagging(book: Book, material: Material, rows: Sequence[Result]) -> list[Sentence]:
    """What is late of what the parts above tell."""
    found = {
        "behind": (sum(r.group == "behind" for r in rows), "chỉ tiêu chậm tiến độ"),
        "overdue": (sum(r.group == "overdue" for r in rows), "chỉ tiêu quá hạn"),
        "exceeded": (sum(r.group == "exceeded" for r in rows), "chỉ tiêu vượt mức cho phép"),
    }
    fields, parts = {}, []
    told = material.duty["kind"] not in ("data_extract", "inspection", "supervision", "monitoring")
    for name, (n, words) in found.items():
        if n:
            fields[name] = book.count(f"results.{name}", n)
            parts.append(f"{{{name}}} {words}")
    for state, words in (("overdue", "nhiệm vụ quá hạn"), ("blocked", "nhiệm vụ vướng mắc")):
        n = sum(w.state == state for w in works(material)) if rows and told else 0
        if n:
            fields[f"task_{state}"] = book.count(f"tasks.{state}", n)
            parts.append(f"{{task_{state}}} {words}")
    if not parts:
        return []
    return [item("difficulties.lagging", f"Còn {listed(parts)}.", **fields)]


def _missing(book: Book, material: Material) -> list[Sentence]:
    """Whose reports for the period have not come."""
    entries = material.reports.entries if material.reports else []
    owed = [e for e in entries if e.debtor.listed]
    gone = [e for e in owed if e.state in ("missing", "not_received", "returned")]
    if not gone:
        return []
    fields = {
        "n": book.count("reports.missing", len(gone)),
        "all": book.count("reports.owed", len(owed)),
        "names": book.units(
            "reports.missing_bodies",
            [e.debtor.id for e in gone],
            [expanded(e.debtor.name_vi) for e in gone],
            "Đơn vị chưa gửi báo cáo",
        ),
    }
    text = "{n}/{all} đơn vị chưa gửi báo cáo của kỳ"
    if len(gone) == len(owed) > MOST:
        text = "Tất cả {all} đơn vị chưa gửi báo cáo của kỳ"
    text += ": {names}." if len(gone) <= MOST else " (danh sách tại Phụ lục II)."
    return [item("reports.missing", text, **fields)]


def _raised(book: Book, material: Material) -> list[Sentence]:
    found = []
    for fact in material.issues:
        if fact.data.get("kind") == "proposal" or fact.data.get("status") in (
            "resolved",
            "rejected",
        ):
            continue
        key = f"issue.{fact.origin}"
        fields = {
            "who": book.units(f"{key}.unit", [fact.unit_id], [material.name_of(fact.unit_id)]),
            "day": book.day(f"{key}.day", fact.occurred),
            "text": book.words(f"{key}.text", str(fact.data["text"]).strip().rstrip(".")),
        }
        found.append(item(key, "{who} phản ánh (ngày {day}): {text}.", **fields))
    return found


def _reported(book: Book, material: Material) -> list[Sentence]:
    """Difficulties of the reports that subordinates handed in for the period; what several report in
    the same words is said once."""
    entries: Sequence[Entry] = material.reports.entries if material.reports else ()
    said: dict[str, list[Body]] = {}
    for entry in entries:
        text = entry.reports[-1].data.get("difficulties") if entry.reports else None
        if text and entry.state != "returned" and entry.debtor.id != material.author.id:
            said.setdefault(str(text).strip().rstrip("."), []).append(entry.debtor)
    found = []
    for number, (text, bodies) in enumerate(said.items()):
        key = f"report.difficulties.{number}"
        names = [expanded(b.name_vi) for b in bodies]
        title = f"Đơn vị báo cáo: {cut(text)}"
        fields = {
            "n": book.count(f"{key}.number", len(bodies)),
            "who": book.units(f"{key}.bodies", [b.id for b in bodies], names, title),
            "text": book.words(key, text),
        }
        who = "{n} đơn vị (danh sách tại Phụ lục II)" if len(bodies) > MOST else "{who}"
        found.append(item(key, who + " báo cáo: {text}.", **fields))
    return found


def _silent(book: Book, material: Material, table: Table) -> list[Sentence]:
    rows = silent_units(table, [o["id"] for o in material.objectives])
    if not rows:
        return []
    compared = [r for r in table.rows if r.unit_id != table.unit_id]
    fields = {
        "n": book.count("silent.number", len(rows)),
        "all": book.count("units.all", len(compared)),
        "names": book.units(
            "silent.units", [r.unit_id for r in rows], [r.name_vi for r in rows], "Đơn vị chưa gửi số liệu"
        ),
    }  # fmt: skip
    what = "chưa gửi số liệu nào về các chỉ tiêu của báo cáo"
    if len(rows) == len(compared) > MOST:
        text = f"Tất cả {{all}} {units_vi(table)} {what}."
    else:
        text = f"{{n}}/{{all}} {units_vi(table)} {what}"
        text += ": {names}." if len(rows) <= MOST else " (danh sách tại Phụ lục II)."
    return [item("silent", text, **fields)]


def _denominators(book: Book, material: Material, table: Table) -> list[Sentence]:
    """Populations that nobody has declared, by the units that they lack for."""
    names = of_process().words.enums["population"]
    owed: dict[str, dict[str, str]] = {}
    rows = [r for r in table.rows if r.unit_id != table.unit_id]
    for row in rows or ([table.whole] if table.whole else []):
        for objective in material.objectives:
            cell = row.cells.get(objective["id"])
            who = population_vi(objective, names)
            if cell is not None and who and {*MISSING} & {*cell.flags}:
                owed.setdefault(who, {})[row.unit_id] = row.name_vi
    groups: dict[tuple[str, ...], list[str]] = {}
    for who, units in sorted(owed.items()):
        groups.setdefault(tuple(units), []).append(who)
    found = []
    for number, (ids, whose) in enumerate(groups.items()):
        key, what = f"denominator.{number}", "; ".join(whose)
        fields = {
            "who": book.words(f"{key}.population", what),
            "n": book.count(f"{key}.number", len(ids)),
            "names": book.units(
                f"{key}.units", ids, [owed[whose[0]][id] for id in ids], f"Đơn vị chưa có số liệu nền về {what}"
            ),
        }  # fmt: skip
        if len(ids) == len(rows) > MOST:
            of = f"tất cả {{n}} {units_vi(table)}"
        else:
            of = "{names}" if len(ids) <= MOST else f"{{n}} {units_vi(table)} (danh sách tại Phụ lục II)"  # fmt: skip
        text = f"Chưa tính được tỷ lệ vì chưa có số liệu nền của {of} về: {{who}}."
        found.append(item(key, text, **fields))
    return found


def _doubtful(book: Book, material: Material, table: Table) -> list[Sentence]:
    wanted = {o["id"] for o in material.objectives}
    by_flag: dict[str, dict[str, str]] = {}
    for one in doubts(table):
        if one["objective"] in wanted:
            for flag in one["flags"]:
                by_flag.setdefault(flag, {})[one["unit_id"]] = one["name_vi"]
    found = []
    for flag, units in by_flag.items():
        key = f"doubt.{flag}"
        title = f"Số liệu cần kiểm tra ({DOUBT_WORDS[flag]})"
        fields = {
            "n": book.count(f"{key}.number", len(units)),
            "names": book.units(f"{key}.units", list(units), list(units.values()), title),
            "word": book.words(f"{key}.word", DOUBT_WORDS[flag]),
        }
        text = "Số liệu cần kiểm tra ({word}): "
        text += "{names}." if len(units) <= MOST else "{n} đơn vị (danh sách tại Phụ lục II)."
        found.append(item(key, text, **fields))
    return found


def _late(book: Book, material: Material) -> list[Sentence]:
    if not material.late:
        return []
    total = sum(one.events for one in material.late)
    fields = {
        "n": book.count("late.events", total),
        "units": book.count("late.number", len(material.late)),
        "names": book.units(
            "late.units",
            [o.unit_id for o in material.late],
            [o.name_vi for o in material.late],
            "Đơn vị gửi số liệu muộn",
        ),
    }
    text = "{n} hoạt động trong kỳ được gửi muộn hơn 7 ngày sau khi diễn ra, của "
    text += "{names}." if len(material.late) <= MOST else "{units} đơn vị (danh sách tại Phụ lục II)."  # fmt: skip
    return [item("late", text, **fields)]
