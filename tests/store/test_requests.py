"""Requests to subscribe: counted in one transaction, used once, forgotten when they expire."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from newsletter.store.consents import consents
from newsletter.store.requests import Limits, Request, ask, confirmed, forget_expired, hashed_token, request_of
from newsletter.store.tables import REQUESTS

NOW = datetime(2025, 5, 27, 9, tzinfo=UTC)
VALID = timedelta(hours=72)


def request(token: str, address: str = "ada", at: datetime = NOW) -> Request:
    return Request(hashed_token(token), address, f"{address}@example.org", "email: x\n", "the form", at, at + VALID)


@pytest.fixture
def count(store):
    def _count() -> int:
        with store.connect() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(REQUESTS)).scalar_one()

    return _count


def test_the_store_holds_no_token(store):
    ask(store, request("the token itself"), "net")
    with store.connect() as connection:
        row = connection.execute(sa.select(REQUESTS)).one()
    assert "the token itself" not in map(str, row)
    assert request_of(store, row.token, NOW) == request("the token itself")


def test_three_a_day_for_an_address_and_no_more(store):
    said = [ask(store, request(str(n), at=NOW + timedelta(hours=n)), f"net{n}") for n in range(4)]
    assert said == ["kept", "kept", "kept", "address"]
    assert ask(store, request("another", "kenji"), "net") == "kept"
    assert ask(store, request("tomorrow", at=NOW + timedelta(hours=24)), "net") == "kept"


def test_twenty_an_hour_from_a_network_and_no_more(store):
    said = [ask(store, request(str(n), f"reader{n}"), "net") for n in range(21)]
    assert said == ["kept"] * 20 + ["network"]
    assert ask(store, request("elsewhere", "maria"), "another net") == "kept"
    assert ask(store, request("later", "maria", NOW + timedelta(minutes=61)), "net") == "kept"


def test_confirming_does_not_change_the_counts(store):
    """Else whoever asks could tell from the limit that an address was confirmed."""
    for n in range(3):
        ask(store, request(str(n)), "net")
    assert confirmed(store, hashed_token("0"), "ada-1", NOW, source="link")
    assert ask(store, request("again"), "net") == "address"


def test_a_request_is_used_once_with_all_others_of_its_address(store):
    for token in ("one", "two"):
        ask(store, request(token), "net")
    later = NOW + timedelta(hours=1)
    assert confirmed(store, hashed_token("one"), "ada-1", later, source="the link")
    assert not confirmed(store, hashed_token("one"), "ada-1", later, source="the link")
    assert not confirmed(store, hashed_token("two"), "ada-1", later, source="the link")
    used = request_of(store, hashed_token("two"), later)
    assert used is not None
    assert used.used
    said = [(one.event, one.source, one.at) for one in consents(store, address="ada")]
    assert said == [("asked", "the form", NOW), ("confirmed", "the link", later)]


def test_many_clicks_at_once_confirm_once(store):
    ask(store, request("one"), "net")
    with ThreadPoolExecutor(8) as threads:
        said = list(threads.map(lambda n: confirmed(store, hashed_token("one"), f"a{n}", NOW, source=""), range(16)))
    assert said.count(True) == 1
    assert len(consents(store, address="ada")) == 2


def test_many_workers_at_once_pass_no_limit(store):
    def one(n: int) -> str:
        return ask(store, request(str(n)), f"net{n}", limits=Limits(address=5))

    with ThreadPoolExecutor(8) as threads:
        said = list(threads.map(one, range(24)))
    assert said.count("kept") == 5


def test_what_has_expired_opens_nothing_and_is_removed_by_the_next(store, count):
    ask(store, request("old"), "net")
    late = NOW + VALID
    assert request_of(store, hashed_token("old"), late) is None
    assert not confirmed(store, hashed_token("old"), "ada-1", late, source="")
    ask(store, request("new", "kenji", late), "net")
    assert count() == 1


def test_what_has_expired_can_be_removed_without_another_request(store, count):
    ask(store, request("old"), "net")
    ask(store, request("new", "kenji", NOW + timedelta(hours=1)), "net")
    assert forget_expired(store, NOW + VALID - timedelta(seconds=1)) == 0
    assert count() == 2
    assert forget_expired(store, NOW + VALID) == 1
    assert forget_expired(store, NOW + VALID) == 0
    assert request_of(store, hashed_token("new"), NOW + VALID) is not None
