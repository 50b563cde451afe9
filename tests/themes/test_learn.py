"""Every paper of the day in one theme, themes that live on, and errors for vectors that cannot be."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import combinations

import numpy as np
import pytest

from newsletter.errors import NewsletterError
from newsletter.model import ArchivedPaper, Paper
from newsletter.text import paper_text
from newsletter.themes import MORE, evaluate_papers, learn
from newsletter.themes.phrases import alike, key

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


@pytest.fixture(scope="module")
def two_days(archive, embed):
    """Themes of a Thursday on an archive of its own, and of the Friday after it."""
    window = [a for a in archive if date(2025, 3, 6) <= a.day <= DAY]
    first = learn(window, vectors_of(window, embed), DAY, (), encode=embed, **OPTIONS)
    friday = [a for a in archive if date(2025, 3, 6) <= a.day <= DAY + timedelta(days=1)]
    second = learn(friday, vectors_of(friday, embed), DAY + timedelta(days=1), first.known, encode=embed, **OPTIONS)
    return first, second


def test_papers_keep_their_theme_from_one_day_to_the_next(two_days):
    first, second = two_days
    kept = [second.assignment[paper] == theme for paper, theme in first.assignment.items()]
    assert np.mean(kept) >= 0.9


def test_a_label_says_since_when_it_stands(two_days):
    first, second = two_days
    labels = {theme.id: theme.label for theme in first.known}
    again = [theme for theme in second.known if theme.id in labels]
    assert again
    assert all((theme.label == labels[theme.id]) == (theme.labelled == DAY) for theme in again)
    assert all(theme.first_day == DAY and theme.last_day == DAY + timedelta(days=1) for theme in again)


def wrongly_named(known, *, labelled):
    """The themes with the label that another has, as if each had come into it long ago."""
    labels = [*(theme.label for theme in known[1:]), known[0].label]
    old = DAY - timedelta(days=30)
    return [replace(t, label=text, first_day=old, labelled=labelled) for t, text in zip(known, labels, strict=True)]


@pytest.mark.parametrize(
    ("labelled", "stays"),
    [
        (DAY - timedelta(days=8), True),  # changed nine days ago
        (DAY - timedelta(days=9), False),  # changed ten days ago
        (DAY - timedelta(days=30), False),  # the theme's first
    ],
)
def test_a_label_that_was_changed_stays_for_ten_days_however_wrong(archive, embed, two_days, labelled, stays):
    friday = [a for a in archive if date(2025, 3, 6) <= a.day <= DAY + timedelta(days=1)]
    known = wrongly_named(two_days[0].known, labelled=labelled)
    learned = learn(friday, vectors_of(friday, embed), DAY + timedelta(days=1), known, encode=embed, **OPTIONS)
    labels = {theme.id: theme.label for theme in known}
    kept = [theme.label == labels[theme.id] for theme in learned.known if theme.id in labels]
    assert kept
    assert all(kept) if stays else not any(kept)


def test_every_theme_of_the_first_day_is_born_on_it(two_days):
    first, _ = two_days
    assert {(event.kind, event.id, event.day) for event in first.events} == {("born", t.id, DAY) for t in first.known}


def test_what_is_remembered_says_who_is_where(two_days):
    for learned in two_days:
        for theme in learned.known:
            assert {p for p, t in learned.assignment.items() if t == theme.id} == set(theme.papers)
            assert abs(np.linalg.norm(theme.centroid) - 1) < 1e-5


def test_learning_again_gives_the_same(archive, embed, two_days):
    window = [a for a in archive if date(2025, 3, 6) <= a.day <= DAY]
    assert learn(window, vectors_of(window, embed), DAY, (), encode=embed, **OPTIONS) == two_days[0]


def test_no_two_labels_are_alike_and_each_is_two_to_five_words(two_days):
    for learned in two_days:
        keys = [key(theme.label.split()) for theme in learned.known]
        assert not [(a, b) for a, b in combinations(keys, 2) if alike(a, b)]
        assert all(2 <= len(k) <= 5 for k in keys)


def test_known_themes_of_another_model_still_live_on_by_their_papers(archive, embed, two_days):
    window = [a for a in archive if date(2025, 3, 6) <= a.day <= DAY]
    other = [replace(theme, model="other", centroid=(1.0, 0.0)) for theme in two_days[0].known]
    learned = learn(window, vectors_of(window, embed), DAY, other, encode=embed, **OPTIONS)
    assert {theme.id for theme in learned.known} == {theme.id for theme in other}


def test_the_edition_shows_largest_first_and_nearest_first(two_days):
    themes = [theme for theme in two_days[0].themes if theme.id != MORE]
    assert [len(theme.papers) for theme in themes] == sorted((len(theme.papers) for theme in themes), reverse=True)


def test_a_suite_is_learned_as_a_day_of_its_papers(archive, embed):
    window = [ArchivedPaper(a.paper, DAY) for a in archive[:80]]
    papers = [a.paper for a in window]
    results = evaluate_papers(papers, vectors_of(window, embed), model="words", seed=1, encode=embed)
    assert [row["id"] for row in results] == [paper.id for paper in papers]
    for row in results:
        assert (row["theme"] is None) == (not row["keywords"])


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
