"""What the web side keeps: subscribers' documents, requests to subscribe, consents, and what the operator did."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_EVENTS = ("asked", "confirmed", "unsubscribed", "resumed", "erased")


def upgrade() -> None:
    """Creates the tables."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "subscriber_documents",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("changed_at", moment, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_subscriber_documents"),
        sa.UniqueConstraint("address", name="uq_subscriber_documents_address"),
    )
    op.create_table(
        "subscription_requests",
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("asked_at", moment, nullable=False),
        sa.Column("expires", moment, nullable=False),
        sa.PrimaryKeyConstraint("token", name="pk_subscription_requests"),
    )
    for column in ("address", "network", "asked_at"):
        op.create_index(f"ix_subscription_requests_{column}", "subscription_requests", [column])
    op.create_table(
        "consents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subscriber", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.CheckConstraint(f"event IN {_EVENTS}", name=op.f("ck_consents_event")),
        sa.PrimaryKeyConstraint("id", name="pk_consents"),
    )
    for column in ("subscriber", "address"):
        op.create_index(f"ix_consents_{column}", "consents", [column])
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_at", "audit", ["at"])


def downgrade() -> None:
    """Removes them, and with them who agreed to what: keep a copy."""
    for table in ("audit", "consents", "subscription_requests", "subscriber_documents"):
        op.drop_table(table)
