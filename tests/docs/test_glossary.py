"""The glossary: each word once, in use, and never the name of two different things."""

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINE = re.compile(r"^\| (\w[\w ]*) \| (.+) \|$", re.MULTILINE)
WORDS = dict(LINE.findall((ROOT / "docs" / "glossary.md").read_text("utf-8")))
del WORDS["word"]
SOURCES = [p for folder in ("services", "shared") for p in (ROOT / folder).rglob("*.py")]


def test_each_word_stands_once() -> None:
    found = [word for word, _ in LINE.findall((ROOT / "docs" / "glossary.md").read_text("utf-8"))]
    assert len(found) == len(set(found)) and len(WORDS) >= 25


@pytest.mark.parametrize("word", WORDS)
def test_each_word_is_in_use(word: str) -> None:
    used = re.compile(rf"(?i)(?<![a-z]){word.replace(' ', '[ _]?')}")
    assert any(used.search(path.read_text("utf-8")) for path in SOURCES)


def test_no_word_names_two_classes_of_one_service() -> None:
    names = {word.title().replace(" ", "").replace("_", "") for word in WORDS}
    places = defaultdict(list)
    for path in SOURCES:
        service = path.relative_to(ROOT).parts[:2] if "services" in path.parts else ("shared",)
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef) and node.name in names:
                places[service, node.name].append(str(path.relative_to(ROOT)))
    assert {key: files for key, files in places.items() if len(files) > 1} == {}
