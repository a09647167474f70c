"""The shapes of drafts as JSON. Pure."""

from typing import Any

from services.registry.documents.appendix import appendix_of
from services.registry.documents.compose import Draft
from services.registry.documents.figures import Section, Sentence, figure_json
from services.registry.documents.results import Result

Json = dict[str, Any]


def draft_json(draft: Draft, edits: dict[str, str]) -> Json:
    """A draft: head, sentences with the keys of their figures, the table, the appendix, the figures.

    `edits`: what people wrote in place of sentences; `orphans` among them belong to no sentence of
    today's numbers and are kept.
    """
    material, head = draft.material, draft.head
    keys = {s.key for s in draft.sentences()}
    appendix = appendix_of(draft)
    return {
        "as_of": material.as_of,
        "known_at": material.known_at,
        "provisional": material.provisional,
        "closing_day": material.period.closing_day,
        "last_day": material.period.last_day,
        "compared_with": material.before_day,
        "plan_version": material.version,
        "form": "party" if head.party else "state",
        "head": {
            "superior": head.superior,
            "body": head.body,
            "sign": head.sign,
            "place": head.place,
            "extract": head.extract,
            "recipients": list(head.recipients),
            "authority": head.authority,
            "post": head.post,
        },
        "opening": [_sentence(s, edits) for s in draft.opening],
        "sections": [_section(s, edits) for s in draft.sections],
        "results": [_result(r) for r in draft.rows],
        "appendix": None
        if appendix is None
        else {
            "title": appendix.title_vi,
            "objectives": [c.id for c in appendix.columns],
            "rows": [
                {"unit": code, "name_vi": name, "cells": {k: [c.value, c.denominator] for k, c in cells.items()}}
                for code, name, cells in appendix.rows
            ],
        },
        "lists": [{"title": one.title_vi, "names": list(one.names)} for one in draft.lists],
        "figures": {key: figure_json(figure) for key, figure in draft.figures.items()},
        "orphans": {key: text for key, text in edits.items() if key not in keys},
    }  # fmt: skip


def _sentence(sentence: Sentence, edits: dict[str, str]) -> Json:
    return {
        "key": sentence.key,
        "text": edits.get(sentence.key, sentence.text),
        "edited": sentence.key in edits,
        "composed": sentence.text,
        "item": sentence.bullet,
        "figures": list(sentence.figures),
    }


def _section(section: Section, edits: dict[str, str]) -> Json:
    return {
        "id": section.id,
        "title": section.title,
        "sentences": [_sentence(s, edits) for s in section.sentences],
        "parts": [_section(p, edits) for p in section.parts],
    }


def _result(row: Result) -> Json:
    return {
        "objective": row.objective,
        "text_vi": row.full_vi,
        "target": row.target_vi,
        "done": row.done_vi,
        "ratio": row.ratio_vi,
        "change": row.change_vi,
        "judged": row.judged_vi,
        "group": row.group,
        "figures": list(row.figures),
    }
