"""What corrected and revoked events say now, so that a revoked one proves nothing."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

AGAIN = "UPDATE progress SET last = 0, through = 0 WHERE lane < 64"


def upgrade() -> None:
    """Create the table, and project the facts again: it is filled from the start of the log."""
    op.execute(
        """
        CREATE TABLE restated (
          origin bigint PRIMARY KEY,
          revision integer NOT NULL,
          unit_id text,
          occurred date,
          type text,
          first_unit text,
          first_occurred date
        );
        CREATE INDEX restated_type ON restated (type);
        TRUNCATE journal, arrival, reported;
        """
    )
    op.execute(AGAIN)


def downgrade() -> None:
    """Nothing else reads it."""
    op.execute("DROP TABLE restated")
