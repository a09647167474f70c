"""Tallies are appended: a key may have several rows, and their sum counts.

Revision ID: 0006
Revises: 0005

Adding to a row costs twice as much as writing another one. Readers sum anyhow. Workers of the
version before cannot count from here on (they add by `ON CONFLICT`): they try again until they are
replaced, nothing is lost, and tables go on being served and published meanwhile.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

STATEMENTS = """
-- In this order: tables can be read while the index is made.
CREATE INDEX tally_key ON tally (measure, unit_id, occurred, recorded);
ALTER TABLE tally DROP CONSTRAINT tally_pkey;
ALTER TABLE tally SET (fillfactor = 100);
-- A worker from before 0004 may have counted until now, and kept no row that was said and taken back
-- within one day. From here on it stores no tallies: what is whole begins here, not at 0004.
UPDATE projection SET whole_from = (SELECT max(last) FROM progress) WHERE whole_from > 0;
"""


def upgrade() -> None:
    """Drop the key, keep an index on the same columns."""
    op.execute(STATEMENTS)
