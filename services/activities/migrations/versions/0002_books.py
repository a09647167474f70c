"""What was refused and is kept for its partner, and how much came in on which path."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.execute(
        """
        -- Every element that came in, counted in the transaction that answered it. `source` and
        -- `type` are empty where they are unknown or must not be repeated. The positions bound
        -- what was accepted, so that a day of a source is read from the log without an index.
        CREATE TABLE book (
          partner text NOT NULL, source text NOT NULL, day date NOT NULL,
          type text NOT NULL, path text NOT NULL,
          accepted bigint NOT NULL, duplicate bigint NOT NULL, rejected bigint NOT NULL,
          not_kept bigint NOT NULL DEFAULT 0, expired bigint NOT NULL DEFAULT 0,
          first_position bigint, last_position bigint,
          PRIMARY KEY (source, day, partner, type, path)
        ) WITH (fillfactor = 50);

        CREATE TABLE quarantine (
          number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
          partner text NOT NULL,
          source text, id text, type text NOT NULL, path text NOT NULL, day date NOT NULL,
          code text NOT NULL,
          problem json NOT NULL,
          -- As posted, with references in place of identity numbers; null where it could not be
          -- read. `digest` is the MAC of its content, `bytes` the size of what came.
          event json, digest bytea NOT NULL, bytes integer NOT NULL,
          traceparent text,
          times bigint NOT NULL, first_seen timestamptz NOT NULL, last_seen timestamptz NOT NULL,
          -- The log's position at the last refusal: the same (source, id) beyond it resolves this.
          after_position bigint NOT NULL,
          state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'resolved', 'dismissed')),
          position bigint, reason text, closed_by text, closed_at timestamptz,
          replays integer NOT NULL DEFAULT 0, replay_problem json,
          UNIQUE (partner, digest)
        );
        CREATE INDEX quarantine_event ON quarantine (source, id);
        CREATE INDEX quarantine_age ON quarantine (last_seen);
        -- What each partner's quarantine holds, to bound it; its row is locked before any of these.
        CREATE TABLE quarantine_use (
          partner text PRIMARY KEY, rows bigint NOT NULL, bytes bigint NOT NULL
        );

        -- Who holds a stream: the newest connection has the highest attempt.
        ALTER TABLE stream ADD COLUMN attempt bigint NOT NULL DEFAULT 0;
        """
    )


def downgrade() -> None:
    """Nothing that partners sent is ever dropped by a migration."""
    raise RuntimeError("restore a backup instead: a migration never deletes what came in")
