"""What a number of an objective is a number of. Pure."""

from typing import Any

from services.registry.documents.wording import number
from services.registry.progress.reasons import types_of
from services.registry.tables.model import Bucket, Cell, Table

PEOPLE = {
    "adults": "người", "residents": "người", "residents_15_plus": "người", "citizens_16_plus": "công dân",
    "civil_servants": "người", "civil_servants_and_employees": "người",
    "pupils_primary_up": "học sinh", "pupils_and_students": "học sinh, sinh viên",
    "secondary_pupils_and_students": "học sinh, sinh viên",
    "workers_enterprises_coops": "người lao động", "cnscd_members": "thành viên",
    "expert_trainees": "học viên", "mentors": "người hướng dẫn", "households": "hộ gia đình",
    "household_businesses": "hộ kinh doanh", "smartphone_users": "người",
    "service_centre_visitors_needing_help": "lượt người", "organisations": "cơ quan, đơn vị",
    "enterprises_coops": "doanh nghiệp, hợp tác xã", "communes": "xã, phường",
    "remote_communes": "xã", "hamlets": "thôn, buôn, tổ dân phố",
}  # fmt: skip
"""Whom a population is counted in."""

UNITS = {
    "commune": "xã, phường", "hamlet": "thôn, buôn, tổ dân phố", "remote_commune": "xã",
    "organisation": "cơ quan, đơn vị", "enterprise": "doanh nghiệp, hợp tác xã",
    "mentor": "người hướng dẫn", "household": "hộ gia đình", "unit": "đơn vị",
}  # fmt: skip

THINGS = {
    "class.held": "lớp", "guidance_session.held": "buổi", "post.published": "tin, bài",
    "activity.held": "hoạt động", "model.recognised": "mô hình", "contest.entered": "lượt dự thi",
    "festival.held": "ngày hội", "conference.held": "hội nghị", "team.established": "tổ",
    "committee.established": "Ban Chỉ đạo", "launch.held": "lễ phát động",
    "staff.assigned": "nhân sự", "domain.registered": "tên miền",
    "enterprise.enrolled": "doanh nghiệp, hợp tác xã",
}  # fmt: skip
"""What single events are, for objectives that count them."""

LEVELS = {"commune": "xã, phường", "hamlet": "thôn, buôn, tổ dân phố", "district": "huyện, thị xã, thành phố"}  # fmt: skip


PASSED, DOUBTED = "vượt chỉ tiêu gốc", "cần kiểm tra"


def noun(objective: dict[str, Any], cell: Cell) -> str:
    """The noun of a cell's value; empty where no word fits, so that none is invented."""
    target = objective["target"]
    if cell.denominator is not None:
        unit = target.get("per") or target.get("of")
        if unit in UNITS:
            return UNITS[unit]
        return PEOPLE.get(objective.get("denominator") or objective.get("population") or "", "")
    if target["unit"] == "percent":
        return PEOPLE.get(objective.get("denominator") or objective.get("population") or "", "")
    types = types_of(objective)
    if len(types) == 1 and types[0] in THINGS:
        return THINGS[types[0]]
    measure = objective.get("measure") or {}
    return "người" if measure.get("count") == "distinct_persons" else ""


def is_limit(cell: Cell) -> bool:
    """Whether the target is a number not to be exceeded: nothing lacks to it, at most it is passed."""
    return cell.comparator == "<="


def beyond(objective: dict[str, Any], judged: Cell | Bucket) -> str:
    """What a share above 100% means: more than the original target asked, or a count to be looked at;
    empty of any other."""
    if not judged.value or not judged.denominator or judged.value <= judged.denominator:
        return ""
    return PASSED if objective["target"]["unit"] == "percent_of_target" else DOUBTED


def population_vi(objective: dict[str, Any], names: dict[str, str]) -> str:
    """The population that an objective divides by, as authorities declare it."""
    name = objective.get("denominator") or objective.get("population") or ""
    found = names.get(name, "")
    return found[:1].lower() + found[1:]


def target_words(objective: dict[str, Any], cell: Cell) -> str:
    """The target that applies to this very unit, as it was amended: `80%`, `100% xã, phường`,
    `ít nhất 5 lớp`; empty where there is none."""
    target = objective["target"]
    value = cell.target if cell.target is not None else target.get("value")
    unit = cell.target_unit or target["unit"]
    # How many units do it is a target of its own: the sign is of what each of them owes.
    sign = cell.comparator or (target.get("comparator") if unit != "percent_of_units" else None)
    more, most = sign == ">", sign == "<="
    if value is None:
        return ""
    share = f"{'trên ' if more else 'không quá ' if most else ''}{number(value)}%"
    if unit == "percent":
        return share
    if unit == "percent_of_target":
        return f"{share} chỉ tiêu gốc"
    if unit == "percent_of_units":
        return f"{share} {UNITS.get(target.get('per') or target.get('of') or '', 'đơn vị')}"
    what = noun(objective, cell)
    return f"{'hơn' if more else 'không quá' if most else 'ít nhất'} {number(value)}{f' {what}' if what else ''}"


def units_vi(table: Table | None) -> str:
    """What the rows of a table are."""
    return LEVELS.get(table.level, "đơn vị") if table is not None else "đơn vị"
