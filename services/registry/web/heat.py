"""The wide table of units and objectives: what a cell says in a few characters, its rows as markup made once
for each state of a table, their order and their choice. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from markupsafe import Markup

from services.registry.tables.model import Cell, Row, Table
from services.registry.web.language import gettext, number, percent
from services.registry.web.words import status
from shared.identity.names import words

SIGN = {
    "met": ("met", "✓"),
    "on_track": ("good", "▲"),
    "behind": ("warn", "▼"),
    "overdue": ("bad", "✗"),
    "building": ("idle", "…"),
    "unknown": ("idle", "?"),
}
"""Status of a cell -> (class, sign); any other is idle and has a dot. The sign says what the colour says."""

LATE = frozenset({"behind", "overdue"})
WORST_FIRST = "need"
BY_NAME = "name"


@dataclass(frozen=True)
class HeatRow:
    """One unit: how many objectives are late, the sort keys, and the markup of its cells: objective ->
    number and sign, escaped.

    `reached`: objective -> part of what is required that was reached, above 1 where more.
    """

    unit_id: str
    unit: str
    name: str
    plain: str
    late: int
    late_in: frozenset[str]
    reached: dict[str, float]
    cells: dict[str, str]

    def markup(self, order: list[str]) -> Markup:
        """The cells of the columns in this order."""
        return Markup("\n".join([self.cells[name] for name in order]))  # noqa: S704 - made here


def short(cell: Cell) -> str:
    """`62%` where the target is a share of people or units, else the part of the required number;
    the number itself where nothing is required; of a rhythm, of the week or month that is judged."""
    judged = cell.judged()
    if judged is None or judged.value is None:
        return "–" if cell.value is None else number(cell.value)
    if cell.bucket is None and cell.target_unit != "count" and cell.ratio is not None:
        return _whole_percent(cell.ratio)
    if judged.required:
        return _whole_percent(judged.value / judged.required)
    return number(judged.value)


def _whole_percent(ratio: float) -> str:
    """`62%`; cut, so that 99.9% does not read as all; above 999% just that."""
    whole = int(ratio * 100 + 1e-9)
    return f"{whole}%" if whole <= 999 else ">999%"


def long(cell: Cell) -> str:
    """The same in words, for a title: `3 / 5 · Chậm tiến độ`."""
    judged = cell.judged() or cell
    if judged.denominator is not None:
        figures = f"{number(judged.value)} / {number(judged.denominator)}"
        if cell.bucket is None and cell.ratio is not None:
            figures += f" ({percent(cell.ratio)})"
    elif judged.required is not None:
        figures = f"{number(judged.value)} / {number(judged.required)}"
    else:
        figures = number(judged.value)
    return f"{figures} · {gettext(status(cell.status, cell.flags)[1])}"


def reached_part(cell: Cell) -> float | None:
    """How much of what is required was reached, for sorting and bars; None where it cannot be said."""
    judged = cell.judged()
    if judged is None or judged.value is None or not judged.required:
        return None
    return judged.value / judged.required


def heat_row(row: Row, columns: list[str], base: str | None) -> HeatRow:
    """`base`: the address of the plan's page that links of cells begin with; None: no links."""
    parts: dict[str, str] = {}
    reached: dict[str, float] = {}
    late: set[str] = set()
    unit = quote(row.unit_id)
    for objective in columns:
        cell = row.cells.get(objective)
        if cell is None:
            parts[objective] = "<td class=idle>–"
            continue
        tone, sign = SIGN.get(cell.status, ("idle", "·"))
        if cell.status in LATE:
            late.add(objective)
        if (part := reached_part(cell)) is not None:
            reached[objective] = part
        text = f"{short(cell)} {sign}"
        title = escape(long(cell))
        if base is None:
            parts[objective] = f'<td class={tone} title="{title}">{text}'
        else:
            parts[objective] = (
                f'<td class={tone}><a href="{base}/units/{unit}/objectives/{objective}"'
                f' title="{title}">{text}</a>'
            )
    return HeatRow(
        row.unit_id, row.unit, row.name_vi, plain(row.name_vi), len(late), frozenset(late), reached, parts
    )  # fmt: skip


def heat_rows(
    table: Table, columns: list[str], base: str | None
) -> tuple[HeatRow | None, list[HeatRow]]:
    """The unit itself, where it stands above the others, and the units of the level."""
    rows = [heat_row(row, columns, base) for row in table.rows]
    whole = table.whole
    if whole is None or any(row.unit_id == whole.unit_id for row in table.rows):
        return None, rows
    return heat_row(whole, columns, base), rows


def body(
    whole: HeatRow | None, rows: list[HeatRow], order: list[str], base: str | None, query: str
) -> Markup:
    """The rows of the table's body; names lead to the unit's card where there are links."""
    parts = []
    for row in ([whole] if whole else []) + rows:
        name = f"<span>{escape(row.name)}</span>"
        if base is not None:
            unit = quote(row.unit_id, safe="@")
            name = f'<a href="{base}/units/{unit}{escape(query)}">{escape(row.name)}</a>'
        parts.append(
            f'<tr{" class=whole" if row is whole else ""}><th scope="row" class="name">{name}</th>'
            f'<td class="count">{row.late}\n{row.markup(order)}</tr>\n'
        )
    return Markup("".join(parts))  # noqa: S704 - escaped above


def plain(text: str) -> str:
    """A name as it is searched: without diacritics, capitals, and what nobody types."""
    return " ".join(word.plain for word in words(text))


def chosen(rows: list[HeatRow], query: str, *, late: bool, objective: str | None) -> list[HeatRow]:
    """Those whose name or code has what was typed, and, if wanted, those that are late: in one
    objective, or in any."""
    wanted = plain(query)
    code = query.strip()
    found = [r for r in rows if not code or (wanted and wanted in r.plain) or r.unit == code]
    if not late:
        return found
    if objective is not None:
        return [row for row in found if objective in row.late_in]
    return [row for row in found if row.late]


def ordered(rows: list[HeatRow], by: str) -> list[HeatRow]:
    """By `need` (most late objectives first), `name`, or an objective (least reached first; those of
    which it cannot be said last); with `-` before it the other way round."""
    down, name = by.startswith("-"), by.removeprefix("-")
    if name == BY_NAME:
        return sorted(rows, key=lambda row: (row.plain, row.unit_id), reverse=down)
    if name == WORST_FIRST:
        found = sorted(rows, key=lambda row: row.unit_id)
        return sorted(found, key=lambda row: row.late, reverse=not down)
    key: Callable[[HeatRow], float] = lambda row: row.reached[name]  # noqa: E731
    known = sorted((row for row in rows if name in row.reached), key=lambda row: row.unit_id)
    unknown = [row for row in rows if name not in row.reached]
    return sorted(known, key=key, reverse=down) + sorted(unknown, key=lambda row: row.unit_id)
