"""A theme's small charts: whole weeks up to today, and a bar that is half full at the usual pace."""

from __future__ import annotations

import pytest

from newsletter.letter.charts import momentum_bar, week_heights, whole_weeks


@pytest.mark.parametrize(
    ("history", "most", "weeks"),
    [
        ((), 8, ()),
        ((5,) * 6, 8, ()),
        ((1, 2, 3, 4, 5, 6, 7), 8, (28,)),
        ((9,) * 3 + (1,) * 7 + (2,) * 7, 8, (7, 14)),  # the days before the first whole week are left out
        ((1,) * 7 + (2,) * 7 + (3,) * 7, 2, (14, 21)),
        ((1,) * 21, 0, ()),
    ],
)
def test_weeks_are_whole_and_end_today(history, most, weeks):
    assert whole_weeks(history, most) == weeks


@pytest.mark.parametrize(
    ("history", "weeks"),
    [
        ((), ()),
        ((1,) * 27, ()),
        ((1,) * 28, (8, 8, 8, 8)),
        ((9,) + (1,) * 21 + (2,) * 7, (4, 4, 4, 8)),
        ((0,) * 60, ()),
        ((0,) * 53 + (1,) * 7, (1, 1, 1, 1, 1, 1, 1, 8)),
        (tuple(range(70)), (2, 3, 4, 5, 5, 6, 7, 8)),
    ],
)
def test_the_sparkline_shows_at_most_eight_whole_weeks_up_to_today(history, weeks):
    assert week_heights(history) == tuple(2 * height for height in weeks)


@pytest.mark.parametrize(("rate", "percent"), [(1.0, 50), (3.0, 75), (0.0, 5), (-1.0, 5), (1e9, 95)])
def test_the_bar_is_half_full_at_the_usual_pace_and_never_whole(rate, percent):
    assert momentum_bar(rate) == percent
