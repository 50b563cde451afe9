"""The ledger: one row for each letter, and who may send it when.

A letter goes out through `claim` (lease it), `begin` (write `sending` down, durably, right before DATA) and `settle`
(write the answer down). Whatever dies in between leaves a row that says so: a lease that runs out before `begin` is
claimed again, and one that runs out after it becomes `uncertain` in `recover`, because the server may have the letter.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from newsletter.delivery import CLAIMABLE, TRANSITIONS, Settlement, answers
from newsletter.model import Delivery, State
from newsletter.store.connection import batches, reading, writing
from newsletter.store.journal import (
    Attempt,
    already_sent,
    counts,
    deliveries,
    history,
    letters,
    lock_rows,
    move,
    to_delivery,
    withdraw_where,
    write_history,
)  # fmt: skip
from newsletter.store.planning import Frozen, Planned, freeze, plan, plan_frozen
from newsletter.store.suppression import record_suppressions
from newsletter.store.tables import DELIVERIES, LETTERS, SUPPRESSIONS

__all__ = [
    "Attempt", "Frozen", "Planned", "already_sent", "begin", "claim", "counts", "deliveries", "expire", "freeze",
    "history", "next_due", "owners", "plan", "plan_frozen", "recover", "release", "requeue", "settle",
    "settle_and_begin", "withdraw",
]  # fmt: skip

# RFC 5321, 4.5.3.2.6: the server may take ten minutes over the final dot
_SENDING_LEASE = timedelta(minutes=15)
_CLAIMABLE = sorted(CLAIMABLE)
# Built once: to build such a statement takes longer than SQLite takes to carry it out
_OWN = DELIVERIES.c.id == sa.bindparam("b_id")
_LOCKED = (
    sa.select(
        *(DELIVERIES.c[name] for name in ("id", "email", "address", "state", "attempts", "owner", "lease", "expires")),
        sa.select(SUPPRESSIONS.c.reason).where(SUPPRESSIONS.c.address == DELIVERIES.c.address)
        .scalar_subquery().label("suppressed"),
    )
    .where(DELIVERIES.c.id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(DELIVERIES.c.id)
    .with_for_update(of=DELIVERIES)
)  # fmt: skip
_BEGIN = sa.update(DELIVERIES).where(_OWN).values(
    state="sending", attempts=DELIVERIES.c.attempts + 1, lease=sa.bindparam("b_lease"),
    changed_at=sa.bindparam("b_now"),
    message_id=sa.func.coalesce(sa.bindparam("b_name", type_=sa.Text), DELIVERIES.c.message_id),
)  # fmt: skip
_SETTLE = sa.update(DELIVERIES).where(_OWN).values(
    owner="", lease=None,
    **{name: sa.bindparam(f"b_{name}") for name in ("state", "attempts", "next_at", "reason", "changed_at")},
)  # fmt: skip


def claim(
    engine: Engine, edition_id: str, now: datetime, *, limit: int, owner: str, lease: timedelta,
    only: Collection[str] | None = None, with_letters: bool = True,
) -> list[Delivery]:  # fmt: skip
    """Leases up to `limit` letters that are due to `owner`, in the order of planning; their state stays.

    Due is what is planned, or deferred until now, has not expired, and is leased to nobody. Two owners never get the
    same letter at one time. `only` names subscribers.
    """
    query = _due(edition_id, now).order_by(DELIVERIES.c.id).limit(limit).with_for_update(skip_locked=True)
    if only is not None:
        query = query.where(DELIVERIES.c.subscriber.in_(sorted(only)))
    with writing(engine) as connection:
        rows = connection.execute(query).all()
        ids = [row.id for row in rows]
        for some in batches(ids):
            leased = sa.update(DELIVERIES).where(DELIVERIES.c.id.in_(some)).values(owner=owner, lease=now + lease)
            connection.execute(leased)
        found = letters(connection, ids) if with_letters else {}
    return [to_delivery(row, found.get(row.id)) for row in rows]


def begin(
    engine: Engine, ids: Sequence[int], owner: str, now: datetime, *, lease: timedelta = _SENDING_LEASE,
    message_ids: Mapping[int, str] | None = None,
) -> list[int]:  # fmt: skip
    """Takes the letters to `sending`, durably; returns those whose DATA may go on, in the order given.

    The others must not be sent: their lease is lost or over, they have expired or changed state, or their address has
    been suppressed, which skips them. `lease` must outlast the wait for the answer. `message_ids` are written down.
    """
    with writing(engine) as connection:
        return _begin(connection, ids, owner, now, lease=lease, message_ids=message_ids or {})


def settle(engine: Engine, settlements: Sequence[Settlement], now: datetime) -> int:
    """Writes down what the tries came to, with their history and suppressions; returns how many counted.

    One that comes too late, about a try that the ledger has left behind, goes to the history and changes nothing.
    """
    with writing(engine) as connection:
        return _settle(connection, settlements, now)


def settle_and_begin(
    engine: Engine, settlements: Sequence[Settlement], begins: Mapping[int, str], owner: str, now: datetime
) -> list[int]:
    """`settle`, then `begin` of deliveries with their Message-IDs, as one transaction: one wait for the disk."""
    with writing(engine) as connection:
        if settlements:
            _settle(connection, settlements, now)
        return _begin(connection, list(begins), owner, now, lease=_SENDING_LEASE, message_ids=begins)


def _begin(
    connection: Connection, ids: Sequence[int], owner: str, now: datetime, *, lease: timedelta,
    message_ids: Mapping[int, str],
) -> list[int]:  # fmt: skip
    rows = {row.id: row for row in _locked(connection, ids) if _may_begin(row, owner, now)}
    for row in rows.values():
        if row.suppressed is not None:
            move(connection, [row.id], "withdrawn", now, reason=f"suppressed: {row.suppressed}")
    going = [row for row in sorted(rows) if rows[row].suppressed is None]
    if going:
        values = [{"b_id": r, "b_name": message_ids.get(r), "b_lease": now + lease, "b_now": now} for r in going]
        connection.execute(_BEGIN, values)
    begun = set(going)
    return [delivery for delivery in dict.fromkeys(ids) if delivery in begun]


def _settle(connection: Connection, settlements: Sequence[Settlement], now: datetime) -> int:
    rows = {row.id: (row, row.state, row.attempts) for row in _locked(connection, [s.delivery_id for s in settlements])}
    changes: dict[int, dict[str, Any]] = {}
    lines: list[dict[str, Any]] = []
    suppressions: list[dict[str, Any]] = []
    for answer in settlements:
        if answer.delivery_id not in rows:
            continue
        row, state, attempts = rows[answer.delivery_id]
        # erased meanwhile: the server's words often quote the address
        settlement = answer if row.email else replace(answer, text="", reason="erased")
        target = TRANSITIONS.get((state, settlement.event))
        counted = target is not None and answers(settlement, state, attempts)
        if target is not None and counted:
            changes[row.id] = _change(settlement, target, now)
            rows[row.id] = (row, target, changes[row.id].get("b_attempts", attempts))
        if settlement.suppress:
            suppressions.append({"address": row.address, "reason": settlement.suppress, "at": settlement.at})
        lines.append(_line(settlement, counted=counted))
    if changes:
        connection.execute(_SETTLE, list(changes.values()))
    write_history(connection, lines)
    record_suppressions(connection, suppressions)
    for address, reason in {row["address"]: row["reason"] for row in suppressions}.items():
        withdraw_where(connection, DELIVERIES.c.address == address, f"suppressed: {reason}", now)
    return len(changes)


def _locked(connection: Connection, ids: Collection[int]) -> list[Any]:
    """What a change of state depends on, of each delivery, locked as `lock_rows` does it."""
    return [row for some in batches(sorted(set(ids))) for row in connection.execute(_LOCKED, {"ids": some})]


def recover(engine: Engine, now: datetime, *, dead: Collection[str] = ()) -> int:
    """Makes `sending` whose lease is over, or whose owner is in `dead`, uncertain; returns how many.

    `dead` are owners that the caller knows to be gone; what they had leased without beginning is free at once.
    """
    over = DELIVERIES.c.lease <= now
    with writing(engine) as connection:
        gone = DELIVERIES.c.owner.in_(sorted(dead))
        orphaned = sa.select(DELIVERIES.c.id).where(DELIVERIES.c.state == "sending", sa.or_(over, gone))
        ids = connection.execute(orphaned).scalars().all()
        if dead:
            free = sa.update(DELIVERIES).where(DELIVERIES.c.state.in_(_CLAIMABLE), gone)
            connection.execute(free.values(owner="", lease=None))
        current = [
            row.id for row in lock_rows(connection, ids) if row.lease is None or row.lease <= now or row.owner in dead
        ]
        reason = "the sender stopped after it had begun, so the server may have the letter"
        return move(connection, current, "crashed", now, reason=reason)


def owners(engine: Engine) -> frozenset[str]:
    """Everybody who holds a lease, over or not: a program that starts alone knows that they are gone."""
    query = sa.select(DELIVERIES.c.owner).where(DELIVERIES.c.owner != "").distinct()
    with reading(engine) as connection:
        return frozenset(connection.execute(query).scalars())


def release(engine: Engine, owner: str) -> int:
    """Gives back what `owner` leased and did not begin, so that the next run need not wait; returns how many."""
    with writing(engine) as connection:
        own = sa.update(DELIVERIES).where(DELIVERIES.c.owner == owner, DELIVERIES.c.state.in_(_CLAIMABLE))
        return int(connection.execute(own.values(owner="", lease=None)).rowcount)


def expire(engine: Engine, now: datetime) -> int:
    """Fails the letters whose time is over and that nobody is trying; returns how many."""
    late = sa.select(DELIVERIES.c.id).where(DELIVERIES.c.state.in_(_CLAIMABLE), DELIVERIES.c.expires <= now)
    with writing(engine) as connection:
        ids = connection.execute(late.where(_free(now)).with_for_update(skip_locked=True)).scalars().all()
        return move(connection, ids, "expired", now, reason="not accepted before the next edition")


def withdraw(engine: Engine, subscriber: str, reason: str, now: datetime) -> int:
    """Skips every letter that waits for the subscriber (unsubscribed, removed, paused); returns how many."""
    with writing(engine) as connection:
        return withdraw_where(connection, DELIVERIES.c.subscriber == subscriber, reason, now)


def requeue(
    engine: Engine, edition_id: str, state: State, now: datetime, *, expires: datetime | None = None,
    only: Collection[str] | None = None,
) -> int:  # fmt: skip
    """The operator's resend: the edition's letters in `state` are planned anew, to end at `expires`; returns how many.

    Only letters that exist: a reader with nothing to say to, or a second one at the same address, stays skipped.
    Suppressed addresses are skipped again when their turn comes.
    """
    there = sa.exists().where(LETTERS.c.delivery == DELIVERIES.c.id)
    query = sa.select(DELIVERIES.c.id).where(DELIVERIES.c.edition == edition_id, DELIVERIES.c.state == state, there)
    if only is not None:
        query = query.where(DELIVERIES.c.subscriber.in_(sorted(only)))
    with writing(engine) as connection:
        ids = connection.execute(query).scalars().all()
        return move(connection, ids, "requeued", now, only_from=state, next_at=None, expires=expires)


def next_due(engine: Engine, edition_id: str, now: datetime) -> datetime | None:
    """When the edition's next letter may be claimed: `now` or later; None if nothing waits."""
    leased_until = (DELIVERIES.c.lease > now, DELIVERIES.c.lease)
    free_at = sa.case(leased_until, else_=sa.func.coalesce(DELIVERIES.c.next_at, now, type_=DELIVERIES.c.next_at.type))
    waits = sa.select(sa.func.min(free_at))
    alive = sa.or_(DELIVERIES.c.expires.is_(None), DELIVERIES.c.expires > now)
    mine = DELIVERIES.c.edition == edition_id
    with reading(engine) as connection:
        first: datetime | None = connection.execute(
            waits.where(mine, DELIVERIES.c.state.in_(_CLAIMABLE), alive)
        ).scalar()
    return None if first is None else max(first, now)


def _due(edition_id: str, now: datetime) -> sa.Select[Any]:
    due = sa.or_(DELIVERIES.c.state == "planned", DELIVERIES.c.next_at <= now)
    alive = sa.or_(DELIVERIES.c.expires.is_(None), DELIVERIES.c.expires > now)
    return sa.select(*DELIVERIES.c).where(
        DELIVERIES.c.edition == edition_id, DELIVERIES.c.state.in_(_CLAIMABLE), due, alive, _free(now)
    )


def _free(now: datetime) -> sa.ColumnElement[bool]:
    return sa.or_(DELIVERIES.c.lease.is_(None), DELIVERIES.c.lease <= now)


def _may_begin(row: Any, owner: str, now: datetime) -> bool:
    leased = row.owner == owner and row.lease is not None and row.lease > now
    return leased and row.state in CLAIMABLE and (row.expires is None or row.expires > now)


def _change(settlement: Settlement, target: State, now: datetime) -> dict[str, Any]:
    # a stop before DATA is no try; any other answer counts, so that an answer to an older claim finds another number
    tried = settlement.begun or settlement.event != "stop"
    return {
        "b_id": settlement.delivery_id, "b_state": target, "b_attempts": settlement.attempt - (not tried),
        "b_next_at": settlement.next_at if target == "deferred" else None, "b_reason": settlement.reason,
        "b_changed_at": now,
    }  # fmt: skip


def _line(settlement: Settlement, *, counted: bool) -> dict[str, Any]:
    return {
        "delivery": settlement.delivery_id, "at": settlement.at,
        "event": settlement.event if counted else f"late {settlement.event}",
        "phase": settlement.phase, "code": settlement.code, "enhanced": settlement.enhanced, "text": settlement.text,
    }  # fmt: skip
