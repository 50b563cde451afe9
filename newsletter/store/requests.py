"""Who asked to be written to and has not said yet that the address is theirs.

The mail's link holds a token, the store its SHA-256: whoever steals the table confirms nothing. A request that was
confirmed is emptied and stays until it expires, so that what is counted does not tell who reads.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Engine

from newsletter.store.connection import reading, writing
from newsletter.store.tables import CONSENTS, REQUESTS

__all__ = ["Limits", "Request", "ask", "confirmed", "forget_expired", "hashed_token", "request_of"]

_LOCK = "newsletter requests"


@dataclass(frozen=True, slots=True)
class Request:
    """One request: `token` and `address` are hashes; `document` is the subscriber's, empty once it is confirmed."""

    token: str
    address: str
    email: str
    document: str
    source: str
    asked_at: datetime
    expires: datetime

    @property
    def used(self) -> bool:
        """Whether it has been confirmed."""
        return not self.document


@dataclass(frozen=True, slots=True)
class Limits:
    """How many requests are taken for one address in a day, and from one network in an hour."""

    address: int = 3
    network: int = 20


def hashed_token(token: str) -> str:
    """What the store keeps of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def ask(
    engine: Engine, request: Request, network: str, *, limits: Limits = Limits()
) -> Literal["kept", "address", "network"]:  # fmt: skip
    """Keeps the request, or tells which limit it would pass; whatever has expired by then is removed.

    `network` is the keyed hash of where it came from. Counting and keeping are one transaction, whoever asks.
    """
    now = request.asked_at
    with writing(engine, lock=_LOCK) as connection:
        _forget(connection, now)
        if _count(connection, REQUESTS.c.network == network, now - timedelta(hours=1)) >= limits.network:
            return "network"
        if _count(connection, REQUESTS.c.address == request.address, now - timedelta(days=1)) >= limits.address:
            return "address"
        row = {"token": request.token, "address": request.address, "network": network, "email": request.email}
        when = {"asked_at": now, "expires": request.expires}
        connection.execute(sa.insert(REQUESTS), {**row, **when, "document": request.document, "source": request.source})
    return "kept"


def forget_expired(engine: Engine, now: datetime) -> int:
    """Removes every request that has expired by `now`; returns how many there were."""
    with reading(engine) as connection:
        if not connection.execute(sa.select(sa.exists().where(REQUESTS.c.expires <= now))).scalar_one():
            return 0
    with writing(engine, lock=_LOCK) as connection:
        return _forget(connection, now)


def request_of(engine: Engine, token: str, now: datetime) -> Request | None:
    """The request with this hashed token that has not expired."""
    with reading(engine) as connection:
        return _request(connection, token, now)


def confirmed(engine: Engine, token: str, subscriber: str, at: datetime, *, source: str) -> bool:
    """Uses up the request, and all others of its address, and records what was agreed to; once: False afterwards."""
    with writing(engine, lock=_LOCK) as connection:
        request = _request(connection, token, at)
        if request is None or request.used:
            return False
        mine = REQUESTS.c.address == request.address
        connection.execute(sa.update(REQUESTS).where(mine).values(document=""))
        said = {"subscriber": subscriber, "address": request.address}
        asked = {**said, "event": "asked", "source": request.source, "at": request.asked_at}
        connection.execute(sa.insert(CONSENTS), [asked, {**said, "event": "confirmed", "source": source, "at": at}])
    return True


def _forget(connection: Connection, now: datetime) -> int:
    return connection.execute(sa.delete(REQUESTS).where(REQUESTS.c.expires <= now)).rowcount


def _count(connection: Connection, whose: ColumnElement[bool], since: datetime) -> int:
    query = sa.select(sa.func.count()).select_from(REQUESTS).where(whose, REQUESTS.c.asked_at > since)
    return int(connection.execute(query).scalar_one())


def _request(connection: Connection, token: str, now: datetime) -> Request | None:
    query = sa.select(*(REQUESTS.c[name] for name in Request.__slots__))
    row = connection.execute(query.where(REQUESTS.c.token == token, REQUESTS.c.expires > now)).one_or_none()
    return None if row is None else Request(*row)
