"""Types that only one authority may post: every type of the catalogue against every role."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from services.activities.ingest.intake import Intake
from services.activities.keys.model import Key
from services.activities.privacy import Pseudonyms
from shared.clock import FixedClock
from shared.contracts.definitions import Catalogue

CATALOGUE = Catalogue.load()
ROLES = [role for role in CATALOGUE.words.roles if role != "any"]
VERBS = ["established", "renamed", "dissolved"]
INTAKE = Intake(CATALOGUE, Pseudonyms(bytes(32)), FixedClock(datetime(2026, 11, 20, tzinfo=UTC)))


def posted(name: str, source: str = "https://partner.example/a") -> bytes:
    """The example of a type as a partner would post it."""
    example: dict[str, Any] = dict(CATALOGUE[name].examples[0])
    event = {
        "specversion": "1.0",
        "id": "x-1",
        "source": source,
        "type": f"vn.hocvuso.{name}",
        "subject": "24133",
        "time": "2026-11-01T08:00:00+07:00",
        "data": {},
    }
    event |= example if "data" in example else {"data": example}
    return json.dumps(event | {"id": "x-1", "source": source}).encode()


def code(name: str, key: Key) -> str | None:
    """With which problem of rights the front door refuses the type; None: by none."""
    problem = INTAKE.judge(posted(name), key, None).problem
    return problem.code if problem is not None and problem.status == 403 else None


@pytest.mark.parametrize("name", list(CATALOGUE))
def test_only_posters_may_post(name: str) -> None:
    kind = CATALOGUE[name]
    for role in ROLES:
        # Of a commune only the append can say whether a unit is a hamlet of its own.
        named = [*kind.posters, *kind.posters_of_kind]
        allowed = role == "administrator" or "any" in kind.posters or role in named
        assert code(name, Key("k", "k", frozenset({role}))) == (
            None if allowed else "type-not-permitted"
        ), role
    nobody = None if "any" in kind.posters else "type-not-permitted"
    assert code(name, Key("k", "k", frozenset())) == nobody
    narrow = Key("k", "k", frozenset({"administrator"}), types=("no.such",))
    assert code(name, narrow) == "type-not-permitted"
    elsewhere = Key("k", "k", frozenset({"administrator"}), sources=("https://other.example/",))
    assert code(name, elsewhere) == "source-not-permitted"


def test_certifications_come_from_the_police_alone() -> None:
    posters = [r for r in ROLES if code("citizen.certified", Key("k", "k", frozenset({r}))) is None]
    assert posters == ["administrator", "police"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("plan.published", ["administrator"]),
        ("unit.attributed", ["administrator", "department"]),
        *((f"unit.{verb}", ["administrator", "commune"]) for verb in VERBS),
    ],
)
def test_plans_and_units_come_from_few(name: str, expected: list[str]) -> None:
    posters = [r for r in ROLES if code(name, Key("k", "k", frozenset({r}))) is None]
    assert posters == expected


@pytest.mark.parametrize("verb", VERBS)
def test_of_a_commune_only_its_hamlets(verb: str) -> None:
    kind = CATALOGUE[f"unit.{verb}"]
    assert kind.kinds_for(frozenset({"commune"})) == {"hamlet"}
    assert kind.kinds_for(frozenset({"commune", "administrator"})) is None
    assert kind.kinds_for(frozenset({"department", "police"})) == frozenset()
