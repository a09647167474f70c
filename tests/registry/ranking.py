"""The formula and the terms of the ranking page."""

from typing import Any

NAMES = ["adults-certified-vneid", "adults-digital-skills"]

TERMS = [{"objective": NAMES[0], "weight": 2}, {"objective": NAMES[1], "weight": 1}]


def formula(id: str, terms: list[dict[str, Any]], valid_from: str = "2026-11-01") -> dict[str, Any]:
    return {
        "id": id, "source": "https://ubnd.example", "type": "vn.hocvuso.ranking.published",
        "subject": "66@2025", "time": "2026-11-01T00:00:00+07:00",
        "data": {"plan": "dak-lak-2026", "valid_from": valid_from, "terms": terms,
                 "document_ref": "300/QĐ-UBND"},
    }  # fmt: skip
