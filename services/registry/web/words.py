"""Vietnamese words and number forms of the pages. Pure."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from shared.clock import VIETNAM
from shared.contracts.live import of_process

STATUS = {
    "met": ("good", "Đạt"),
    "on_track": ("good", "Đúng tiến độ"),
    "behind": ("warn", "Chậm tiến độ"),
    "overdue": ("bad", "Quá hạn, chưa đạt"),
    "no_target": ("idle", "Không đặt chỉ tiêu"),
    "unknown": ("idle", "Chưa xác định"),
    "building": ("idle", "Đang tính"),
    "not_counted": ("idle", "Chưa đếm"),
    "not_in_operation": ("idle", "Hệ thống chưa vận hành"),
    "not_published": ("idle", "Không công bố"),
    "not_judged": ("idle", "Chưa đánh giá"),
}
"""Status of a cell -> (colour class, words). The words stand on every cell: colour is no message."""

LEVEL = {
    "nation": "Cả nước",
    "province": "Tỉnh, thành phố",
    "district": "Cấp huyện",
    "commune": "Xã, phường, đặc khu",
    "hamlet": "Thôn, buôn, tổ dân phố",
}

SCHEME = {
    "cccd": "Số định danh cá nhân (CCCD)",
    "phone": "Số điện thoại",
    "vneid": "Tài khoản VNeID",
    "tax": "Mã số thuế",
    "household": "Mã hộ gia đình",
    "student": "Mã học sinh, sinh viên",
    "learner": "Mã học viên",
    "staff": "Mã cán bộ",
    "account": "Tài khoản",
    "device": "Mã thiết bị",
    "imei": "Số IMEI",
    "unit": "Mã đơn vị",
    "code": "Mã",
}
"""Scheme of an identity -> what people call such a number."""

STATE = {"counted": "Đang đếm", "building": "Đang tính lại", "not_counted": "Chưa đếm"}

REPORT = {
    "on_time": ("good", "Đúng hạn"),
    "late": ("warn", "Muộn"),
    "missing": ("bad", "Quá hạn, chưa nộp"),
    "due": ("idle", "Chưa đến hạn"),
    "returned": ("bad", "Bị trả lại"),
    "received": ("good", "Đã nhận"),
    "not_received": ("warn", "Chưa nhận"),
    "open": ("idle", "Đang trong kỳ"),
    "unknown": ("idle", "Chưa có danh sách đơn vị"),
}
"""State of a report -> (colour class, words)."""

STAFF_ROLE = {
    "reader": "Xem số liệu",
    "editor": "Nhập số liệu của đơn vị",
    "administrator": "Nhập số liệu và mời người khác trong đơn vị",
}

INVITATION = {
    "open": ("warn", "Chưa dùng mã"),
    "accepted": ("good", "Đang dùng"),
    "expired": ("idle", "Hết hạn"),
    "revoked": ("idle", "Đã thu hồi"),
}
"""State of an invitation -> (colour class, words)."""

REASON = {
    "no_events": "không có sự kiện trong bốn tuần",
    "nil_reported": "đơn vị xác nhận không phát sinh",
    "late_data": "số liệu gửi muộn",
    "parked": "có hoạt động chờ xử lý",
    "slow": "tiến độ chậm",
}

FLAGS = {
    "encouraged": "khuyến khích, không đánh giá",
    "denominator_missing": "chưa có số liệu nền",
    "denominator_partial": "số liệu nền chưa đủ",
    "denominator_undeclared": "số liệu nền lấy từ hồ sơ sắp xếp đơn vị, địa phương chưa công bố",
    "denominator_zero": "số liệu nền bằng 0",
    "nothing_to_divide_by": "chưa có số liệu nền",
    "target_missing": "chỉ tiêu gốc chưa có số liệu nền",
    "attribute_unknown": "chưa khai báo địa bàn",
    "no_units": "không có đơn vị",
    "hamlets_incomplete": "danh sách thôn, buôn chưa đủ",
    "organisations": "tính theo tổ chức",
    "own_report": "theo báo cáo của chính đơn vị",
    "exceeds_denominator": "số đếm lớn hơn số liệu nền, cần kiểm tra",
    "amendment_refused": "có sửa đổi không áp dụng được",
    "extension_limited": "thời hạn riêng không quá mức kế hoạch cho phép",
    "rounded": "làm tròn xuống bội số của 5",
    "nothing_reported": "chưa có báo cáo",
    "nil_reported": "đã xác nhận không phát sinh",
    "parked": "có hoạt động chờ xử lý",
    "building": "đang tính",
    "not_in_operation": "chưa vận hành",
}

HOW = {
    "happened": "diễn ra trong khoảng này",
    "ended": "hết hiệu lực",
    "passed": "hết thời hạn tính theo ngày",
    "recorded": "gửi đến muộn, mới được ghi nhận",
    "corrected": "được đính chính",
    "revoked": "bị hủy vì sai",
}
"""How an event changed a number."""

WHAT = {
    "plan_version": "phiên bản kế hoạch",
    "target": "chỉ tiêu",
    "last_day": "ngày cuối còn được tính",
    "population": "số liệu nền (dân số, số hộ …)",
    "tree": "đơn vị hành chính",
    "measure": "cách đếm",
}
"""Which definition changed a number."""

STAGE = {
    "accepted": "Đã nhận và ghi vào nhật ký",
    "published": "Đã chuyển sang phần tính số liệu",
    "counted": "Đã đếm",
    "visible": "Đã hiện trên bảng số liệu",
}

NOT_COUNTED = {
    "decided_by_another_event": "Người hoặc việc này đã được đếm nhờ một sự kiện khác.",
    "parked": "Sự kiện đang chờ người vận hành xử lý.",
    "dismissed": "Người vận hành đã loại sự kiện này, có nêu lý do.",
    "definition": "Đây là khai báo đơn vị, kế hoạch hoặc dân số, không phải việc để đếm.",
    "plan_refused": "Nội dung không phải là một kế hoạch; phiên bản trước vẫn có hiệu lực.",
    "not_yet": "Chưa tính đến sự kiện này; hãy xem lại sau ít phút.",
    "position_unknown": "Nhật ký không có vị trí này.",
    "building": "Các chỉ tiêu liên quan đang được tính lại từ nhật ký.",
    "revoked": "Sự kiện đã bị hủy vì sai.",
    "revokes": "Đây là việc hủy một sự kiện khác; sự kiện đó không còn được tính.",
    "superseded": "Sự kiện đã được đính chính, và theo nội dung mới thì không được đếm.",
    "shown_beside": "Được nêu bên cạnh chỉ tiêu, không đếm vào chỉ tiêu.",
    "plan_not_named": "Báo cáo một tổng số nhưng không nêu kế hoạch nên không hiện ở đâu: hãy đính chính.",
    "total_unknown": "Báo cáo tổng số của một chỉ tiêu hoặc kế hoạch không tồn tại.",
    "no_objective_for_type": "Không kế hoạch nào đếm loại sự kiện này.",
    "other_units_plan": "Kế hoạch của đơn vị này không đếm; chỉ kế hoạch của nơi khác đếm.",
    "no_filter_matches": "Sự kiện không thuộc nhóm đối tượng hoặc nội dung mà chỉ tiêu đếm.",
    "no_subject": "Sự kiện không nêu người hoặc việc mà chỉ tiêu đếm.",
    "outside_period": "Sự kiện diễn ra trước ngày bắt đầu tính.",
}
NOT_COUNTED_ELSE = "Chưa rõ vì sao chưa được đếm."
"""Why an event counts for nothing, by the code of metrics."""

_RECURRING = {
    "weekly": "hằng tuần",
    "monthly": "hằng tháng",
    "yearly": "hằng năm",
    "continuous": "thường xuyên",
}

_PER = {
    "commune": "mỗi xã, phường",
    "hamlet": "mỗi thôn, buôn, khu phố",
    "mentor": "mỗi người hướng dẫn",
    "household": "mỗi hộ",
    "unit": "mỗi đơn vị",
}


def number(value: float | int | None) -> str:
    """`1234567` -> `1.234.567`; nothing known is a dash, not a zero."""
    if value is None:
        return "–"
    if isinstance(value, float) and not value.is_integer():
        whole, _, rest = f"{value:.1f}".partition(".")
        return f"{int(whole):,}".replace(",", ".") + f",{rest}"
    return f"{int(value):,}".replace(",", ".")


def percent(ratio: float | None) -> str:
    """`0.0617` -> `6,1%`; cut, not rounded, so that 99,96% never reads as 100%."""
    if ratio is None:
        return ""
    tenths = int(ratio * 1000 + 1e-9)
    return f"{tenths // 10},{tenths % 10}%" if tenths % 10 else f"{tenths // 10}%"


def day(value: date | str | None) -> str:
    """`2026-11-29` -> `29/11/2026`."""
    if value is None:
        return "–"
    found = date.fromisoformat(value) if isinstance(value, str) else value
    return found.strftime("%d/%m/%Y")


def day_before(value: date) -> date:
    """The last day of what ends before `value`."""
    return value - timedelta(days=1)


def moment(value: datetime | None) -> str:
    """An instant on the Vietnamese clock."""
    if value is None:
        return "chưa có"
    return (
        value.replace(tzinfo=value.tzinfo or UTC).astimezone(VIETNAM).strftime("%H:%M:%S %d/%m/%Y")
    )


def clock(value: datetime) -> str:
    """The hour of an instant on the Vietnamese clock: `07:05`."""
    return value.replace(tzinfo=value.tzinfo or UTC).astimezone(VIETNAM).strftime("%H:%M")


def day_of_moment(value: datetime) -> str:
    """Its day on the Vietnamese clock."""
    return day(value.replace(tzinfo=value.tzinfo or UTC).astimezone(VIETNAM).date())


def target(target: dict[str, Any]) -> str:
    """What the plan sets, in a few words: `≥ 80%`, `≥ 5 / mỗi xã, phường`."""
    sign = {">=": "≥", ">": ">", "<=": "≤"}.get(target.get("comparator", ">="), "≥")
    value, unit = target.get("value"), target.get("unit")
    if value is None:
        return "Không đặt số"
    text = f"{sign} {number(value)}"
    if unit == "percent":
        text += "%"
    elif unit == "percent_of_units":
        text += "% đơn vị"
    elif unit == "percent_of_target":
        text += "% chỉ tiêu gốc"
    if target.get("per"):
        text += f" / {_PER.get(target['per'], target['per'])}"
    if target.get("recurrence"):
        text += f", {_RECURRING.get(target['recurrence'], target['recurrence'])}"
    return text


def deadline(objective: dict[str, Any]) -> str:
    """Until when, as a day where there is one."""
    if objective.get("deadline"):
        return f"hết ngày {day(objective['deadline'])}"
    written = objective.get("deadline_as_written")
    if isinstance(written, dict) and written.get("recurring"):
        return str(_RECURRING.get(written["recurring"], written["recurring"]))
    return str(objective.get("deadline_vi") or "không nêu thời hạn")


PERIOD = {
    "once": "một lần",
    "request": "đợt %(part)s",
    "year": "năm %(year)s",
    "W": "tuần %(part)s/%(year)s",
    "Q": "quý %(part)s/%(year)s",
    "M": "tháng %(part)s/%(year)s",
    "H1": "sáu tháng đầu năm %(year)s",
    "H2": "sáu tháng cuối năm %(year)s",
}
"""Kind of a reporting period -> how it is named."""


def period(name: str, say: Callable[[str], str] = str) -> str:
    """`2026-Q3` -> `quý 3/2026`; likewise weeks, months, half-years and years. The name of a request
    stays as it is. `say` puts the pattern into another language."""
    year, _, part = name.partition("-")
    if name == "once":
        return say(PERIOD["once"])
    if name.startswith("dot-"):
        return say(PERIOD["request"]) % {"part": name[4:]}
    if not re.fullmatch(r"\d{4}(-(W\d{2}|Q[1-4]|H[12]|\d{2}))?", name):
        return name
    kind = part if part.startswith("H") else part[:1] if part[:1] in ("W", "Q") else "M"
    return say(PERIOD[kind if part else "year"]) % {"part": part.lstrip("WQ0"), "year": year}


def uncounted(reason: str | None) -> str:
    """Why an objective is not counted; what metrics says of a reading it cannot use is English, and
    stands behind this as technical detail."""
    for start, said in UNCOUNTED.items():
        if reason is not None and reason.startswith(start):
            return said
    return UNCOUNTED_ELSE


UNCOUNTED = {
    "no measure": "kế hoạch chưa nêu cách đếm chỉ tiêu này",
    "metrics has not evaluated": "phần tính số liệu chưa tính đến phiên bản này của kế hoạch",
}
UNCOUNTED_ELSE = (
    "cách đếm nêu trong tệp kế hoạch chưa dùng được; cần người lập tệp kế hoạch sửa lại"
)


def status(name: str, because: list[str] | None = None) -> tuple[str, str]:
    """Colour class and words of a status; an unknown verdict says why where a flag does."""
    if name == "unknown" and because:
        return "idle", flags(because).capitalize()
    return STATUS.get(name, ("idle", name.replace("_", " ")))


def remarks(name: str, because: list[str]) -> str:
    """The flags that `status` has not said already, in words."""
    return "" if name in ("unknown", "building", "not_in_operation") else flags(because)


def flags(names: list[str]) -> str:
    """Flags in words; what somebody must declare by its name in the catalogue."""
    return ", ".join(
        _missing(name.removeprefix("missing:"))
        if name.startswith("missing:")
        else FLAGS.get(name, name.replace("_", " ").replace("-", " "))
        for name in names
    )


def _missing(name: str) -> str:
    return f"cần khai báo: {_declared_names().get(name, name)}"


def _declared_names() -> dict[str, str]:
    """Populations and attributes of units, as authorities declare them, in Vietnamese."""
    enums = of_process().words.enums
    return enums["population"] | enums["unit_attribute"]


def fill(ratio: float | None, met: bool | None) -> int:
    """Width of a bar in percent."""
    if ratio is None:
        return 100 if met else 0
    return max(0, min(100, int(ratio * 100)))
