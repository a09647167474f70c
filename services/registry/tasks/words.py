"""Tasks in Vietnamese: states, and what is lacking."""

from collections.abc import Mapping
from typing import Any

from services.registry.tasks.standing import Condition
from shared.contracts.live import of_process
from shared.contracts.model import FieldSpec

TASK = {
    "not_started": ("idle", "Chưa bắt đầu"),
    "in_progress": ("warn", "Đang thực hiện"),
    "blocked": ("bad", "Vướng mắc"),
    "overdue": ("bad", "Quá hạn"),
    "done_late": ("good", "Hoàn thành muộn"),
    "done": ("good", "Hoàn thành"),
}
"""Tone and words of each state."""

STATUS = {
    "not_started": "Chưa bắt đầu",
    "in_progress": "Đang thực hiện",
    "blocked": "Có vướng mắc, chưa làm tiếp được",
    "done": "Đã hoàn thành",
}
"""What a lead body may state."""

LENGTH = {"month": "từng tháng", "quarter": "từng quý"}


def condition_vi(condition: Condition, objectives: Mapping[str, str] | None = None) -> str:
    """One condition as people read it, with how much of how much. `objectives`: names by id."""
    if condition.kind == "objective":
        name = (objectives or {}).get(condition.name, condition.name)
        return f"Đạt chỉ tiêu: {name}"
    if condition.kind == "tasks_led":
        return f"Các nhiệm vụ cùng chủ trì: {condition.have}/{condition.need} đã xong"
    if condition.kind == "statement":
        return "Cơ quan chủ trì báo cáo đã hoàn thành"
    catalogue = of_process()
    title = " hoặc ".join(catalogue[name].title_vi for name in condition.name.split("+"))
    proof = condition.proof
    if proof is not None and proof.filter:
        fields = catalogue[proof.types[0]].fields
        title += f" ({'; '.join(_wanted(n, v, fields) for n, v in proof.filter.items())})"
    if proof is not None and proof.sum is not None:
        title += f", {_lower(catalogue[proof.types[0]].fields[proof.sum].title_vi)}"
    where = " xã, phường" if condition.communes else ""
    return f"{title}: {_number(condition.have)}/{_number(condition.need)}{where}"


def _wanted(name: str, wanted: Any, fields: Mapping[str, FieldSpec]) -> str:
    """One field of a filter with the values that it lets through."""
    field = fields.get(name) or fields.get(f"{name}s")
    if field is None:
        return f"{name}: {wanted}"
    if isinstance(wanted, dict):
        return f"{_lower(field.title_vi)} " + ", ".join(f"{op} {n}" for op, n in wanted.items())
    if isinstance(wanted, bool):
        return _lower(field.title_vi) if wanted else f"không {_lower(field.title_vi)}"
    values = wanted if isinstance(wanted, list) else [wanted]
    titles = dict(zip(field.enum, field.enum_titles_vi, strict=True))
    return " hoặc ".join(_lower(titles.get(value, str(value))) for value in values)


def _lower(text: str) -> str:
    """As it stands within a sentence; abbreviations stay."""
    return text if text[:2].isupper() else text[:1].lower() + text[1:]


def _number(value: int | None) -> str:
    """1.234, as it is written in Vietnam."""
    return f"{value or 0:,}".replace(",", ".")
