"""Which themes live on: the decisions alone, on points whose groups are plain to see."""

from __future__ import annotations

import numpy as np

from newsletter.themes.carry import Change, carry, pair
from newsletter.themes.place import unit

NOWHERE = -1


def blobs(*sizes: int, seed: int = 0, noise: float = 0.15) -> tuple[np.ndarray, np.ndarray]:
    """Groups of points about the axes of a space, and the axis of each point."""
    owner = np.repeat(np.arange(len(sizes)), sizes)
    points = np.eye(len(sizes) + 2)[owner] + np.random.default_rng(seed).normal(0, noise, (len(owner), len(sizes) + 2))
    return unit(points), owner


def test_the_first_day_takes_the_clustering_as_it_is():
    vectors, owner = blobs(10, 8)
    carried = carry(owner, np.full(18, NOWHERE), vectors, 0, 4)
    assert carried.labels.tolist() == owner.tolist()
    assert carried.changes == (Change("born", 0), Change("born", 1))


def test_a_theme_keeps_its_number_whatever_number_the_clustering_gives_it():
    vectors, owner = blobs(10, 8, 6)
    carried = carry((owner + 1) % 3, owner, vectors, 3, 4)
    assert carried.labels.tolist() == owner.tolist()
    assert carried.changes == ()


def test_a_paper_stays_in_its_theme_where_the_clustering_would_move_it_for_little():
    vectors, owner = blobs(10, 8)
    vectors[0] = unit((vectors[:10].mean(axis=0) + 1.05 * vectors[10:].mean(axis=0))[None])[0]
    fresh = owner.copy()
    fresh[0] = 1
    assert carry(fresh, owner, vectors, 2, 4).labels[0] == 0


def test_a_paper_that_suits_another_theme_far_better_moves_there():
    vectors, owner = blobs(10, 8)
    before = owner.copy()
    before[17] = 0
    assert carry(owner, before, vectors, 2, 4).labels[17] == 1


def test_new_papers_that_group_together_are_a_theme_born():
    vectors, owner = blobs(10, 8, 6)
    before = np.where(owner == 2, NOWHERE, owner)
    carried = carry(owner, before, vectors, 2, 4)
    assert carried.changes == (Change("born", 2),)
    assert carried.labels.tolist() == owner.tolist()


def test_a_theme_in_which_two_became_plain_splits_and_the_larger_part_keeps_the_number():
    vectors, owner = blobs(10, 8, 6)
    carried = carry(owner, np.where(owner == 2, 0, owner), vectors, 2, 4)
    assert carried.changes == (Change("split", 2, 0),)
    assert carried.labels.tolist() == owner.tolist()


def test_a_theme_that_the_clustering_takes_into_another_and_hardly_differs_merges():
    vectors, owner = blobs(16, 8)
    before = owner.copy()
    before[10:16] = 2
    carried = carry(owner, before, vectors, 3, 4)
    assert carried.changes == (Change("merged", 2, 0),)
    assert set(carried.labels[:16].tolist()) == {0}


def test_a_theme_that_the_clustering_loses_lives_on_while_it_differs():
    vectors, owner = blobs(10, 8)
    carried = carry(np.where(owner == 1, NOWHERE, owner), owner, vectors, 2, 4)
    assert carried.labels.tolist() == owner.tolist()


def test_a_small_theme_that_the_clustering_loses_fades():
    vectors, owner = blobs(10, 3)
    carried = carry(np.where(owner == 1, NOWHERE, owner), owner, vectors, 2, 4)
    assert carried.labels.tolist() == [0] * 10 + [NOWHERE] * 3


def test_a_theme_with_less_than_half_of_the_least_papers_is_over():
    vectors, owner = blobs(10, 2)
    assert carry(owner, owner, vectors, 2, 6).labels.tolist() == [0] * 10 + [NOWHERE] * 2


def test_groups_without_a_common_paper_are_never_paired():
    vectors, owner = blobs(6, 6)
    before = np.where(owner == 0, 0, NOWHERE)
    assert pair(np.where(owner == 1, 0, NOWHERE), before, vectors, 1) == {}
