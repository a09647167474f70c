"""Parts of reports on inspections and on what citizens say. Pure."""

from collections import Counter

from services.registry.documents.figures import Book, Section, item, say
from services.registry.documents.material import Material
from services.registry.documents.wording import cut
from services.registry.oversight import feedback as answered
from services.registry.oversight import inspections as followed
from shared.contracts.live import of_process

WORDS = {
    "to_remedy": "đang trong thời gian khắc phục",
    "overdue": "quá hạn khắc phục",
    "remedied": "đã khắc phục",
}
STATES = {"open": "đang xử lý", "overdue": "quá hạn trả lời", "resolved": "đã giải quyết", "rejected": "không chấp nhận"}  # fmt: skip


def inspections(book: Book, material: Material) -> Section:
    """How many inspections there were, what they found, and what of it was put right."""
    section = Section("inspections", "Công tác kiểm tra, giám sát")
    since = material.since
    found = [
        i
        for i in followed.inspections(list(material.inspections), material.as_of)
        if i.fact.occurred >= since or i.state in ("to_remedy", "overdue")
    ]
    if not found:
        day = book.day("as_of", material.as_of)
        text = "Đến hết ngày {day}, hệ thống chưa ghi nhận cuộc kiểm tra, giám sát nào trong kỳ."
        section.sentences.append(say("inspections.none", text, day=day))
        return section
    n = book.count("inspections.all", len(found))
    section.sentences.append(say("inspections.all", "Theo dõi {n} cuộc kiểm tra, giám sát.", n=n))
    for one in found:
        key = f"inspection.{one.fact.origin}"
        fields = {
            "day": book.day(f"{key}.day", one.fact.occurred),
            "where": book.units(
                f"{key}.unit", [one.fact.unit_id], [material.name_of(one.fact.unit_id)]
            ),
        }
        text = "Ngày {day}, tại {where}"
        if one.fact.data.get("findings"):
            fields["findings"] = book.words(
                f"{key}.findings", str(one.fact.data["findings"]).rstrip(". ")
            )
            text += ": {findings}"
        if one.state in WORDS:
            fields["state"] = book.words(f"{key}.state", WORDS[one.state])
            text += " ({state})"
        section.sentences.append(item(key, f"{text}.", **fields))
    return section


def feedback(book: Book, material: Material) -> Section:
    """What citizens said, by state, with those that wait for an answer."""
    section = Section("feedback", "Tiếp nhận, phản hồi ý kiến của người dân")
    since, on = material.since, material.as_of
    facts = [f for f in material.feedback if f.occurred >= since or answered.state_of(f, on) in ("open", "overdue")]  # fmt: skip
    if not facts:
        day = book.day("as_of", material.as_of)
        text = "Đến hết ngày {day}, hệ thống chưa ghi nhận ý kiến phản ánh nào của người dân."
        section.sentences.append(say("feedback.none", text, day=day))
        return section
    counts = Counter(answered.state_of(f, on) for f in facts)
    fields = {"all": book.count("feedback.all", len(facts))}
    parts = []
    for state, word in STATES.items():
        if counts[state]:
            fields[state] = book.count(f"feedback.{state}", counts[state])
            parts.append(f"{{{state}}} ý kiến {word}")
    section.sentences.append(say("feedback.all", f"Tiếp nhận {{all}} ý kiến: {', '.join(parts)}.", **fields))  # fmt: skip
    topics = of_process().words.enums["topic"]
    for fact in facts:
        if answered.state_of(fact, on) not in ("open", "overdue"):
            continue
        key = f"feedback.{fact.origin}"
        words = fact.data.get("text") or topics.get(str(fact.data.get("topic")), "nội dung khác")
        used = {
            "where": book.units(f"{key}.unit", [fact.unit_id], [material.name_of(fact.unit_id)]),
            "day": book.day(f"{key}.day", fact.occurred),
            "text": book.words(f"{key}.text", cut(str(words), 300)),
            "state": book.words(f"{key}.state", STATES[answered.state_of(fact, on)]),
        }
        section.sentences.append(item(key, "{where} (ngày {day}): {text} – {state}.", **used))  # fmt: skip
    return section
