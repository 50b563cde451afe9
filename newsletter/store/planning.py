"""Writing an edition's letters into the ledger, all of them or none, before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from newsletter.model import Letter, Refusal, Skip
from newsletter.store.connection import batches, insert, insert_plain, writing
from newsletter.store.editions import edition_lock
from newsletter.store.freezing import Freezer
from newsletter.store.journal import write_history
from newsletter.store.suppression import ERASED, Suppression, address_hash, suppressed_among
from newsletter.store.tables import DELIVERIES, DELIVERY_PAPERS, FROZEN, LETTERS, storable

__all__ = ["Frozen", "Planned", "freeze", "plan", "plan_frozen"]


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
class Row:
    """A letter as bytes, or a skip with its reason; `papers` are the letter's paper ids."""

    edition: str
    subscriber: str
    email: str
    address: str
    body: bytes | None
    reason: str = ""
    papers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Frozen:
    """Letters and skips ready to be written, and the papers and themes that they share, by their hash."""

    rows: tuple[Row, ...]
    parts: Mapping[str, bytes]


def freeze(planned: Sequence[Letter | Skip], *, key: bytes) -> Frozen:
    """The letters as bytes; `key` hashes addresses, as in `suppress`. Needs no database: any process may do it."""
    freezer = Freezer()
    return Frozen(tuple([_freeze(freezer, item, key) for item in planned]), freezer.parts)


def plan(
    engine: Engine, edition_id: str, planned: Sequence[Letter | Skip], now: datetime, *, key: bytes,
    expires: datetime | None = None,
) -> Planned:  # fmt: skip
    """`freeze` and `plan_frozen` in one."""
    return plan_frozen(engine, edition_id, [freeze(planned, key=key)], now, expires=expires)


def plan_frozen(
    engine: Engine, edition_id: str, frozen: Iterable[Frozen], now: datetime, *, expires: datetime | None = None
) -> Planned:
    """Writes every letter and skip of the edition in one transaction; subscribers planned before are left as they are.

    Letters to suppressed addresses are skipped. After `expires` nobody tries the letters any more. Letters of another
    edition are a ValueError. Holds one of `frozen` at a time.
    """
    letters = skips = repeated = 0
    refused: list[Refusal] = []
    parts: dict[str, bytes] = {}
    with writing(engine, lock=edition_lock(edition_id)) as connection:
        query = sa.select(DELIVERIES.c.subscriber, DELIVERIES.c.address, DELIVERIES.c.state)
        there = connection.execute(query.where(DELIVERIES.c.edition == edition_id)).all()
        known = {row.subscriber for row in there}
        sieve = _Sieve(known, {row.address: row.subscriber for row in there if row.state != "skipped"}, refused)
        for one in frozen:
            if strange := {row.edition for row in one.rows} - {edition_id}:
                raise ValueError(f"letters of {sorted(strange)} planned on {edition_id}")
            fresh = list(sieve.fresh(one.rows, suppressed_among(connection, {row.address for row in one.rows})))
            for some in batches(fresh):
                _write(connection, some, now, expires)
            parts.update(one.parts)
            letters += sum(row.body is not None for row in fresh)
            skips += sum(row.body is None for row in fresh)
            repeated += sum(row.subscriber in known for row in one.rows)
        _freeze_parts(connection, parts)  # all at once, in their order: planners of two editions cannot deadlock
    return Planned(letters, skips, repeated, tuple(refused))


def _freeze(freezer: Freezer, item: Letter | Skip, key: bytes) -> Row:
    who = (item.edition, item.subscriber, item.email, address_hash(item.email, key))
    if isinstance(item, Skip):
        return Row(*who, None, item.reason)
    try:
        return Row(*who, freezer.freeze(item), papers=_papers(item))
    except ValueError as error:  # one letter with text that is not Unicode must not stop the others
        return Row(*who, None, f"the letter cannot be stored: {error}")


@dataclass(frozen=True, slots=True)
class _Sieve:
    """Lets each subscriber through once, and each address with one letter; the rest goes to `refused`.

    `known` are subscribers planned before, `taken` addresses that have their letter, `seen` who was here already.
    """

    known: AbstractSet[str]
    taken: dict[str, str]
    refused: list[Refusal]
    seen: set[str] = field(default_factory=set)

    def fresh(self, rows: Sequence[Row], suppressed: Mapping[str, Suppression]) -> Iterator[Row]:
        """The rows to add, as skips where there must be no letter."""
        for row in rows:
            name = row.subscriber
            if name in self.seen:
                self.refused.append(Refusal(name, "the subscriber is in this plan twice; the first letter stands"))
                continue
            self.seen.add(name)
            if name in self.known:
                continue
            if row.address in suppressed:
                why = suppressed[row.address].reason
                email = "" if why == ERASED else row.email
                yield replace(row, body=None, email=email, reason=f"suppressed: {why}")
            elif row.body is not None and row.address in self.taken:
                why = f"the same address as {self.taken[row.address]}, who has this edition's letter"
                self.refused.append(Refusal(name, why))
                yield replace(row, body=None, reason=why)
            else:
                if row.body is not None:
                    self.taken[row.address] = name
                yield row


def _write(connection: Connection, rows: Sequence[Row], now: datetime, expires: datetime | None) -> None:
    values = [
        {
            "edition": row.edition, "subscriber": row.subscriber, "email": row.email, "address": row.address,
            "state": "skipped" if row.body is None else "planned", "reason": row.reason, "expires": expires,
            "planned_at": now, "changed_at": now,
        }
        for row in rows
    ]  # fmt: skip
    added = connection.execute(sa.insert(DELIVERIES).returning(DELIVERIES.c.id, DELIVERIES.c.subscriber), values)
    ids = {subscriber: delivery for delivery, subscriber in added}
    written = [(ids[row.subscriber], row) for row in rows if row.body is not None]
    insert_plain(connection, LETTERS, [(delivery, row.body) for delivery, row in written])
    insert_plain(connection, DELIVERY_PAPERS, [(delivery, paper) for delivery, row in written for paper in row.papers])
    unwritten = [row for row in rows if row.body is None]
    write_history(
        connection,
        [{"delivery": ids[row.subscriber], "at": now, "event": "withdrawn", "text": row.reason} for row in unwritten],
    )


def _papers(letter: Letter) -> tuple[str, ...]:
    entries = (
        *letter.top,
        *(e for section in letter.sections for e in section.entries),
        *letter.trending,
        *letter.explore,
    )
    return tuple(dict.fromkeys(storable(entry.pick.paper.id) for entry in entries))


def _freeze_parts(connection: Connection, parts: Mapping[str, bytes]) -> None:
    for keys in batches(sorted(parts)):
        rows = [{"key": name, "body": parts[name]} for name in keys]
        connection.execute(insert(connection, FROZEN).on_conflict_do_nothing(), rows)
