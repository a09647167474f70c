"""The append-only log, what its appends must know, keys, and marks for receipts."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the schema's tables."""
    op.execute(
        """
        -- One row: the lock and the memory of every append.
        CREATE TABLE counter (
          one boolean PRIMARY KEY DEFAULT true CHECK (one),
          epoch text NOT NULL DEFAULT gen_random_uuid()::text,
          position bigint NOT NULL DEFAULT 0,
          recorded date NOT NULL DEFAULT '1970-01-01',
          lane_last bigint[] NOT NULL DEFAULT array_fill(0::bigint, ARRAY[65]),
          units_position bigint NOT NULL DEFAULT 0,
          links_position bigint NOT NULL DEFAULT 0,
          sandbox boolean NOT NULL DEFAULT false
        );
        INSERT INTO counter DEFAULT VALUES;

        CREATE TABLE log (
          position bigint PRIMARY KEY,
          prev bigint NOT NULL,
          lane smallint NOT NULL CHECK (lane BETWEEN 0 AND 64),
          ordinal integer NOT NULL,
          recorded date NOT NULL,
          recorded_at timestamptz NOT NULL,
          source text NOT NULL,
          id text NOT NULL,
          type text NOT NULL,
          subject text NOT NULL,
          unit_id text NOT NULL,
          time text NOT NULL,
          occurred date NOT NULL,
          origin bigint NOT NULL,
          revision integer NOT NULL,
          key_index smallint NOT NULL,
          key_kind text NOT NULL,
          key bytea NOT NULL,
          content_mac bytea NOT NULL,
          partner text NOT NULL,
          traceparent text,
          data json NOT NULL,
          void boolean NOT NULL,
          effective json,
          CHECK (prev < position AND origin <= position)
        );
        -- Append-only, also for whoever holds the role by mistake.
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN RAISE EXCEPTION 'the log is append-only'; END $$;
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log
          FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
        CREATE UNIQUE INDEX log_idempotency ON log (source, id) WHERE ordinal = 0;
        CREATE INDEX log_lane ON log (lane, position);
        CREATE INDEX log_revisions ON log (origin, position) WHERE origin <> position;
        CREATE INDEX log_person ON log (key) WHERE key_kind IN ('person', 'mentor');

        -- Corrections and revocations by the event they finally speak of.
        CREATE TABLE amendment (
          position bigint PRIMARY KEY,
          target bigint NOT NULL,
          root bigint NOT NULL,
          type text NOT NULL,
          data json NOT NULL
        );
        CREATE INDEX amendment_root ON amendment (root);

        -- Things (classes ...) and the events that refer to them, in any order of arrival.
        CREATE TABLE thing (
          type text NOT NULL, source text NOT NULL, ref text NOT NULL,
          origin bigint NOT NULL, void boolean NOT NULL,
          PRIMARY KEY (type, source, ref, origin)
        );
        CREATE TABLE reference (
          type text NOT NULL, source text NOT NULL, ref text NOT NULL, origin bigint NOT NULL,
          PRIMARY KEY (type, source, ref, origin)
        );

        -- Which pseudonyms are one person; `standing` falls when the link is revoked.
        CREATE TABLE person_link (
          origin bigint PRIMARY KEY, ref_a text NOT NULL, ref_b text NOT NULL,
          standing boolean NOT NULL
        );
        CREATE INDEX person_link_a ON person_link (ref_a);
        CREATE INDEX person_link_b ON person_link (ref_b);
        CREATE TABLE canonical_person (ref text PRIMARY KEY, canonical text NOT NULL);

        CREATE TABLE key (
          prefix text PRIMARY KEY,
          digest bytea NOT NULL,
          name text NOT NULL,
          roles text[] NOT NULL,
          scopes text[] NOT NULL,
          types text[],
          sources text[],
          subtree text,
          era text,
          created_at timestamptz NOT NULL DEFAULT now(),
          expires_at timestamptz,
          revoked_at timestamptz,
          last_used date
        );
        CREATE TABLE privacy (
          one boolean PRIMARY KEY DEFAULT true CHECK (one),
          key_fingerprint bytea NOT NULL
        );

        -- Named NDJSON streams: lines committed so far.
        CREATE TABLE stream (
          partner text NOT NULL, name text NOT NULL,
          committed bigint NOT NULL DEFAULT 0, closed boolean NOT NULL DEFAULT false,
          updated_at timestamptz NOT NULL DEFAULT now(),
          PRIMARY KEY (partner, name)
        );

        -- Where the relay is, and when each stage reached which position (for receipts).
        CREATE TABLE relay (
          one boolean PRIMARY KEY DEFAULT true CHECK (one),
          position bigint NOT NULL DEFAULT 0
        );
        INSERT INTO relay DEFAULT VALUES;
        CREATE TABLE mark (
          stage text NOT NULL CHECK (stage IN ('published', 'counted', 'visible')),
          lane smallint NOT NULL,
          position bigint NOT NULL,
          at timestamptz NOT NULL,
          PRIMARY KEY (stage, lane, position)
        );
        CREATE TABLE parked (position bigint PRIMARY KEY, at timestamptz NOT NULL);
        """
    )


def downgrade() -> None:
    """The log is never taken down by a migration."""
    raise RuntimeError("restore a backup instead: a migration never deletes the log")
