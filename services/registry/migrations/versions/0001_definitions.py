"""The definitions of the log: units, populations, plans, with every revision and its day."""

from alembic import op

from shared.progress import PROGRESS_DDL

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the schema's tables."""
    op.execute(PROGRESS_DDL)
    op.execute(
        """
        CREATE TABLE definition (
          position bigint PRIMARY KEY,
          origin bigint NOT NULL,
          revision integer NOT NULL,
          recorded date NOT NULL,
          type text NOT NULL,
          source text NOT NULL,
          id text NOT NULL,
          content jsonb
        );
        COMMENT ON COLUMN definition.content IS
          'what holds since this position: type, unitid, occurred, time, data; null = void';
        CREATE INDEX definition_origin ON definition (origin, revision);
        """
    )


def downgrade() -> None:
    """Everything here is a projection: drop it and it is projected again."""
    op.execute("DROP TABLE definition, progress, projection, worker")
