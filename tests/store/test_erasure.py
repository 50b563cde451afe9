"""Erasing a reader: nothing tells whose the rows were, and the sums stand. On SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from newsletter.delivery import Settlement
from newsletter.store import feedback, ledger
from newsletter.store.erasure import erase, is_erased, records
from newsletter.store.suppression import address_hash, is_suppressed, resubscribe
from newsletter.store.tables import CONSENTS, METADATA, REQUESTS

NOON = datetime(2025, 3, 13, 12, tzinfo=UTC)
KEY = b"key of the tests"
DAYS = ("daily/2025-03-12", "daily/2025-03-13")
ADA = address_hash("ada@example.org", KEY)
KENJI = address_hash("kenji@example.org", KEY)


def accepted(delivery: int, text: str) -> Settlement:
    return Settlement(delivery, 1, True, "accepted", "sent", NOON, "dot", code=250, text=text)


def everything(engine) -> str:
    """Every value of every table, bytes too, as one text."""
    with engine.connect() as connection:
        rows = [tuple(row) for table in METADATA.sorted_tables for row in connection.execute(sa.select(table))]
    return "\n".join(
        value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for row in rows for value in row
    )


@pytest.fixture
def kept(store, make_letter, make_paper):
    """Two editions with letters for ada and kenji: yesterday's sent, today's planned; feedback and a request."""
    papers = [make_paper(number) for number in range(3)]
    for edition in DAYS:
        letters = [
            make_letter(name, papers, edition_id=edition, display_name=name.title()) for name in ("ada", "kenji")
        ]
        ledger.plan(store, edition, letters, NOON, key=KEY)
    for row in ledger.claim(store, DAYS[0], NOON, limit=9, owner="me", lease=timedelta(hours=1)):
        ledger.begin(store, [row.id], "me", NOON, message_ids={row.id: f"<{row.id}@example.org>"})
        ledger.settle(store, [accepted(row.id, f"250 queued for {row.email}")], NOON)
    for name in ("ada", "kenji"):
        feedback.record_feedback(store, feedback.Feedback(name, papers[0].id, "more", NOON))
    with store.begin() as connection:
        for name, hashed in (("ada", ADA), ("kenji", KENJI)):
            connection.execute(
                sa.insert(REQUESTS).values(
                    token=name, address=hashed, network="n", email=f"{name}@example.org", asked_at=NOON, expires=NOON,
                    document=f"email: {name}@example.org\n",
                )
            )  # fmt: skip
    return store


def test_nothing_tells_whose_the_rows_were_and_the_counts_balance(kept):
    before = [ledger.counts(kept, edition) for edition in DAYS]
    assert "ada" in everything(kept).casefold()
    done = erase(kept, "ada", ADA, source="web", at=NOON)
    assert (done.deliveries, done.withdrawn, done.feedback, done.requests) == (2, 1, 1, 1)
    assert "ada" not in everything(kept).casefold()
    after = [ledger.counts(kept, edition) for edition in DAYS]
    assert [one["total"] for one in after] == [one["total"] for one in before] == [2, 2]
    assert all(sum(n for state, n in one.items() if state != "total") == one["total"] for one in after)
    assert (after[0]["sent"], after[1]["planned"], after[1]["skipped"]) == (2, 1, 1)


def test_another_reader_keeps_everything(kept):
    before = records(kept, KENJI)
    erase(kept, "ada", ADA, source="web", at=NOON)
    assert records(kept, KENJI) == before
    assert [row.papers for row in before] == [("arxiv:2503.00000", "arxiv:2503.00001", "arxiv:2503.00002")] * 2
    assert list(feedback.feedback(kept, ["ada", "kenji"])) == ["kenji"]
    assert is_suppressed(kept, "kenji@example.org", key=KEY) is None


def test_the_address_stays_suppressed_as_its_hash_and_the_consent_says_why(kept):
    erase(kept, "ada", ADA, source="the page of my data", at=NOON)
    found = is_suppressed(kept, "Ada@Example.org", key=KEY)
    assert found is not None
    assert found.reason == "erased"
    assert is_erased(kept, ADA[:16])
    assert not is_erased(kept, KENJI[:16])
    assert not is_erased(kept, "")
    with kept.connect() as connection:
        (row,) = connection.execute(sa.select(CONSENTS)).all()
    assert (row.event, row.address, row.source, row.at) == ("erased", ADA, "the page of my data", NOON)


def test_erasing_twice_changes_nothing_more(kept):
    erase(kept, "ada", ADA, source="web", at=NOON)
    once = everything(kept)
    again = erase(kept, "ada", ADA, source="web", at=NOON + timedelta(hours=1))
    assert (again.deliveries, again.withdrawn, again.feedback, again.requests) == (0, 0, 0, 0)
    assert everything(kept) == once


def test_a_letter_about_to_be_sent_is_not_begun(kept):
    leased = ledger.claim(kept, DAYS[1], NOON, limit=9, owner="me", lease=timedelta(hours=1))
    erase(kept, "ada", ADA, source="web", at=NOON)
    begun = ledger.begin(kept, [row.id for row in leased], "me", NOON)
    assert begun == [row.id for row in leased if row.subscriber == "kenji"]


def test_the_answer_to_a_letter_on_its_way_is_written_down_without_its_words(kept):
    """The letter had left when its reader erased themselves: it counts as sent, and as nobody's."""
    (ada,) = ledger.claim(kept, DAYS[1], NOON, limit=9, owner="me", lease=timedelta(hours=1), only=["ada"])
    ledger.begin(kept, [ada.id], "me", NOON)
    erase(kept, "ada", ADA, source="web", at=NOON)
    ledger.settle(kept, [accepted(ada.id, "250 for ada@example.org")], NOON)
    assert ledger.counts(kept, DAYS[1])["sent"] == 1
    assert "ada@example.org" not in everything(kept)


def test_a_run_that_still_knows_the_reader_writes_no_address_down(kept, make_letter):
    erase(kept, "ada", ADA, source="web", at=NOON)
    later = "daily/2025-03-14"
    ledger.plan(kept, later, [make_letter("ada", edition_id=later)], NOON, key=KEY)
    (row,) = ledger.deliveries(kept, later)
    assert (row.state, row.email, row.reason) == ("skipped", "", "suppressed: erased")


def test_the_operator_cannot_send_again_what_is_erased(kept):
    erase(kept, "ada", ADA, source="web", at=NOON)
    assert ledger.requeue(kept, DAYS[0], "sent", NOON, only=None) == 1
    assert ledger.requeue(kept, DAYS[1], "skipped", NOON, only=None) == 0


def test_who_subscribes_again_gets_letters_again(kept):
    erase(kept, "ada", ADA, source="web", at=NOON)
    assert resubscribe(kept, ADA, "ada-2", source="form", at=NOON)
    assert is_suppressed(kept, "ada@example.org", key=KEY) is None
    assert not is_erased(kept, ADA[:16])
