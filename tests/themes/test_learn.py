"""Every paper of the day in one theme, themes that live on, and errors for vectors that cannot be."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from newsletter.errors import NewsletterError
from newsletter.model import ArchivedPaper, Paper
from newsletter.text import paper_text
from newsletter.themes import MORE, learn

DAY = date(2025, 3, 13)
OPTIONS = {"model": "words", "seed": 1, "window_days": 60}


def vectors_of(window, embed):
    return embed([paper_text(archived.paper) for archived in window])


@pytest.mark.slow
def test_every_paper_of_the_day_is_in_exactly_one_theme(archive, embed):
    window = [a for a in archive if a.day <= DAY]
    learned = learn(window, vectors_of(window, embed), DAY, (), encode=embed, **OPTIONS)
    shown = [paper for theme in learned.themes for paper in theme.papers]
    assert sorted(shown) == sorted(a.paper.id for a in window if a.day == DAY)
    assert set(learned.assignment) == {a.paper.id for a in window}
    assert len({theme.label for theme in learned.themes}) == len(learned.themes)


@pytest.mark.parametrize("papers", [0, 1, 2, 3, 5, 20])
def test_a_small_window_gives_a_sane_result(archive, embed, papers):
    window = [ArchivedPaper(a.paper, DAY) for a in archive[:papers]]
    learned = learn(window, vectors_of(window, embed), DAY, (), encode=embed, **OPTIONS)
    assert sorted(p for theme in learned.themes for p in theme.papers) == sorted(a.paper.id for a in window)
    assert [theme.id for theme in learned.themes[:-1]].count(MORE) == 0


def test_vectors_with_nan_are_named_as_the_models_fault():
    window = [ArchivedPaper(Paper(f"title:{i}", f"Paper {i}", ""), DAY) for i in range(3)]
    vectors = np.ones((3, 4), dtype=np.float32)
    vectors[1, 2] = np.nan
    with pytest.raises(NewsletterError, match="1 of 3 hold NaN"):
        learn(window, vectors, DAY, (), **OPTIONS)


def test_vectors_of_another_window_are_refused():
    window = [ArchivedPaper(Paper("title:a", "A", ""), DAY)]
    with pytest.raises(NewsletterError, match="1 papers came with an array of shape"):
        learn(window, np.ones((2, 4), dtype=np.float32), DAY, (), **OPTIONS)
