"""Deadlines of a cell, and up to which definition the tables go.

Revision ID: 0012
Revises: 0011

Readers of the version before name their columns, so further ones disturb nobody.
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

STATEMENTS = """
ALTER TABLE cell ADD COLUMN deadlines jsonb NOT NULL DEFAULT '[]';
COMMENT ON COLUMN cell.deadlines IS
  'Every deadline that came due, and the one that holds, where there is more than one.';
ALTER TABLE shown ADD COLUMN definitions bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN shown.definitions IS 'Position of the last definition that the tables know.';
CREATE OR REPLACE VIEW indicators.cells AS
  SELECT plan, plan_version, objective, unit_id, value, total, denominator, ratio, target,
         target_unit, met, met_on_time, status, basis, required_per_week, flags, as_of, building,
         not_attributable, beside, comparator, required, last_day, bucket, status_bucket,
         deadlines
  FROM cell;
CREATE OR REPLACE VIEW indicators.watermark AS
  SELECT position, refreshed_at, as_of, log_epoch, traced, definitions FROM shown;
"""


def upgrade() -> None:
    """Add the columns, show them."""
    op.execute(STATEMENTS)
