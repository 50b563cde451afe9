"""Changing states in the ledger, each change with its line in the history, and reading the ledger."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from newsletter.delivery import STATES, TRANSITIONS, Event
from newsletter.model import Delivery, Letter, State
from newsletter.store.connection import batches, reading
from newsletter.store.freezing import Part, parse_letter, parts_of, thaw_letter, thaw_part
from newsletter.store.reconcile import key_of
from newsletter.store.tables import ATTEMPTS, DELIVERIES, DELIVERY_PAPERS, FROZEN, LETTERS, PAPER_KEYS

__all__ = [
    "Attempt", "already_sent", "counts", "deliveries", "history", "letters", "lock_rows", "move", "to_delivery",
    "waiting_for", "withdraw_where", "write_history",
]  # fmt: skip

_HISTORY = sa.insert(ATTEMPTS)
_LOCKED = (
    sa.select(*DELIVERIES.c)
    .where(DELIVERIES.c.id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(DELIVERIES.c.id)
    .with_for_update()
)
# A reader has these, or may have them, or will: everything but letters that surely never went
_REACHED: tuple[State, ...] = ("planned", "sending", "sent", "deferred", "uncertain")


@dataclass(frozen=True, slots=True)
class Attempt:
    """A line of a delivery's history: what happened, and the server's own words where it was SMTP.

    `event` is one of newsletter.delivery's; with ``late `` before it, it came too late and changed nothing.
    """

    at: datetime
    event: str
    phase: str = ""
    code: int = 0
    enhanced: str = ""
    text: str = ""


def counts(engine: Engine, edition_id: str) -> dict[str, int]:
    """How many of the edition's deliveries are in each state, and in `total`, which was counted apart: they balance."""
    own = DELIVERIES.c.edition == edition_id
    by_state = sa.select(DELIVERIES.c.state, sa.func.count()).where(own).group_by(DELIVERIES.c.state)
    total = sa.select(sa.func.count(sa.distinct(DELIVERIES.c.subscriber))).where(own)
    with reading(engine) as connection:
        found = {row[0]: row[1] for row in connection.execute(by_state)}
        return {**{state: found.get(state, 0) for state in STATES}, "total": connection.execute(total).scalar_one()}


def deliveries(
    engine: Engine, edition_id: str | None = None, state: State | None = None, subscriber: str | None = None
) -> list[Delivery]:
    """The deliveries of an edition, or of all, in the order of planning, without their letters (`letters` has them)."""
    query = sa.select(*DELIVERIES.c).order_by(DELIVERIES.c.id)
    wanted = {DELIVERIES.c.edition: edition_id, DELIVERIES.c.state: state, DELIVERIES.c.subscriber: subscriber}
    query = query.where(*(column == value for column, value in wanted.items() if value is not None))
    with reading(engine) as connection:
        return [to_delivery(row) for row in connection.execute(query)]


def history(engine: Engine, ids: Iterable[int]) -> dict[int, tuple[Attempt, ...]]:
    """What happened to each of the deliveries, oldest first; those with no history are left out."""
    found: dict[int, list[Attempt]] = {}
    with reading(engine) as connection:
        for some in batches(set(ids)):
            query = sa.select(*ATTEMPTS.c).where(ATTEMPTS.c.delivery.in_(some)).order_by(ATTEMPTS.c.id)
            for row in connection.execute(query):
                line = Attempt(row.at, row.event, row.phase, row.code, row.enhanced, row.text)
                found.setdefault(row.delivery, []).append(line)
    return {delivery: tuple(lines) for delivery, lines in found.items()}


def already_sent(
    engine: Engine, subscribers: Iterable[str], *, among: Collection[str] | None = None, besides: str | None = None
) -> dict[str, frozenset[str]]:
    """The ids of the papers that each subscriber was sent, may have been sent, or is about to be sent.

    With `among`, those of these ids, matched under any identity key; without, every key of every such paper.
    `besides` leaves one edition out. Every subscriber asked for is in the answer.
    """
    wanted = set(subscribers)
    names = None if among is None else _names(engine, among)
    found: dict[str, set[str]] = {subscriber: set() for subscriber in wanted}
    query = sa.select(DELIVERIES.c.subscriber, DELIVERY_PAPERS.c.paper).join_from(DELIVERIES, DELIVERY_PAPERS)
    query = query.where(DELIVERIES.c.state.in_(_REACHED))
    if besides is not None:
        query = query.where(DELIVERIES.c.edition != besides)
    by_paper = names is not None and len(names) < len(wanted)  # the shorter list drives the search
    with reading(engine) as connection:
        for some in batches(names or {}) if by_paper else batches(wanted):
            column = DELIVERY_PAPERS.c.paper if by_paper else DELIVERIES.c.subscriber
            for subscriber, paper in connection.execute(query.where(column.in_(some))):
                if subscriber in found:
                    found[subscriber].update((paper,) if names is None else names.get(paper, ()))
    if names is None:
        keys = _keys(engine, set().union(*found.values()))
        return {who: frozenset(key for paper in had for key in keys[paper]) for who, had in found.items()}
    return {who: frozenset(had) for who, had in found.items()}


def _names(engine: Engine, ids: Collection[str]) -> dict[str, set[str]]:
    """Every key of the papers behind `ids`, with those of the ids that mean the same paper."""
    names: dict[str, set[str]] = {}
    for name, keys in _keys(engine, ids).items():
        for key in keys:
            names.setdefault(key, set()).add(name)
    return names


def _keys(engine: Engine, ids: Collection[str]) -> dict[str, set[str]]:
    """Each of the ids with every key of its paper, and itself even where the archive does not know it."""
    named: dict[str, set[str]] = {}
    for name in ids:
        for key in (name, key_of(name)):
            named.setdefault(key, set()).add(name)
    keys = {name: {name} for name in ids}
    other = PAPER_KEYS.alias()
    with reading(engine) as connection:
        for some in batches(named):
            query = sa.select(PAPER_KEYS.c.key, other.c.key).join(other, PAPER_KEYS.c.paper == other.c.paper)
            for key, alias in connection.execute(query.where(PAPER_KEYS.c.key.in_(some))):
                for name in named[key]:
                    keys[name].add(alias)
    return keys


def letters(connection: Connection, ids: Collection[int], known: dict[str, Part] | None = None) -> dict[int, Letter]:
    """The frozen letters of the deliveries; those without one (nothing to say) are left out.

    `known` are parts thawed before, to which those of these letters are added: a day's letters share them.
    """
    trees: dict[int, dict[str, Any]] = {}
    for some in batches(ids):
        query = sa.select(LETTERS.c.delivery, LETTERS.c.body).where(LETTERS.c.delivery.in_(some))
        trees.update({row[0]: parse_letter(row[1]) for row in connection.execute(query)})
    parts: dict[str, Part] = {} if known is None else known
    for keys in batches(set().union(*map(parts_of, trees.values())) - parts.keys()):
        query = sa.select(FROZEN.c.key, FROZEN.c.body).where(FROZEN.c.key.in_(keys))
        parts.update({row[0]: thaw_part(row[0], row[1]) for row in connection.execute(query)})
    return {delivery: thaw_letter(tree, parts) for delivery, tree in trees.items()}


def to_delivery(row: Any, letter: Letter | None = None) -> Delivery:
    """A row of DELIVERIES as the rest of the program knows it."""
    return Delivery(
        row.id, row.edition, row.subscriber, row.email, row.state, row.attempts, row.next_at, row.reason,
        row.message_id, letter, row.expires,
    )  # fmt: skip


def lock_rows(connection: Connection, ids: Iterable[int]) -> list[Any]:
    """The deliveries' rows, by id, locked until the transaction ends; always in one order, so nobody deadlocks."""
    rows: list[Any] = []
    for some in batches(sorted(set(ids))):
        rows += connection.execute(_LOCKED, {"ids": some}).all()
    return rows


def withdraw_where(connection: Connection, which: sa.ColumnElement[bool], reason: str, now: datetime) -> int:
    """Skips the letters that wait and match; returns how many."""
    waiting = sa.select(DELIVERIES.c.id).where(which, DELIVERIES.c.state.in_(_before("withdrawn")))
    return move(connection, connection.execute(waiting).scalars().all(), "withdrawn", now, reason=reason)


def waiting_for(connection: Connection, column: sa.ColumnElement[Any], values: Collection[str]) -> list[int]:
    """Ids of the letters that wait and whose `column` is among the values."""
    found: list[int] = []
    for some in batches(values):
        query = sa.select(DELIVERIES.c.id).where(column.in_(some), DELIVERIES.c.state.in_(_before("withdrawn")))
        found += connection.execute(query).scalars()
    return found


def move(
    connection: Connection,
    ids: Sequence[int],
    event: Event,
    now: datetime,
    *,
    reason: str = "",
    only_from: State | None = None,
    **values: Any,
) -> int:
    """Takes the deliveries through `event`, where the table has it for their state; returns how many it moved.

    `only_from` leaves those alone that have left that state meanwhile. Leases end. Every move is in the history.
    """
    rows = [row for row in lock_rows(connection, ids) if (row.state, event) in TRANSITIONS]
    rows = [row for row in rows if only_from in (None, row.state)]
    for state in {row.state for row in rows}:
        for some in batches([row.id for row in rows if row.state == state]):
            target = TRANSITIONS[state, event]
            changes: Mapping[str, Any] = {
                "state": target,
                "reason": reason,
                "owner": "",
                "lease": None,
                "changed_at": now,
            }
            connection.execute(sa.update(DELIVERIES).where(DELIVERIES.c.id.in_(some)).values({**changes, **values}))
    write_history(connection, [{"delivery": row.id, "at": now, "event": event, "text": reason} for row in rows])
    return len(rows)


def write_history(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Adds lines to the history of deliveries."""
    if rows:
        connection.execute(_HISTORY, rows)


def _before(event: Event) -> list[State]:
    return [state for state, known in TRANSITIONS if known == event]
