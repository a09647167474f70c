"""What subordinates reported themselves, beside what the system counts: the superior's own check. Pure.

A report that was written here carries its totals by target. They are added over the units that are in;
a department that reports on its field is none of these, since its number speaks of the same people.
"""

from services.registry.documents.figures import Book, Section, Sentence, item
from services.registry.documents.material import Json, Material
from services.registry.documents.wording import cut, quoted
from services.registry.reports.consolidation import IN
from services.registry.reports.ledger import Entry
from services.registry.tables.model import Row, Table


def reported(book: Book, material: Material) -> Section:
    """One item for each target that units reported a number of; empty where none did.

    Only targets whose number is the sum of the units' numbers: of the others (how many communes have
    done it) no sum of reports says anything.
    """
    section = Section("reported", "Số liệu trong báo cáo của các đơn vị")
    entries = [e for e in (material.reports.entries if material.reports else []) if e.debtor.unit_id]  # fmt: skip
    came = [e for e in entries if e.state in IN and e.reports]
    for objective in material.objectives:
        said, counted = _said(came, objective["id"]), _sum(material.table, objective["id"])
        if said and counted is not None:
            sentence = _sentence(book, objective, said, len(entries), counted)
            section.sentences.append(sentence)
    return section


def _said(came: list[Entry], objective: str) -> list[int]:
    """The number of each unit's newest report."""
    values = ((e.reports[-1].data.get("figures") or {}).get(objective) for e in came)
    return [v for v in values if isinstance(v, int) and not isinstance(v, bool)]


def _sum(table: Table | None, objective: str) -> int | None:
    """What the system counts in all, where that is the sum of the units below; else None."""
    if table is None or table.whole is None:
        return None
    rows = [r for r in table.rows if r.unit_id != table.unit_id]
    values = [_value(r, objective) or 0 for r in rows]
    whole = _value(table.whole, objective)
    return whole if whole is not None and whole == sum(values) else None


def _value(row: Row, objective: str) -> int | None:
    cell = row.cells.get(objective)
    judged = cell.judged() if cell is not None else None
    return judged.value if judged is not None else None


def _sentence(book: Book, objective: Json, said: list[int], owed: int, counted: int) -> Sentence:
    key, total = f"reported.{objective['id']}", sum(said)
    name = objective.get("short_vi") or cut(objective["text_vi"])
    fields = {
        "name": book.words(f"{key}.name", quoted(name)),
        "n": book.count(f"{key}.reports", len(said)),
        "all": book.count("reported.owed", owed),
        "sum": book.count(f"{key}.sum", total),
        "counted": book.count(f"{key}.counted", counted),
    }
    text = "{name}: {n}/{all} đơn vị báo cáo, cộng {sum}; hệ thống ghi nhận {counted}"
    if len(said) < owed:
        text += " trên toàn địa bàn"
    elif counted != total:
        fields["difference"] = book.count(f"{key}.difference", abs(counted - total))
        text += ", chênh lệch {difference}"
    return item(key, f"{text}.", **fields)
