"""What a recipe gets to make one event: where, when, who, and dice."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from deploy.sandbox.people import People, Person
from deploy.sandbox.places import Commune

Json = dict[str, Any]


@dataclass
class Memory:
    """What earlier events of a commune have established and later ones refer to."""

    requests: list[str] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    models: dict[str, list[str]] = field(default_factory=dict)
    mentors: dict[str, list[Person]] = field(default_factory=dict)
    pupils: dict[str, int] = field(default_factory=dict)
    pages: list[str] = field(default_factory=list)


@dataclass
class Scene:
    """One event to be made. `subject` may be overridden by the recipe (a hamlet, the province)."""

    rng: random.Random
    commune: Commune
    people: People
    memory: Memory
    day: date
    serial: int
    root: str
    plan: str
    subject: str
    class_prefix: str = ""
    """How this poster refers to a class of the commune: nothing, or "SOURCE#" for other posters."""
    extra: Json = field(default_factory=dict)
    dataschema: str | None = None

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.rng.random() < probability

    def ref(self, letter: str) -> str:
        """A name for a thing of this commune, unique in the course."""
        return f"{self.commune.code}-{letter}{self.serial:x}"

    def person(self, what: str, *groups: str) -> tuple[Person, Json]:
        """Somebody of these groups with their groups as data."""
        someone = self.people.pick(self.rng, what, *groups)
        return someone, {"person": someone.by_identity(), "target_groups": list(someone.groups)}

    def in_hamlet(self, probability: float = 1.0) -> None:
        """Let the event happen in a hamlet, if the commune has any."""
        if self.commune.hamlets and self.chance(probability):
            self.subject = self.rng.choice(self.commune.hamlets[:12])

    def at_province(self) -> None:
        """Let the event belong to the plan's own unit."""
        self.subject = self.root


Make = Callable[[Scene], Json]


@dataclass(frozen=True)
class Recipe:
    """How events of one type come about. `window`: months and days of the year between which."""

    type: str
    role: str
    weight: float
    make: Make
    window: tuple[str, str] | None = None
