"""The scope tables:read, who gave which key, whose quota it spends, and sessions of browsers."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add columns and the table; say of what there is already what it was given by."""
    op.execute(
        """
        ALTER TABLE key
          -- The key that gave it: it ends with that one. Null: given by the instance.
          ADD COLUMN granted_by text REFERENCES key (prefix),
          ADD COLUMN invitation text REFERENCES invitation (id),
          -- Whose quota it spends; null: that of its own name.
          ADD COLUMN account text;
        CREATE INDEX key_granted_by ON key (granted_by) WHERE granted_by IS NOT NULL;
        ALTER TABLE invitation ADD COLUMN granted_by text REFERENCES key (prefix);

        -- Reading was free to every key. It is a scope now; who had it keeps it, written down.
        UPDATE key SET scopes = array_append(scopes, 'tables:read')
        WHERE NOT 'log:read' = ANY (scopes) OR 'administrator' = ANY (roles);
        UPDATE invitation SET rights = jsonb_set(
          rights::jsonb, '{scopes}', rights::jsonb -> 'scopes' || '["tables:read"]')::json;
        -- Each service gets a key of its own; the common one ends when the old processes are gone.
        UPDATE key SET expires_at = now() + interval '1 day'
        WHERE name = 'hocvuso-services' AND revoked_at IS NULL AND expires_at IS NULL;

        -- A rotated key's grants are its successor's.
        CREATE TEMPORARY TABLE newest ON COMMIT DROP AS
          WITH RECURSIVE chain AS (
            SELECT prefix AS first, prefix, rotated_to FROM key
            UNION ALL
            SELECT c.first, k.prefix, k.rotated_to FROM chain c JOIN key k ON k.prefix = c.rotated_to
          )
          SELECT first, prefix FROM chain;
        UPDATE invitation i SET granted_by = n.prefix FROM newest n JOIN key k USING (prefix)
        WHERE n.first = i.created_by AND k.rotated_to IS NULL;
        ALTER TABLE invitation ALTER COLUMN granted_by SET NOT NULL;
        UPDATE key k SET invitation = i.id, granted_by = i.granted_by
        FROM newest n JOIN invitation i ON i.key_prefix = n.first WHERE k.prefix = n.prefix;
        -- What a withdrawn invitation's key became by rotation went on; it ends now.
        UPDATE key k SET revoked_at = now() FROM invitation i
        WHERE i.id = k.invitation AND i.revoked_at IS NOT NULL AND k.revoked_at IS NULL;
        WITH RECURSIVE chain AS (
          SELECT k.prefix, k.name AS account FROM key k LEFT JOIN key g ON g.prefix = k.granted_by
          WHERE g.prefix IS NULL OR 'administrator' = ANY (g.roles)
          UNION ALL
          SELECT k.prefix, c.account FROM chain c JOIN key g USING (prefix)
          JOIN key k ON k.granted_by = c.prefix WHERE NOT 'administrator' = ANY (g.roles)
        )
        UPDATE key k SET account = c.account FROM chain c
        WHERE c.prefix = k.prefix AND c.account <> k.name;

        -- A browser that signed in. It acts with the rights of its key, until it ends.
        CREATE TABLE session (
          id text PRIMARY KEY,
          digest bytea NOT NULL UNIQUE,
          key_prefix text NOT NULL REFERENCES key (prefix),
          device text NOT NULL,
          created_at timestamptz NOT NULL,
          authenticated_at timestamptz NOT NULL,
          last_seen timestamptz NOT NULL,
          ends_at timestamptz NOT NULL,
          ended_at timestamptz
        );
        CREATE INDEX session_key ON session (key_prefix);
        """
    )


def downgrade() -> None:
    """Nothing that was given is forgotten by a migration."""
    raise RuntimeError("restore a backup instead: a migration never deletes what came in")
