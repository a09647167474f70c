"""Tasks in Vietnamese: states, and what is lacking."""

from collections.abc import Mapping

from services.registry.tasks.standing import Condition
from shared.contracts.definitions import Catalogue

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
    catalogue = Catalogue.load()
    title = " hoặc ".join(catalogue[name].title_vi for name in condition.name.split("+"))
    where = " xã, phường" if condition.communes else ""
    return f"{title}: {_number(condition.have)}/{_number(condition.need)}{where}"


def _number(value: int | None) -> str:
    """1.234, as it is written in Vietnam."""
    return f"{value or 0:,}".replace(",", ".")
