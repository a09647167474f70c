"""Statements of learning platforms."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.execute(
        """
        -- Statements as they are kept: masked (xapi/masking.py), never as they came. `mac` is the
        -- keyed digest of what two statements are compared by, `told` the timestamp that was sent
        -- (null: none). `agents`, `related` hold masked names. `person` is the stored reference of
        -- the actor; `reason` is null for what is counted or voids; `source`, `event_id` name the
        -- event in the log.
        CREATE TABLE xapi_statement (
          partner text NOT NULL, id uuid NOT NULL,
          seq bigint GENERATED ALWAYS AS IDENTITY,
          mac bytea NOT NULL, told timestamptz, stored timestamptz NOT NULL,
          statement jsonb NOT NULL,
          verb text NOT NULL, activity text, activity_type text,
          activities text[] NOT NULL, agents text[] NOT NULL, related text[] NOT NULL,
          registration uuid, target uuid,
          voids boolean NOT NULL, voided boolean NOT NULL DEFAULT false,
          person text, entry text, reason text, source text, event_id text,
          PRIMARY KEY (partner, id)
        );
        CREATE UNIQUE INDEX xapi_statement_seq ON xapi_statement (partner, seq);
        CREATE INDEX xapi_statement_stored ON xapi_statement (partner, stored);
        CREATE INDEX xapi_statement_target ON xapi_statement (partner, target)
          WHERE target IS NOT NULL;
        CREATE INDEX xapi_statement_agents ON xapi_statement USING gin (related);
        CREATE INDEX xapi_statement_activities ON xapi_statement USING gin (activities);
        CREATE INDEX xapi_statement_waiting ON xapi_statement (partner, seq)
          WHERE reason IS NOT NULL AND NOT voided;

        -- What a partner has said of its platforms; home_page '' is every other one.
        CREATE TABLE xapi_platform (
          partner text NOT NULL, home_page text NOT NULL,
          subject text, target_groups text[], platform text, scheme text NOT NULL,
          changed_at timestamptz NOT NULL,
          PRIMARY KEY (partner, home_page)
        );
        """
    )


def downgrade() -> None:
    """Nothing that partners sent is ever dropped by a migration."""
    raise RuntimeError("restore a backup instead: a migration never deletes what came in")
