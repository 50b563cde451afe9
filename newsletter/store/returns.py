"""Letters that came back: which delivery a bounce is about, its line in the history, and when it suppresses.

The delivery stays `sent`: the server did take the letter. Hard bounces and complaints suppress the address at once,
soft ones when the last `SOFT_LIMIT` letters to it all came back.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from newsletter.model import Delivery
from newsletter.store.connection import reading, writing
from newsletter.store.journal import lock_rows, to_delivery, withdraw_where, write_history
from newsletter.store.suppression import record_suppressions, suppressed_among
from newsletter.store.tables import ATTEMPTS, DELIVERIES, SUPPRESSIONS

__all__ = ["EVENTS", "SOFT_LIMIT", "Listed", "Noted", "Return", "delivery_of", "note_return", "suppressions"]

Return = Literal["hard", "soft", "complaint"]
SOFT_LIMIT = 5
"""Letters in a row that come back softly before an address is given up: a working week of a full mailbox."""

EVENTS: dict[Return, str] = {"hard": "bounced", "soft": "bounced softly", "complaint": "complained"}
_RETURNED = tuple(EVENTS.values())


@dataclass(frozen=True, slots=True)
class Noted:
    """What noting a bounce did: whether it was new, how many letters in a row came back, whether the address is
    suppressed now, and how many letters that waited for it are skipped."""

    fresh: bool
    in_a_row: int
    suppressed: bool
    withdrawn: int = 0


@dataclass(frozen=True, slots=True)
class Listed:
    """An address that gets no letter: its keyed hash, why, since when, and whose it was in the ledger, if known."""

    address: str
    reason: str
    at: datetime
    subscribers: tuple[str, ...] = ()


def delivery_of(engine: Engine, message_ids: Collection[str]) -> Delivery | None:
    """The delivery whose letter has one of these Message-IDs (with brackets), or None."""
    query = sa.select(*DELIVERIES.c).where(DELIVERIES.c.message_id.in_([i for i in message_ids if i]))
    with reading(engine) as connection:
        row = connection.execute(query.order_by(DELIVERIES.c.id)).first()
    return to_delivery(row) if row else None


def note_return(
    engine: Engine, delivery: int, kind: Return, now: datetime, *, status: str = "", text: str = "",
    soft_limit: int = SOFT_LIMIT,
) -> Noted:  # fmt: skip
    """Writes the bounce into the delivery's history and draws its consequence; the same bounce again changes nothing.

    `status` is an RFC 3463 code or empty, `text` the server's words.
    """
    line = {"delivery": delivery, "event": EVENTS[kind], "enhanced": status, "text": text}
    with writing(engine) as connection:
        (row,) = lock_rows(connection, [delivery])
        fresh = not connection.execute(sa.select(sa.exists().where(*_same(line)))).scalar()
        if fresh:
            write_history(connection, [{**line, "at": now}])
        softs = _in_a_row(connection, row.address, delivery)
        reason = _reason(kind, status, softs, soft_limit)
        withdrawn = 0
        if reason:
            record_suppressions(connection, [{"address": row.address, "reason": reason, "at": now}])
            withdrawn = withdraw_where(connection, DELIVERIES.c.address == row.address, f"suppressed: {reason}", now)
        suppressed = bool(suppressed_among(connection, [row.address]))
    return Noted(fresh, softs, suppressed, withdrawn)


def suppressions(engine: Engine) -> list[Listed]:
    """Every suppressed address, oldest first, with the subscribers whose letters went to it."""
    whose: dict[str, list[str]] = {}
    with reading(engine) as connection:
        names = sa.select(DELIVERIES.c.address, DELIVERIES.c.subscriber).distinct()
        for row in connection.execute(names.join(SUPPRESSIONS, SUPPRESSIONS.c.address == DELIVERIES.c.address)):
            whose.setdefault(row.address, []).append(row.subscriber)
        rows = connection.execute(sa.select(*SUPPRESSIONS.c).order_by(SUPPRESSIONS.c.at, SUPPRESSIONS.c.address)).all()
    return [Listed(row.address, row.reason, row.at, tuple(sorted(whose.get(row.address, ())))) for row in rows]


def _same(line: dict[str, object]) -> list[sa.ColumnElement[bool]]:
    return [ATTEMPTS.c[name] == value for name, value in line.items()]


def _in_a_row(connection: Connection, address: str, delivery: int) -> int:
    """How many letters to the address came back without a gap, counted backwards from this one."""
    came_back = sa.exists().where(ATTEMPTS.c.delivery == DELIVERIES.c.id, ATTEMPTS.c.event.in_(_RETURNED))
    query = sa.select(came_back.label("back")).where(
        DELIVERIES.c.address == address, DELIVERIES.c.state.in_(("sent", "uncertain")), DELIVERIES.c.id <= delivery
    )
    count = 0
    for row in connection.execute(query.order_by(DELIVERIES.c.id.desc())):
        if not row.back:
            break
        count += 1
    return count


def _reason(kind: Return, status: str, softs: int, limit: int) -> str:
    """Why the address gets no letter any more; empty while it still does."""
    said = f" ({status})" if status else ""
    if kind == "complaint":
        return "complained"
    if kind == "hard":
        return f"bounced{said}"
    return f"{softs} letters in a row came back softly{said}" if softs >= limit else ""
