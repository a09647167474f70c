"""What events said, at any state of knowledge: evidence that holds now and evidence of the past."""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from services.metrics.counting.contribute import Evidence
from services.metrics.projecting.store import Combinations, Subject
from shared.db import Connection
from shared.domain.knowledge import Until, told

_COLUMNS = "lane, subject, origin, position, recorded, since, until, unit_id, combination, detail"
VERSIONS = f"""
(SELECT {_COLUMNS}, NULL::date AS replaced, NULL::bigint AS replaced_by FROM evidence
 UNION ALL SELECT {_COLUMNS}, replaced, replaced_by FROM evidence_past)
"""
"""Every version of every event that ever was evidence (before `projection.whole_from`: that was it
at the end of a day)."""


class Version(NamedTuple):
    """What one row of the log says of an event, and what ended that.

    `position`, `recorded`: of the row that says so. `replaced`, `replaced_by`: day and position of
    the row that says otherwise; None while it holds.
    """

    evidence: Evidence
    position: int
    recorded: date
    replaced: date | None
    replaced_by: int | None

    def known(self, until: Until) -> bool:
        """Whether this is what was known then."""
        if not told(self.recorded, self.position, until):
            return False
        if self.replaced is None or self.replaced_by is None:
            return True
        return not told(self.replaced, self.replaced_by, until)


async def load_versions(
    connection: Connection, subjects: Iterable[Subject], combinations: Combinations
) -> dict[Subject, list[Version]]:
    """All versions of all evidence of these subjects, in the order of the log."""
    wanted = sorted(set(subjects))
    found: dict[Subject, list[Version]] = {subject: [] for subject in wanted}
    if not wanted:
        return found
    rows = await connection.fetch(
        f"""
        SELECT v.* FROM unnest($1::smallint[], $2::bytea[]) AS s (lane, subject)
        JOIN {VERSIONS} v ON v.lane = s.lane AND v.subject = s.subject
        ORDER BY v.position
        """,
        [lane for lane, _ in wanted],
        [key for _, key in wanted],
    )
    if any(row["combination"] not in combinations.marks for row in rows):
        await combinations.reload(connection)
    for row in rows:
        evidence = Evidence(
            row["since"],
            row["origin"],
            row["until"],
            row["unit_id"],
            combinations.marks[row["combination"]],
            row["detail"],
        )
        version = Version(
            evidence, row["position"], row["recorded"], row["replaced"], row["replaced_by"]
        )
        found[row["lane"], row["subject"]].append(version)
    return found


def known_evidence(versions: Iterable[Version], until: Until) -> list[Evidence]:
    """What was known then."""
    return [version.evidence for version in versions if version.known(until)]


async def serving(connection: Connection, combinations: Combinations, measure: int) -> list[int]:
    """The combinations that serve a measure."""
    await combinations.reload(connection)
    return sorted(n for n, marks in combinations.marks.items() if measure in marks[::2])


async def past_units(connection: Connection, serving: list[int]) -> list[str]:
    """The units of evidence of the past; some may have no tally, when a day took it all back."""
    rows = await connection.fetch(
        "SELECT DISTINCT unit_id FROM evidence_past WHERE combination = ANY($1::int[])", serving
    )
    return [row["unit_id"] for row in rows]


async def fact_units(connection: Connection, measure: int) -> list[str]:
    """The units for which a measure has ever counted something."""
    rows = await connection.fetch(
        # From one unit to the next, by the index: not every row of the measure.
        """
        WITH RECURSIVE u AS (
          SELECT min(unit_id) AS unit_id FROM tally WHERE measure = $1
          UNION ALL
          SELECT (SELECT min(t.unit_id) FROM tally t WHERE measure = $1 AND t.unit_id > u.unit_id)
          FROM u WHERE u.unit_id IS NOT NULL
        )
        SELECT unit_id FROM u WHERE unit_id IS NOT NULL ORDER BY 1
        """,
        measure,
    )
    return [row["unit_id"] for row in rows]


async def units_of(connection: Connection, subjects: list[Subject]) -> set[str]:
    """The units of all evidence of these subjects, of the present and the past."""
    if not subjects:
        return set()
    rows = await connection.fetch(
        f"""
        SELECT DISTINCT v.unit_id FROM unnest($1::smallint[], $2::bytea[]) AS s (lane, subject)
        JOIN {VERSIONS} v ON v.lane = s.lane AND v.subject = s.subject
        """,
        [lane for lane, _ in subjects],
        [subject for _, subject in subjects],
    )
    return {row["unit_id"] for row in rows}
