"""The pages made from the code are as the code is, and no variable is missing."""

import re
from pathlib import Path

import pytest

from deploy import reference

ROOT = Path(__file__).parents[2]
SOURCES = [
    *(
        p
        for folder in ("services", "shared", "deploy", "bench")
        for p in (ROOT / folder).rglob("*.py")
    ),
    *ROOT.glob("docker-compose*.yml"),
]


@pytest.mark.parametrize("name", sorted(reference.PAGES))
def test_page_is_as_the_code_is(name: str) -> None:
    page = (reference.DOCS / name).read_text(encoding="utf-8")
    assert page == reference.PAGES[name](), "run `make generate`"


def test_what_senders_are_told_is_as_the_code_is() -> None:
    assert reference.WORDS.read_text(encoding="utf-8") == reference.words(), "run `make generate`"


def test_every_variable_is_described() -> None:
    described = set(re.findall(r"`([A-Z_]+)`", reference.configuration()))
    for path in SOURCES:
        for name in re.findall(r"\bHOCVUSO_[A-Z0-9_]*[A-Z0-9]\b(?!_)", path.read_text()):
            assert name in described, f"{name} in {path.relative_to(ROOT)}"


def test_what_is_said_to_be_read_elsewhere_is_read_there() -> None:
    for name, _, _, file in reference.ELSEWHERE:
        assert name in (ROOT / file).read_text(), (name, file)


def test_every_setting_says_what_it_is() -> None:
    for _, settings in reference.SECTIONS:
        for name, info in settings.model_fields.items():
            assert info.description, name
