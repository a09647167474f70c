"""Evidence that is counted once in every unit is found by its unit: what merged units have in common.

Revision ID: 0011
Revises: 0010

Only evidence whose detail names its thing has entries; the measures concerned are counted anew.
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

STATEMENTS = """
CREATE INDEX evidence_placed ON evidence (unit_id) WHERE detail ? '$thing';
CREATE INDEX evidence_past_placed ON evidence_past (unit_id) WHERE detail ? '$thing';
"""


def upgrade() -> None:
    """Create both, still empty."""
    op.execute(STATEMENTS)
