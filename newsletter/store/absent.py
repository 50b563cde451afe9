"""Liked papers that arXiv does not know, remembered so that it is not asked for them every day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import sqlalchemy as sa
from sqlalchemy import Engine

from newsletter.store.connection import batches, insert, reading, writing
from newsletter.store.tables import ABSENT

__all__ = ["absent", "record_absent"]


def record_absent(engine: Engine, ids: Iterable[str], asked: date) -> None:
    """Writes down that arXiv, asked on that day, did not know the papers `ids`."""
    rows = [{"id": paper, "asked": asked} for paper in sorted(set(ids))]
    if not rows:
        return
    with writing(engine) as connection:
        statement = insert(connection, ABSENT)
        statement = statement.on_conflict_do_update(index_elements=["id"], set_={"asked": statement.excluded.asked})
        connection.execute(statement, rows)


def absent(engine: Engine, ids: Iterable[str], since: date) -> frozenset[str]:
    """Those of `ids` that arXiv has not known when it was asked on `since` or later."""
    found: set[str] = set()
    with reading(engine) as connection:
        for some in batches(set(ids)):
            query = sa.select(ABSENT.c.id).where(ABSENT.c.id.in_(some), ABSENT.c.asked >= since)
            found.update(connection.execute(query).scalars())
    return frozenset(found)
