"""Cells say how their target compares, what it requires, until when, and of which week or month.

Revision ID: 0010
Revises: 0009

Readers of the version before name their columns, so further ones disturb nobody.
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

STATEMENTS = """
ALTER TABLE cell
  ADD COLUMN comparator text,
  ADD COLUMN required bigint,
  ADD COLUMN last_day date,
  ADD COLUMN bucket jsonb,
  ADD COLUMN status_bucket jsonb;
COMMENT ON COLUMN cell.bucket IS
  'Week or month of value and met: {kind, start, end, value, denominator, required, met, judged}.';
COMMENT ON COLUMN cell.status_bucket IS 'The week or month of status, likewise.';
CREATE OR REPLACE VIEW indicators.cells AS
  SELECT plan, plan_version, objective, unit_id, value, total, denominator, ratio, target,
         target_unit, met, met_on_time, status, basis, required_per_week, flags, as_of, building,
         not_attributable, beside, comparator, required, last_day, bucket, status_bucket
  FROM cell;
-- Everything is evaluated anew, so that no cell stays without them.
INSERT INTO dirty (measure, unit_id) VALUES (0, '');
"""


def upgrade() -> None:
    """Add the columns to table and view."""
    op.execute(STATEMENTS)
