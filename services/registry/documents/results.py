"""Part II: the targets, with the number behind each. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.registry.documents.figures import Book, Figure, Section, Sentence, item, joined, say
from services.registry.documents.material import Json, Material
from services.registry.documents.nouns import (
    DOUBTED,
    beyond,
    is_limit,
    noun,
    population_vi,
    target_words,
    units_vi,
)
from services.registry.documents.standing import is_silent, standing_of
from services.registry.documents.wording import LEAST_SHARE, cut, number, quoted
from services.registry.tables.model import Bucket, Cell, Row, Table
from shared.contracts.live import of_process

GROUPS = (
    ("met", ("met",), "Các chỉ tiêu đã đạt"),
    ("on_track", ("on_track",), "Các chỉ tiêu đang đúng tiến độ"),
    ("behind", ("behind",), "Các chỉ tiêu chậm tiến độ"),
    ("overdue", ("overdue",), "Các chỉ tiêu đã hết thời hạn, chưa đạt"),
    ("exceeded", (), "Các chỉ tiêu vượt mức cho phép"),
    ("open", (), "Các chỉ tiêu chưa đánh giá được"),
)
"""Groups of targets by status; `exceeded`: numbers not to be exceeded that are; the last takes all
other statuses."""

WORDS = {"met": "đạt", "on_track": "đúng tiến độ", "behind": "chậm tiến độ", "overdue": "quá hạn, chưa đạt", "exceeded": "vượt mức cho phép", "open": "chưa đánh giá được"}  # fmt: skip
NOTHING = "chưa có số liệu"


@dataclass(frozen=True)
class Result:
    """One target in one row of the report's table; `change_vi` against the report before, empty
    where it cannot be told. `silent`: nobody has reported anything."""

    objective: str
    name_vi: str
    full_vi: str
    group: str
    target_vi: str
    done_vi: str
    ratio_vi: str
    change_vi: str
    judged_vi: str
    silent: bool
    figures: tuple[str, ...]


def group_of(cell: Cell) -> str:
    """The group of a cell; what passes its limit is not slow, whatever the day."""
    found = next((name for name, statuses, _ in GROUPS if cell.status in statuses), "open")
    return "exceeded" if is_limit(cell) and found in ("behind", "overdue") else found


def results(book: Book, material: Material) -> tuple[Section, list[Result]]:
    """The table's rows and the sentences of every group."""
    section = Section("results", "Kết quả thực hiện các chỉ tiêu")
    table, rows = material.table, []
    own = table.whole if table is not None else None
    by_group: dict[str, list[Sentence]] = {name: [] for name, _, _ in GROUPS}
    for objective in material.objectives:
        cell = own.cells.get(objective["id"]) if own else None
        if cell is None or table is None:
            continue
        row, sentence = _objective(book, material, table, objective, cell)
        rows.append(row)
        if sentence is not None:
            by_group[row.group].append(sentence)
    silent = [row for row in rows if row.silent]
    if len(silent) == len(rows):
        section.sentences.append(_nothing(book, material, rows))
        return section, rows
    if len(rows) > 1:
        section.sentences.append(_summary(book, rows))
    if silent:
        by_group["open"].append(_silent(book, silent))
    for name, _, title in GROUPS:
        if by_group[name]:
            section.parts.append(Section(name, title, by_group[name]))
    return section, rows


def _nothing(book: Book, material: Material, rows: Sequence[Result]) -> Sentence:
    fields = {"day": book.day("as_of", material.as_of)}
    text = "Đến hết ngày {day}, hệ thống chưa có số liệu về các chỉ tiêu thuộc phạm vi báo cáo này"
    if rows:
        fields["n"] = book.count("results.silent", len(rows))
        text = "Đến hết ngày {day}, chưa có đơn vị nào gửi số liệu về {n} chỉ tiêu thuộc phạm vi báo cáo này"
    return say("results.nothing", f"{text}; chưa có căn cứ để đánh giá kết quả.", **fields)


def _silent(book: Book, rows: Sequence[Result]) -> Sentence:
    fields = {
        "n": book.count("results.silent", len(rows)),
        "names": book.named(
            "results.silent_names",
            [r.objective for r in rows],
            [r.full_vi for r in rows],
            "; ".join(quoted(r.name_vi) for r in rows),
        ),
    }
    text = "Chưa có đơn vị nào gửi số liệu về {n} chỉ tiêu: {names}."
    return item("results.silent", text, **fields)


def _summary(book: Book, rows: Sequence[Result]) -> Sentence:
    counts = {name: sum(r.group == name for r in rows) for name, _, _ in GROUPS}
    fields: dict[str, Figure] = {"all": book.count("results.all", len(rows))}
    parts = []
    for name, _, _ in GROUPS:
        if counts[name]:
            fields[name] = book.count(f"results.{name}", counts[name])
            parts.append(f"{{{name}}} chỉ tiêu {WORDS[name]}")
    return say("results.summary", f"Trong {{all}} chỉ tiêu: {', '.join(parts)}.", **fields)


def _objective(
    book: Book, material: Material, table: Table, objective: Json, cell: Cell
) -> tuple[Result, Sentence | None]:
    id, judged = objective["id"], cell.judged()
    key, full = f"objective.{id}", objective["text_vi"]
    group = group_of(cell)
    value, denominator = (judged.value, judged.denominator) if judged else (None, None)
    silent = is_silent(cell)
    previous = None if silent else _value_before(material, id)
    change = None if value is None or previous is None else value - previous
    aim = target_words(objective, cell)
    fields: dict[str, Figure] = {
        "name": book.named(f"{key}.name", [id], [full], quoted(cut(full))),
        "target": book.words(f"{key}.target", aim),
    }
    if value is not None and not silent:
        fields["value"] = book.count(f"{key}.value", value)
        if denominator:
            fields["denominator"] = book.count(f"{key}.denominator", denominator)
            fields["ratio"] = book.share(f"{key}.ratio", value, denominator)
    if change is not None:
        fields["change"] = book.count(f"{key}.change", abs(change))
    shown = NOTHING
    if "value" in fields:
        shown = f"{number(value)}/{number(denominator)}" if denominator else number(value)
    row = Result(
        id, cut(full), full, group, aim, shown,
        fields["ratio"].text if "ratio" in fields else "",
        "" if change is None else f"{'+' if change > 0 else '-' if change else ''}{number(abs(change))}",
        f"{WORDS[group][:1].upper()}{WORDS[group][1:]}{_doubt(objective, judged, silent=silent)}",
        silent,
        tuple(f.key for f in fields.values()),
    )  # fmt: skip
    if judged is None or "value" not in fields:
        return row, None
    what = noun(objective, cell)
    said = [_result(book, objective, cell, judged, what, fields)]
    if change is not None and material.before_day is not None:
        before = book.day("before_day", material.before_day)
        said.append(_change(key, change, what, fields, before))
    said += standing_of(book, table, objective, units_vi(table))
    return row, joined(f"{key}.result", said, bullet=True)


def _doubt(objective: Json, judged: Cell | Bucket | None, *, silent: bool) -> str:
    found = beyond(objective, judged) if judged is not None and not silent else ""
    return "; cần kiểm tra số liệu" if found == DOUBTED else ""


def _result(
    book: Book,
    objective: Json,
    cell: Cell,
    judged: Cell | Bucket,
    what: str,
    fields: dict[str, Figure],
) -> Sentence:
    key = f"objective.{objective['id']}"
    used = {"name": fields["name"], "value": fields["value"], "target": fields["target"]}
    text = "{name} (chỉ tiêu {target}): " if fields["target"].text else "{name}: "
    if isinstance(judged, Bucket):
        used["start"] = book.day(f"{key}.start", judged.start)
        used["end"] = book.day(f"{key}.end", judged.end)
        text += "từ ngày {start} đến ngày {end} "
    noun_ = f" {what}" if what else ""
    if "ratio" in fields:
        text += "thực hiện {value}/{denominator}" + noun_
        text += ", {ratio}" if fields["ratio"].text == LEAST_SHARE else ", bằng {ratio}"
        used |= {"denominator": fields["denominator"], "ratio": fields["ratio"]}
        more = beyond(objective, judged)
        if more:
            said = "số đếm lớn hơn số liệu nền, cần kiểm tra" if more == DOUBTED else more
            text += " ({beyond})"
            used["beyond"] = book.words(f"{key}.beyond", said)
    else:
        text += "thực hiện {value}" + noun_
        nothing = judged.denominator == 0
        if nothing or "denominator_missing" in cell.flags:
            who = population_vi(objective, of_process().words.enums["population"])
            text += "; chưa tính được tỷ lệ vì "
            text += "số liệu nền bằng {nothing}" if nothing else "chưa có số liệu nền"
            if nothing:
                used["nothing"] = book.count(f"{key}.denominator", 0)
            if who:
                text += " ({who})"
                used["who"] = book.words(f"{key}.population", who)
    missed = _missed(judged, limit=is_limit(cell))
    if missed:
        name, words = ("over", "vượt mức cho phép") if is_limit(cell) else ("lack", "còn thiếu")
        text += f"; {words} {{{name}}}{noun_}"
        used[name] = book.count(f"{key}.{name}", missed)
    if cell.last_day is not None and cell.status == "overdue":
        text += "; thời hạn hết ngày {last_day}"
        used["last_day"] = book.day(f"{key}.last_day", cell.last_day)
    elif cell.met and cell.met_on_time is False:
        text += "; đạt sau thời hạn"
    return say(f"{key}.value", f"{text}.", **used)


def _missed(judged: Cell | Bucket, *, limit: bool) -> int:
    """How many lack to what is required, of a limit how many are too many; 0: no such number is said."""
    if judged.met is not False or judged.required is None or judged.value is None:
        return 0
    over = judged.value - judged.required
    return max(over if limit else -over, 0)


def _change(key: str, change: int, what: str, fields: dict[str, Figure], day: Figure) -> Sentence:
    used = {"change": fields["change"], "day": day}
    if change == 0:
        text = "Không thay đổi so với kỳ báo cáo trước (ngày {day})."
        return say(f"{key}.change", text, **used)
    word = "Tăng" if change > 0 else "Giảm"
    noun_ = f" {what}" if what else ""
    text = f"{word} {{change}}{noun_} so với kỳ báo cáo trước (ngày {{day}})."
    return say(f"{key}.change", text, **used)


def _value_before(material: Material, objective: str) -> int | None:
    table = material.before
    row: Row | None = table.whole if table is not None else None
    cell = row.cells.get(objective) if row else None
    judged = cell.judged() if cell is not None and not is_silent(cell) else None
    return judged.value if judged is not None else None
