"""Part III: the plan's tasks, with who is responsible. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from services.registry.documents.figures import Book, Figure, Section, Sentence, item, say
from services.registry.documents.material import Material
from services.registry.documents.nouns import units_vi
from services.registry.documents.occasion import expanded
from services.registry.documents.standing import MOST
from services.registry.documents.wording import cut, listed, quoted, unit_vi
from services.registry.plans.bodies import Body
from services.registry.tasks.fold import TaskStanding
from services.registry.tasks.standing import BodyStanding, state_of_all

STATES = (
    ("done", "hoàn thành"), ("done_late", "hoàn thành sau thời hạn"), ("in_progress", "đang thực hiện"),
    ("not_started", "chưa bắt đầu"), ("blocked", "đang vướng mắc"), ("overdue", "quá hạn"),
)  # fmt: skip

TITLES = (
    ("done", "Nhiệm vụ đã hoàn thành"),
    ("done_late", "Nhiệm vụ hoàn thành sau thời hạn"),
    ("overdue", "Nhiệm vụ quá hạn"),
    ("blocked", "Nhiệm vụ đang vướng mắc"),
)
STATES_ALONE = (
    ("in_progress", "Nhiệm vụ đang thực hiện"),
    ("not_started", "Nhiệm vụ chưa bắt đầu"),
)
"""Named too where it is the only task."""


@dataclass(frozen=True)
class Work:
    """One task as far as it is the author's: the state over the bodies that it answers for."""

    standing: TaskStanding
    state: str
    bodies: dict[str, BodyStanding]

    @property
    def id(self) -> str:
        """The task's id in its plan."""
        return str(self.standing.task["id"])

    @property
    def title_vi(self) -> str:
        """The plan's own words for it."""
        task = self.standing.task
        return str(task.get("title_vi") or task.get("text_vi") or task["id"])

    @property
    def last_day(self) -> date | None:
        """Its last day: its own, else that of the oldest occurrence that is late."""
        if self.standing.last_day is not None:
            return self.standing.last_day
        late = [
            o.occurrence.last_day
            for b in self.bodies.values()
            for o in b.occurrences
            if o.late and o.occurrence.last_day is not None
        ]
        return min(late, default=None)

    def bodies_in(self, state: str) -> list[Body]:
        """The lead bodies that are in a state."""
        return [self.standing.bodies[id] for id, b in self.bodies.items() if b.state == state]


def works(material: Material) -> list[Work]:
    """The tasks that the author answers for, in the plan's order."""
    author = material.author
    found = []
    for task in material.tasks:
        own = dict(task.standings)
        if not author.whole:
            own = {id: b for id, b in own.items() if id in (author.id, author.unit_id)}
        if own:
            found.append(Work(task, state_of_all([b.state for b in own.values()]), own))
    return found


def work(book: Book, material: Material) -> Section:
    """How many tasks stand where; each late and each blocked one by name."""
    section = Section("tasks", "Kết quả thực hiện nhiệm vụ")
    found = works(material)
    if not found:
        return section
    fields: dict[str, Figure] = {"all": book.count("tasks.all", len(found))}
    parts = []
    for state, word in STATES:
        n = sum(w.state == state for w in found)
        if n:
            fields[state] = book.count(f"tasks.{state}", n)
            parts.append(f"{{{state}}} nhiệm vụ {word}")
    who = "Kế hoạch giao" if material.author.whole else "Đơn vị được giao"
    text = f"{who} {{all}} nhiệm vụ: {', '.join(parts)}."
    if len(found) > 1:
        section.sentences.append(say("tasks.summary", text, **fields))
    listed_ = dict(TITLES) if len(found) > 1 else dict(TITLES) | dict(STATES_ALONE)
    for state, title in listed_.items():
        named = [_task(book, material, w, state) for w in found if w.state == state]
        if named:
            section.parts.append(Section(state, title, named))
    return section


def _task(book: Book, material: Material, found: Work, state: str) -> Sentence:
    key = f"task.{found.id}"
    fields = {"name": book.words(f"{key}.title", cut(found.title_vi, 160))}
    text = "{name}"
    if found.last_day is not None and state != "done":
        fields["last_day"] = book.day(f"{key}.last_day", found.last_day)
        recurs = found.standing.last_day is None
        text += "; chưa hoàn thành từ kỳ có hạn ngày {last_day}" if recurs else "; hạn đến hết ngày {last_day}"  # fmt: skip
    done = [b.current.done_on for b in found.bodies.values() if b.current.done_on]
    if state in ("done", "done_late") and done:
        fields["done_on"] = book.day(f"{key}.done_on", max(done))
        text += "; hoàn thành ngày {done_on}"
    if material.author.whole:
        bodies = found.bodies_in(state)
        fields["who"] = who(book, material, f"{key}.{state}", bodies, found.title_vi)
        text += "; chủ trì: {who}"
    said = _difficulties(found)
    if said and state in ("overdue", "blocked"):
        fields["said"] = book.words(f"{key}.difficulties", said)
        text += ". Vướng mắc được nêu: {said}"
    return item(f"{key}.{state}", f"{text}.", **fields)


def who(book: Book, material: Material, key: str, bodies: Sequence[Body], title: str) -> Figure:
    """The bodies by name; of many units how many, with the names in the appendix."""
    units = [b for b in bodies if b.unit_id is not None]
    names = [expanded(b.name_vi) for b in bodies if b.unit_id is None]
    words = units_vi(material.table)
    if material.table is not None and len(units) == len(material.table.rows) > MOST:
        names.append(f"tất cả {len(units)} {words}")
    elif len(units) > MOST:
        names.append(f"{len(units)} {words} (danh sách tại Phụ lục II)")
    else:
        names += [unit_vi(b.name_vi) for b in units]
    return book.named(
        f"{key}.bodies",
        [b.id for b in bodies],
        [b.name_vi for b in bodies],
        listed(names),
        f"Đơn vị chưa hoàn thành: {quoted(cut(title))}",
    )


def _difficulties(found: Work) -> str:
    """What lead bodies say hinders them, each with its name."""
    said = []
    for id, body in found.bodies.items():
        statement = body.current.statement
        text = statement.data.get("difficulties") if statement else None
        if text and statement is not None and statement.returned is None:
            name = f"{found.standing.bodies[id].name_vi}: " if len(found.bodies) > 1 else ""
            said.append(f"{name}{text.strip().rstrip('.')}")
    return "; ".join(said)
