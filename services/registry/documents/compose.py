"""The draft of a report: figures, sections, the table of targets and the lists behind. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.registry.documents.activities import activities
from services.registry.documents.difficulties import difficulties
from services.registry.documents.figures import Book, Figure, Section, Sentence, say
from services.registry.documents.material import Material
from services.registry.documents.models import models
from services.registry.documents.next_steps import next_steps
from services.registry.documents.occasion import Head, full_name, head_of, issuer_of, period_of
from services.registry.documents.oversight import feedback, inspections
from services.registry.documents.reported import reported
from services.registry.documents.results import Result, results
from services.registry.documents.work import work

OVERSIGHT = frozenset({"inspection", "supervision", "monitoring"})
"""Duties of those who look at others' work: what they saw, the targets, what hinders."""
APPENDIX = "Phụ lục II"


@dataclass(frozen=True)
class NameList:
    """A list of the second appendix: what a sentence says of these units, and all of them by name."""

    title_vi: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Draft:
    """A composed report. `opening` stands before the first part, `rows` are its table of targets."""

    material: Material
    head: Head
    opening: list[Sentence]
    sections: list[Section]
    rows: list[Result]
    lists: list[NameList]
    figures: dict[str, Figure]

    def sentences(self) -> list[Sentence]:
        """Every sentence, in order."""
        return [*self.opening, *(s for section in self.sections for s in section.all())]


def compose(material: Material) -> Draft:
    """Put a report together from what is known; nothing is said that no figure stands behind."""
    book = Book()
    found, rows = results(book, material)
    taken = reported(book, material)
    if not taken.empty:
        found.parts.append(taken)
    kind, event = material.duty["kind"], material.duty["event"]
    parts: list[Section] = []
    if kind in OVERSIGHT:
        parts += [inspections(book, material), found, difficulties(book, material, rows)]
    elif kind == "feedback":
        parts += [feedback(book, material), difficulties(book, material)]
        rows = []
    elif event == "issue.raised":
        parts.append(difficulties(book, material))
        rows = []
    elif kind == "data_extract":
        parts += [found, difficulties(book, material, rows)]
    else:
        parts += [activities(book, material), found, work(book, material)]
        parts += [models(book, material), difficulties(book, material, rows)]
    parts.append(next_steps(book, material, rows))
    sections = [section for section in parts if not section.empty]
    opening = _opening(book, material)
    draft = Draft(material, head_of(material), opening, sections, rows, [], book.figures)
    draft.lists.extend(_lists(draft.sentences(), book.figures))
    return draft


def _said_of(sentence: Sentence, figure: Figure) -> str:
    """What a sentence says in place of a figure's names: nothing where it names them."""
    return "" if figure.text in sentence.text and APPENDIX not in figure.text else sentence.text


def _opening(book: Book, material: Material) -> list[Sentence]:
    document = material.document
    plan = book.words("plan.title", document["title_vi"])
    author = book.words("author", full_name(material.author))
    period = book.words("period", period_of(material))
    issuer = book.words("plan.issuer", issuer_of(document))
    text = "Thực hiện {plan} của {issuer}, {author} báo cáo kết quả {period} như sau:"
    if material.period.request is not None:
        by = material.period.request.requested_by or "cấp trên"
        period = book.words("request.by", by)
        text = "Thực hiện {plan} của {issuer} và yêu cầu báo cáo của {period}, {author} báo cáo như sau:"  # fmt: skip
    first = say("opening.plan", text, plan=plan, issuer=issuer, author=author, period=period)
    fields = {
        "start": book.day("period.figures_from", material.since),
        "day": book.day("as_of", material.as_of),
    }
    text = "Số liệu trong kỳ tính từ ngày {start} đến hết ngày {day}"
    if material.known_at is not None:
        fields["known"] = book.day("known_at", material.known_at)
        text += ", theo dữ liệu hệ thống ghi nhận đến hết ngày {known}"
    said = [first, say("opening.days", f"{text}.", **fields)]
    if material.provisional:
        closing = book.day("closing_day", material.period.closing_day)
        text = "Đây là dự thảo với số liệu tạm tính; số liệu chính thức chốt vào ngày {closing}."
        said.append(say("opening.provisional", text, closing=closing))
    return said


def _lists(sentences: Sequence[Sentence], figures: dict[str, Figure]) -> list[NameList]:
    """The units of every sentence that leads to the appendix, by name."""
    found = []
    seen: set[str] = set()
    for sentence in sentences:
        if APPENDIX not in sentence.text:
            continue
        for key in sentence.figures:
            figure = figures[key]
            if figure.title and key not in seen and APPENDIX in _said_of(sentence, figure):
                seen.add(key)
                found.append(NameList(figure.title, figure.names))
    return found
