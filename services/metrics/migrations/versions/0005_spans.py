"""Sums of tallies over squares of days, so that any past day is read from few rows.

Revision ID: 0005
Revises: 0004

Filled in the background (`services/metrics/projecting/spans.py`); until that is done, and by the version
before, tallies are read as they are.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATEMENTS = """
CREATE TABLE tally_span (
  level smallint NOT NULL,
  measure smallint NOT NULL,
  occurred date NOT NULL,
  recorded date NOT NULL,
  unit_id text NOT NULL,
  n bigint NOT NULL,
  total bigint NOT NULL
);
COMMENT ON TABLE tally_span IS
  'Sums of tally over squares of days (occurred x recorded); both columns name the first day.';
CREATE INDEX tally_span_occurred ON tally_span (measure, level, occurred);
CREATE INDEX tally_span_recorded ON tally_span (measure, level, recorded);
CREATE TABLE span_state (
  measure smallint PRIMARY KEY,
  recorded date NOT NULL
);
COMMENT ON TABLE span_state IS
  'Spans of a measure hold everything recorded before this day; no row: they hold nothing.';
-- Rows are written nearly in the order of their recorded days: such an index costs next to nothing.
CREATE INDEX tally_recorded ON tally USING brin (recorded date_minmax_multi_ops)
  WITH (pages_per_range = 16, autosummarize = on);
"""


def upgrade() -> None:
    """Add the tables, still empty, and the index."""
    op.execute(STATEMENTS)
