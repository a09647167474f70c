"""Units best and last in one target, and those that say nothing. Pure.

A unit that has reported nothing is no last one: nobody knows its number. It is named as silent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from services.registry.documents.figures import Book, Figure, Sentence, say
from services.registry.documents.material import Json
from services.registry.documents.nouns import beyond, is_limit
from services.registry.documents.wording import cut, number, quoted, share, unit_vi
from services.registry.tables.model import Cell, Row, Table

NAMED = 3
"""How many units are named at each end."""
MOST = 10
"""How many units one sentence names; more are listed in the appendix, each by name."""


@dataclass(frozen=True)
class Ranked:
    """A unit with its share of what is required of it."""

    row: Row
    share: Fraction
    text: str


def ranked(table: Table, objective: Json) -> list[Ranked]:
    """The units that can be compared in an objective, best first, then by name."""
    found = []
    for row in table.rows:
        cell = row.cells.get(objective["id"])
        judged = cell.judged() if cell is not None and row.unit_id != table.unit_id else None
        if cell is None or judged is None or judged.value is None or is_silent(cell):
            continue
        if judged.denominator:
            text = share(judged.value, judged.denominator)
            more = beyond(objective, judged)
            text += f", {more}" if more else ""
            found.append(Ranked(row, Fraction(judged.value, judged.denominator), text))
        elif judged.required and not _by_share(cell):
            text = f"{number(judged.value)}/{number(judged.required)}"
            found.append(Ranked(row, Fraction(judged.value, judged.required), text))
    return sorted(found, key=lambda r: (-r.share, r.row.name_vi, r.row.unit_id))


def _by_share(cell: Cell) -> bool:
    return "denominator_missing" in cell.flags


def is_silent(cell: Cell) -> bool:
    """Whether a cell counts 0 because nobody has reported anything."""
    return cell.value == 0 and "nothing_reported" in cell.flags


def silent_units(table: Table, objectives: Sequence[str]) -> list[Row]:
    """Units that have reported nothing to any of the objectives that apply to them."""
    found = []
    for row in table.rows:
        cells = [row.cells[name] for name in objectives if name in row.cells]
        if row.unit_id != table.unit_id and cells and all(map(is_silent, cells)):
            found.append(row)
    return found


def standing_of(book: Book, table: Table, objective: Json, units: str) -> list[Sentence]:
    """The best and the last, each with its number; nothing where fewer than two can be compared or
    all are alike."""
    target = objective["target"]
    if target["unit"] == "count" and not target.get("per"):
        return []  # one number for the whole plan: no unit owes a share of it
    key = f"objective.{objective['id']}"
    limited = _limited(table, objective["id"])
    if limited:
        over = [row for row, cell in limited if _is_over(cell)]
        return [_exceeding(book, key, over, units, objective)] if over else []
    order = ranked(table, objective)
    if len(order) < 2 or order[0].share == order[-1].share:
        return []
    if _once_each(table, objective["id"]):
        waiting = [r for r in order if r.share < 1]
        name = quoted(cut(objective["text_vi"]))
        return [_not_yet(book, key, waiting, units, name)] if waiting else []
    best = [r for r in order if r.share == order[0].share]
    last = [r for r in order if r.share == order[-1].share]
    head = best if len(best) > NAMED else order[: min(NAMED, len(order) // 2 or 1)]
    tail = last if len(last) > NAMED else order[-min(NAMED, len(order) // 2 or 1) :][::-1]
    parts: list[str] = []
    used: dict[str, Figure] = {}
    for name, word, found, same in (
        ("best", "Cao nhất", head, len(best) > NAMED),
        ("last", "thấp nhất", tail, len(last) > NAMED),
    ):
        text, figures = _named(book, f"{key}.{name}", word, found, units, same=same)
        parts.append(text)
        used |= {f"{name}_{field}": figure for field, figure in figures.items()}
    return [say(f"{key}.standing", f"{'; '.join(parts)}.", **used)]


def _once_each(table: Table, objective: str) -> bool:
    """Whether each unit does it once: there is no better or worse, only done and not yet."""
    cells = [c for row in table.rows if (c := row.cells.get(objective)) is not None]
    return all(c.denominator is None and c.required == 1 for c in cells)


def _limited(table: Table, objective: str) -> list[tuple[Row, Cell]]:
    """The units whose number must not pass something; none of them is best or last."""
    rows = [r for r in table.rows if r.unit_id != table.unit_id and objective in r.cells]
    return [(r, r.cells[objective]) for r in rows if is_limit(r.cells[objective])]


def _is_over(cell: Cell) -> bool:
    judged = cell.judged()
    return judged is not None and judged.met is False


def _exceeding(book: Book, key: str, found: Sequence[Row], units: str, objective: Json) -> Sentence:
    n = book.count(f"{key}.exceeding_number", len(found))
    title = f"Đơn vị vượt mức cho phép: {quoted(cut(objective['text_vi']))}"
    listed = book.units(f"{key}.exceeding", [r.unit_id for r in found], [r.name_vi for r in found], title)  # fmt: skip
    many = len(found) > MOST
    text = f"Có {{n}} {units} vượt mức cho phép" + (" (danh sách tại Phụ lục II)." if many else ": {listed}.")  # fmt: skip
    return say(f"{key}.standing", text, n=n, listed=listed)


def _not_yet(book: Book, key: str, found: Sequence[Ranked], units: str, name: str) -> Sentence:
    n = book.count(f"{key}.not_yet_number", len(found))
    names = [r.row.name_vi for r in found]
    title = f"Đơn vị chưa thực hiện: {name}"
    listed = book.units(f"{key}.not_yet", [r.row.unit_id for r in found], names, title)
    if len(found) > MOST:
        text = f"Còn {{n}} {units} chưa thực hiện (danh sách tại Phụ lục II)."
    else:
        text = f"Còn {{n}} {units} chưa thực hiện: {{listed}}."
    return say(f"{key}.standing", text, n=n, listed=listed)


def _named(
    book: Book, key: str, word: str, found: Sequence[Ranked], units: str, *, same: bool
) -> tuple[str, dict[str, Figure]]:
    name = key.rpartition(".")[2]
    ids = [r.row.unit_id for r in found]
    if same:
        n = book.count(f"{key}.number", len(found))
        share = book.words(f"{key}.share", found[0].text)
        listed = book.units(key, ids, [r.row.name_vi for r in found])
        text = f"{word}: {{{name}_n}} {units} cùng ở mức {{{name}_share}}"
        return text, {"n": n, "share": share, "ids": listed}
    names = [r.row.name_vi for r in found]
    text = ", ".join(f"{unit_vi(r.row.name_vi)} ({r.text})" for r in found)
    listed = book.named(key, ids, names, text)
    return f"{word}: {{{name}_ids}}", {"ids": listed}
