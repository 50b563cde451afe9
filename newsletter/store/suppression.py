"""Addresses that get no letter any more, kept as keyed hashes with reason and date.

Whoever steals the table cannot read the addresses without the key, and the list survives the deletion of a reader's
data. With another key the list is empty, so the key must be kept as long as the database.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from newsletter.store.connection import batches, insert, reading, writing
from newsletter.store.journal import withdraw_where
from newsletter.store.tables import DELIVERIES, SUPPRESSIONS

__all__ = [
    "Suppression",
    "address_hash",
    "allow",
    "is_suppressed",
    "record_suppressions",
    "suppress",
    "suppressed_among",
]


@dataclass(frozen=True, slots=True)
class Suppression:
    """Why and since when an address gets no letter."""

    reason: str
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


def allow(engine: Engine, address: str, *, key: bytes) -> bool:
    """Letters to `address` may go again; False when it was not suppressed. Skipped letters stay skipped."""
    with writing(engine) as connection:
        result = connection.execute(sa.delete(SUPPRESSIONS).where(SUPPRESSIONS.c.address == address_hash(address, key)))
        return bool(result.rowcount)


def is_suppressed(engine: Engine, address: str, *, key: bytes) -> Suppression | None:
    """Why and since when `address` is suppressed, or None."""
    with reading(engine) as connection:
        hashed = address_hash(address, key)
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
