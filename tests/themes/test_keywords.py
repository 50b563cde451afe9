"""Keywords: strong, coherent, and no two of one stem."""

from __future__ import annotations

import numpy as np

from newsletter.themes.fit import Topics
from newsletter.themes.keywords import describe, keywords, npmi


def test_words_always_together_have_npmi_one_and_words_never_together_minus_one():
    presence = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1], [0, 0, 0]], dtype=bool)
    values = npmi(presence)
    assert values[0, 1] == 1.0
    assert values[0, 2] == -1.0


def test_independent_words_have_npmi_zero():
    presence = np.array([[1, 1], [1, 0], [0, 1], [0, 0]], dtype=bool)
    assert abs(npmi(presence)[0, 1]) < 1e-12


def test_of_two_forms_of_a_word_only_the_stronger_is_kept():
    presence = np.ones((4, 3), dtype=bool)
    assert keywords(np.array([0.9, 0.8, 0.1]), ["agents", "agent", "tool"], presence) == ("agents", "tool")


def test_a_word_that_keeps_other_company_gives_way():
    presence = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1], [0, 0, 1]], dtype=bool)
    assert keywords(np.array([1.0, 0.5, 0.6]), ["cache", "memory", "video"], presence, count=2) == ("cache", "memory")


def test_one_papers_pet_name_is_no_keyword_where_others_are_shared():
    shared = "alpha beta gamma delta epsilon zeta eta theta iota kappa"
    texts = [shared + " petname petname petname", shared, "other"]
    vocabulary = tuple(sorted({*shared.split(), "petname", "other"}))
    weights = np.array([[9.0 if w == "petname" else 0.0 if w == "other" else 1.0 for w in vocabulary]])
    assert "petname" not in describe(texts, Topics(np.array([0, 0, -1]), vocabulary, weights))[0]


def test_no_groups_no_keywords():
    assert describe(["a text"], Topics(np.array([-1]), (), np.zeros((0, 0)))) == []
