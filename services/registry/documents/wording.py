"""Numbers, days, lists and periods as Vietnamese offices write them. Pure."""

import re
from collections.abc import Sequence
from datetime import date

from services.registry.web.words import number, percent

LONGEST = 110
LEAST_SHARE = "dưới 0,1%"


def day(value: date) -> str:
    """`2026-02-05` -> `05/02/2026`, `2026-06-15` -> `15/6/2026`: days under 10 and the months 1
    and 2 get a leading zero (Nghị định 30/2020/NĐ-CP, Phụ lục I)."""
    return f"{value.day:02}/{_month(value)}/{value.year}"


def long_day(value: date) -> str:
    """`ngày 05 tháng 12 năm 2026`."""
    return f"ngày {value.day:02} tháng {_month(value)} năm {value.year}"


def _month(value: date) -> str:
    return f"{value.month:02}" if value.month < 3 else str(value.month)


def share(part: int, whole: int) -> str:
    """`6,1%`, cut at a tenth; of a little that is no nothing `dưới 0,1%`."""
    return LEAST_SHARE if 0 < part * 1000 < whole else percent(part / whole)


def listed(names: Sequence[str]) -> str:
    """`A`, `A và B`, `A, B và C`; `A, x; B` where a name has a comma of its own."""
    if any("," in name for name in names):
        return "; ".join(names)
    return " và ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def quoted(text: str) -> str:
    """Words in quotation marks; those within get single ones."""
    inner = text.replace("“", "‘").replace("”", "’")
    return f"“{inner[:1].upper()}{inner[1:]}”"


def unit_vi(name: str) -> str:
    """A unit's name within a sentence: `Phường Quy Nhơn` -> `phường Quy Nhơn`."""
    for kind in KINDS:
        if name.startswith(f"{kind} "):
            return name[:1].lower() + name[1:]
    return name


KINDS = (
    "Xã",
    "Phường",
    "Đặc khu",
    "Thị trấn",
    "Huyện",
    "Thị xã",
    "Thành phố",
    "Quận",
    "Tỉnh",
    "Thôn",
    "Buôn",
    "Tổ",
    "Khu phố",
    "Ấp",
    "Bản",
    "Làng",
)


def cut(text: str, longest: int = LONGEST) -> str:
    """A plan's words without their final stop, cut at a clause where they are long."""
    text = text.strip().rstrip(".;")
    if len(text) <= longest:
        return text
    head = text[:longest]
    place = max(head.rfind(", "), head.rfind("; "), head.rfind(" ("))
    if place < longest // 3:
        place = head.rfind(" ")
    return f"{head[:place].rstrip(' ,;(')}…"


def period_vi(name: str, first: date, last: date) -> str:
    """`2026-Q2` -> `quý II năm 2026`; a period without a name of its own by its days."""
    year, _, part = name.partition("-")
    if re.fullmatch(r"\d{4}", name):
        return f"năm {year}"
    if re.fullmatch(r"\d{4}-Q[1-4]", name):
        return f"quý {('I', 'II', 'III', 'IV')[int(part[1]) - 1]} năm {year}"
    if re.fullmatch(r"\d{4}-H[12]", name):
        return f"6 tháng {'đầu' if part == 'H1' else 'cuối'} năm {year}"
    if re.fullmatch(r"\d{4}-\d\d", name):
        return f"tháng {_month(date(int(year), int(part), 1))} năm {year}"
    if re.fullmatch(r"\d{4}-W\d\d", name):
        return f"tuần {int(part[1:])} (từ ngày {day(first)} đến ngày {day(last)})"
    if first.year == last.year and name == "once" and (last - first).days > 300:
        return f"năm {last.year}"
    if name == "once":
        return f"từ ngày {day(first)} đến ngày {day(last)}"
    return f"đến ngày {day(last)}"


__all__ = [
    "cut",
    "day",
    "listed",
    "long_day",
    "number",
    "percent",
    "period_vi",
    "quoted",
    "share",
    "unit_vi",
]
