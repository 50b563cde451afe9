"""The ledger under anything that may happen to it, in any order.

Two senders, an operator, readers who leave, a clock that jumps, crashes at every step, answers that come late. The
model beside the database is the mail server: what it accepted is what readers hold. It must always be true that
  - a reader holds one copy, and one more for each time the operator asked for it;
  - nothing begins after an unsubscribe;
  - the counts balance;
and, when all that waits has been sent, that nobody was skipped: everyone who was planned holds the letter, or has
left, or was refused by the server, or is shown to the operator as uncertain.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from newsletter.delivery import STATES, decide
from newsletter.model import Delivery, Letter, Outcome
from newsletter.store import ledger, open_store
from newsletter.store.suppression import suppress
from newsletter.store.tables import METADATA

EDITION = "daily/2025-03-13"
KEY = b"k"
LEASE = timedelta(minutes=5)
READERS = [f"r{n}" for n in range(8)]
OWNERS = ["one", "two"]
BEFORE_DATA = [
    Outcome("deferred", "connect"), Outcome("deferred", "rcpt", 450), Outcome("refused", "rcpt", 550, "5.7.1"),
    Outcome("stop", "auth", 535),
]  # fmt: skip
ANSWERS = {
    "accepted": Outcome("accepted", "dot", 250), "deferred": Outcome("deferred", "dot", 451),
    "refused": Outcome("refused", "dot", 554), "silent, taken": Outcome("uncertain", "dot"),
    "silent, lost": Outcome("uncertain", "dot"), "stop": Outcome("stop", "dot", 421),
}  # fmt: skip
TAKEN = {"accepted", "silent, taken"}


def _letter(name: str) -> Letter:
    from datetime import date

    return Letter(EDITION, date(2025, 3, 13), name, f"{name}@example.org", name, "en", "s", "p", (), ())


class LedgerMachine(RuleBasedStateMachine):
    """`store` is set by the test, one database for all examples, emptied for each."""

    store: sa.Engine

    def __init__(self) -> None:
        super().__init__()
        with self.store.begin() as connection:
            for table in reversed(METADATA.sorted_tables):
                connection.execute(sa.delete(table))
        self.now = self.latest = datetime(2025, 3, 13, 12, tzinfo=UTC)
        self.rng = random.Random(0)
        self.planned: set[str] = set()
        self.expiring: set[str] = set()
        self.left: set[str] = set()
        self.refused: set[str] = set()
        self.held: dict[str, list[Delivery]] = {owner: [] for owner in OWNERS}
        self.flying: list[tuple[str, Delivery]] = []
        self.late: list[tuple[Delivery, Outcome]] = []
        self.copies: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self.crashed: set[str] = set()

    # What senders do

    @initialize()
    def an_edition_is_there(self):
        self.plan(set(READERS[:5]), None)

    @rule(names=st.sets(st.sampled_from(READERS), min_size=1), hours=st.none() | st.integers(1, 3))
    def plan(self, names, hours):
        expires = None if hours is None else self.now + timedelta(hours=hours)
        ledger.plan(self.store, EDITION, [_letter(n) for n in sorted(names)], self.now, key=KEY, expires=expires)
        if hours is not None:
            self.expiring |= names - self.planned
        self.planned |= names

    @rule(owner=st.sampled_from(OWNERS), minutes=st.sampled_from([0, 6]))
    def claim_all(self, owner, minutes):
        """The usual case, so that an example spends its steps on what follows."""
        self.clock_jumps(minutes)
        self.claim(owner, 100)

    @rule(owner=st.sampled_from(OWNERS), limit=st.integers(1, 5))
    def claim(self, owner, limit):
        self.crashed.discard(owner)
        claimed = ledger.claim(self.store, EDITION, self.now, limit=limit, owner=owner, lease=LEASE)
        self.held[owner] += claimed

    @precondition(lambda self: any(self.held.values()))
    @rule(data=st.data(), outcome=st.sampled_from(BEFORE_DATA), late=st.booleans())
    def fail_before_data(self, data, outcome, late):
        owner = data.draw(st.sampled_from(self._busy()))
        delivery = self.held[owner].pop()
        self._answer(delivery, outcome, late=late)

    @precondition(lambda self: any(self.held.values()))
    @rule(data=st.data(), count=st.integers(1, 5), keep=st.booleans())
    def begin_some(self, data, count, keep):
        self.begin(data.draw(st.sampled_from(self._busy())), count, keep=keep)

    def _busy(self) -> list[str]:
        return [owner for owner in OWNERS if self.held[owner]]

    def begin(self, owner: str, count: int, *, keep: bool = False) -> None:
        """With `keep`, another task of the same program holds the letters, too, and will try them as well."""
        batch, rest = self.held[owner][:count], self.held[owner][count:]
        self.held[owner] = rest + batch if keep else rest
        going = ledger.begin(self.store, [d.id for d in batch], owner, self.now)
        assert len(set(going)) == len(going)
        for delivery in {d.id: d for d in batch}.values():
            if delivery.id in going:
                assert delivery.subscriber not in self.left, "begun after an unsubscribe"
                self.flying.append((owner, delivery))

    @precondition(lambda self: self.flying)
    @rule(answer=st.sampled_from(sorted(ANSWERS)), data=st.data(), late=st.booleans())
    def server_answers(self, answer, data, late):
        _, delivery = self.flying.pop(data.draw(st.integers(0, len(self.flying) - 1)))
        self.copies[delivery.subscriber] += answer in TAKEN
        self._answer(delivery, ANSWERS[answer], late=late)

    def _answer(self, delivery: Delivery, outcome: Outcome, *, late: bool) -> None:
        if outcome.kind == "refused":
            self.refused.add(delivery.subscriber)
        if late:
            self.late.append((delivery, outcome))
        else:
            ledger.settle(self.store, [decide(delivery, outcome, self.now, self.rng)], self.now)

    @precondition(lambda self: self.late)
    @rule(data=st.data())
    def a_late_settlement_comes(self, data):
        delivery, outcome = self.late.pop(data.draw(st.integers(0, len(self.late) - 1)))
        self._answer(delivery, outcome, late=False)

    # What goes wrong

    @rule(owner=st.sampled_from(OWNERS), taken=st.booleans())
    def crash(self, owner, taken):
        """The process dies: what it held is forgotten, what was on the wire arrived or not, and nobody knows."""
        self.crashed.add(owner)
        self.held[owner] = []
        for flyer, delivery in self.flying:
            if flyer == owner:
                self.copies[delivery.subscriber] += taken
        self.flying = [flight for flight in self.flying if flight[0] != owner]

    @rule(minutes=st.sampled_from([-120, -1, 1, 6, 6, 20, 120]))  # 6: just over a lease and a first pause
    def clock_jumps(self, minutes):
        self.now += timedelta(minutes=minutes)
        self.latest = max(self.latest, self.now)

    @rule()
    def recover(self):
        ledger.recover(self.store, self.now)

    @precondition(lambda self: self.crashed)
    @rule()
    def recover_the_dead(self):
        ledger.recover(self.store, self.now, dead=self.crashed)

    @rule(owner=st.sampled_from(OWNERS))
    def release(self, owner):
        ledger.release(self.store, owner)

    @precondition(lambda self: self.expiring)
    @rule()
    def expire(self):
        ledger.expire(self.store, self.now)

    # What people do

    @rule(name=st.sampled_from(READERS[:2]))
    def unsubscribe(self, name):
        suppress(self.store, f"{name.upper()}@example.org", "unsubscribed", self.now, key=KEY)
        self.left.add(name)

    @rule(state=st.sampled_from(["uncertain", "failed", "sent", "deferred", "skipped"]))
    def resend(self, state):
        before = ledger.deliveries(self.store, EDITION, state)
        ledger.requeue(self.store, EDITION, state, self.now)
        for delivery in before:
            self.refused.discard(delivery.subscriber)
            self.expiring.discard(delivery.subscriber)
            if state in ("uncertain", "sent"):  # the others surely never arrived: no second copy for them
                self.asked[delivery.subscriber] += 1

    # What must be true

    @invariant()
    def one_copy_unless_the_operator_asked(self):
        assert all(copies <= 1 + self.asked[name] for name, copies in self.copies.items())

    @invariant()
    def the_counts_balance(self):
        counts = ledger.counts(self.store, EDITION)
        assert counts["total"] == len(self.planned) == sum(counts[state] for state in STATES)

    def teardown(self) -> None:
        for owner in OWNERS:
            self.crash(owner, taken=False)
        self.now = self.latest + timedelta(days=1)
        self._send_all_that_waits()
        self.one_copy_unless_the_operator_asked()
        self.the_counts_balance()
        for delivery in ledger.deliveries(self.store, EDITION):
            name, state = delivery.subscriber, delivery.state
            assert state in ("sent", "failed", "uncertain", "skipped"), f"{name} was forgotten as {state}"
            assert state != "sent" or self.copies[name], f"{name} never got what the ledger calls sent"
            assert state != "failed" or name in self.refused | self.expiring, f"{name} failed without a cause"
            assert state != "skipped" or name in self.left, f"{name} was skipped"

    def _send_all_that_waits(self) -> None:
        ledger.recover(self.store, self.now)
        ledger.expire(self.store, self.now)
        while (due := ledger.next_due(self.store, EDITION, self.now)) is not None:
            self.now = due
            self.claim("one", 100)
            self.begin("one", 100)
            while self.flying:
                _, delivery = self.flying.pop()
                self.copies[delivery.subscriber] += 1
                self._answer(delivery, ANSWERS["accepted"], late=False)


@pytest.fixture
def quick_store() -> Iterator[sa.Engine]:
    """SQLite in memory-backed files where there are any: an example is thousands of transactions."""
    shm = Path("/dev/shm")
    folder = tempfile.mkdtemp(prefix="newsletter-", dir=shm if shm.is_dir() else None)
    engine = open_store(f"sqlite:///{folder}/news.db")
    yield engine
    engine.dispose()
    shutil.rmtree(folder)


def _run(store: sa.Engine, examples: int, steps: int) -> None:
    class Machine(LedgerMachine):
        pass

    Machine.store = store
    phases = [phase for phase in Phase if phase is not Phase.explain]
    relaxed = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            phases=phases,
            suppress_health_check=relaxed,
            database=None,
        ),
    )


def test_nothing_is_lost_and_nothing_doubled_quickly(quick_store):
    _run(quick_store, 25, 30)


@pytest.mark.slow
def test_nothing_is_lost_and_nothing_doubled_on_sqlite(quick_store):
    _run(quick_store, 500, 60)


@pytest.mark.slow
@pytest.mark.parametrize("store_url", ["postgres"], indirect=True)
def test_nothing_is_lost_and_nothing_doubled_on_postgresql(store):
    _run(store, 25, 40)
