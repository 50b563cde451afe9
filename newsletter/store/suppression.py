"""Addresses that get no letter any more, kept as keyed hashes with reason and date.

Whoever steals the table cannot read the addresses without the key, and the list survives the deletion of a reader's
data. With another key the list is empty, so the key must be kept as long as the database.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from newsletter.store.connection import batches, insert, reading, writing
from newsletter.store.journal import lock_rows, move, waiting_for, withdraw_where
from newsletter.store.tables import CONSENTS, DELIVERIES, SUPPRESSIONS

__all__ = [
    "ERASED", "UNSUBSCRIBED", "Leaving", "Suppression", "address_hash", "allow", "is_suppressed", "record_suppressions",
    "resubscribe", "suppress", "suppressed_among", "suppression_of", "unsubscribe",
]  # fmt: skip

UNSUBSCRIBED = "unsubscribed"  # the reason that the reader gave, and may take back
ERASED = "erased"  # the reader wanted everything forgotten: store.erasure; they may take it back by subscribing again


@dataclass(frozen=True, slots=True)
class Suppression:
    """Why and since when an address gets no letter."""

    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Leaving:
    """A reader's word that they want no letter any more: the address's keyed hash, whose it was, how they said so."""

    address: str
    subscriber: str
    source: str
    at: datetime


def address_hash(address: str, key: bytes) -> str:
    """HMAC-SHA256 of the address without regard to case, in hexadecimal. Raises ValueError for an empty key."""
    if not key:
        raise ValueError("addresses are hashed with a key, and it must not be empty")
    folded = address.strip().casefold().encode("utf-8", "surrogatepass")
    return hmac.new(key, folded, hashlib.sha256).hexdigest()


def suppress(engine: Engine, address: str, reason: str, now: datetime, *, key: bytes) -> int:
    """No letter to `address` from here on; returns how many letters that were waiting are skipped for it.

    The first reason and date stay. A letter that is being sent at this moment is not called back.
    """
    hashed = address_hash(address, key)
    with writing(engine) as connection:
        record_suppressions(connection, [{"address": hashed, "reason": reason, "at": now}])
        return withdraw_where(connection, DELIVERIES.c.address == hashed, f"suppressed: {reason}", now)


def unsubscribe(engine: Engine, leaving: Sequence[Leaving]) -> list[int]:
    """Suppresses the addresses and writes the consents down, all in one transaction; said again, it changes nothing.

    Returns for each how many letters that were waiting are skipped for it. The reader's word takes the place of any
    other reason: it must hold when the operator lifts that one.
    """
    first = {one.address: one for one in reversed(leaving)}
    with writing(engine) as connection:
        # rows of the ledger are locked before suppressions are written, as `settle` does: so nobody deadlocks
        waiting = lock_rows(connection, waiting_for(connection, DELIVERIES.c.address, first))
        fresh = _suppress_as_asked(connection, [first[address] for address in sorted(first)])
        rows = [
            {"subscriber": one.subscriber, "address": one.address, "source": one.source, "at": one.at} for one in fresh
        ]
        if rows:
            connection.execute(sa.insert(CONSENTS).values(event="unsubscribed"), rows)
        if waiting:
            moment, why = max(one.at for one in leaving), f"suppressed: {UNSUBSCRIBED}"
            move(connection, [row.id for row in waiting], "withdrawn", moment, reason=why)
    skipped = Counter(row.address for row in waiting)
    return [skipped.pop(one.address, 0) for one in leaving]


def _suppress_as_asked(connection: Connection, leaving: Sequence[Leaving]) -> list[Leaving]:
    """Suppresses the addresses for the reader's own reason; returns those of which that is new."""
    if not leaving:
        return []
    new = insert(connection, SUPPRESSIONS)
    new = new.on_conflict_do_update(
        index_elements=["address"],
        set_={"reason": new.excluded.reason, "at": new.excluded.at},
        where=SUPPRESSIONS.c.reason != UNSUBSCRIBED,
    ).returning(SUPPRESSIONS.c.address)
    rows = [{"address": one.address, "reason": UNSUBSCRIBED, "at": one.at} for one in leaving]
    fresh = set(connection.execute(new, rows).scalars())
    return [one for one in leaving if one.address in fresh]


def resubscribe(engine: Engine, address: str, subscriber: str, *, source: str, at: datetime) -> bool:
    """Takes back the reader's own word on the hashed address; False, and nothing written, where there is none.

    What was suppressed for another reason stays so.
    """
    words = SUPPRESSIONS.c.reason.in_((UNSUBSCRIBED, ERASED))
    own = sa.delete(SUPPRESSIONS).where(SUPPRESSIONS.c.address == address, words)
    with writing(engine) as connection:
        lifted = bool(connection.execute(own).rowcount)
        if lifted:
            consent = {"subscriber": subscriber, "address": address, "source": source, "at": at}
            connection.execute(sa.insert(CONSENTS).values(event="resumed", **consent))
    return lifted


def allow(engine: Engine, address: str, *, key: bytes) -> bool:
    """Letters to `address` may go again; False when it was not suppressed. Skipped letters stay skipped."""
    with writing(engine) as connection:
        result = connection.execute(sa.delete(SUPPRESSIONS).where(SUPPRESSIONS.c.address == address_hash(address, key)))
        return bool(result.rowcount)


def is_suppressed(engine: Engine, address: str, *, key: bytes) -> Suppression | None:
    """Why and since when `address` is suppressed, or None."""
    return suppression_of(engine, address_hash(address, key))


def suppression_of(engine: Engine, hashed: str) -> Suppression | None:
    """The same of a hashed address."""
    with reading(engine) as connection:
        return suppressed_among(connection, [hashed]).get(hashed)


def suppressed_among(connection: Connection, hashes: Collection[str]) -> dict[str, Suppression]:
    """Those of the hashed addresses that are suppressed."""
    found: dict[str, Suppression] = {}
    for some in batches(hashes):
        query = sa.select(*SUPPRESSIONS.c).where(SUPPRESSIONS.c.address.in_(some))
        found.update({row.address: Suppression(row.reason, row.at) for row in connection.execute(query)})
    return found


def record_suppressions(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Writes the rows (address, reason, at) whose address is not suppressed yet."""
    if rows:
        connection.execute(insert(connection, SUPPRESSIONS).on_conflict_do_nothing(), rows)
