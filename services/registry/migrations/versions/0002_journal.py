"""Facts that registry answers from: reports and decisions, and who sent how much of what."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables; the fact lanes have not moved here yet, so they fill from the start."""
    op.execute(
        """
        CREATE TABLE journal (
          position bigint PRIMARY KEY,
          origin bigint NOT NULL,
          revision integer NOT NULL,
          recorded date NOT NULL,
          occurred date NOT NULL,
          type text NOT NULL,
          source text NOT NULL,
          id text NOT NULL,
          unit_id text NOT NULL,
          content jsonb
        );
        COMMENT ON COLUMN journal.content IS
          'what holds since this position: type, unitid, occurred, time, data; null = void';
        CREATE INDEX journal_origin ON journal (origin, revision);
        CREATE INDEX journal_type ON journal (type, unit_id, occurred);
        CREATE TABLE arrival (
          type text NOT NULL,
          unit_id text NOT NULL,
          source text NOT NULL,
          occurred date NOT NULL,
          n bigint NOT NULL,
          late bigint NOT NULL,
          zero bigint NOT NULL,
          first_recorded date NOT NULL,
          last_recorded date NOT NULL,
          last_position bigint NOT NULL,
          PRIMARY KEY (type, unit_id, source, occurred)
        ) WITH (fillfactor = 80);
        CREATE INDEX arrival_unit ON arrival (unit_id, occurred);
        CREATE TABLE reported (
          type text NOT NULL,
          unit_id text NOT NULL,
          last_position bigint NOT NULL,
          PRIMARY KEY (unit_id, type)
        ) WITH (fillfactor = 70);
        CREATE INDEX reported_position ON reported (last_position);
        """
    )


def downgrade() -> None:
    """Everything here is a projection: drop it and it is projected again."""
    op.execute("DROP TABLE journal, arrival, reported")
    op.execute("UPDATE progress SET last = 0, through = 0 WHERE lane < 64")
