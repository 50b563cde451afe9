"""The history behind a theme's sparkline: no longer than what the archive knows."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from newsletter.model import ArchivedPaper, Paper
from newsletter.themes.edition import edition_themes

DAY = date(2025, 3, 13)


def history_of(ages: list[int], window_days: int) -> tuple[int, ...]:
    window = [
        ArchivedPaper(Paper(f"p{n}", "A title", "Text."), DAY - timedelta(days=age)) for n, age in enumerate(ages)
    ]
    nowhere = np.full(len(window), -1, dtype=np.int64)
    vectors = np.zeros((len(window), 2), dtype=np.float32)
    (theme,) = edition_themes(window, vectors, nowhere, [], day=DAY, window_days=window_days)
    return theme.momentum.history


@pytest.mark.parametrize(("ages", "window_days", "days"), [([0, 1, 4], 60, 5), ([0], 60, 1), ([0, 20, 59], 30, 30)])
def test_a_history_starts_with_the_first_paper_of_the_window(ages, window_days, days):
    history = history_of(ages, window_days)
    assert len(history) == days
    assert sum(history) == len(ages)
    assert history[-1] >= 1
