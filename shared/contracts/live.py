"""The catalogue of a running process: what ships, and what the instance that it serves has added."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from shared.contracts.definitions import Catalogue
from shared.contracts.model import EventType, FieldSpec, Vocabulary

Json = dict[str, Any]


class LiveCatalogue(Catalogue):
    """Answers as the newest catalogue that it was told of; what is made of a catalogue (compiled
    schemas, names of fields) compares `now` with the one it was made of."""

    def __init__(self, shipped: Catalogue) -> None:
        self._shipped = self._now = shipped
        self._position = 0

    @property
    def shipped(self) -> Catalogue:
        return self._shipped

    @property
    def now(self) -> Catalogue:
        return self._now

    def follow(self, catalogue: Catalogue, position: int) -> bool:
        """Be this one, as defined up to a position of the log; whether that is another one. An
        earlier position than the last one changes nothing."""
        if position < self._position:
            return False
        self._position = position
        changed = catalogue is not self._now
        self._now = catalogue
        return changed

    def start_over(self) -> None:
        """Forget what was defined: another log is followed from here on."""
        self._now, self._position = self._shipped, 0

    @property
    def words(self) -> Vocabulary:
        return self._now.words

    def __getitem__(self, type_name: str) -> EventType:
        return self._now[type_name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._now)

    def __len__(self) -> int:
        return len(self._now)

    def filterable(self, type_name: str) -> dict[str, FieldSpec]:
        return self._now.filterable(type_name)

    def data_schema(self, type_name: str, version: str | None = None) -> Json:
        return self._now.data_schema(type_name, version)

    def stored_schema(self, type_name: str, version: str | None = None) -> Json:
        return self._now.stored_schema(type_name, version)

    def definitions(self) -> Json:
        return self._now.definitions()


@cache
def of_process() -> LiveCatalogue:
    """The one of this process, for pages and answers that are made anywhere in it; whoever follows
    the definitions of the instance keeps it up to date."""
    return LiveCatalogue(Catalogue.load())
