"""What the store keeps about one reader: read out whole, or erased without upsetting the ledger's sums.

The ledger's rows stay, so that the counts of every edition still balance: their state and times, no address, name,
letter or paper, and no server's words, which often quote the address. What remains of the address is its keyed hash
among the suppressions, so that nobody writes to it again, and among the consents, which the law wants to be shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from newsletter.model import Delivery
from newsletter.store.connection import batches, reading, writing
from newsletter.store.journal import lock_rows, to_delivery, withdraw_where
from newsletter.store.suppression import ERASED, record_suppressions
from newsletter.store.tables import (
    ATTEMPTS,
    CONSENTS,
    DELIVERIES,
    DELIVERY_PAPERS,
    DOCUMENTS,
    FEEDBACK,
    LETTERS,
    REQUESTS,
    SUPPRESSIONS,
)

__all__ = ["Erased", "Record", "erase", "is_erased", "records", "requests"]

NOBODY = "(erased)"  # no subscriber can have such a name


@dataclass(frozen=True, slots=True)
class Record:
    """One row of the ledger with its times and the ids of its papers."""

    delivery: Delivery
    planned_at: datetime
    changed_at: datetime
    papers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Erased:
    """How much went: rows of the ledger blanked, letters of them that were waiting, feedback, requests."""

    deliveries: int
    withdrawn: int
    feedback: int
    requests: int


def records(engine: Engine, address: str) -> list[Record]:
    """Every row of the ledger with the address of that keyed hash, newest first; never another address's."""
    own = DELIVERIES.c.address == address
    papers = sa.select(DELIVERY_PAPERS).join(DELIVERIES, DELIVERIES.c.id == DELIVERY_PAPERS.c.delivery).where(own)
    with reading(engine) as connection:
        rows = connection.execute(sa.select(*DELIVERIES.c).where(own).order_by(DELIVERIES.c.id.desc())).all()
        named: dict[int, list[str]] = {}
        for row in connection.execute(papers.order_by(DELIVERY_PAPERS.c.delivery, DELIVERY_PAPERS.c.paper)):
            named.setdefault(row.delivery, []).append(row.paper)
    return [Record(to_delivery(row), row.planned_at, row.changed_at, tuple(named.get(row.id, ()))) for row in rows]


def requests(engine: Engine, address: str) -> list[dict[str, str]]:
    """When and where someone asked to subscribe with the address of that keyed hash, as long as it is kept."""
    query = sa.select(REQUESTS).where(REQUESTS.c.address == address).order_by(REQUESTS.c.asked_at)
    with reading(engine) as connection:
        return [
            {"asked_at": row.asked_at.isoformat(), "expires": row.expires.isoformat(), "source": row.source}
            for row in connection.execute(query)
        ]


def erase(engine: Engine, subscriber: str, address: str, *, source: str, at: datetime) -> Erased:
    """Erases what is kept of the reader with this name and this keyed hash of their address, in one transaction.

    Letters that wait are skipped, and one being written is not begun; one that is on its way at this moment arrives,
    and its answer is written down without the server's words. Doing it again finds nothing left to do.
    The document is `pipeline.roster`'s to remove, afterwards: as long as it is there, it can be done again.
    """
    with writing(engine) as connection:
        own = DELIVERIES.c.address == address
        # rows of the ledger are locked before suppressions are written, as `settle` does: so nobody deadlocks
        rows = lock_rows(connection, connection.execute(sa.select(DELIVERIES.c.id).where(own)).scalars())
        withdrawn = withdraw_where(connection, own, ERASED, at)
        _blank(connection, [row.id for row in rows])
        record_suppressions(connection, [{"address": address, "reason": ERASED, "at": at}])
        instead = sa.update(SUPPRESSIONS).where(SUPPRESSIONS.c.address == address)
        connection.execute(instead.values(reason=ERASED))
        said = connection.execute(sa.delete(FEEDBACK).where(FEEDBACK.c.subscriber == subscriber)).rowcount
        asked = connection.execute(sa.delete(REQUESTS).where(REQUESTS.c.address == address)).rowcount
        connection.execute(sa.delete(DOCUMENTS).where(DOCUMENTS.c.address == address))
        _consent(connection, address, source, at)
    return Erased(sum(bool(row.email) for row in rows), withdrawn, int(said), int(asked))


def is_erased(engine: Engine, start: str) -> bool:
    """Whether an address whose keyed hash starts so is erased; no longer once its owner has subscribed again."""
    gone = SUPPRESSIONS.c.reason == ERASED
    query = sa.select(sa.exists().where(SUPPRESSIONS.c.address.startswith(start, autoescape=True), gone))
    with reading(engine) as connection:
        return bool(start) and bool(connection.execute(query).scalar())


def _blank(connection: Connection, ids: Sequence[int]) -> None:
    """Takes from the rows and what hangs on them all that tells whose they were."""
    nobody = sa.literal("(erased ") + sa.cast(DELIVERIES.c.id, sa.Text) + ")"
    values = {"subscriber": nobody, "email": "", "message_id": "", "reason": ERASED}
    for some in batches(ids):
        connection.execute(sa.delete(LETTERS).where(LETTERS.c.delivery.in_(some)))
        connection.execute(sa.delete(DELIVERY_PAPERS).where(DELIVERY_PAPERS.c.delivery.in_(some)))
        connection.execute(sa.update(ATTEMPTS).where(ATTEMPTS.c.delivery.in_(some)).values(text=""))
        connection.execute(sa.update(DELIVERIES).where(DELIVERIES.c.id.in_(some)).values(values))


def _consent(connection: Connection, address: str, source: str, at: datetime) -> None:
    """Takes the name from what they agreed to, and adds that they took everything back, once for each time."""
    own = sa.update(CONSENTS).where(CONSENTS.c.address == address)
    connection.execute(own.values(subscriber=NOBODY))
    last = sa.select(CONSENTS.c.event).where(CONSENTS.c.address == address).order_by(CONSENTS.c.id.desc()).limit(1)
    if connection.execute(last).scalar() != ERASED:
        row = {"subscriber": NOBODY, "address": address, "event": ERASED, "source": source, "at": at}
        connection.execute(sa.insert(CONSENTS), row)
