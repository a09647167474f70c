"""What a cell says of itself, in Vietnamese: its own target and deadline, its week or month. Pure."""

from datetime import date
from typing import Any

from services.registry.tables.model import Bucket, Cell, Header
from services.registry.web.words import day, number, percent, target

RHYTHM = {"weekly": "tuần", "monthly": "tháng"}
"""Recurrence of an objective -> its bucket."""


def days_of(bucket: Bucket) -> str:
    """`tuần 23/11–29/11/2026`, `tháng 10/2026`."""
    if bucket.kind == "month":
        return f"tháng {bucket.start.month}/{bucket.start.year}"
    first = bucket.start.strftime("%d/%m" if bucket.start.year == bucket.end.year else "%d/%m/%Y")
    return f"tuần {first}–{day(bucket.end)}"


def number_of(cell: Cell | Bucket) -> str:
    """`57 / 102`, or `3` where there is no denominator."""
    if cell.denominator is None:
        return number(cell.value)
    return f"{number(cell.value)} / {number(cell.denominator)}"


def value_says(cell: Cell) -> str:
    """What was reached, of what: `57 / 102`, `61,5%`; of a rhythm in the week or month judged."""
    judged = cell.judged() or cell
    if cell.bucket is None and cell.target_unit != "count" and cell.ratio is not None:
        return percent(cell.ratio)
    if judged.denominator is None and judged.required is not None:
        return f"{number(judged.value)} / {number(judged.required)}"
    return number_of(judged)


def value_days(cell: Cell) -> str:
    """Of which week or month the number is; empty for what does not recur."""
    if cell.bucket is None:
        return ""
    if cell.bucket.judged:
        return f"số của {days_of(cell.bucket)}"
    return f"số của {days_of(cell.bucket)}, không trọn trong kỳ kế hoạch nên không đánh giá"


def status_days(cell: Cell) -> str:
    """Of which week or month the status speaks, with its own number, where that is another one."""
    if cell.status_bucket is None or cell.bucket is None:
        return ""
    if cell.status_bucket.start == cell.bucket.start:
        return ""
    return f"theo {days_of(cell.status_bucket)}: {number_of(cell.status_bucket)}"


def own_target(cell: Cell) -> str:
    """The target of this very unit: `> 10`, `≥ 80%`; empty where it has none."""
    if cell.target is None:
        return ""
    return target(
        {"value": cell.target, "unit": cell.target_unit, "comparator": cell.comparator or ">="}
    )


def goal(target: dict[str, Any]) -> str:
    """The same as a column has room for: `≥80%`, `>10`; a dash where no number is set."""
    value = target.get("value")
    if value is None:
        return "–"
    sign = {">=": "≥", ">": ">", "<=": "≤"}.get(target.get("comparator", ">="), "≥")
    return f"{sign}{number(value)}{'' if target.get('unit') == 'count' else '%'}"


def other_target(cell: Cell, column: Header) -> str:
    """The unit's own target where the column's is another one, in value, comparator or unit."""
    if cell.target is None:
        return ""
    plans: dict[str, Any] = column.target
    per_unit = plans.get("unit") == "count"
    same = (cell.target, cell.comparator, cell.target_unit == "count") == (
        plans.get("value"), plans.get("comparator"), per_unit
    )  # fmt: skip
    return "" if same else own_target(cell)


def other_deadline(cell: Cell, column: Header) -> date | None:
    """The unit's own last day where it is another one than the column's."""
    return cell.last_day if cell.last_day != column.deadline else None


def rhythm_note(recurrence: str | None, period: dict[str, str] | None) -> str:
    """How weeks or months that the plan's days cut are read; empty for what does not recur."""
    name = RHYTHM.get(recurrence or "")
    if name is None or period is None:
        return ""
    return (
        f"Tính lại theo từng {name}. Số đang hiện là của {name} chứa ngày xem; tình trạng là của {name} trọn vẹn"
        f" gần nhất đã kết thúc. Kỳ kế hoạch từ {day(period['start'])} đến {day(period['end'])}: {name} không nằm"
        " trọn trong kỳ được hiển thị nhưng không đánh giá."
    )
