"""One reader's own letters: the list of what they got, and each as it was frozen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy import Engine

from newsletter.model import Letter
from newsletter.store.connection import reading
from newsletter.store.freezing import parse_letter
from newsletter.store.journal import letters as thawed
from newsletter.store.tables import DELIVERIES, LETTERS

__all__ = ["Got", "got", "letter_to"]


@dataclass(frozen=True, slots=True)
class Got:
    """A letter that a reader got, or may have got: its delivery's number, its edition, day and subject."""

    id: int
    edition: str
    day: date
    subject: str


def got(engine: Engine, subscriber: str, address: str, *, before: int | None = None, limit: int = 50) -> list[Got]:
    """The reader's letters to the address of that keyed hash, newest first; `before` goes on below that delivery."""
    query = sa.select(DELIVERIES.c.id, DELIVERIES.c.edition, LETTERS.c.body).join(
        LETTERS, LETTERS.c.delivery == DELIVERIES.c.id
    )
    query = query.where(
        DELIVERIES.c.subscriber == subscriber, DELIVERIES.c.address == address,
        DELIVERIES.c.state.in_(("sent", "uncertain")),
    )  # fmt: skip
    if before is not None:
        query = query.where(DELIVERIES.c.id < before)
    with reading(engine) as connection:
        rows = connection.execute(query.order_by(DELIVERIES.c.id.desc()).limit(limit)).all()
    read = [(row, parse_letter(row.body)) for row in rows]
    return [Got(row.id, row.edition, date.fromisoformat(tree["day"]), tree["subject"]) for row, tree in read]


def letter_to(engine: Engine, subscriber: str, edition_id: str, address: str) -> Letter | None:
    """The frozen letter of that edition to the subscriber, if it went to the address of that keyed hash."""
    own = (DELIVERIES.c.subscriber == subscriber) & (DELIVERIES.c.address == address)
    query = sa.select(DELIVERIES.c.id).where(own, DELIVERIES.c.edition == edition_id)
    with reading(engine) as connection:
        number = connection.execute(query).scalar()
        return None if number is None else thawed(connection, [number]).get(number)
