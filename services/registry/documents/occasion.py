"""What a duty's report is called, who issues it and how that is written at its head. Pure.

State bodies: Nghị định 30/2020/NĐ-CP, Phụ lục I and III. Party bodies: Hướng dẫn 36-HD/VPTW of
3/4/2018. The form follows who issues, never who receives.
"""

import re
from dataclasses import dataclass
from typing import Any

from services.registry.documents.material import Author, Material
from services.registry.documents.wording import day, period_vi

TITLES = {
    "report": "Kết quả triển khai",
    "consolidation": "Tổng hợp kết quả triển khai",
    "evaluation": "Đánh giá kết quả triển khai",
    "review": "Rà soát, đánh giá kết quả triển khai",
    "data_extract": "Số liệu kết quả triển khai",
    "monitoring": "Kết quả theo dõi, đôn đốc, kiểm tra việc triển khai",
    "inspection": "Kết quả kiểm tra, giám sát việc triển khai",
    "supervision": "Kết quả giám sát, phản biện việc triển khai",
    "feedback": "Tiếp nhận, phản hồi ý kiến của người dân trong triển khai",
}
"""How the extract begins, by the kind of duty."""
ISSUES = "Khó khăn, vướng mắc và kiến nghị trong triển khai"
CONFERENCE = "Tổng kết việc triển khai"

POSTS = (
    (r"^(ủy ban nhân dân|ubnd)", "TM. ỦY BAN NHÂN DÂN", "CHỦ TỊCH"),
    (r"^(sở|trung tâm|báo)", "", "GIÁM ĐỐC"),
    (r"^công an (tỉnh|thành phố)", "", "GIÁM ĐỐC"),
    (r"^công an", "", "TRƯỞNG CÔNG AN"),
    (r"^phòng", "", "TRƯỞNG PHÒNG"),
    (r"^văn phòng", "", "CHÁNH VĂN PHÒNG"),
    (r"^(đoàn|tỉnh đoàn)", "TM. BAN THƯỜNG VỤ", "BÍ THƯ"),
    (r"^(hội|liên đoàn|liên minh)", "TM. BAN THƯỜNG VỤ", "CHỦ TỊCH"),
    (r"(mặt trận|mttq)", "TM. BAN THƯỜNG TRỰC", "CHỦ TỊCH"),
    (r"^(trường)", "", "HIỆU TRƯỞNG"),
    (r"^ban", "", "TRƯỞNG BAN"),
)
"""Authority and post of who signs for a state body, by how its name begins."""

PARTY_POSTS = (
    (r"^văn phòng", "", "CHÁNH VĂN PHÒNG"),
    (r"^ủy ban kiểm tra", "T/M ỦY BAN KIỂM TRA", "CHỦ NHIỆM"),
    (r"^ban", "", "TRƯỞNG BAN"),
    (r"ủy", "T/M BAN THƯỜNG VỤ", "BÍ THƯ"),
)
LONGEST_SIGN = 9
"""Longer ones are no sign that any office uses: it is left to be filled in."""
ANY_POST = ("", "THỦ TRƯỞNG CƠ QUAN")


@dataclass(frozen=True)
class Head:
    """What stands around the text: the bodies as they are written in capitals, the number's sign, the
    place of the date, the extract, the recipients, and who signs."""

    party: bool
    superior: str
    body: str
    sign: str
    place: str
    extract: str
    recipients: tuple[str, ...]
    authority: str
    post: str


def head_of(material: Material) -> Head:
    """The head of a material's document."""
    author = material.author
    authority, post = _post(author)
    return Head(
        author.party,
        (author.superior or "").upper(),
        _body(author).upper(),
        sign_of(author),
        author.place_vi,
        extract_of(material),
        tuple(expanded(name) for name in material.recipients),
        authority,
        post,
    )


def expanded(name: str) -> str:
    """A body's name as documents write it: `UBND` in full, without remarks in brackets."""
    name = re.sub(r"\s*\([^)]*\)", "", name).strip()
    return (
        re.sub(r"(?<![-–])\bUBND\b", "Ủy ban nhân dân", name)
        .replace("uỷ", "ủy")
        .replace("Uỷ", "Ủy")
    )


def full_name(author: Author) -> str:
    """The author's name with its place: `Công an tỉnh` alone names no body."""
    name = expanded(author.name_vi)
    return f"{name} {author.place_vi}" if name.endswith((" tỉnh", " phường", " xã")) else name


def issuer_of(document: dict[str, Any]) -> str:
    """Who issued the plan, in full: `UBND tỉnh (Đắk Lắk)` is Ủy ban nhân dân tỉnh Đắk Lắk."""
    province = document.get("province", "")
    issuer = str(document.get("issuer", "")).replace(f"({province})", str(province))
    return expanded(issuer)


def movement_of(document: dict[str, Any]) -> str:
    """What the plan carries out, as its title names it."""
    found = re.search(r"[Pp]hong trào (“[^”]+”)", document["title_vi"])
    return f"phong trào {found.group(1)}" if found else "Kế hoạch"


def extract_of(material: Material) -> str:
    """The extract below BÁO CÁO."""
    duty, period = material.duty, material.period
    begins = TITLES.get(duty["kind"], TITLES["report"])
    if duty["event"] == "issue.raised":
        begins = ISSUES
    elif duty["event"] == "conference.held":
        begins = CONFERENCE
    text = f"{begins} {movement_of(material.document)}"
    if period.request is not None:
        asked = f"theo yêu cầu ngày {day(period.request.asked_on)}"
        if period.request.requested_by:
            asked += f" của {period.request.requested_by}"
        matter = f" ({period.request.subject_matter})" if period.request.subject_matter else ""
        return f"{text} {asked}{matter}"
    return f"{text} {period_of(material)}"


def period_of(material: Material) -> str:
    """The period in words."""
    period = material.period
    return period_vi(period.id, period.start, period.end)


def _body(author: Author) -> str:
    """The issuing body without the superior that stands above it."""
    name = full_name(author)
    if author.party and not name.lower().startswith("đảng ủy"):
        return re.sub(r"\s+(Tỉnh|Thành) ủy$", "", name)
    return name


def sign_of(author: Author) -> str:
    """The sign behind a document's number: BC-SKHCN, BC/VPTU."""
    name = expanded(author.name_vi)
    if name.startswith("Ủy ban nhân dân"):
        return "BC-UBND"
    if author.party:
        short = "ĐU" if name.startswith("Đảng ủy") else _initials(name.replace("Tỉnh ủy", "TU"))
        return f"BC/{short}"
    if not name.startswith("Công an"):
        name = re.sub(r"\s+(tỉnh|phường|xã)( .*)?$", "", name)
    return f"BC-{_initials(name)}"


def _initials(name: str) -> str:
    words = [w for w in re.split(r"[\s,–-]+", name) if w and w not in ("và", "các", "của")]
    found = "".join(w if w.isupper() else w[0].upper() for w in words).replace("Ủ", "U")
    return found if len(found) <= LONGEST_SIGN else "…"


def _post(author: Author) -> tuple[str, str]:
    name = expanded(author.name_vi).lower()
    for pattern, authority, post in PARTY_POSTS if author.party else POSTS:
        if re.search(pattern, name):
            return authority, post
    return ANY_POST
