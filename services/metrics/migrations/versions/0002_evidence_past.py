"""What events said before they were corrected or revoked: evidence of earlier states of knowledge.

Revision ID: 0002
Revises: 0001

The table starts empty. Where events were revised before this step, `hocvuso rebuild` fills it.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATEMENTS = """
CREATE TABLE evidence_past (
  origin bigint NOT NULL,
  position bigint NOT NULL,
  recorded date NOT NULL,
  since date NOT NULL,
  until date,
  combination int NOT NULL,
  revision int NOT NULL,
  lane smallint NOT NULL,
  subject bytea NOT NULL,
  unit_id text NOT NULL,
  detail jsonb,
  replaced date NOT NULL,
  replaced_by bigint NOT NULL,
  PRIMARY KEY (lane, subject, origin, revision)
);
COMMENT ON TABLE evidence_past IS
  'Rows of evidence that a later row replaced or voided, with the day and position of that row.
  With them the evidence of any known_at can be shown. Tallies do not need them.';
"""


def upgrade() -> None:
    """Create the table."""
    op.execute(STATEMENTS)
