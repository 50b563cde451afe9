"""How a theme moves, with Hypothesis for what must hold of any counts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from newsletter.themes.momentum import momentum

FLAT = [10] * 60


def history(before: int, week: int) -> list[int]:
    """60 days: `before` papers spread over 53 days, `week` over the last 7."""
    days = [0] * 60
    for i in range(before):
        days[(i * 7) % 53] += 1
    for i in range(week):
        days[53 + i % 7] += 1
    return days


def test_two_after_one_is_no_boom():
    moves = momentum(history(1, 2), FLAT)
    assert moves.trend == "steady"
    assert moves.low < 1 < moves.high


def test_twenty_after_one_a_week_is_rising():
    moves = momentum(history(8, 20), FLAT)
    assert moves.trend == "rising"
    assert moves.low > 1


def test_as_many_as_ever_is_steady_near_one():
    moves = momentum(history(53, 7), FLAT)
    assert moves.trend == "steady"
    assert 0.8 < moves.rate < 1.25


def test_a_week_with_twice_the_papers_makes_no_theme_rise():
    assert momentum(history(53, 14), [10] * 53 + [20] * 7).trend == "steady"


def test_papers_for_the_first_time_this_week_are_new():
    assert momentum(history(0, 2), FLAT).trend == "new"


def test_in_an_archive_younger_than_a_week_nothing_is_new():
    assert momentum([0] * 59 + [5], [0] * 59 + [70]).trend == "steady"


def test_a_theme_without_papers_is_steady_at_one():
    assert momentum([0] * 60, FLAT).rate == 1.0


def test_the_history_is_kept_as_it_came():
    assert momentum([1, 2, 3], [5, 5, 5]).history == (1, 2, 3)


def test_more_papers_this_week_never_lower_the_rate():
    rates = [momentum(history(20, week), FLAT).rate for week in range(30)]
    assert rates == sorted(rates)


@given(st.lists(st.integers(0, 50), min_size=8, max_size=60), st.integers(1, 5))
def test_the_interval_holds_the_rate(counts, more):
    moves = momentum(counts, [count * more + 1 for count in counts])
    assert 0 < moves.low <= moves.rate <= moves.high
