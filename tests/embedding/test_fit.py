"""The written-out gradients against differences, and that descending them finds the structure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import random as random_sparse

from newsletter.embedding.fit import Parts, Recipe, _batches, contrast, fit, likeness

SMALL = Recipe(dimensions=8, steps=40, batch=16, taught=8, rate=0.05)


def unit(n: int, d: int, seed: int) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(n, d))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def slope_by_difference(function, at: np.ndarray) -> np.ndarray:
    slope = np.zeros_like(at)
    for place in np.ndindex(at.shape):
        step = np.zeros_like(at)
        step[place] = 1e-5
        slope[place] = (function(at + step) - function(at - step)) / 2e-5
    return slope


def test_gradient_of_the_contrast() -> None:
    left, right = unit(6, 4, 0), unit(6, 4, 1)
    _, to_left, to_right = contrast(left, right, 5.0)
    assert to_left == pytest.approx(slope_by_difference(lambda x: contrast(x, right, 5.0)[0], left), abs=1e-6)
    assert to_right == pytest.approx(slope_by_difference(lambda x: contrast(left, x, 5.0)[0], right), abs=1e-6)


def test_gradient_of_the_likeness() -> None:
    rows, wanted = unit(6, 4, 0), unit(6, 3, 1)
    _, slope = likeness(rows, wanted)
    assert slope == pytest.approx(slope_by_difference(lambda x: likeness(x, wanted)[0], rows), abs=1e-6)


def test_likeness_is_nothing_where_the_cosines_agree() -> None:
    rows = unit(5, 4, 0)
    assert likeness(rows, rows)[0] == pytest.approx(0, abs=1e-12)


def parts(papers: int = 40, taught: int | None = None) -> Parts:
    rows = random_sparse(3 * papers, 30, density=0.2, format="csr", dtype=np.float32, rng=np.random.default_rng(0))
    return Parts(rows, None if taught is None else unit(taught, 5, 2).astype(np.float32))


@pytest.mark.parametrize("taught", [None, 10, 40])
def test_the_losses_together_fall(taught: int | None) -> None:
    heard: list[tuple[int, float, float]] = []
    start = np.random.default_rng(1).normal(size=(30, 8)).astype(np.float32)
    fit(parts(taught=taught), start, SMALL, lambda *step: heard.append(step))
    (_, near, like), (last, near_last, like_last) = heard[0], heard[-1]
    assert last == SMALL.steps - 1
    assert near_last + SMALL.likeness * like_last < near + SMALL.likeness * like


def test_the_same_seed_gives_the_same_vectors_and_another_seed_others() -> None:
    start = np.random.default_rng(1).normal(size=(30, 8)).astype(np.float32)
    one, two, other = (fit(parts(taught=10), start, replace(SMALL, seed=seed), lambda *_: None) for seed in (3, 3, 4))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_start_is_left_as_it_was() -> None:
    start = np.ones((30, 8), np.float32)
    fit(parts(), start, SMALL, lambda *_: None)
    assert (start == 1).all()


def test_a_batch_holds_papers_the_teacher_knows_first_and_each_paper_once_a_round() -> None:
    batches = list(_batches(parts(taught=10), replace(SMALL, steps=3), np.random.default_rng(0)))
    for chosen, taught in batches:
        assert (taught, len(chosen)) == (8, 16)
        assert (chosen[:taught] < 10).all()
        assert (chosen[taught:] >= 10).all()
    others = np.concatenate([chosen[taught:] for chosen, taught in batches])
    assert len(set(others)) == 24
