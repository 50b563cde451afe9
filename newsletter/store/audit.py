"""What the operator did on the web pages, and who tried to become the operator: written down, and slowed down.

Tries to log in are counted in the database, so that several processes grant no more of them than one does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from newsletter.store.connection import reading, writing
from newsletter.store.tables import AUDIT

__all__ = ["Entry", "Knock", "admit", "audit", "delay", "ended", "knock", "record", "recorded"]

LOGIN, REFUSED, LOGOUT = "log in", "log in: refused", "log out"
_WINDOW = timedelta(hours=1)  # a failure counts so long
_KEPT = timedelta(days=30)  # failures are kept so long, and a network that came in is known so long
_OWN_FREE, _ALL_FREE = 3, 30  # failures without a delay: of one network, of all together
_OWN_LONGEST, _ALL_LONGEST = timedelta(minutes=15), timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: who did what to which thing, and how."""

    at: datetime
    actor: str
    action: str
    object: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Knock:
    """A try to log in: `id` names its line, or `wait` says how long the next one must wait."""

    id: int = 0
    wait: timedelta = timedelta()


def record(engine: Engine, entry: Entry) -> None:
    """Write one line."""
    with writing(engine) as connection:
        connection.execute(sa.insert(AUDIT).values(asdict(entry)))


def audit(engine: Engine, limit: int, *, offset: int = 0, action: str = "") -> list[Entry]:
    """The lines, newest first; with `action` those alone."""
    query = sa.select(AUDIT.c.at, AUDIT.c.actor, AUDIT.c.action, AUDIT.c.object, AUDIT.c.detail)
    if action:
        query = query.where(AUDIT.c.action == action)
    query = query.order_by(AUDIT.c.id.desc()).limit(limit).offset(offset)
    with reading(engine) as connection:
        return [Entry(*row) for row in connection.execute(query)]


def recorded(engine: Engine) -> int:
    """How many lines there are."""
    with reading(engine) as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(AUDIT)).scalar_one()


def knock(engine: Engine, network: str, now: datetime) -> Knock:
    """May somebody from `network` (a keyed hash) try a password now? If so, the try is written down as failed.

    `admit` turns it into a success. Several at the same moment take turns, so each sees those before it.
    """
    with writing(engine, lock="newsletter log in") as connection:
        connection.execute(sa.delete(AUDIT).where(AUDIT.c.action == REFUSED, AUDIT.c.at < now - _KEPT))
        since = now - _WINDOW
        last = _last_success(connection, network, now)
        own = _failures(connection, since, network, after=last or 0)
        wait = delay(own, now, free=_OWN_FREE, longest=_OWN_LONGEST)
        if last is None:  # who has come in from here before is not locked out by strangers
            wait = max(wait, delay(_failures(connection, since), now, free=_ALL_FREE, longest=_ALL_LONGEST))
        if wait:
            return Knock(wait=wait)
        line = sa.insert(AUDIT).values(actor=network, action=REFUSED, object="", detail="", at=now)
        return Knock(id=connection.execute(line.returning(AUDIT.c.id)).scalar_one())


def admit(engine: Engine, knocked: int, name: str) -> None:
    """The try was right: `name` is in."""
    with writing(engine) as connection:
        own = sa.update(AUDIT).where(AUDIT.c.id == knocked)
        connection.execute(own.values(action=LOGIN, object=AUDIT.c.actor, actor=name))


def delay(failures: Sequence[datetime], now: datetime, *, free: int, longest: timedelta) -> timedelta:
    """How long until the next try after `failures` (oldest first): none for the first `free`, then doubling."""
    if len(failures) < free:
        return timedelta()
    pause = min(timedelta(seconds=2 ** min(len(failures) - free + 1, 20)), longest)
    return max(failures[-1] + pause - now, timedelta())


def ended(engine: Engine, session: str) -> bool:
    """Whether the operator has logged out of the session."""
    own = sa.exists().where(AUDIT.c.action == LOGOUT, AUDIT.c.object == session)
    with reading(engine) as connection:
        return bool(connection.execute(sa.select(own)).scalar())


def _last_success(connection: Connection, network: str, now: datetime) -> int | None:
    query = sa.select(sa.func.max(AUDIT.c.id)).where(
        AUDIT.c.action == LOGIN, AUDIT.c.object == network, AUDIT.c.at >= now - _KEPT
    )
    found: int | None = connection.execute(query).scalar()
    return found


def _failures(
    connection: Connection, since: datetime, network: str | None = None, *, after: int = 0
) -> Sequence[datetime]:
    query = sa.select(AUDIT.c.at).where(AUDIT.c.action == REFUSED, AUDIT.c.at >= since, AUDIT.c.id > after)
    if network is not None:
        query = query.where(AUDIT.c.actor == network)
    return connection.execute(query.order_by(AUDIT.c.id)).scalars().all()
