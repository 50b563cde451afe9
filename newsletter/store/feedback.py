"""What readers said of papers, for the ranking to read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa
from sqlalchemy import Engine

from newsletter.store.connection import batches, insert, reading, writing
from newsletter.store.tables import DELIVERIES, DELIVERY_PAPERS, FEEDBACK

__all__ = ["Feedback", "FeedbackKind", "Shown", "feedback", "record_feedback", "shown", "withdraw_feedback"]

FeedbackKind = Literal["more", "less", "save", "click"]
_OPPOSITE: dict[FeedbackKind, FeedbackKind] = {"more": "less", "less": "more"}


@dataclass(frozen=True, slots=True)
class Feedback:
    """One thing that a reader said of a paper: more or less of this, saved, clicked; `at` is when they last did."""

    subscriber: str
    paper: str
    kind: FeedbackKind
    at: datetime


@dataclass(frozen=True, slots=True)
class Shown:
    """The papers, as the letter named them, that a subscriber was sent in an edition."""

    subscriber: str
    edition: str
    papers: tuple[str, ...]


def shown(engine: Engine, subscribers: Iterable[str]) -> list[Shown]:
    """What those of the subscribers who ever said something were sent, letter by letter, oldest planned first."""
    papers: dict[tuple[str, str], list[str]] = {}
    query = (
        sa.select(DELIVERIES.c.subscriber, DELIVERIES.c.edition, DELIVERY_PAPERS.c.paper)
        .join(DELIVERY_PAPERS, DELIVERY_PAPERS.c.delivery == DELIVERIES.c.id)
        .where(DELIVERIES.c.state.in_(["sent", "uncertain"]))
        .order_by(DELIVERIES.c.id, DELIVERY_PAPERS.c.paper)
    )
    with reading(engine) as connection:
        for some in batches(set(subscribers)):
            spoke = sa.select(FEEDBACK.c.subscriber).where(FEEDBACK.c.subscriber.in_(some))
            for name, edition, paper in connection.execute(query.where(DELIVERIES.c.subscriber.in_(spoke))):
                papers.setdefault((name, edition), []).append(paper)
    return [Shown(name, edition, tuple(ids)) for (name, edition), ids in papers.items()]


def record_feedback(engine: Engine, said: Feedback) -> None:
    """Writes it down once; saying it again moves its time, and `more` takes back `less` and the other way round."""
    own = (FEEDBACK.c.subscriber == said.subscriber) & (FEEDBACK.c.paper == said.paper)
    with writing(engine) as connection:
        if said.kind in _OPPOSITE:
            connection.execute(sa.delete(FEEDBACK).where(own, FEEDBACK.c.kind == _OPPOSITE[said.kind]))
        statement = insert(connection, FEEDBACK).values(
            subscriber=said.subscriber, paper=said.paper, kind=said.kind, at=said.at
        )
        keys = ["subscriber", "paper", "kind"]
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_={"at": said.at}))


def withdraw_feedback(engine: Engine, subscriber: str, paper: str, kind: FeedbackKind) -> bool:
    """Takes it back; False where it was not said."""
    own = (FEEDBACK.c.subscriber == subscriber) & (FEEDBACK.c.paper == paper) & (FEEDBACK.c.kind == kind)
    with writing(engine) as connection:
        return bool(connection.execute(sa.delete(FEEDBACK).where(own)).rowcount)


def feedback(engine: Engine, subscribers: Iterable[str]) -> dict[str, tuple[Feedback, ...]]:
    """What each of the subscribers said, oldest first; those who said nothing are left out."""
    found: dict[str, list[Feedback]] = {}
    with reading(engine) as connection:
        for some in batches(set(subscribers)):
            query = sa.select(*FEEDBACK.c).where(FEEDBACK.c.subscriber.in_(some))
            for row in connection.execute(query.order_by(FEEDBACK.c.at, FEEDBACK.c.paper, FEEDBACK.c.kind)):
                found.setdefault(row.subscriber, []).append(Feedback(row.subscriber, row.paper, row.kind, row.at))
    return {subscriber: tuple(said) for subscriber, said in found.items()}
