"""For every event type its published example, its minimal event and its maximal one, as the log
stores them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from services.activities.ingest.intake import Intake
from services.activities.keys.model import Key
from services.activities.log.model import Candidate
from services.activities.privacy import Pseudonyms
from shared.clock import FixedClock
from shared.contracts.definitions import Catalogue
from tests.send import values

CATALOGUE = Catalogue.load()
KINDS = ("example", "minimal", "maximal")
SOURCE = "https://every-type.example"
INTAKE = Intake(CATALOGUE, Pseudonyms(bytes(32)), FixedClock(datetime(2026, 12, 20, tzinfo=UTC)))
KEY = Key("admin", "admin", frozenset({"administrator"}))
DEFINES = frozenset({"unit.established", "unit.renamed", "unit.dissolved", "unit.attributed"})
"""They change the tree in which the others are placed, and are tried by tests of their own."""


@dataclass(frozen=True)
class Made:
    """An event of one of the `KINDS`, judged."""

    type: str
    kind: str
    candidate: Candidate


def posted(name: str, kind: str) -> dict[str, Any]:
    """The event as a partner posts it."""
    event: dict[str, Any] = {
        "specversion": "1.0", "id": f"{name}-{kind}", "source": SOURCE,
        "type": f"vn.hocvuso.{name}", "subject": values.SUBJECTS.get(name, "24133"),
        "time": "2026-11-01T08:00:00+07:00",
    }  # fmt: skip
    if kind == "example":
        example = dict(CATALOGUE[name].examples[0])
        event |= example if "data" in example else {"data": example}
        return event | {"id": f"{name}-{kind}", "source": SOURCE}
    data = values.full(name)
    if kind == "minimal":
        schema = CATALOGUE.data_schema(name)
        either = schema.get("anyOf", [{}])[0].get("required", ())
        data = {field: data[field] for field in (*schema.get("required", ()), *either)}
    return {**event, "data": data}


def every() -> Iterator[Made]:
    """All of them; raises what a judge refuses."""
    for name in CATALOGUE:
        if name in DEFINES:
            continue
        for kind in KINDS:
            judged = INTAKE.judge(msgspec.json.encode(posted(name, kind)), KEY, None)
            assert judged.candidate is not None, (name, kind, judged.problem)
            yield Made(name, kind, judged.candidate)
