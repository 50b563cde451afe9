"""Who agreed to what, when and where: an account that is only ever added to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from newsletter.store.consents import Consent, consents, record_consent

NOW = datetime(2025, 5, 27, 9, tzinfo=UTC)


def test_the_account_of_a_reader_is_in_order_of_time(store):
    record_consent(store, "ada-1", "hash", "confirmed", "the link", NOW + timedelta(minutes=5))
    record_consent(store, "ada-1", "hash", "asked", "the form", NOW)
    record_consent(store, "kenji", "other", "asked", "the form", NOW)
    assert consents(store, subscriber="ada-1") == (
        Consent("ada-1", "hash", "asked", "the form", NOW),
        Consent("ada-1", "hash", "confirmed", "the link", NOW + timedelta(minutes=5)),
    )


def test_an_address_is_found_whatever_its_reader_was_called(store):
    record_consent(store, "ada-1", "hash", "unsubscribed", "", NOW)
    record_consent(store, "ada-2", "hash", "asked", "", NOW)
    assert [one.subscriber for one in consents(store, address="hash")] == ["ada-1", "ada-2"]
    assert len(consents(store, subscriber="ada-2", address="hash")) == 2
    assert consents(store) == ()


def test_an_event_that_is_none_is_refused(store):
    with pytest.raises(sa.exc.IntegrityError):
        record_consent(store, "ada", "hash", "guessed", "", NOW)
