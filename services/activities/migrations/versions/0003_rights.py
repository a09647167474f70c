"""Rotation, quotas, use and audit of keys; clients of OpenID Connect."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.execute(
        """
        ALTER TABLE key ALTER COLUMN last_used TYPE timestamptz
          USING last_used::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh';
        ALTER TABLE key
          ADD COLUMN last_path text,
          ADD COLUMN rotated_to text REFERENCES key (prefix),
          -- A client of an OpenID Connect issuer has the rights of a key and no secret here.
          ADD COLUMN issuer text, ADD COLUMN client_id text, ADD COLUMN token_subject text,
          ALTER COLUMN digest DROP NOT NULL,
          ADD CHECK ((digest IS NULL) = (issuer IS NOT NULL)),
          ADD CHECK ((issuer IS NULL) = (client_id IS NULL));
        CREATE UNIQUE INDEX key_client ON key (issuer, client_id) WHERE revoked_at IS NULL;

        -- What a partner may hand in; no row: as much as it likes.
        CREATE TABLE quota (
          partner text PRIMARY KEY,
          per_minute integer CHECK (per_minute >= 1),
          per_day bigint CHECK (per_day >= 1000),
          changed_at timestamptz NOT NULL
        );
        -- Events handed in by partners with a quota, summed up over all processes.
        CREATE TABLE quota_use (
          partner text NOT NULL,
          span text NOT NULL CHECK (span IN ('minute', 'day')),
          starts timestamptz NOT NULL,
          events bigint NOT NULL,
          PRIMARY KEY (partner, span, starts)
        ) WITH (fillfactor = 50);

        -- Every use of a key, by hour. `path`: the way of events (rest, stream, kafka, xapi,
        -- replay), or the route of another request, or the scope that was missing.
        CREATE TABLE key_use (
          prefix text NOT NULL, hour timestamptz NOT NULL, path text NOT NULL,
          outcome text NOT NULL, times bigint NOT NULL,
          PRIMARY KEY (prefix, hour, path, outcome)
        ) WITH (fillfactor = 50);
        -- Requests that no key let in, by the network they came from (never a whole address).
        CREATE TABLE refused_use (
          hour timestamptz NOT NULL, network text NOT NULL, code text NOT NULL,
          prefix text NOT NULL, times bigint NOT NULL,
          PRIMARY KEY (hour, network, code, prefix)
        );

        -- What was done to keys, clients, quotas and the quarantine; append-only.
        CREATE TABLE audit (
          number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
          at timestamptz NOT NULL,
          action text NOT NULL,
          by_prefix text NOT NULL, by_name text NOT NULL,
          about text,
          detail json NOT NULL,
          trace_id text
        );
        CREATE INDEX audit_about ON audit (about, number);
        CREATE FUNCTION refuse_change_of_audit() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN RAISE EXCEPTION 'the audit is append-only'; END $$;
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
          FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_audit();
        """
    )


def downgrade() -> None:
    """Nothing that partners sent is ever dropped by a migration."""
    raise RuntimeError("restore a backup instead: a migration never deletes what came in")
