"""The tables. A change here needs a migration beside it; tests/store/test_migration.py compares the two."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy import Column, ForeignKey, Index, Table

from newsletter.delivery import STATES

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

__all__ = [
    "ABSENT", "ATTEMPTS", "AUDIT", "CONSENTS", "DELIVERIES", "DELIVERY_PAPERS", "DOCUMENTS", "EDITIONS",
    "EDITION_MAPS", "FEEDBACK", "FROZEN", "LETTERS", "METADATA", "PAPERS", "PAPER_KEYS", "REQUESTS", "SIGHTINGS",
    "SOURCE_STATES", "SUMMARIES", "SUPPRESSIONS", "THEMES", "THEME_EVENTS", "VECTORS", "storable",
]  # fmt: skip

# PostgreSQL's text takes no NUL, and neither database a lone surrogate
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """The text without the characters that no column takes."""
    return _UNSTORABLE.sub("", text)


class Text(sa.types.TypeDecorator[str]):
    """Text in which no stranger's character can stop a transaction: NUL and lone surrogates are left out."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002  SQLAlchemy's signature
        return storable(value) if value else value


class Moment(sa.types.TypeDecorator[datetime]):
    """A point in time: aware on the way in, UTC on the way out, whatever the database thinks of zones."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone: {value.isoformat()}")
        utc = value.astimezone(UTC)
        return utc if dialect.name == "postgresql" else utc.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  the same
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


METADATA = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, default="")


# Archive. `number` is the order of arrival, so that every list has one order.
PAPERS = Table(
    "papers", METADATA,
    Column("number", sa.Integer, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("first_day", sa.Date, nullable=False),
    Column("last_day", sa.Date, nullable=False),
    Column("title", Text, nullable=False),
    _text("abstract"),
    Column("authors", sa.JSON, nullable=False),
    _text("url"),
    Column("published", sa.Date),
    _text("source"),
    _text("doi"),
    Column("upvotes", sa.Integer),
    Column("comments", sa.Integer),
    Column("stars", sa.Integer),
    _text("pdf"),
    _text("code"),
    _text("project"),
    _text("thumbnail"),
    Column("categories", sa.JSON, nullable=False),
    Index(None, "first_day", "number"),
)  # fmt: skip

# Every identity key of every paper (newsletter.identity.identity_keys): its own id is one of them
PAPER_KEYS = Table(
    "paper_keys", METADATA,
    Column("key", Text, primary_key=True),
    Column("paper", ForeignKey("papers.number", ondelete="CASCADE"), nullable=False, index=True),
)  # fmt: skip

# Which source listed which paper on which day
SIGHTINGS = Table(
    "sightings", METADATA,
    Column("source", Text, primary_key=True),
    Column("day", sa.Date, primary_key=True),
    Column("paper", ForeignKey("papers.number", ondelete="CASCADE"), primary_key=True, index=True),
)  # fmt: skip

# One row of float32, little endian, for each paper and embedding model
VECTORS = Table(
    "vectors", METADATA,
    Column("model", Text, primary_key=True),
    Column("paper", ForeignKey("papers.number", ondelete="CASCADE"), primary_key=True, index=True),
    Column("vector", sa.LargeBinary, nullable=False),
)  # fmt: skip

# What a language model wrote of a paper; `writer` names the model and the version of what it was asked
SUMMARIES = Table(
    "summaries", METADATA,
    Column("writer", Text, primary_key=True),
    Column("paper", ForeignKey("papers.number", ondelete="CASCADE"), primary_key=True, index=True),
    Column("sentences", sa.JSON, nullable=False),
)  # fmt: skip

# Papers that readers like and arXiv does not know, by id; `asked` is when it said so
ABSENT = Table(
    "absent_papers", METADATA,
    Column("id", Text, primary_key=True),
    Column("asked", sa.Date, nullable=False),
)  # fmt: skip

SOURCE_STATES = Table(
    "source_states", METADATA,
    Column("source", Text, primary_key=True),
    Column("day", sa.Date, primary_key=True),
    Column("state", Text, nullable=False),
    Column("papers", sa.Integer, nullable=False),
    _text("reason"),
    sa.CheckConstraint("state IN ('fetched', 'empty', 'stale', 'failed')", "state"),
)  # fmt: skip

# Editions and themes
EDITIONS = Table(
    "editions", METADATA,
    Column("id", Text, primary_key=True),
    Column("day", sa.Date, nullable=False, index=True),
    Column("body", sa.LargeBinary, nullable=False),
)  # fmt: skip

# What the edition's public page shows and takes seconds to make: places of the window's papers, all themes' momentum
EDITION_MAPS = Table(
    "edition_maps", METADATA,
    Column("edition", Text, primary_key=True),
    Column("day", sa.Date, nullable=False, index=True),
    Column("body", sa.LargeBinary, nullable=False),
)  # fmt: skip

THEMES = Table(
    "themes", METADATA,
    Column("day", sa.Date, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("position", sa.Integer, nullable=False),
    Column("label", Text, nullable=False),
    Column("keywords", sa.JSON, nullable=False),
    Column("papers", sa.JSON, nullable=False),
    Column("centroid", sa.LargeBinary, nullable=False),
    Column("model", Text, nullable=False),
    Column("first_day", sa.Date, nullable=False),
    Column("last_day", sa.Date, nullable=False),
    Column("labelled", sa.Date, nullable=False),
    Index(None, "id", "day"),
)  # fmt: skip

THEME_EVENTS = Table(
    "theme_events", METADATA,
    Column("day", sa.Date, primary_key=True),
    Column("position", sa.Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("id", Text, nullable=False),
    _text("other"),
)  # fmt: skip

FEEDBACK = Table(
    "feedback", METADATA,
    Column("subscriber", Text, primary_key=True),
    Column("paper", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("at", Moment, nullable=False),
    sa.CheckConstraint("kind IN ('more', 'less', 'save', 'click')", "kind"),
)  # fmt: skip

# Ledger. `address` is the keyed hash that suppressions hold; `attempts` counts begun tries and tells them apart.
DELIVERIES = Table(
    "deliveries", METADATA,
    Column("id", sa.Integer, primary_key=True),
    Column("edition", Text, nullable=False),
    Column("subscriber", Text, nullable=False, index=True),
    Column("email", Text, nullable=False),
    Column("address", Text, nullable=False, index=True),
    Column("state", Text, nullable=False),
    Column("attempts", sa.Integer, nullable=False, default=0),
    Column("next_at", Moment),
    Column("expires", Moment),
    _text("owner"),
    Column("lease", Moment),
    _text("reason"),
    _text("message_id"),
    Column("planned_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    sa.CheckConstraint(f"state IN {STATES}", "state"),
    sa.UniqueConstraint("edition", "subscriber"),
    Index(None, "edition", "state"),
    Index(None, "message_id"),
)  # fmt: skip

# The letter as it was planned; papers and themes stand in FROZEN once, and the letter names them by their hash.
# Its own table, so that a change of state does not rewrite it.
LETTERS = Table(
    "letters", METADATA,
    Column("delivery", ForeignKey("deliveries.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("body", sa.LargeBinary, nullable=False),
)  # fmt: skip

FROZEN = Table(
    "frozen", METADATA,
    Column("key", Text, primary_key=True),
    Column("body", sa.LargeBinary, nullable=False),
)  # fmt: skip

# Paper ids as the letter has them
DELIVERY_PAPERS = Table(
    "delivery_papers", METADATA,
    Column("delivery", ForeignKey("deliveries.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("paper", Text, primary_key=True, index=True),
)  # fmt: skip

# What was tried and answered, oldest first by id
ATTEMPTS = Table(
    "delivery_attempts", METADATA,
    Column("id", sa.Integer, primary_key=True),
    Column("delivery", ForeignKey("deliveries.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("at", Moment, nullable=False),
    Column("event", Text, nullable=False),
    _text("phase"),
    Column("code", sa.Integer, nullable=False, default=0),
    _text("enhanced"),
    _text("text"),
)  # fmt: skip

SUPPRESSIONS = Table(
    "suppressions", METADATA,
    Column("address", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("at", Moment, nullable=False),
)  # fmt: skip

# Subscribers. One document each where `subscribers: database`; `address` is the keyed hash, as in SUPPRESSIONS.
DOCUMENTS = Table(
    "subscriber_documents", METADATA,
    Column("name", Text, primary_key=True),
    Column("address", Text, nullable=False, unique=True),
    Column("document", Text, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("version", sa.Integer, nullable=False, default=1),
)  # fmt: skip

# Who asked to be written to and has not said yet that the address is theirs. `token` is the SHA-256 of what the mail
# carries, `network` the keyed hash of where the request came from; rows go when they expire.
REQUESTS = Table(
    "subscription_requests", METADATA,
    Column("token", Text, primary_key=True),
    Column("address", Text, nullable=False, index=True),
    Column("network", Text, nullable=False, index=True),
    Column("email", Text, nullable=False),
    Column("document", Text, nullable=False),
    _text("source"),
    Column("asked_at", Moment, nullable=False, index=True),
    Column("expires", Moment, nullable=False),
)  # fmt: skip

# Who agreed to what, when and where, and took it back; the address as its keyed hash
CONSENTS = Table(
    "consents", METADATA,
    Column("id", sa.Integer, primary_key=True),
    Column("subscriber", Text, nullable=False, index=True),
    Column("address", Text, nullable=False, index=True),
    Column("event", Text, nullable=False),
    _text("source"),
    Column("at", Moment, nullable=False),
    sa.CheckConstraint("event IN ('asked', 'confirmed', 'unsubscribed', 'resumed', 'erased')", "event"),
)  # fmt: skip

# What the operator did on the web pages
AUDIT = Table(
    "audit", METADATA,
    Column("id", sa.Integer, primary_key=True),
    Column("at", Moment, nullable=False, index=True),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    _text("object"),
    _text("detail"),
)  # fmt: skip
