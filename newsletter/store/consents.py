"""Who agreed to what, when and where, and who took it back: what the law wants to be shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa
from sqlalchemy import Engine

from newsletter.store.connection import reading, writing
from newsletter.store.tables import CONSENTS

__all__ = ["Consent", "ConsentEvent", "consents", "record_consent"]

ConsentEvent = Literal["asked", "confirmed", "unsubscribed", "resumed", "erased"]


@dataclass(frozen=True, slots=True)
class Consent:
    """One thing that a subscriber agreed to or took back. `address` is the keyed hash of the address they had."""

    subscriber: str
    address: str
    event: ConsentEvent
    source: str
    at: datetime


def record_consent(  # noqa: PLR0917  the columns in their order
    engine: Engine, subscriber: str, address_hash: str, event: ConsentEvent, source: str, at: datetime
) -> None:
    """Writes it down; nothing is ever taken from this list."""
    row = {"subscriber": subscriber, "address": address_hash, "event": event, "source": source, "at": at}
    with writing(engine) as connection:
        connection.execute(sa.insert(CONSENTS), row)


def consents(engine: Engine, *, subscriber: str | None = None, address: str | None = None) -> tuple[Consent, ...]:
    """What was agreed to by `subscriber`, or with the address of that hash, or by either; oldest first."""
    ways = [CONSENTS.c.subscriber == subscriber] if subscriber is not None else []
    ways += [CONSENTS.c.address == address] if address is not None else []
    if not ways:
        return ()
    query = sa.select(CONSENTS).where(sa.or_(*ways)).order_by(CONSENTS.c.at, CONSENTS.c.id)
    with reading(engine) as connection:
        return tuple(
            Consent(row.subscriber, row.address, row.event, row.source, row.at) for row in connection.execute(query)
        )
