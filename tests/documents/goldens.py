"""The drafts of the scenes as text, as an officer reads them; `python -m tests.documents.goldens` writes
them anew (read every change before it is kept)."""

from datetime import date
from pathlib import Path

from services.registry.documents.compose import Draft, compose
from services.registry.documents.figures import Section
from services.registry.documents.occasion import Head
from services.registry.reports.periods import Request
from tests.documents.scenes import STATES, Scene, material

FOLDER = Path(__file__).parent / "drafts"
ASKED = Request(
    "yc-2026-07", date(2026, 7, 1), date(2026, 7, 9), ("so-gddt",),
    "Ban Chỉ đạo tỉnh", "tình hình mở lớp tại xã vùng sâu", "12-CV/BCĐ",
)  # fmt: skip

WHAT = (
    ("gia-lai-2026", "quarterly-report", "2026-Q2", "23563@2025", date(2026, 6, 14), None),
    ("gia-lai-2026", "quarterly-report", "2026-Q2", "so-gddt", date(2026, 6, 14), None),
    ("gia-lai-2026", "quarterly-consolidation", "2026-Q2", "so-khcn", date(2026, 6, 14), None),
    ("gia-lai-2026", "quarterly-consolidation", "2026-Q4", "so-khcn", date(2026, 12, 14), None),
    ("gia-lai-2026", "adhoc-adjustment", "2026-07-20", "so-khcn", date(2026, 7, 20), None),
    ("yen-bai-2025-2026", "so-khcn-monthly", "2026-05", "so-khcn", date(2026, 5, 14), None),
    ("yen-bai-2025-2026", "so-khcn-quarterly", "2026-Q2", "so-khcn", date(2026, 6, 14), None),
    ("yen-bai-2025-2026", "so-khcn-half-yearly", "2026-H1", "so-khcn", date(2026, 6, 14), None),
    ("yen-bai-2025-2026", "so-khcn-on-request", "yc-2026-07", "so-khcn", date(2026, 7, 1), ASKED),
    ("yen-bai-2025-2026", "on-request-report", "yc-2026-07", "so-gddt", date(2026, 7, 1), ASKED),
    ("yen-bai-2025-2026", "quarterly-report", "2026-Q2", "ban-tuyen-giao-dan-van", date(2026, 6, 14), None),
    ("yen-bai-2025-2026", "party-office-monthly", "2026-05", "van-phong-tinh-uy", date(2026, 5, 31), None),
    ("yen-bai-2025-2026", "party-inspection", "2026-06-30", "uy-ban-kiem-tra", date(2026, 6, 30), None),
    ("dak-lak-2026", "final-report-2026", "once", "24133@2025", date(2026, 12, 9), None),
    ("dak-lak-2026", "final-report-2026", "once", "so-gddt", date(2026, 12, 9), None),
    ("dak-lak-2026", "final-report-2026", "once", "so-khcn", date(2026, 12, 9), None),
    ("dong-nai-2026", "weekly-campaign-review", "2026-W27", "doan-tncs", date(2026, 7, 5), None),
    ("dong-nai-2026", "target-consolidation", "2026-09-30", "so-khcn", date(2026, 9, 30), None),
    ("dong-nai-2026", "vneid-extract", "2026-09-30", "cong-an-tinh", date(2026, 9, 30), None),
    ("tan-lap-100-days-2025", "progress-report", "2025-Q3", "cong-an-phuong", date(2025, 9, 14), None),
    ("tan-lap-100-days-2025", "consolidation", "2025-10-25", "phong-vhxh", date(2025, 10, 25), None),
    ("tan-lap-100-days-2025", "issues", "2025-09-01", "vp-hdnd-ubnd", date(2025, 9, 1), None),
    ("tan-lap-100-days-2025", "resident-feedback", "2025-Q3", "to-truong", date(2025, 9, 30), None),
    ("tan-lap-100-days-2025", "front-supervision", "2025-Q3", "mttq-phuong", date(2025, 9, 30), None),
)  # fmt: skip

SCENES = [
    Scene(plan, duty, period, body, day, state, request)
    for plan, duty, period, body, day, request in WHAT
    for state in STATES
]


def text_of(draft: Draft) -> str:
    """A draft as plain text: head, sentences, the table's rows, the lists."""
    head = draft.head
    lines = [
        f"[{'Đảng' if head.party else 'Nhà nước'}] {head.superior or '–'} | {head.body} | {number_line(head)} | {head.place}",
        f"BÁO CÁO: {head.extract}",
        f"Nơi nhận: {'; '.join(head.recipients) or '–'} | {head.authority} {head.post}".rstrip(),
        "",
    ]
    lines += [s.text for s in draft.opening]
    for section in draft.sections:
        lines += _lines(section, 1)
    if draft.rows:
        lines.append("")
    for row in draft.rows:
        lines.append(" | ".join(("", row.name_vi, row.target_vi, row.done_vi, row.ratio_vi, row.change_vi, row.judged_vi)).strip())  # fmt: skip
    for one in draft.lists:
        lines.append(f"Phụ lục II. {one.title_vi}: {len(one.names)}")
    return "\n".join(lines) + "\n"


def number_line(head: Head) -> str:
    return f"Số      -{head.sign}" if head.party else f"Số:      /{head.sign}"


def _lines(section: Section, depth: int) -> list[str]:
    found = ["", f"{'#' * depth} {section.title}"] if depth == 1 else [f"{'#' * depth} {section.title}"]  # fmt: skip
    found += [f"{'- ' if s.bullet else ''}{s.text}" for s in section.sentences]
    for part in section.parts:
        found += _lines(part, depth + 1)
    return found


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.txt"):
        old.unlink()
    for scene in SCENES:
        (FOLDER / f"{scene.name}.txt").write_text(text_of(compose(material(scene))))
