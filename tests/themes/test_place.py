"""Where outliers go: the nearest centroid, or nowhere below the floor."""

from __future__ import annotations

import numpy as np

from newsletter.themes.place import centroids, compact, dissolve, floor, loosen, nearest, place, sharpen, unit

NOWHERE = -1


def test_an_outlier_goes_to_the_nearest_centroid():
    vectors = unit(np.array([[1, 0, 0], [1, 0.1, 0], [0, 1, 0], [0.1, 1, 0], [0.9, 0.3, 0]]))
    assert place(vectors, np.array([0, 0, 1, 1, NOWHERE]), 0.5).tolist() == [0, 0, 1, 1, 0]


def test_an_outlier_below_the_floor_stays_nowhere():
    vectors = unit(np.array([[1, 0, 0], [1, 0.1, 0], [0, 0, 1.0]]))
    assert place(vectors, np.array([0, 0, NOWHERE]), 0.5).tolist() == [0, 0, NOWHERE]


def test_clustered_papers_are_never_moved():
    vectors = unit(np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1]]))
    assert place(vectors, np.array([0, 1, 1, 0]), 0.0).tolist() == [0, 1, 1, 0]


def test_without_groups_all_stay_nowhere():
    assert place(np.eye(3, dtype=np.float32), np.full(3, NOWHERE), 0.0).tolist() == [NOWHERE] * 3


def test_the_floor_leaves_a_paper_itself_out_of_its_centroid():
    vectors = unit(np.array([[1, 0], [0, 1]]))
    assert floor(vectors, np.array([0, 0]), 0.5) == 0.0


def test_the_floor_is_a_share_of_the_median_cosine():
    vectors = unit(np.array([[1, 0], [1, 0], [0, 1], [0, 1]]))
    assert floor(vectors, np.array([0, 0, 1, 1]), 0.5) == 0.5


def test_without_groups_nothing_is_above_the_floor():
    assert floor(np.eye(2, dtype=np.float32), np.array([NOWHERE, NOWHERE]), 0.5) == 1.0


def test_sharpening_takes_every_paper_to_the_nearest_centroid():
    vectors = unit(np.array([[1, 0], [1, 0.1], [1, 0.2], [0, 1], [0.1, 1], [0.2, 1]]))
    assert sharpen(vectors, np.array([0, 0, 1, 1, 1, NOWHERE]), 0.1).tolist() == [0, 0, 0, 1, 1, 1]


def test_sharpening_without_groups_changes_nothing():
    assert sharpen(np.eye(2, dtype=np.float32), np.array([NOWHERE, NOWHERE]), 0.1).tolist() == [NOWHERE, NOWHERE]


def test_groups_are_numbered_without_gaps():
    assert compact(np.array([5, NOWHERE, 2, 5])).tolist() == [1, NOWHERE, 0, 1]


def test_small_groups_dissolve():
    assert dissolve(np.array([0, 0, 1, 2, 2]), 2).tolist() == [0, 0, NOWHERE, 1, 1]


def test_a_group_of_leftovers_is_no_theme():
    tight = np.repeat(np.eye(6)[:2], 4, axis=0) + 0.01
    loose = np.eye(6)[2:]
    labels = np.repeat([0, 1, 2], 4)
    assert loosen(unit(np.concatenate([tight, loose])), labels, 0.75).tolist() == [0] * 4 + [1] * 4 + [NOWHERE] * 4


def test_an_empty_group_has_a_centroid_of_zeros_and_nobody_near_it():
    means = centroids(np.eye(2, dtype=np.float32), np.array([0, 0]), 2)
    assert means[1].tolist() == [0, 0]
    assert nearest(np.eye(2, dtype=np.float32), means, 0.1).tolist() == [0, 0]
