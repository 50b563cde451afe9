"""Liked papers that arXiv does not know, so that it is not asked for them every day."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates the table."""
    op.create_table(
        "absent_papers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("asked", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_absent_papers"),
    )


def downgrade() -> None:
    """Removes it: what it holds can be asked for again."""
    op.drop_table("absent_papers")
