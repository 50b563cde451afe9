"""How far ahead of the server letters are claimed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from newsletter.pipeline.courier import claim_ahead


@pytest.mark.parametrize("rate", [0.001, 100 / 3600, 0.2, 1, 10, 500, 100_000])
@pytest.mark.parametrize("waiting", [150, 5_000])
def test_a_lease_outlasts_the_wait_for_ones_turn(rate, waiting):
    """A hundred letters an hour is what many providers allow: the last of those claimed has its lease still."""
    limit, lease = claim_ahead(rate, waiting)
    assert limit >= 1
    assert lease > timedelta(seconds=(2 * limit + waiting) / rate)
    assert lease >= timedelta(minutes=10)


def test_a_slow_server_gets_few_letters_claimed_ahead():
    """What one sender has claimed no other can take."""
    assert claim_ahead(1, 150)[0] <= 75
    assert claim_ahead(100_000, 150)[0] == 2_000
