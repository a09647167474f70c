"""Vietnamese readers get Vietnamese notes and warnings."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from services.activities.ingest import validate
from services.registry.web.notes import note_vi, notes, warning_vi
from shared.contracts.definitions import Catalogue
from shared.domain.plan_files.document import load_plan
from tests.registry import fakes
from tests.registry.conftest import Running
from tests.registry.words import VIETNAMESE


def test_every_note_of_the_plans_has_its_vietnamese_and_no_other() -> None:
    """A note that is changed in a plan is a new one here: both directions fail."""
    catalogue = Catalogue.load()
    said = [
        objective["reading_note"]
        for file in sorted(fakes.PLANS.glob("*.yaml"))
        for objective in load_plan(file, catalogue).data["objectives"]
        if objective.get("reading_note")
    ]
    assert len(said) >= 32
    assert set(notes()) == set(said)
    for english, vietnamese in notes().items():
        assert VIETNAMESE.search(vietnamese) and vietnamese.endswith("."), english
        numbers = re.findall(r"\d+%|\d+/\d+/\d+", english)
        assert re.findall(r"\d+%|\d+/\d+/\d+", vietnamese) == numbers, english
    assert note_vi(said[0] + " changed") is None


async def test_a_page_shows_the_note_in_vietnamese(registry: Running) -> None:
    address = "/plans/dak-lak-2026/objectives/commune-monthly-posts"
    text = (await registry.client.get(address)).text
    assert "Mỗi địa chỉ chỉ đếm một tin, bài." in text and '<dd lang="en">' not in text


@dataclass
class Spec:
    name: str = "participants"
    warn: dict[str, Any] = field(default_factory=lambda: {"minimum": 1, "maximum": 500})


@pytest.mark.parametrize(("value", "words"), [(0, "nhỏ bất thường (dưới 1)"), (501, "lớn bất")])
def test_warnings_of_activities_in_vietnamese(value: int, words: str) -> None:
    (warning,) = validate._implausible(Spec(), value)  # type: ignore[arg-type]
    found = warning_vi(warning, {"participants": "Số người"})
    assert found is not None and found.startswith("Số người: ") and words in found


def test_every_warning_has_vietnamese_words() -> None:
    source = Path(validate.__file__).read_text()
    said = re.findall(r'f"(/data/[^"]+ [^"]+)"', source)
    assert len(said) == 4
    for text in said:
        for what in ("/data/from", "the day of time"):
            filled = text.replace("{spec.name}", "day").replace("{low}", "1").replace("{high}", "9")
            filled = filled.replace("{kind.day}", "day")
            assert warning_vi(filled.replace("{what}", what), {}), text
    assert warning_vi("something else", {}) is None
