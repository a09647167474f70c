"""Part I: what was done to bring the movement about. Pure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from services.registry.documents.figures import Book, Section, Sentence, item, say
from services.registry.documents.material import Material
from services.registry.tasks.evidence import Evidence


class Kind(NamedTuple):
    """One kind of work: the events that show it, and how it is said. `whole` has fields {n} (events
    of the period), {all} (since the plan began), {people}."""

    key: str
    types: tuple[str, ...]
    said: str
    so_far: str
    people: str | None = None
    counts: Callable[[Mapping[str, object]], bool] | None = None


KINDS = (
    Kind("documents", ("document.issued",), "ban hành {n} văn bản chỉ đạo, triển khai", "{all} văn bản"),
    Kind("committees", ("committee.established",), "thành lập, kiện toàn {n} Ban Chỉ đạo", "{all} Ban Chỉ đạo"),
    Kind("launches", ("launch.held",), "tổ chức {n} lễ phát động", "{all} lễ phát động", "participants"),
    Kind("teams", ("team.established",), "thành lập {n} Tổ công nghệ số cộng đồng", "{all} tổ", "members"),
    Kind("reinforced", ("team.reinforced",), "bổ sung nhân lực cho các Tổ công nghệ số cộng đồng {n} lượt", "{all} lượt"),
    Kind("classes", ("class.held",), "tổ chức {n} lớp học", "{all} lớp", "participants"),
    Kind("sessions", ("guidance_session.held",), "tổ chức {n} buổi hướng dẫn, buổi học cộng đồng", "{all} buổi", "participants"),
    Kind("posts", ("post.published",), "đăng tải {n} tin, bài, video", "{all} tin, bài, video"),
    Kind("materials", ("material.published",), "đăng tải tài liệu hướng dẫn {n} lượt", "{all} lượt"),
    Kind("activities", ("activity.held",), "tổ chức {n} hoạt động tuyên truyền, trải nghiệm", "{all} hoạt động", "participants"),
    Kind("festivals", ("festival.held",), "tổ chức {n} Ngày hội toàn dân học tập số", "{all} ngày hội"),
)  # fmt: skip

PEOPLE = {"participants": "với {people} lượt người tham gia", "members": "với {people} thành viên"}

GROUPS = (
    ("lead", "Công tác chỉ đạo, tổ chức thực hiện", ("documents", "committees", "launches", "teams", "reinforced")),
    ("teach", "Mở lớp, hướng dẫn kỹ năng số", ("classes", "sessions")),
    ("tell", "Công tác tuyên truyền", ("posts", "materials", "activities", "festivals")),
)  # fmt: skip

TYPES = tuple(sorted({name for kind in KINDS for name in kind.types}))


def activities(book: Book, material: Material) -> Section:
    """What happened in the period, and in all since the plan began; what did not come is not said."""
    by_key = {kind.key: kind for kind in KINDS}
    section = Section("activities", "Tình hình triển khai")
    for name, title, keys in GROUPS:
        said = [s for key in keys if (s := _kind(book, material, by_key[key])) is not None]
        if said:
            section.parts.append(Section(name, title, said))
    quiet = [k for k in KINDS if k.key in ("documents", "classes", "sessions", "posts")]
    if not section.parts:
        section.sentences.append(_nothing(book, material, quiet))
    return section


def _kind(book: Book, material: Material, kind: Kind) -> Sentence | None:
    found = [e for name in kind.types for e in material.evidence.get(name, ())]
    total, in_period = _sum(found, None), _sum(found, material.since)
    if not total:
        return None
    key = f"activities.{kind.key}"
    fields = {
        "n": book.count(f"{key}.period", in_period),
        "all": book.count(f"{key}.total", total),
        "units": book.count(f"{key}.units", len({e.unit_id for e in found})),
    }
    if not in_period:
        text = f"Từ đầu Kế hoạch đến nay: {kind.so_far}; trong kỳ không ghi nhận thêm."
        return item(key, text, all=fields["all"], n=fields["n"])
    text = "Đã " + kind.said
    used = {"n": fields["n"]}
    if kind.people is not None:
        people = _people(found, kind.people, material.since)
        if people:
            text += f" {PEOPLE[kind.people]}"
            used["people"] = book.count(f"{key}.people", people)
    if total != in_period:
        text += f"; lũy kế từ đầu Kế hoạch {kind.so_far}"
        used["all"] = fields["all"]
    return item(key, f"{text}.", **used)


def _nothing(book: Book, material: Material, kinds: Sequence[Kind]) -> Sentence:
    """Said plainly where nothing came: that it was not recorded, not that it was not done."""
    day = book.day("as_of", material.as_of)
    text = (
        "Đến hết ngày {day}, hệ thống chưa ghi nhận văn bản chỉ đạo, lớp học, buổi hướng dẫn hay tin, bài"
        " tuyên truyền nào trong phạm vi báo cáo này."
    )
    figures = {"day": day}
    for kind in kinds:
        figures[f"zero_{kind.key}"] = book.count(f"activities.{kind.key}.total", 0)
    return say("activities.nothing", text, **figures)


def _sum(evidence: Sequence[Evidence], since: date | None) -> int:
    return sum(e.n for e in evidence if since is None or e.occurred >= since)


def _people(evidence: Sequence[Evidence], field: str, since: date) -> int:
    """People of the period's events, where the events say how many."""
    found = 0
    for one in evidence:
        value = one.data.get(field)
        if one.occurred >= since and isinstance(value, int) and not isinstance(value, bool):
            found += value * one.n
    return found
