"""What the operator did, and who tried to become the operator: on SQLite and PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from newsletter.delivery import STATES
from newsletter.store import audit, oversight
from newsletter.store.audit import Entry

NOW = datetime(2025, 3, 13, 12, tzinfo=UTC)


def test_lines_are_read_newest_first_page_by_page(store):
    for number in range(5):
        audit.record(store, Entry(NOW + timedelta(seconds=number), "ada", "resend", f"{number}", "how"))
    assert [line.object for line in audit.audit(store, 2)] == ["4", "3"]
    assert [line.object for line in audit.audit(store, 2, offset=4)] == ["0"]
    assert audit.audit(store, 1)[0] == Entry(NOW + timedelta(seconds=4), "ada", "resend", "4", "how")
    assert audit.audit(store, 5, action="suppress") == []
    assert audit.recorded(store) == 5


def test_many_at_the_same_moment_are_granted_no_more_than_one_after_the_other(store):
    """Several processes, one count: three tries of sixteen that come together, as of sixteen in a row."""
    with ThreadPoolExecutor(16) as threads:
        tries = list(threads.map(lambda _: audit.knock(store, "network a", NOW), range(16)))
    assert sum(1 for one in tries if not one.wait) == 3
    assert {one.wait for one in tries if one.wait} == {timedelta(seconds=2)}


def test_a_right_password_is_a_line_of_its_own_and_forgives_the_wrong_ones(store):
    audit.knock(store, "network a", NOW)
    audit.knock(store, "network a", NOW)
    audit.admit(store, audit.knock(store, "network a", NOW).id, "ada")
    assert audit.audit(store, 1) == [Entry(NOW, "ada", audit.LOGIN, "network a")]
    later = NOW + timedelta(seconds=1)
    assert [bool(audit.knock(store, "network a", later).wait) for _ in range(4)] == [False, False, False, True]


def test_a_session_has_ended_when_its_operator_has_left_it(store):
    audit.record(store, Entry(NOW, "ada", audit.LOGOUT, "session 1"))
    assert audit.ended(store, "session 1")
    assert not audit.ended(store, "session 2")


def test_an_empty_store_has_no_editions_and_no_bounces(store):
    assert oversight.edition_lines(store, 10) == []
    assert oversight.editions_kept(store) == 0
    assert oversight.came_back(store, 10) == []
    assert oversight.deliveries_page(store, "daily/2025-03-13", 10) == []


@pytest.mark.parametrize(("total", "balanced"), [(3, True), (4, False)])
def test_sums_that_do_not_balance_are_seen(total, balanced):
    letters = dict.fromkeys(STATES, 0) | {"sent": 2, "failed": 1}
    assert oversight.EditionLine("daily/2025-03-13", NOW.date(), letters, total).balanced is balanced
