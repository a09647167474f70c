"""Invitations of staff: promises of keys."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.execute(
        """
        CREATE TABLE invitation (
          id text PRIMARY KEY,
          digest bytea NOT NULL UNIQUE,
          role text NOT NULL,
          unit text NOT NULL,
          label text NOT NULL,
          rights json NOT NULL,
          created_at timestamptz NOT NULL,
          created_by text NOT NULL REFERENCES key (prefix),
          accept_until timestamptz NOT NULL,
          expires_at timestamptz NOT NULL,
          accepted_at timestamptz,
          key_prefix text REFERENCES key (prefix),
          revoked_at timestamptz
        );
        """
    )


def downgrade() -> None:
    """Nothing that was promised is dropped by a migration."""
    raise RuntimeError("restore a backup instead: a migration never deletes what came in")
