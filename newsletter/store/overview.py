"""The ledger from above, for a health check: how many letters are where, and what has waited longest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Engine

from newsletter.delivery import CLAIMABLE, STATES
from newsletter.store.connection import reading
from newsletter.store.tables import DELIVERIES, SUPPRESSIONS

__all__ = ["Overview", "overview"]


@dataclass(frozen=True, slots=True)
class Overview:
    """Letters by state of the editions planned since a moment; `oldest` is when the one that is longest due was due,
    None where nothing waits; `newest` the last change of the ledger."""

    letters: dict[str, int]
    oldest: datetime | None
    newest: datetime | None
    suppressed: int


def overview(engine: Engine, since: datetime, now: datetime) -> Overview:
    """Letters planned since `since`, and of all time what is planned or due and has not expired."""
    states = sa.select(DELIVERIES.c.state, sa.func.count()).where(DELIVERIES.c.planned_at >= since)
    alive = sa.or_(DELIVERIES.c.expires.is_(None), DELIVERIES.c.expires > now)
    moment = DELIVERIES.c.planned_at.type
    due = sa.func.coalesce(DELIVERIES.c.next_at, DELIVERIES.c.planned_at, type_=moment)
    oldest = sa.select(sa.func.min(due, type_=moment)).where(DELIVERIES.c.state.in_(sorted(CLAIMABLE)), alive)
    with reading(engine) as connection:
        found = {row[0]: row[1] for row in connection.execute(states.group_by(DELIVERIES.c.state))}
        return Overview(
            {state: found.get(state, 0) for state in STATES},
            connection.execute(oldest).scalar(),
            connection.execute(sa.select(sa.func.max(DELIVERIES.c.changed_at, type_=moment))).scalar(),
            connection.execute(sa.select(sa.func.count()).select_from(SUPPRESSIONS)).scalar_one(),
        )
