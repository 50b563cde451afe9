"""The ledger as the operator looks at it: edition by edition, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy import Engine

from newsletter.delivery import STATES
from newsletter.model import Delivery, State
from newsletter.store.connection import reading
from newsletter.store.journal import to_delivery
from newsletter.store.returns import EVENTS
from newsletter.store.tables import ATTEMPTS, DELIVERIES, EDITIONS

__all__ = ["CameBack", "EditionLine", "came_back", "deliveries_page", "edition_lines", "editions_kept"]


@dataclass(frozen=True, slots=True)
class EditionLine:
    """An edition's letters by state, and `total`, which was counted apart."""

    id: str
    day: date
    letters: dict[str, int]
    total: int

    @property
    def balanced(self) -> bool:
        """The states add up to the total."""
        return sum(self.letters.values()) == self.total


@dataclass(frozen=True, slots=True)
class CameBack:
    """A bounce or complaint about a letter, with the server's words."""

    at: datetime
    event: str
    edition: str
    subscriber: str
    enhanced: str
    text: str


def edition_lines(engine: Engine, limit: int, offset: int = 0) -> list[EditionLine]:
    """The editions, newest first."""
    newest = sa.select(EDITIONS.c.id, EDITIONS.c.day).order_by(EDITIONS.c.day.desc()).limit(limit).offset(offset)
    with reading(engine) as connection:
        editions = connection.execute(newest).all()
        mine = DELIVERIES.c.edition.in_([row.id for row in editions])
        states = sa.select(DELIVERIES.c.edition, DELIVERIES.c.state, sa.func.count()).where(mine)
        whole = sa.select(DELIVERIES.c.edition, sa.func.count(sa.distinct(DELIVERIES.c.subscriber))).where(mine)
        counted = {
            (row[0], row[1]): row[2]
            for row in connection.execute(states.group_by(DELIVERIES.c.edition, DELIVERIES.c.state))
        }
        totals = {row[0]: row[1] for row in connection.execute(whole.group_by(DELIVERIES.c.edition))}
    letters: dict[str, dict[str, int]] = {
        row.id: {state: counted.get((row.id, state), 0) for state in STATES} for row in editions
    }
    return [EditionLine(row.id, row.day, letters[row.id], totals.get(row.id, 0)) for row in editions]


def editions_kept(engine: Engine) -> int:
    """How many editions there are."""
    with reading(engine) as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(EDITIONS)).scalar_one()


def deliveries_page(
    engine: Engine, edition_id: str, limit: int, offset: int = 0, *, state: State | None = None, subscriber: str = ""
) -> list[Delivery]:
    """The edition's deliveries in the order of planning, without their letters."""
    query = sa.select(*DELIVERIES.c).where(DELIVERIES.c.edition == edition_id)
    if state is not None:
        query = query.where(DELIVERIES.c.state == state)
    if subscriber:
        query = query.where(DELIVERIES.c.subscriber == subscriber)
    with reading(engine) as connection:
        rows = connection.execute(query.order_by(DELIVERIES.c.id).limit(limit).offset(offset))
        return [to_delivery(row) for row in rows]


def came_back(engine: Engine, limit: int, offset: int = 0) -> list[CameBack]:
    """Bounces and complaints, newest first."""
    query = (
        sa.select(
            ATTEMPTS.c.at, ATTEMPTS.c.event, DELIVERIES.c.edition, DELIVERIES.c.subscriber, ATTEMPTS.c.enhanced,
            ATTEMPTS.c.text,
        )
        .join(DELIVERIES, ATTEMPTS.c.delivery == DELIVERIES.c.id)
        .where(ATTEMPTS.c.event.in_(EVENTS.values()))
    )  # fmt: skip
    with reading(engine) as connection:
        rows = connection.execute(query.order_by(ATTEMPTS.c.id.desc()).limit(limit).offset(offset))
        return [CameBack(*row) for row in rows]
