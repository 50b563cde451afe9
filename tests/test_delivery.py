"""The letter's way: the table row by row, and the decisions that lead through it."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery import CLAIMABLE, STATES, TRANSITIONS, Event, Settlement, answers, backoff, decide, suppresses
from newsletter.model import Delivery, Outcome, Phase, State

NOON = datetime(2025, 3, 13, 12, tzinfo=UTC)
TOMORROW = NOON + timedelta(days=1)

# Written by hand from the design, apart from the table: state, event, what it becomes, why
RULES = [
    ("planned", "begin", "sending", "its turn"),
    ("planned", "accepted", "sent", "a 250 counts even from a transport that never asked to begin"),
    ("planned", "deferred", "deferred", "no connection, or 4xx before DATA"),
    ("planned", "refused", "failed", "5xx before DATA, or it cannot be rendered"),
    ("planned", "uncertain", "uncertain", "a transport in doubt is believed"),
    ("planned", "stop", "planned", "the run ended first; nothing was tried"),
    ("planned", "expired", "failed", "the next edition is there"),
    ("planned", "withdrawn", "skipped", "unsubscribed or suppressed"),
    ("deferred", "begin", "sending", "its turn again"),
    ("deferred", "accepted", "sent", "as planned"),
    ("deferred", "deferred", "deferred", "put off once more"),
    ("deferred", "refused", "failed", "given an answer for good"),
    ("deferred", "uncertain", "uncertain", "as planned"),
    ("deferred", "stop", "deferred", "the run ended first"),
    ("deferred", "expired", "failed", "the next edition is there"),
    ("deferred", "withdrawn", "skipped", "unsubscribed or suppressed"),
    ("deferred", "requeued", "planned", "the operator wants it now"),
    ("sending", "accepted", "sent", "250 after the dot"),
    ("sending", "deferred", "deferred", "4xx after DATA: the server does not have it"),
    ("sending", "refused", "failed", "5xx after DATA"),
    ("sending", "uncertain", "uncertain", "no answer after the dot (RFC 1047)"),
    ("sending", "stop", "deferred", "refused in words that stop the run: safe to try again"),
    ("sending", "expired", "failed", "4xx after DATA and no time left"),
    ("sending", "crashed", "uncertain", "the sender died: the server may have it"),
    ("uncertain", "accepted", "sent", "the answer came late"),
    ("uncertain", "deferred", "deferred", "the answer came late"),
    ("uncertain", "refused", "failed", "the answer came late"),
    ("uncertain", "uncertain", "uncertain", "still nobody knows"),
    ("uncertain", "stop", "deferred", "the answer came late"),
    ("uncertain", "expired", "failed", "the answer came late, and no time left"),
    ("uncertain", "requeued", "planned", "the operator's decision"),
    ("sent", "requeued", "planned", "the operator wants another copy"),
    ("failed", "requeued", "planned", "the operator's decision"),
    ("skipped", "requeued", "planned", "the operator's decision"),
]


@pytest.mark.parametrize(("state", "event", "becomes", "why"), RULES, ids=[f"{r[0]}-{r[1]}" for r in RULES])
def test_every_row_of_the_table(state: State, event: Event, becomes: State, why: str):
    assert TRANSITIONS[state, event] == becomes, why


def test_there_are_no_other_rows():
    assert set(TRANSITIONS) == {(state, event) for state, event, _, _ in RULES}


def test_only_an_operator_or_a_late_answer_leaves_uncertain_and_only_an_operator_an_end():
    """Nothing is sent again on its own: no way leads from these states to `sending` without a person."""
    for state in ("uncertain", "sent", "failed", "skipped"):
        assert (state, "begin") not in TRANSITIONS
    for state in ("sent", "failed", "skipped"):
        assert {event for known, event in TRANSITIONS if known == state} == {"requeued"}
    assert {state for state, event in TRANSITIONS if event == "begin"} == CLAIMABLE


def test_the_words_of_the_table_are_the_words_of_the_model():
    assert set(STATES) == set(get_args(State))
    assert {event for _, event in TRANSITIONS} == set(get_args(Event))
    assert {state for state, _ in TRANSITIONS} | set(TRANSITIONS.values()) == set(get_args(State))


def _delivery(state: State = "planned", attempts: int = 0, expires: datetime | None = TOMORROW) -> Delivery:
    return Delivery(7, "daily/2025-03-13", "ada", "ada@example.org", state, attempts, expires=expires)


def _decide(outcome: Outcome, **known: object) -> Settlement:
    return decide(_delivery(**known), outcome, NOON, random.Random(1))


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Outcome("accepted", "dot", 250, "2.0.0", "queued"), "sent"),
        (Outcome("accepted", "quit", 250), "sent"),
        (Outcome("deferred", "connect"), "deferred"),
        (Outcome("deferred", "rcpt", 450, "4.2.1"), "deferred"),
        (Outcome("deferred", "dot", 451, "4.3.0"), "deferred"),
        (Outcome("refused", "rcpt", 550, "5.1.1"), "failed"),
        (Outcome("refused", "render", text="no template"), "failed"),
        (Outcome("uncertain", "dot"), "uncertain"),
        (Outcome("stop", "auth", 535, "5.7.8"), "planned"),
        (Outcome("stop", "dot", 554, "5.7.1"), "deferred"),
        (Outcome("stop", "dot"), "uncertain"),
        (Outcome("stop", "data"), "uncertain"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value.kind}-{value.phase}-{value.code}",
)
def test_what_an_outcome_comes_to(outcome: Outcome, state: State):
    assert _decide(outcome).state == state


def test_a_letter_deferred_before_stays_deferred_when_the_run_stops():
    settled = _decide(Outcome("stop", "auth", 535), state="deferred", attempts=2)
    assert (settled.state, settled.next_at) == ("deferred", NOON)


def test_the_reason_holds_the_servers_codes_and_words():
    settled = _decide(Outcome("deferred", "rcpt", 450, "4.2.1", "mailbox busy"))
    assert (settled.reason, settled.code, settled.enhanced, settled.text) == (
        "450 4.2.1 mailbox busy",
        450,
        "4.2.1",
        "mailbox busy",
    )
    assert _decide(Outcome("deferred", "connect")).reason == "no answer (connect)"
    assert not _decide(Outcome("accepted", "dot", 250, "2.0.0", "ok")).reason


def test_a_deferral_that_would_reach_the_next_edition_fails_and_says_so():
    settled = _decide(Outcome("deferred", "rcpt", 450, "4.2.1", "later"), expires=NOON + timedelta(minutes=2))
    assert (settled.event, settled.state, settled.next_at) == ("expired", "failed", None)
    assert settled.reason == "not accepted before the next edition; last answer: 450 4.2.1 later"


def test_without_an_expiry_a_deferral_goes_on():
    assert _decide(Outcome("deferred", "rcpt", 450), attempts=50, expires=None).state == "deferred"


@given(
    attempt=st.integers(1, 10_000),
    phase=st.sampled_from(get_args(Phase)),
    seed=st.integers(),
)
def test_the_pause_grows_is_spread_by_a_fifth_and_has_an_end(attempt: int, phase: Phase, seed: int):
    pause = backoff(attempt, phase, random.Random(seed))
    assert timedelta(seconds=48) <= pause <= timedelta(hours=4.8)
    middle = backoff(attempt, phase, _Middle())
    assert 0.8 * middle <= pause <= 1.2 * middle
    assert backoff(attempt + 1, phase, _Middle()) >= middle


class _Middle(random.Random):
    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2


def test_a_server_that_is_away_is_asked_sooner_than_one_that_is_unwilling():
    assert backoff(1, "connect", _Middle()) == timedelta(minutes=1)
    assert backoff(1, "rcpt", _Middle()) == timedelta(minutes=5)
    assert backoff(4, "rcpt", _Middle()) == timedelta(minutes=40)


@given(
    kind=st.sampled_from(["accepted", "deferred", "refused", "uncertain", "stop"]),
    phase=st.sampled_from(get_args(Phase)),
    code=st.sampled_from([0, 250, 421, 450, 535, 550, 554]),
    state=st.sampled_from(["planned", "deferred"]),
    attempts=st.integers(0, 20),
    expires=st.none() | st.timedeltas(timedelta(0), timedelta(days=2)).map(NOON.__add__),
)
def test_every_outcome_has_a_settlement_that_the_ledger_can_take(  # noqa: PLR0917  hypothesis names them
    kind, phase, code, state, attempts, expires
):
    delivery = _delivery(state, attempts, expires)
    settled = decide(delivery, Outcome(kind, phase, code), NOON, random.Random(0))
    standing: State = "sending" if settled.begun else state
    assert TRANSITIONS[standing, settled.event] == settled.state
    assert answers(settled, standing, attempts + settled.begun)
    assert (settled.next_at is not None) == (settled.state == "deferred")
    if settled.next_at and settled.event == "deferred" and expires:
        assert settled.next_at < expires


def _settlement(*, begun: bool, attempt: int = 3) -> Settlement:
    phase: Phase = "dot" if begun else "connect"
    return Settlement(7, attempt, begun, "deferred", "deferred", NOON, phase)


@pytest.mark.parametrize(
    ("begun", "state", "attempts", "counts"),
    [
        (True, "sending", 3, True),
        (True, "uncertain", 3, True),  # late, but still about this try
        (True, "sending", 4, False),  # about an older try
        (True, "planned", 3, False),  # requeued meanwhile: that try is over
        (True, "planned", 2, True),  # a transport that never asked to begin
        (True, "sent", 3, False),
        (False, "planned", 2, True),
        (False, "deferred", 2, True),
        (False, "sending", 3, False),  # two had the letter in turn, and the other one is sending it
        (False, "uncertain", 3, False),
        (False, "deferred", 3, False),  # somebody else's failure is written down already
    ],
)
def test_a_settlement_counts_only_for_its_own_try(begun: bool, state: State, attempts: int, counts: bool):
    assert answers(_settlement(begun=begun), state, attempts) is counts


@pytest.mark.parametrize(
    ("outcome", "suppressed"),
    [
        (Outcome("refused", "rcpt", 550, "5.1.1", "no <ada@example.org> here"), True),
        (Outcome("refused", "rcpt", 556, "5.1.10"), True),
        (Outcome("refused", "dot", 550, "5.1.1"), True),
        (Outcome("refused", "rcpt", 550), False),  # says nothing about the address
        (Outcome("refused", "dot", 550, "5.7.1"), False),  # our fault
        (Outcome("refused", "dot", 554), False),
        (Outcome("deferred", "rcpt", 552, "5.2.2"), False),  # full mailbox: soft
        (Outcome("deferred", "rcpt", 450, "5.1.1"), False),
        (Outcome("accepted", "dot", 250, "2.1.5"), False),
    ],
)
def test_only_no_such_address_suppresses(outcome: Outcome, suppressed: bool):
    assert bool(suppresses(outcome)) is suppressed
    assert "@" not in suppresses(outcome), "the list of suppressed addresses must not hold addresses"
