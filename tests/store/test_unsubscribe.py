"""Who leaves is gone at once, by the hash of their address, however many leave and however often they say so."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from newsletter.store import ledger
from newsletter.store.consents import consents
from newsletter.store.suppression import (
    Leaving,
    address_hash,
    allow,
    is_suppressed,
    resubscribe,
    suppress,
    unsubscribe,
)  # fmt: skip
from newsletter.store.tables import CONSENTS, SUPPRESSIONS

NOON = datetime(2025, 3, 13, 12, tzinfo=UTC)
EDITION = "daily/2025-03-13"
KEY = b"k"


def _leaving(name: str, at: datetime = NOON) -> Leaving:
    return Leaving(address_hash(f"{name}@example.org", KEY), name, "one click", at)


def _count(store, table) -> int:
    with store.connect() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def test_a_letter_that_waits_is_withdrawn_with_the_word_and_its_date(store, make_letter):
    ledger.plan(store, EDITION, [make_letter(name) for name in ("ada", "bea")], NOON, key=KEY)
    assert unsubscribe(store, [_leaving("ada")]) == [1]
    states = {row.subscriber: (row.state, row.reason) for row in ledger.deliveries(store, EDITION)}
    assert states["ada"] == ("skipped", "suppressed: unsubscribed")
    assert states["bea"][0] == "planned"
    (consent,) = consents(store, subscriber="ada")
    assert (consent.event, consent.source, consent.at) == ("unsubscribed", "one click", NOON)


def test_a_letter_that_is_claimed_may_not_begin(store, make_letter):
    ledger.plan(store, EDITION, [make_letter("ada")], NOON, key=KEY)
    (claimed,) = ledger.claim(store, EDITION, NOON, limit=9, owner="me", lease=timedelta(minutes=5))
    unsubscribe(store, [_leaving("ada")])
    assert ledger.begin(store, [claimed.id], "me", NOON) == []


def test_saying_it_again_changes_nothing(store):
    unsubscribe(store, [_leaving("ada")])
    assert unsubscribe(store, [_leaving("ada", NOON + timedelta(days=1)), _leaving("ada")]) == [0, 0]
    assert is_suppressed(store, "ada@example.org", key=KEY).at == NOON
    assert len(consents(store, subscriber="ada")) == 1


def test_many_leave_in_one_transaction_and_each_is_told_of_their_own_letters(store, make_letter):
    ledger.plan(store, EDITION, [make_letter(f"r{n}") for n in range(0, 60, 2)], NOON, key=KEY)
    assert unsubscribe(store, [_leaving(f"r{n}") for n in range(60)]) == [1, 0] * 30
    assert (_count(store, SUPPRESSIONS), _count(store, CONSENTS)) == (60, 60)
    assert unsubscribe(store, []) == []


def test_threads_that_say_the_same_at_once_leave_one_row(store):
    gate = threading.Barrier(8)

    def say() -> None:
        gate.wait()
        unsubscribe(store, [_leaving(f"r{n}") for n in (3, 1, 2)])

    threads = [threading.Thread(target=say) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (_count(store, SUPPRESSIONS), _count(store, CONSENTS)) == (3, 3)


def test_the_readers_word_holds_where_a_bounce_was_the_reason_before(store):
    """Else an operator who lifts the bounce would write to someone who had asked to be let go."""
    suppress(store, "ada@example.org", "bounced (5.1.1)", NOON, key=KEY)
    unsubscribe(store, [_leaving("ada", NOON + timedelta(hours=1))])
    assert is_suppressed(store, "ada@example.org", key=KEY).reason == "unsubscribed"
    assert len(consents(store, subscriber="ada")) == 1


def test_only_the_readers_own_word_can_be_taken_back_by_the_reader(store):
    hashed = address_hash("ada@example.org", KEY)
    suppress(store, "ada@example.org", "complained", NOON, key=KEY)
    assert not resubscribe(store, hashed, "ada", source="page", at=NOON)
    assert is_suppressed(store, "ada@example.org", key=KEY)
    assert consents(store, subscriber="ada") == ()
    allow(store, "ada@example.org", key=KEY)
    unsubscribe(store, [_leaving("ada")])
    assert resubscribe(store, hashed, "ada", source="page", at=NOON)
    assert is_suppressed(store, "ada@example.org", key=KEY) is None
    assert [one.event for one in consents(store, subscriber="ada")] == ["unsubscribed", "resumed"]
    assert not resubscribe(store, hashed, "ada", source="page", at=NOON)
