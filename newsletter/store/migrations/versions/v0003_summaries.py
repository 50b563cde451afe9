"""What a language model wrote of papers, so that each is asked about once."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates the table."""
    op.create_table(
        "summaries",
        sa.Column("writer", sa.Text(), nullable=False),
        sa.Column("paper", sa.Integer(), nullable=False),
        sa.Column("sentences", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["paper"], ["papers.number"], name="fk_summaries_paper_papers", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("writer", "paper", name="pk_summaries"),
    )
    op.create_index("ix_summaries_paper", "summaries", ["paper"])


def downgrade() -> None:
    """Removes it: what it holds can be written again."""
    op.drop_table("summaries")
