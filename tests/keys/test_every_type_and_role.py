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
        allowed = role == "administrator" or "any" in kind.posters or role in kind.posters
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


@pytest.mark.parametrize("name", ["unit.established", "plan.published"])
def test_units_and_plans_come_from_the_administrator_alone(name: str) -> None:
    posters = [r for r in ROLES if code(name, Key("k", "k", frozenset({r}))) is None]
    assert posters == ["administrator"]
