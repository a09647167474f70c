"""How far the intake topic of each partner is read, and its receipts."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.execute(
        """
        -- A partner that may write over Kafka: its rights, as a key would have them.
        CREATE TABLE intake (
          partner text PRIMARY KEY,
          roles text[] NOT NULL,
          types text[],
          sources text[],
          subtree text,
          era text,
          acks text NOT NULL DEFAULT 'errors' CHECK (acks IN ('all', 'errors', 'none')),
          partitions int NOT NULL,
          retention_hours int NOT NULL,
          principal text,
          apply_acls boolean NOT NULL DEFAULT false,
          enabled boolean NOT NULL DEFAULT true,
          -- Raised with every change, so that a reader with outdated rights cannot commit.
          version bigint NOT NULL DEFAULT 1,
          created_at timestamptz NOT NULL,
          changed_at timestamptz NOT NULL,
          -- What was last seen of the topic.
          topic_id uuid,
          topic_partitions int,
          compacted boolean NOT NULL DEFAULT false,
          acls_version bigint NOT NULL DEFAULT 0,
          -- What the reader says of itself: a code, never a message that could repeat content.
          waits_for text,
          checked_at timestamptz
        );
        -- How far each partition is read, written in the transaction that appends its events.
        -- `next` is the first offset not dealt with; first and high are what the broker holds;
        -- read_ms is the broker's time of the last message read.
        CREATE TABLE intake_position (
          partner text NOT NULL REFERENCES intake,
          topic_id uuid NOT NULL,
          partition int NOT NULL,
          next bigint NOT NULL,
          first bigint NOT NULL DEFAULT 0,
          high bigint NOT NULL DEFAULT 0,
          behind_since timestamptz,
          read_ms bigint NOT NULL DEFAULT 0,
          accepted bigint NOT NULL DEFAULT 0,
          duplicates bigint NOT NULL DEFAULT 0,
          rejected bigint NOT NULL DEFAULT 0,
          PRIMARY KEY (partner, topic_id, partition)
        );
        -- Answers that are committed and not yet on the receipts topic.
        CREATE TABLE intake_receipt (
          id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
          partner text NOT NULL REFERENCES intake,
          partition int NOT NULL,
          key text,
          body bytea NOT NULL
        );
        CREATE INDEX intake_receipt_partner ON intake_receipt (partner, id);
        -- What went wrong with a topic; offsets first to last are those concerned, inclusive.
        CREATE TABLE intake_trouble (
          id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
          partner text NOT NULL REFERENCES intake,
          kind text NOT NULL,
          topic_id uuid,
          partition int,
          first bigint,
          last bigint,
          detail text NOT NULL,
          at timestamptz NOT NULL,
          acknowledged_at timestamptz,
          acknowledged_by text
        );
        CREATE INDEX intake_trouble_partner ON intake_trouble (partner, id);
        CREATE TABLE intake_worker (
          name text PRIMARY KEY,
          heartbeat timestamptz NOT NULL
        );
        """
    )


def downgrade() -> None:
    """Nothing that partners sent is ever dropped by a migration."""
    raise RuntimeError("restore a backup instead: a migration never deletes what came in")
