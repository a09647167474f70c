"""Made-up people of a commune: identity numbers that belong to nobody's register, ages, groups."""

import random
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

# (weight, groups as a partner would write them, youngest, oldest). What is implied (a worker is an
# adult) is written by some partners and left out by others.
_KINDS: list[tuple[int, list[str], int, int]] = [
    (18, ["adult"], 18, 59),
    (14, ["adult", "farmer"], 18, 59),
    (6, ["adult", "farmer", "ethnic_minority"], 18, 59),
    (12, ["worker"], 18, 59),
    (5, ["adult", "worker"], 18, 59),
    (8, ["civil_servant"], 22, 59),
    (3, ["civil_servant", "party_member", "adult"], 25, 59),
    (3, ["agency_employee"], 20, 59),
    (8, ["elderly"], 60, 88),
    (5, ["small_trader", "adult"], 20, 59),
    (4, ["cnscd_member"], 18, 45),
    (2, ["disabled", "adult"], 18, 59),
    (8, ["pupil"], 7, 17),
    (3, ["student"], 18, 24),
    (2, ["resident"], 15, 17),
]
ADULT = frozenset(
    {"adult", "civil_servant", "agency_employee", "worker", "elderly", "cnscd_member"}
)


@dataclass(frozen=True)
class Person:
    """One inhabitant. `phone` is the other number under which some partners know them."""

    number: str
    phone: str
    groups: tuple[str, ...]
    age: int

    def by_identity(self) -> Json:
        """As a body that knows identity numbers refers to them."""
        return {"scheme": "cccd", "value": self.number}

    def by_phone(self) -> Json:
        """As a body that only knows phone numbers refers to them."""
        return {"scheme": "phone", "value": self.phone}

    def is_in(self, *groups: str) -> bool:
        """Whether the person is in one of these groups, or (adult) in one that implies it."""
        wanted = set(groups) | (ADULT if "adult" in groups else set())
        return not wanted.isdisjoint(self.groups)


@dataclass
class People:
    """The people of one commune and who of them has done what."""

    all: list[Person]
    turns: dict[str, int] = field(default_factory=dict)
    _of: dict[tuple[str, ...], list[Person]] = field(default_factory=dict)

    def pick(self, rng: random.Random, what: str, *groups: str) -> Person:
        """Mostly somebody who has not done `what` yet, now and then anybody again."""
        if groups not in self._of:
            fitting = [p for p in self.all if p.is_in(*groups)] if groups else []
            self._of[groups] = fitting or self.all
        fitting = self._of[groups]
        turn = self.turns.get(what, 0)
        if rng.random() < 0.75:
            self.turns[what] = turn + 1
            return fitting[turn % len(fitting)]
        return rng.choice(fitting)

    def count(self, *groups: str) -> int:
        """How many are in one of these groups."""
        return sum(p.is_in(*groups) for p in self.all)


def people_of(rng: random.Random, province: str, commune_index: int, number: int) -> People:
    """`number` people, every kind among the first fifteen. Their numbers are unique to the place."""
    found = []
    kinds = [kind[1:] for kind in _KINDS]
    weights = [kind[0] for kind in _KINDS]
    for index in range(number):
        drawn = rng.choices(kinds, weights)[0] if index >= len(kinds) else kinds[index]
        groups, youngest, oldest = drawn
        serial = commune_index * 500_000 + index
        tail = f"{30 + serial // 1_000_000:02d}{serial % 1_000_000:06d}"
        identity = f"0{province}{rng.randint(0, 1)}{tail}"
        phone = f"09{serial:08d}"
        found.append(Person(identity, phone, tuple(groups), rng.randint(youngest, oldest)))
    return People(found)
