"""Letters as they were frozen: read back by edition and subscriber, for tests sends, previews and the web view."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import sqlalchemy as sa
from sqlalchemy import Engine

from newsletter.model import Letter
from newsletter.store.connection import batches, reading
from newsletter.store.freezing import Part
from newsletter.store.journal import letters as thawed
from newsletter.store.tables import DELIVERIES, LETTERS

__all__ = ["frozen_letters", "last_subjects", "letters_of"]


def frozen_letters(engine: Engine, edition_id: str, subscribers: Collection[str] | None = None) -> dict[str, Letter]:
    """The edition's letters as they were planned, by subscriber, in the order of planning; skips have none."""
    query = sa.select(DELIVERIES.c.id, DELIVERIES.c.subscriber).join(LETTERS, LETTERS.c.delivery == DELIVERIES.c.id)
    query = query.where(DELIVERIES.c.edition == edition_id).order_by(DELIVERIES.c.id)
    with reading(engine) as connection:
        names = {row.id: row.subscriber for row in connection.execute(query)}
        wanted = {i: name for i, name in names.items() if subscribers is None or name in subscribers}
        found = thawed(connection, wanted)
    return {name: found[i] for i, name in wanted.items()}


def letters_of(
    engine: Engine, deliveries: Collection[int], *, known: dict[str, Part] | None = None
) -> dict[int, Letter]:
    """The frozen letters of the deliveries; those without one are left out. `known` remembers the parts they share."""
    with reading(engine) as connection:
        return thawed(connection, deliveries, known)


def last_subjects(engine: Engine, subscribers: Iterable[str], *, besides: str = "") -> dict[str, str]:
    """The subject of each subscriber's newest letter of any edition but `besides`; those without one are left out."""
    newest: dict[int, str] = {}
    with reading(engine) as connection:
        for some in batches(set(subscribers)):
            query = sa.select(DELIVERIES.c.subscriber, sa.func.max(DELIVERIES.c.id).label("id"))
            query = query.join(LETTERS, LETTERS.c.delivery == DELIVERIES.c.id)
            query = query.where(DELIVERIES.c.subscriber.in_(some), DELIVERIES.c.edition != besides)
            newest |= {row.id: row.subscriber for row in connection.execute(query.group_by(DELIVERIES.c.subscriber))}
        found = thawed(connection, newest)
    return {name: found[i].subject for i, name in newest.items()}
