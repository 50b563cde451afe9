"""The ledger step by step: plan, claim, begin, settle, recover, and the operator's hand."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from newsletter.delivery import Settlement, decide
from newsletter.model import Delivery, Digest, Outcome, Skip
from newsletter.store import archive, ledger
from newsletter.store.suppression import allow, is_suppressed, suppress

NOON = datetime(2025, 3, 13, 12, tzinfo=UTC)
EDITION = "daily/2025-03-13"
KEY = b"a key of these tests"
LEASE = timedelta(minutes=5)
OK = Outcome("accepted", "dot", 250, "2.0.0", "queued as 1")
LATER = Outcome("deferred", "rcpt", 450, "4.2.1", "come again")
NEVER = Outcome("refused", "rcpt", 550, "5.1.1", "who?")


def _at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def _claim(store, owner: str = "one", now: datetime = NOON, limit: int = 100, **options) -> list[Delivery]:
    return ledger.claim(store, EDITION, now, limit=limit, owner=owner, lease=LEASE, **options)


def _begin(store, claimed: Sequence[Delivery], owner: str = "one", now: datetime = NOON) -> list[int]:
    return ledger.begin(store, [d.id for d in claimed], owner, now)


def _settle(store, delivery: Delivery, outcome: Outcome, now: datetime = NOON) -> int:
    return ledger.settle(store, [decide(delivery, outcome, now, random.Random(0))], now)


def _state(store, subscriber: str = "ada") -> str:
    (delivery,) = ledger.deliveries(store, EDITION, subscriber=subscriber)
    return delivery.state


@pytest.fixture
def plan(store, make_letter, make_paper):
    papers = [make_paper(n) for n in range(12)]

    def plan(*names: str, **options) -> ledger.Planned:
        letters = [make_letter(name, papers) for name in names]
        return ledger.plan(store, EDITION, letters, NOON, key=KEY, **options)

    return plan


# Planning


def test_a_letter_comes_back_as_it_was_planned(store, make_letter, make_paper):
    """Frozen as data: byte for byte what was composed, whatever the archive learns later."""
    papers = [make_paper(n, published=NOON.date(), upvotes=n, abstract="é " * 500) for n in range(12)]
    rich = make_letter("ada", papers, language="de", more=3, text_only=True, hint="tell us", display_name='Ada "A" <x>')
    rich = replace(rich, trending=rich.top, explore=rich.sections[0].entries[:1])
    assert ledger.plan(store, EDITION, [rich], NOON, key=KEY) == ledger.Planned(1, 0, 0)
    (claimed,) = _claim(store)
    assert claimed.letter == rich
    assert (claimed.subscriber, claimed.email, claimed.state) == ("ada", "ada@example.org", "planned")


def test_a_skip_is_in_the_ledger_with_its_reason(store):
    planned = ledger.plan(store, EDITION, [Skip(EDITION, "ada", "ada@example.org", "nothing to say")], NOON, key=KEY)
    assert planned == ledger.Planned(0, 1, 0)
    (delivery,) = ledger.deliveries(store, EDITION)
    assert (delivery.state, delivery.reason) == ("skipped", "nothing to say")
    assert _claim(store) == []


def test_planning_again_adds_only_who_is_missing(store, plan, make_letter):
    plan("ada", "bob")
    _settle(store, _claim(store, limit=1)[0], LATER)
    before = ledger.deliveries(store, EDITION)
    changed = [make_letter("ada", subject="Another subject"), make_letter("eve")]
    assert ledger.plan(store, EDITION, changed, _at(1), key=KEY) == ledger.Planned(1, 0, 1)
    assert ledger.deliveries(store, EDITION)[:2] == before
    assert [d.letter.subject for d in _claim(store, "two", _at(60))] == ["Counting"] * 3


def test_the_second_letter_to_one_subscriber_or_address_is_refused(store, make_letter):
    letters = [
        make_letter("ada", email="ada@example.org"),
        make_letter("ada", email="other@example.org"),
        make_letter("lovelace", email="ADA@Example.org"),
    ]
    planned = ledger.plan(store, EDITION, letters, NOON, key=KEY)
    assert (planned.letters, planned.skips) == (1, 1)
    assert [refusal.where for refusal in planned.refused] == ["ada", "lovelace"]
    assert _state(store, "lovelace") == "skipped"
    assert [d.email for d in _claim(store)] == ["ada@example.org"]
    later = ledger.plan(store, EDITION, [make_letter("countess", email="Ada@example.org")], NOON, key=KEY)
    assert "ada" in later.refused[0].why


def test_a_letter_that_cannot_be_stored_fails_alone(store, make_letter):
    planned = ledger.plan(store, EDITION, [make_letter("ada", subject="\ud800"), make_letter("bob")], NOON, key=KEY)
    assert (planned.letters, planned.skips) == (1, 1)
    assert "cannot be stored" in ledger.deliveries(store, EDITION, subscriber="ada")[0].reason


def test_letters_of_another_edition_are_a_mistake(store, make_letter):
    with pytest.raises(ValueError, match="daily/2025-03-12"):
        ledger.plan(store, EDITION, [make_letter("ada", edition_id="daily/2025-03-12")], NOON, key=KEY)


def test_what_letters_share_is_stored_once(store, plan):
    import sqlalchemy as sa

    plan(*(f"r{n}" for n in range(50)))
    with store.connect() as connection:
        assert (
            connection.execute(sa.text("SELECT count(*) FROM frozen")).scalar() == 25
        )  # 12 papers, their words, a theme


# Claiming and beginning


def test_what_one_owner_leased_no_other_gets_until_the_lease_is_over(store, plan):
    plan("ada", "bob", "eve")
    assert [d.subscriber for d in _claim(store, "one", limit=2)] == ["ada", "bob"]
    assert [d.subscriber for d in _claim(store, "two")] == ["eve"]
    assert _claim(store, "three") == []
    assert len(_claim(store, "three", _at(5))) == 3
    assert ledger.counts(store, EDITION)["planned"] == 3, "a lease changes no state"


def test_only_names_subscribers(store, plan):
    plan("ada", "bob", "eve")
    assert [d.subscriber for d in _claim(store, only=frozenset({"eve", "ada"}))] == ["ada", "eve"]
    assert _claim(store, "two", only=frozenset()) == []


def test_begin_refuses_a_lost_lease(store, plan):
    plan("ada")
    claimed = _claim(store, "one")
    assert _begin(store, claimed, "two") == []
    assert _begin(store, claimed, "one", _at(5)) == [], "over"
    assert _claim(store, "two", _at(6))
    assert _begin(store, claimed, "one", _at(6)) == [], "another's"
    assert _begin(store, claimed, "two", _at(6)) == [1]
    assert _begin(store, claimed, "two", _at(6)) == [], "begun already"


def test_begin_writes_down_the_message_id(store, plan):
    plan("ada", "bob")
    ids = [d.id for d in _claim(store)]
    assert ledger.begin(store, [*reversed(ids), 99], "one", NOON, message_ids={ids[0]: "<1@x>"}) == [*reversed(ids)]
    assert [d.message_id for d in ledger.deliveries(store, EDITION)] == ["<1@x>", ""]


def test_release_gives_back_what_was_not_begun(store, plan):
    plan("ada", "bob")
    _begin(store, _claim(store)[:1])
    assert ledger.owners(store) == {"one"}
    assert ledger.release(store, "one") == 1
    assert [d.subscriber for d in _claim(store, "two")] == ["bob"]


# Settling


def test_the_way_of_a_letter_that_is_taken(store, plan):
    plan("ada")
    (ada,) = _claim(store)
    assert _begin(store, [ada]) == [ada.id]
    assert _state(store) == "sending"
    assert _settle(store, ada, OK) == 1
    (sent,) = ledger.deliveries(store, EDITION)
    assert (sent.state, sent.attempts, sent.reason, sent.next_at) == ("sent", 1, "", None)
    assert ledger.history(store, [ada.id])[ada.id] == (
        ledger.Attempt(NOON, "accepted", "dot", 250, "2.0.0", "queued as 1"),
    )
    assert ledger.next_due(store, EDITION, NOON) is None


def test_a_deferred_letter_waits_for_its_time_and_counts_its_tries(store, plan):
    plan("ada")
    for attempt in (1, 2, 3):
        now = ledger.next_due(store, EDITION, NOON)
        (ada,) = _claim(store, now=now)
        assert _settle(store, ada, LATER, now) == 1
        (delivery,) = ledger.deliveries(store, EDITION, "deferred")
        assert (delivery.attempts, delivery.reason) == (attempt, "450 4.2.1 come again")
        assert delivery.next_at > now
        assert _claim(store, now=delivery.next_at - timedelta(seconds=1)) == []
    assert [line.code for line in ledger.history(store, [1])[1]] == [450] * 3


def test_a_run_that_stops_costs_no_try(store, plan):
    plan("ada")
    _settle(store, _claim(store)[0], Outcome("stop", "auth", 535, "5.7.8"))
    (ada,) = _claim(store, "two")
    assert (ada.state, ada.attempts) == ("planned", 0)


def test_no_such_address_fails_and_is_suppressed_for_every_edition(store, plan, make_letter):
    plan("ada")
    other = "daily/2025-03-14"
    ledger.plan(store, other, [make_letter("ada", edition_id=other)], NOON, key=KEY)
    _settle(store, _claim(store)[0], NEVER)
    assert _state(store) == "failed"
    assert is_suppressed(store, "Ada@Example.org", key=KEY).reason == "no such address (550 5.1.1)"
    assert ledger.deliveries(store, other)[0].state == "skipped"


def test_a_settlement_about_another_try_changes_nothing_and_is_remembered(store, plan):
    """One claims, stalls and loses the lease; two begins. One's failure to connect must not free the letter again."""
    plan("ada")
    (mine,) = _claim(store, "one")
    (theirs,) = _claim(store, "two", _at(6))
    assert _begin(store, [theirs], "two", _at(6)) == [theirs.id]
    assert _settle(store, mine, Outcome("deferred", "connect"), _at(7)) == 0
    assert _state(store) == "sending"
    assert _settle(store, theirs, OK, _at(8)) == 1
    assert [line.event for line in ledger.history(store, [1])[1]] == ["late deferred", "accepted"]


def test_the_same_settlement_twice_counts_once(store, plan):
    plan("ada")
    (ada,) = _claim(store)
    _begin(store, [ada])
    settled = decide(ada, Outcome("deferred", "dot", 451), NOON, random.Random(0))
    assert ledger.settle(store, [settled, settled], NOON) == 1
    assert ledger.settle(store, [settled], NOON) == 0


def test_settling_what_is_not_in_the_ledger_is_harmless(store):
    ghost = Settlement(99, 1, True, "accepted", "sent", NOON, "dot")
    assert ledger.settle(store, [ghost], NOON) == 0


def test_a_transport_that_never_asked_to_begin_is_believed(store, plan):
    plan("ada")
    assert _settle(store, _claim(store)[0], OK) == 1
    assert _state(store) == "sent"


# After a crash


def test_what_was_begun_and_never_settled_becomes_uncertain_and_stays(store, plan):
    plan("ada", "bob")
    _begin(store, _claim(store)[:1])
    assert ledger.recover(store, _at(1)) == 0, "it may still be at it"
    assert ledger.recover(store, _at(15)) == 1
    assert _state(store, "ada") == "uncertain"
    assert [d.subscriber for d in _claim(store, "two", _at(60))] == ["bob"]
    assert ledger.recover(store, _at(60)) == 0


def test_what_a_dead_owner_held_is_settled_at_once(store, plan):
    """A program that starts alone need not wait for the leases of the one before it."""
    plan("ada", "bob")
    _begin(store, _claim(store, "dead")[:1], "dead")
    assert ledger.recover(store, _at(1), dead=ledger.owners(store)) == 1
    assert _state(store, "ada") == "uncertain"
    assert [d.subscriber for d in _claim(store, "two", _at(1))] == ["bob"]


def test_an_answer_after_recovery_still_counts(store, plan):
    plan("ada")
    (ada,) = _claim(store)
    _begin(store, [ada])
    ledger.recover(store, _at(20))
    assert _settle(store, ada, OK, _at(21)) == 1
    assert _state(store) == "sent"


def test_an_answer_after_the_operator_sent_it_again_does_not(store, plan):
    plan("ada")
    (ada,) = _claim(store)
    _begin(store, [ada])
    ledger.recover(store, _at(20))
    assert ledger.requeue(store, EDITION, "uncertain", _at(21)) == 1
    assert _settle(store, ada, Outcome("deferred", "dot", 451), _at(22)) == 0
    assert _state(store) == "planned"


# The operator and the calendar


def test_requeue_takes_one_state_and_only_letters(store, plan):
    plan("ada", "bob")
    ledger.plan(store, EDITION, [Skip(EDITION, "eve", "eve@example.org", "nothing to say")], NOON, key=KEY)
    _settle(store, _claim(store, only={"ada"})[0], Outcome("refused", "rcpt", 554, "5.7.1"))
    assert ledger.requeue(store, EDITION, "skipped", NOON) == 0
    assert ledger.requeue(store, EDITION, "failed", NOON, only={"bob"}) == 0
    assert ledger.requeue(store, EDITION, "failed", NOON) == 1
    assert ledger.counts(store, EDITION) == {
        "planned": 2, "sending": 0, "sent": 0, "deferred": 0, "failed": 0, "uncertain": 0, "skipped": 1, "total": 3,
    }  # fmt: skip
    assert [line.event for line in ledger.history(store, [1])[1]] == ["refused", "requeued"]


def test_letters_expire_before_the_next_edition(store, plan):
    plan("ada", "bob", expires=_at(60))
    (ada,) = _claim(store, limit=1, now=_at(58))
    assert ada.expires == _at(60)
    assert _begin(store, [ada], now=_at(60)) == []
    assert _claim(store, "two", _at(60)) == []
    assert ledger.expire(store, _at(60)) == 1, "ada's is still leased"
    assert ledger.expire(store, _at(64)) == 1
    assert {d.reason for d in ledger.deliveries(store, EDITION, "failed")} == {"not accepted before the next edition"}
    assert ledger.requeue(store, EDITION, "failed", _at(65), expires=_at(90)) == 2
    assert len(_claim(store, now=_at(66))) == 2


def test_next_due_is_the_end_of_the_pause_or_of_the_lease(store, plan):
    assert ledger.next_due(store, EDITION, NOON) is None
    plan("ada")
    assert ledger.next_due(store, EDITION, NOON) == NOON
    (ada,) = _claim(store)
    assert ledger.next_due(store, EDITION, NOON) == NOON + LEASE
    _settle(store, ada, LATER)
    assert ledger.next_due(store, EDITION, NOON) == ledger.deliveries(store, EDITION)[0].next_at


# Suppression


@pytest.mark.parametrize("when", ["before planning", "before claiming", "after claiming", "deferred"])
def test_no_letter_begins_after_an_unsubscribe(store, plan, when):
    if when == "before planning":
        suppress(store, "ada@example.org", "unsubscribed", NOON, key=KEY)
    plan("ada", "bob")
    if when == "before claiming":
        assert suppress(store, "ADA@example.org ", "unsubscribed", NOON, key=KEY) == 1
    claimed = _claim(store)
    if when == "deferred":
        _settle(store, claimed[0], LATER)
    if when in ("after claiming", "deferred"):
        assert suppress(store, "ada@example.org", "unsubscribed", NOON, key=KEY) == 1
        claimed += _claim(store, "one", _at(600))
    assert _begin(store, claimed) in ([2], [])
    assert (_state(store, "ada"), ledger.deliveries(store, subscriber="ada")[0].reason) == (
        "skipped",
        "suppressed: unsubscribed",
    )


def test_a_suppression_that_the_sweep_missed_is_seen_at_begin(store, plan):
    """Requeued by an operator after the unsubscribe: it is skipped when its turn comes."""
    plan("ada")
    suppress(store, "ada@example.org", "unsubscribed", NOON, key=KEY)
    assert ledger.requeue(store, EDITION, "skipped", NOON) == 1
    claimed = _claim(store)
    assert _begin(store, claimed) == []
    assert _state(store) == "skipped"


def test_suppression_keeps_the_first_reason_no_address_and_can_be_taken_back(store):
    import sqlalchemy as sa

    suppress(store, "ada@example.org", "unsubscribed", NOON, key=KEY)
    suppress(store, "ada@example.org", "complaint", _at(9), key=KEY)
    found = is_suppressed(store, "ada@EXAMPLE.org", key=KEY)
    assert (found.reason, found.at) == ("unsubscribed", NOON)
    assert is_suppressed(store, "ada@example.org", key=b"another key") is None
    with store.connect() as connection:
        assert "ada" not in str(connection.execute(sa.text("SELECT * FROM suppressions")).all())
    assert allow(store, "ada@example.org", key=KEY)
    assert not allow(store, "ada@example.org", key=KEY)
    assert is_suppressed(store, "ada@example.org", key=KEY) is None
    with pytest.raises(ValueError, match="must not be empty"):
        suppress(store, "ada@example.org", "x", NOON, key=b"")


def test_withdraw_skips_what_waits_for_a_subscriber(store, plan):
    plan("ada", "bob")
    assert ledger.withdraw(store, "ada", "removed from the configuration", NOON) == 1
    assert [d.subscriber for d in _claim(store)] == ["bob"]


# What a reader has had


def test_already_sent_counts_what_reached_or_may_have_reached_the_reader(store, make_letter, make_paper):
    """Failed and skipped letters reached nobody; their papers may come again."""
    outcomes = {
        "sent": OK,
        "uncertain": Outcome("uncertain", "dot"),
        "failed": Outcome("refused", "dot", 554),
        "deferred": LATER,
    }
    letters = [make_letter(name, [make_paper(1), make_paper(2)]) for name in (*outcomes, "planned")]
    ledger.plan(store, EDITION, [*letters, Skip(EDITION, "skipped", "s@example.org", "x")], NOON, key=KEY)
    claimed = _claim(store)
    _begin(store, claimed[:3])
    for delivery in claimed[:4]:
        _settle(store, delivery, outcomes[delivery.subscriber])
    found = ledger.already_sent(
        store, [*outcomes, "planned", "skipped", "stranger"], among=["arxiv:2503.00001", "arxiv:2503.00009"]
    )
    one = frozenset({"arxiv:2503.00001"})
    assert found == {
        "sent": one, "uncertain": one, "deferred": one, "planned": one,
        "failed": frozenset(), "skipped": frozenset(), "stranger": frozenset(),
    }  # fmt: skip
    assert ledger.already_sent(store, ["sent"])["sent"] >= {"arxiv:2503.00001", "arxiv:2503.00002"}
    assert ledger.already_sent(store, ["sent"], besides=EDITION) == {"sent": frozenset()}


def test_already_sent_knows_a_paper_under_every_key(store, make_letter, make_paper):
    """Sent under its title, then met under its arXiv id; sent under its arXiv id, then merged into another record."""
    titled = make_paper(1, id="title:abc")
    archive.add_digest(store, Digest("page", NOON.date(), (titled,)))
    ledger.plan(store, EDITION, [make_letter("ada", [titled])], NOON, key=KEY)
    archive.add_digest(store, Digest("page", NOON.date(), (make_paper(1, id="arxiv:2503.00001"),)))
    names = ["arxiv:2503.00001", "2503.00001v3", "On the number 1", "title:abc", "arxiv:2503.00002"]
    assert ledger.already_sent(store, ["ada"], among=names)["ada"] == set(names[:-1])
    assert ledger.already_sent(store, ["ada"])["ada"] >= {"arxiv:2503.00001", "title:abc"}


def test_naive_times_are_a_mistake(store, plan):
    import sqlalchemy as sa

    plan("ada")
    with pytest.raises((ValueError, sa.exc.StatementError), match="without a zone"):
        _claim(store, now=datetime(2025, 3, 13, 12))  # noqa: DTZ001  on purpose


def test_times_in_any_zone_are_one_time(store, plan):
    from zoneinfo import ZoneInfo

    plan("ada")
    _claim(store, now=NOON.astimezone(ZoneInfo("Pacific/Kiritimati")))
    assert ledger.next_due(store, EDITION, NOON) == NOON + LEASE
