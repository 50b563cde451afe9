"""The first schema: archive, editions, themes, feedback, ledger.

Written out in plain types: a migration must stay as it was when the tables move on.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates every table."""
    _archive()
    _editions()
    _ledger()


def downgrade() -> None:
    """There is nothing before the first schema to go back to."""
    raise NotImplementedError


def _text(name: str) -> "sa.Column[str]":
    return sa.Column(name, sa.Text(), nullable=False)


def _reference(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}_{target.partition('.')[0]}"
    return sa.ForeignKeyConstraint([column], [target], name=name, ondelete="CASCADE")


def _archive() -> None:
    op.create_table(
        "papers",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        _text("abstract"),
        sa.Column("authors", sa.JSON(), nullable=False),
        _text("url"),
        sa.Column("published", sa.Date()),
        _text("source"),
        _text("doi"),
        sa.Column("upvotes", sa.Integer()),
        sa.Column("comments", sa.Integer()),
        sa.Column("stars", sa.Integer()),
        _text("pdf"),
        _text("code"),
        _text("project"),
        _text("thumbnail"),
        sa.Column("categories", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_papers"),
        sa.UniqueConstraint("id", name="uq_papers_id"),
    )
    op.create_index("ix_papers_first_day_number", "papers", ["first_day", "number"])
    op.create_table(
        "paper_keys",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("paper", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_paper_keys"),
        _reference("paper_keys", "paper", "papers.number"),
    )
    op.create_index("ix_paper_keys_paper", "paper_keys", ["paper"])
    op.create_table(
        "sightings",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("paper", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("source", "day", "paper", name="pk_sightings"),
        _reference("sightings", "paper", "papers.number"),
    )
    op.create_index("ix_sightings_paper", "sightings", ["paper"])
    op.create_table(
        "vectors",
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("paper", sa.Integer(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("model", "paper", name="pk_vectors"),
        _reference("vectors", "paper", "papers.number"),
    )
    op.create_index("ix_vectors_paper", "vectors", ["paper"])
    op.create_table(
        "source_states",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("papers", sa.Integer(), nullable=False),
        _text("reason"),
        sa.PrimaryKeyConstraint("source", "day", name="pk_source_states"),
        sa.CheckConstraint("state IN ('fetched', 'empty', 'stale', 'failed')", name=op.f("ck_source_states_state")),
    )


def _editions() -> None:
    op.create_table(
        "editions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_editions"),
    )
    op.create_index("ix_editions_day", "editions", ["day"])
    op.create_table(
        "themes",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("keywords", sa.JSON(), nullable=False),
        sa.Column("papers", sa.JSON(), nullable=False),
        sa.Column("centroid", sa.LargeBinary(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("labelled", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("day", "id", name="pk_themes"),
    )
    op.create_table(
        "theme_events",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        _text("other"),
        sa.PrimaryKeyConstraint("day", "position", name="pk_theme_events"),
    )
    op.create_table(
        "feedback",
        sa.Column("subscriber", sa.Text(), nullable=False),
        sa.Column("paper", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subscriber", "paper", "kind", name="pk_feedback"),
        sa.CheckConstraint("kind IN ('more', 'less', 'save', 'click')", name=op.f("ck_feedback_kind")),
    )


def _ledger() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("edition", sa.Text(), nullable=False),
        sa.Column("subscriber", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True)),
        sa.Column("expires", sa.DateTime(timezone=True)),
        _text("owner"),
        sa.Column("lease", sa.DateTime(timezone=True)),
        _text("reason"),
        _text("message_id"),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint("edition", "subscriber", name="uq_deliveries_edition_subscriber"),
        sa.CheckConstraint(
            "state IN ('planned', 'sending', 'sent', 'deferred', 'failed', 'uncertain', 'skipped')",
            name=op.f("ck_deliveries_state"),
        ),
    )
    for columns in (["subscriber"], ["address"], ["edition", "state"], ["message_id"]):
        op.create_index(f"ix_deliveries_{'_'.join(columns)}", "deliveries", columns)
    _letters()
    op.create_table(
        "delivery_attempts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("delivery", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        _text("phase"),
        sa.Column("code", sa.Integer(), nullable=False),
        _text("enhanced"),
        _text("text"),
        sa.PrimaryKeyConstraint("id", name="pk_delivery_attempts"),
        _reference("delivery_attempts", "delivery", "deliveries.id"),
    )
    op.create_index("ix_delivery_attempts_delivery", "delivery_attempts", ["delivery"])
    op.create_table(
        "suppressions",
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("address", name="pk_suppressions"),
    )


def _letters() -> None:
    op.create_table(
        "letters",
        sa.Column("delivery", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("delivery", name="pk_letters"),
        _reference("letters", "delivery", "deliveries.id"),
    )
    op.create_table(
        "frozen",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_frozen"),
    )
    op.create_table(
        "delivery_papers",
        sa.Column("delivery", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("paper", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("delivery", "paper", name="pk_delivery_papers"),
        _reference("delivery_papers", "delivery", "deliveries.id"),
    )
    op.create_index("ix_delivery_papers_paper", "delivery_papers", ["paper"])
