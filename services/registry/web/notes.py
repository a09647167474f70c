"""English that pages show, in Vietnamese: notes on how an objective is read, and what activities
warns of an event that it took."""

import re
from functools import cache
from pathlib import Path

import yaml

NOTES = Path(__file__).parents[3] / "plans" / "vi" / "reading_notes.yaml"

WARNINGS = (
    (
        re.compile(r"/data/(\w+) is not the Vietnamese day of time; it counts on \w+"),
        "{0}: khác với ngày gửi ghi trong sự kiện; số liệu được tính theo {0}.",
    ),
    (
        re.compile(r"/data/(\w+) is unusually small \(below (\d+)\); was it meant\?"),
        "{0}: nhỏ bất thường (dưới {1}); hãy xem lại có đúng không.",
    ),
    (
        re.compile(r"/data/(\w+) is unusually large \(above (\d+)\); was it meant\?"),
        "{0}: lớn bất thường (trên {1}); hãy xem lại có đúng không.",
    ),
    (
        re.compile(r"/data/(\w+) is before the day of time; was it meant\?"),
        "{0}: trước ngày diễn ra; hãy xem lại có đúng không.",
    ),
    (
        re.compile(r"/data/(\w+) is before /data/(\w+); was it meant\?"),
        "{0}: trước {1}; hãy xem lại có đúng không.",
    ),
)
"""What activities says -> the same in Vietnamese, with the field and the bound."""


@cache
def notes() -> dict[str, str]:
    """English note -> Vietnamese, of all plans of the repository."""
    return {one["en"]: one["vi"] for one in yaml.safe_load(NOTES.read_text("utf-8"))}


def note_vi(note: str) -> str | None:
    """A note in Vietnamese; None for one that nobody has translated (a plan from elsewhere)."""
    return notes().get(note)


def warning_vi(warning: str, titles: dict[str, str]) -> str | None:
    """A warning in Vietnamese; `titles`: what the form calls its fields."""
    for said, words in WARNINGS:
        found = said.fullmatch(warning)
        if found:
            return words.format(*(titles.get(part, part) for part in found.groups()))
    return None
