"""References of one number that earlier versions of the normalisation spelt otherwise."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table; a log that holds events may hold former spellings."""
    op.execute(
        """
        CREATE TABLE respelt (
          ref text NOT NULL, former text NOT NULL, position bigint NOT NULL,
          PRIMARY KEY (ref, former)
        );
        CREATE INDEX respelt_former ON respelt (former);
        ALTER TABLE counter ADD COLUMN respelling boolean NOT NULL DEFAULT false;
        UPDATE counter SET respelling = position > 0;
        """
    )


def downgrade() -> None:
    """Links of spellings are needed by every later append."""
    raise RuntimeError("restore a backup instead: a migration never deletes what the log needs")
