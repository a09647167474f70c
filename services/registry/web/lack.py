"""What a unit lacks, target by target, in units of work: `Lớp học 1/5, thiếu 4`. Worst first. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.registry.progress.reasons import types_of
from services.registry.tables.model import Cell
from services.registry.web.language import N_

NOUN = {
    "class.held": N_("lớp"),
    "guidance_session.held": N_("buổi"),
    "activity.held": N_("hoạt động"),
    "post.published": N_("bài"),
    "material.published": N_("tài liệu"),
    "model.recognised": N_("mô hình"),
    "model.proposed": N_("mô hình"),
    "team.established": N_("tổ"),
    "team.reinforced": N_("tổ"),
    "assistance.given": N_("lượt"),
    "assistance.requested": N_("lượt"),
    "launch.attended": N_("lần"),
    "mentor.assigned": N_("người"),
    "conference.held": N_("hội nghị"),
    "festival.held": N_("ngày hội"),
    "contest.held": N_("hội thi"),
}
"""Event type -> what one of it is called."""
COUNTED = {
    "distinct_persons": N_("người"),
    "distinct_households": N_("hộ"),
    "distinct_organisations": N_("cơ quan"),
    "sum": N_("người"),
    "reported": N_("người"),
}
"""What a measure counts, where the event type does not say it."""
LEVELS = {"hamlet": N_("thôn, buôn"), "commune": N_("xã, phường")}
URGENCY = ("overdue", "behind", "unknown", "building", "on_track", "not_judged", "no_target", "met")
"""Statuses, the one that needs somebody most first; others stand before `no_target`."""


@dataclass(frozen=True)
class Lack:
    """One target of a unit. `missing`: how many more are needed, None where nobody knows; `form`:
    the event type that is entered for it, None where the reader may enter none."""

    id: str
    text_vi: str
    status: str
    cell: Cell | None
    noun: str
    missing: int | None
    form: str | None

    @property
    def open(self) -> bool:
        """Whether work is left."""
        return bool(self.missing) and self.status != "met"


def noun_of(objective: Mapping[str, Any], level: str) -> str:
    """What one unit of work of an objective is called where units of `level` do it."""
    measure = objective.get("measure") or {}
    units = (measure.get("over") or {}).get("units")
    if units in LEVELS and units != level:
        return LEVELS[units]
    found = next((NOUN[name] for name in types_of(dict(objective)) if name in NOUN), None)
    count = str(measure.get("count"))
    return COUNTED.get(count) or found or N_("việc")


def lacks(
    objectives: list[dict[str, Any]],
    cells: Mapping[str, Cell],
    level: str,
    forms: frozenset[str],
) -> list[Lack]:
    """Every objective that is counted, worst first. `forms`: event types the reader may enter."""
    found = []
    for one in objectives:
        if one.get("not_counted"):
            continue
        cell = cells.get(one["id"])
        missing = None
        if cell is not None and cell.required is not None:
            missing = max(0, cell.required - (cell.value or 0))
        form = next((name for name in types_of(one) if name in forms), None)
        status = cell.status if cell is not None else "unknown"
        found.append(
            Lack(one["id"], one["text_vi"], status, cell, noun_of(one, level), missing, form)
        )
    return sorted(found, key=_rank)


def _rank(one: Lack) -> tuple[int, float, str]:
    rank = URGENCY.index(one.status) if one.status in URGENCY else URGENCY.index("not_judged")
    cell = one.cell
    share = 1.0
    if cell is not None and cell.required:
        share = (cell.value or 0) / cell.required
    return rank, share, one.id


def summed(found: list[Lack]) -> dict[str, int]:
    """How many targets are met, on track, behind and overdue."""
    names = ("met", "on_track", "behind", "overdue")
    return {name: sum(one.status == name for one in found) for name in names}
