"""Part IV: good models and awards. Pure."""

from collections import Counter

from services.registry.documents.figures import Book, Section, item
from services.registry.documents.material import Material
from shared.contracts.live import of_process

TYPES = ("award.granted", "model.proposed", "model.recognised")


def models(book: Book, material: Material) -> Section:
    """Models that were recognised, by kind, and awards; nothing where none came."""
    section = Section("models", "Mô hình hay, cách làm sáng tạo; công tác khen thưởng")
    since = material.since
    names = of_process().words.enums["model_kind"]
    for type, word in (("model.recognised", "Đã công nhận"), ("model.proposed", "Đã đề xuất")):
        found: Counter[str] = Counter()
        for one in material.evidence.get(type, ()):
            if one.occurred >= since:
                found[str(one.data.get("kind") or "other")] += one.n
        for kind, n in sorted(found.items()):
            key = f"{type}.{kind}"
            name = names.get(kind, kind) if kind != "other" else "khác"
            fields = {"n": book.count(f"{key}.period", n), "name": book.words(f"{key}.name", name)}
            text = f"{word} {{n}} mô hình “{{name}}”." if kind != "other" else f"{word} {{n}} mô hình {{name}}."  # fmt: skip
            section.sentences.append(item(key, text, **fields))
    awards = sum(e.n for e in material.evidence.get("award.granted", ()) if e.occurred >= since)
    if awards:
        given = book.count("award.granted.period", awards)
        section.sentences.append(item("award.granted", "Khen thưởng {n} lượt tập thể, cá nhân.", n=given))  # fmt: skip
    return section
