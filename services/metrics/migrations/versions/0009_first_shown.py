"""The newest refreshes that are traced, for the query that first shows them.

Revision ID: 0009
Revises: 0006

Readers of the version before name their columns, so a further one disturbs nobody.
"""

from alembic import op

revision = "0009"
down_revision = "0006"
branch_labels = None
depends_on = None

STATEMENTS = """
-- W3C traceparents, newest first.
ALTER TABLE shown ADD COLUMN traced text[] NOT NULL DEFAULT '{}';
CREATE OR REPLACE VIEW indicators.watermark AS
  SELECT position, refreshed_at, as_of, log_epoch, traced FROM shown;
"""


def upgrade() -> None:
    """Add the column, show it."""
    op.execute(STATEMENTS)
