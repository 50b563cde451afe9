"""Writing an edition's letters into the ledger, all of them or none, before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from newsletter.model import Letter, Refusal, Skip
from newsletter.store.connection import batches, insert, writing
from newsletter.store.editions import edition_lock
from newsletter.store.freezing import Freezer
from newsletter.store.suppression import Suppression, address_hash, suppressed_among
from newsletter.store.tables import ATTEMPTS, DELIVERIES, DELIVERY_PAPERS, FROZEN, LETTERS

__all__ = ["Planned", "plan"]


@dataclass(frozen=True, slots=True)
class Planned:
    """What planning added: letters to send, skips with their reason; and how many subscribers were planned before.

    `refused` are second letters to one subscriber or one address. The latter are in the ledger, as skipped.
    """

    letters: int
    skips: int
    known: int
    refused: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True)
class _Row:
    item: Letter | Skip
    address: str
    body: bytes | None
    reason: str = ""


def plan(
    engine: Engine, edition_id: str, planned: Sequence[Letter | Skip], now: datetime, *, key: bytes,
    expires: datetime | None = None,
) -> Planned:  # fmt: skip
    """Writes every letter and skip of the edition in one transaction; subscribers planned before are left as they are.

    `key` hashes addresses, as in `suppress`; letters to suppressed addresses are skipped. After `expires` nobody
    tries the letters any more. Letters of another edition are a ValueError.
    """
    if strange := {item.edition for item in planned} - {edition_id}:
        raise ValueError(f"letters of {sorted(strange)} planned on {edition_id}")
    freezer = Freezer()
    frozen = [_freeze(freezer, item, key) for item in planned]
    with writing(engine, lock=edition_lock(edition_id)) as connection:
        query = sa.select(DELIVERIES.c.subscriber, DELIVERIES.c.address, DELIVERIES.c.state)
        there = connection.execute(query.where(DELIVERIES.c.edition == edition_id)).all()
        known = {row.subscriber for row in there}
        taken = {row.address: row.subscriber for row in there if row.state != "skipped"}
        suppressed = suppressed_among(connection, {row.address for row in frozen})
        refused: list[Refusal] = []
        fresh = list(_sift(frozen, known, taken, suppressed, refused))
        _write(connection, edition_id, fresh, now, expires)
        _freeze_parts(connection, freezer.parts)
    letters = sum(row.body is not None for row in fresh)
    repeated = sum(row.item.subscriber in known for row in frozen)
    return Planned(letters, len(fresh) - letters, repeated, tuple(refused))


def _freeze(freezer: Freezer, item: Letter | Skip, key: bytes) -> _Row:
    address = address_hash(item.email, key)
    if isinstance(item, Skip):
        return _Row(item, address, None, item.reason)
    try:
        return _Row(item, address, freezer.freeze(item))
    except ValueError as error:  # one letter with text that is not Unicode must not stop the others
        return _Row(item, address, None, f"the letter cannot be stored: {error}")


def _sift(
    rows: Sequence[_Row], known: set[str], taken: dict[str, str], suppressed: Mapping[str, Suppression],
    refused: list[Refusal],
) -> Iterator[_Row]:  # fmt: skip
    """The rows to add, each subscriber once and each address with one letter; the rest goes to `refused`."""
    taken = dict(taken)
    seen: set[str] = set()
    for row in rows:
        name = row.item.subscriber
        if name in seen:
            refused.append(Refusal(name, "the subscriber is in this plan twice; the first letter stands"))
            continue
        seen.add(name)
        if name in known:
            continue
        if row.address in suppressed:
            yield replace(row, body=None, reason=f"suppressed: {suppressed[row.address].reason}")
        elif row.body is not None and row.address in taken:
            why = f"the same address as {taken[row.address]}, who has this edition's letter"
            refused.append(Refusal(name, why))
            yield replace(row, body=None, reason=why)
        else:
            if row.body is not None:
                taken[row.address] = name
            yield row


def _write(
    connection: Connection, edition_id: str, rows: Sequence[_Row], now: datetime, expires: datetime | None
) -> None:
    if not rows:
        return
    values = [
        {
            "edition": edition_id, "subscriber": row.item.subscriber, "email": row.item.email, "address": row.address,
            "state": "skipped" if row.body is None else "planned", "reason": row.reason, "expires": expires,
            "planned_at": now, "changed_at": now,
        }
        for row in rows
    ]  # fmt: skip
    added = connection.execute(sa.insert(DELIVERIES).returning(DELIVERIES.c.id, DELIVERIES.c.subscriber), values)
    ids = {subscriber: delivery for delivery, subscriber in added}
    bodies = [{"delivery": ids[row.item.subscriber], "body": row.body} for row in rows if row.body is not None]
    if bodies:
        connection.execute(sa.insert(LETTERS), bodies)
    papers = [
        {"delivery": ids[row.item.subscriber], "paper": paper}
        for row in rows
        if row.body is not None and isinstance(row.item, Letter)
        for paper in _papers(row.item)
    ]
    if papers:
        connection.execute(sa.insert(DELIVERY_PAPERS), papers)
    skips = [
        {"delivery": ids[row.item.subscriber], "at": now, "event": "withdrawn", "text": row.reason}
        for row in rows
        if row.body is None
    ]
    if skips:
        connection.execute(sa.insert(ATTEMPTS), skips)


def _papers(letter: Letter) -> list[str]:
    entries = (
        *letter.top,
        *(e for section in letter.sections for e in section.entries),
        *letter.trending,
        *letter.explore,
    )
    return list(dict.fromkeys(entry.pick.paper.id for entry in entries))


def _freeze_parts(connection: Connection, parts: Mapping[str, bytes]) -> None:
    for keys in batches(sorted(parts)):
        rows = [{"key": name, "body": parts[name]} for name in keys]
        connection.execute(insert(connection, FROZEN).on_conflict_do_nothing(), rows)
