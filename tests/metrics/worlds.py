"""Random histories of the log and what they tally to."""

import random
from datetime import date

import asyncpg

from shared.contracts.record import LANES
from shared.domain.measures import to_definition
from tests.metrics.histories import DAYS, MEASURES, TYPES, Op
from tests.metrics.naive import Values

ALL = frozenset(range(LANES))


def history(dice: random.Random, length: int) -> list[Op]:
    return [
        Op(
            what=dice.choice(["post", "post", "post", "correct", "revoke"]),
            type=dice.choice(TYPES),
            who=dice.randrange(3),
            unit=dice.randrange(3),
            day=dice.randrange(DAYS),
            length=dice.choice([None, None, -1, 0, 2, 4]),
            number=dice.randrange(4),
            target=dice.randrange(100),
            pause=dice.choice([0, 0, 0, 1]),
        )
        for _ in range(length)
    ]


async def know_measures(pool: asyncpg.Pool) -> None:
    for number, measure in MEASURES.items():
        await pool.execute(
            "INSERT INTO measure (id, fingerprint, definition, state) OVERRIDING SYSTEM VALUE"
            " VALUES ($1, $2, $3, 'live')",
            number,
            measure.fingerprint(),
            to_definition(measure),
        )


async def tallied(pool: asyncpg.Pool, as_of: date, known_at: date) -> dict[int, Values]:
    found: dict[int, Values] = {}
    for number, unit, n, total in await pool.fetch(
        "SELECT measure, unit_id, sum(n)::bigint, sum(total)::bigint FROM tally"
        " WHERE occurred <= $1 AND recorded <= $2 GROUP BY 1, 2",
        as_of,
        known_at,
    ):
        if n or total:
            found.setdefault(number, {})[unit] = (n, total)
    return found
