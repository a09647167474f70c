"""Counts that stand beside a cell's own.

Revision ID: 0003
Revises: 0002
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATEMENTS = """
ALTER TABLE cell ADD COLUMN beside jsonb NOT NULL DEFAULT '[]';
COMMENT ON COLUMN cell.beside IS
  'List of {id, basis, value, reporters}: other counts of the same window, never added.';
CREATE OR REPLACE VIEW indicators.cells AS
  SELECT plan, plan_version, objective, unit_id, value, total, denominator, ratio, target,
         target_unit, met, met_on_time, status, basis, required_per_week, flags, as_of, building,
         not_attributable, beside
  FROM cell;
"""


def upgrade() -> None:
    """Add the column to table and view."""
    op.execute(STATEMENTS)
