"""The appendix by unit: what it shows of a table, the same in Word and in the workbook. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.registry.documents.compose import Draft
from services.registry.documents.material import Json, Material
from services.registry.documents.nouns import DOUBTED, beyond, target_words, units_vi
from services.registry.documents.results import WORDS, group_of
from services.registry.documents.standing import is_silent
from services.registry.documents.wording import cut
from services.registry.tables.model import Cell, Row

SHORT = 70


@dataclass(frozen=True)
class Shown:
    """A cell: counts as they are in the table; None where nothing is known. `word`: how it is judged,
    or why there is no number."""

    value: int | None
    denominator: int | None
    word: str


@dataclass(frozen=True)
class Column:
    """One objective. `shares`: it has a denominator in some row."""

    id: str
    name_vi: str
    target_vi: str
    shares: bool


@dataclass(frozen=True)
class Appendix:
    """Units in the order of the table, the author's own total first, by objective."""

    title_vi: str
    columns: list[Column]
    rows: list[tuple[str, str, dict[str, Shown]]]
    """Code, name, cells by objective."""
    doubtful: bool = False
    """Whether some cell counts more than there is."""

    def groups(self, most: int) -> Iterator[Sequence[Column]]:
        """The columns in groups that fit a page."""
        for start in range(0, len(self.columns), most):
            yield self.columns[start : start + most]


def appendix_of(draft: Draft) -> Appendix | None:
    """The appendix of a draft; None where there is no table or nothing to list by unit."""
    material = draft.material
    table = material.table
    if table is None or table.whole is None or not draft.rows:
        return None
    wanted = {row.objective for row in draft.rows}
    rows = [table.whole, *(r for r in table.rows if r.unit_id != table.unit_id)]
    columns = [_column(o, rows) for o in material.objectives if o["id"] in wanted]
    shown = [
        (r.unit, r.name_vi, {c.id: show(r.cells[c.id]) for c in columns if c.id in r.cells})
        for r in rows
    ]
    if all(cell.value is None for _, _, cells in shown for cell in cells.values()):
        return None
    return Appendix(_title(material), columns, shown, _doubtful(material, wanted, rows))


def _doubtful(material: Material, wanted: set[str], rows: Sequence[Row]) -> bool:
    asked = [o for o in material.objectives if o["id"] in wanted]
    cells = ((o, r.cells[o["id"]]) for o in asked for r in rows if o["id"] in r.cells)
    judged = ((o, cell.judged()) for o, cell in cells)
    return any(found is not None and beyond(o, found) == DOUBTED for o, found in judged)


def _title(material: Material) -> str:
    return f"Kết quả thực hiện các chỉ tiêu theo {units_vi(material.table)}"


def _column(objective: Json, rows: Sequence[Row]) -> Column:
    cells = [c for row in rows if (c := row.cells.get(objective["id"])) is not None]
    name = objective.get("short_vi") or cut(objective["text_vi"], SHORT)
    aim = target_words(objective, cells[0]) if cells else ""
    return Column(objective["id"], name, aim, any(c.denominator for c in cells))


def show(cell: Cell) -> Shown:
    """A cell as the appendix shows it; of a rhythm the last week or month that is over."""
    judged = cell.judged()
    if judged is None or judged.value is None or is_silent(cell):
        return Shown(None, None, "chưa có số liệu")
    return Shown(judged.value, judged.denominator, WORDS[group_of(cell)])
