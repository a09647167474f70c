"""Figures by key and sentences that name theirs. Pure.

A sentence is a text with fields; what fills a field is a figure, so every number and every name in a
sentence leads back to what it was made from.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from services.registry.documents.wording import cut, day, listed, number, share, unit_vi

Value = int | float | str | list[str] | None


@dataclass(frozen=True)
class Figure:
    """`value` as data (a list: the ids of those named), `text` as it stands in sentences; `names`: of
    those whose ids are the value, one for each; `title`: of the appendix's list of them."""

    key: str
    value: Value
    text: str
    names: tuple[str, ...] = ()
    title: str = ""


@dataclass(frozen=True)
class Sentence:
    """One sentence or list item. `figures`: keys of all it rests on. `bullet`: an item of a list."""

    key: str
    text: str
    figures: tuple[str, ...]
    bullet: bool = False


@dataclass
class Section:
    """A part of a report; parts without a sentence are left out."""

    id: str
    title: str
    sentences: list[Sentence] = field(default_factory=list)
    parts: list["Section"] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether nothing is said in it."""
        return not self.sentences and all(part.empty for part in self.parts)

    def all(self) -> list[Sentence]:
        """Its sentences and those of its parts, in order."""
        return [*self.sentences, *(s for part in self.parts for s in part.all())]


class Book:
    """The figures of one report."""

    def __init__(self) -> None:
        self.figures: dict[str, Figure] = {}

    def _add(
        self, key: str, value: Value, text: str, names: Sequence[str] = (), title: str = ""
    ) -> Figure:
        found = self.figures.setdefault(key, Figure(key, value, text, tuple(names), title))
        if found.value != value:
            raise AssertionError(f"two figures have the key {key}")
        return found

    def count(self, key: str, value: int | float) -> Figure:
        """A number as offices write it: 1.234."""
        return self._add(key, value, number(value))

    def share(self, key: str, part: int, whole: int) -> Figure:
        """A percentage of two counts, cut at a tenth."""
        return self._add(key, part / whole, share(part, whole))

    def day(self, key: str, value: date) -> Figure:
        """A day."""
        return self._add(key, value.isoformat(), day(value))

    def units(self, key: str, ids: Sequence[str], names: Sequence[str], title: str = "") -> Figure:
        """Units or bodies by name; the ids are the value. `title`: of their list in the appendix."""
        return self._add(key, list(ids), listed([unit_vi(n) for n in names]), names, title)

    def named(self, key: str, ids: Sequence[str], names: Sequence[str], text: str, title: str = "") -> Figure:  # fmt: skip
        """The same where the sentence says more, or less, than the names."""
        return self._add(key, list(ids), text, names, title)

    def words(self, key: str, text: str, longest: int | None = None) -> Figure:
        """Words of the plan or of an event, quoted; cut where they are long."""
        return self._add(key, text, cut(text, longest) if longest else text)


def say(key: str, text: str, /, **figures: Figure) -> Sentence:
    """A sentence whose fields are filled with figures."""
    filled = text.format(**{name: figure.text for name, figure in figures.items()})
    filled = filled[:1].upper() + filled[1:]
    return Sentence(key, filled, tuple(figure.key for figure in figures.values()))


def item(key: str, text: str, /, **figures: Figure) -> Sentence:
    """The same as an item of a list."""
    return replace(say(key, text, **figures), bullet=True)


def joined(key: str, sentences: Sequence[Sentence], *, bullet: bool = False) -> Sentence:
    """Several sentences as one paragraph."""
    text = " ".join(s.text for s in sentences)
    keys = dict.fromkeys(k for s in sentences for k in s.figures)
    return Sentence(key, text, tuple(keys), bullet)


def figure_json(figure: Figure) -> dict[str, Any]:
    """As shown."""
    return {"value": figure.value, "text": figure.text}
