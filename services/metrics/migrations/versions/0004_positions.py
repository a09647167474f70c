"""What was said and taken back within one day is kept too: differences between two positions.

Revision ID: 0004
Revises: 0003

Before this step such rows were dropped. `projection.whole_from` is the position from which on
nothing is missing; a rebuild of everything sets it to 0.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STATEMENTS = """
ALTER TABLE projection ADD COLUMN whole_from bigint NOT NULL DEFAULT 0;
UPDATE projection SET whole_from = (SELECT coalesce(max(last), 0) FROM progress);
-- Rows are written nearly in the order of the log: such an index costs next to nothing to write,
-- and finds what was recorded after a position without reading the rest.
CREATE INDEX evidence_position ON evidence USING brin (position, recorded)
  WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX evidence_past_by ON evidence_past (replaced_by);
"""


def upgrade() -> None:
    """Add the column and the indexes."""
    op.execute(STATEMENTS)
