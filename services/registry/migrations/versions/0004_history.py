"""An index for the history of a unit: the events that speak of it."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Rows that speak of no unit have no unit_id in their data."""
    op.execute("CREATE INDEX definition_unit ON definition ((content->'data'->>'unit_id'))")


def downgrade() -> None:
    """Without it the same question is answered, slowly."""
    op.execute("DROP INDEX definition_unit")
