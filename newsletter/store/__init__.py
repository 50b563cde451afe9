"""What must survive a restart: the archive of papers, the editions, and the ledger of letters.

SQLite in one file by default, PostgreSQL by URL; SQLAlchemy Core, migrated by Alembic when the store is opened.
"""

from __future__ import annotations

from sqlalchemy import Engine

from newsletter.store.connection import connect, reporting
from newsletter.store.migration import migrate

__all__ = ["open_store"]


def open_store(url: str, *, patience: float = 10.0) -> Engine:
    """The database behind `url` (``sqlite:///path`` or ``postgresql+psycopg://...``), created and migrated.

    `patience` is how many seconds a statement waits for another program's lock. Raises StoreError when the file is
    not writable, not ours, torn, locked, or of a newer program.
    """
    engine = connect(url, patience)
    try:
        with reporting(engine):
            migrate(engine, patience)
    except BaseException:
        engine.dispose()
        raise
    return engine
