"""The written-out gradients against differences, and that descending them finds the structure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import random as random_sparse

from newsletter.embedding.fit import Parts, Recipe, _batches, _view, contrast, fit, likeness

SMALL = Recipe(dimensions=8, steps=40, views=((0.0, 1),), batch=16, taught=8, rate=0.05, likeness=200)


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


def test_tokens_that_a_step_does_not_see_are_back_in_the_next() -> None:
    whole = parts(taught=10)
    before = whole.rows.copy()
    fit(whole, np.ones((30, 8), np.float32), replace(SMALL, dropped=0.5), lambda *_: None)
    assert (whole.rows != before).nnz == 0


def test_the_runs_of_all_views_are_averaged() -> None:
    start = np.random.default_rng(1).normal(size=(30, 8)).astype(np.float32)
    one, other, centred, all_three = (
        fit(parts(taught=10), start, replace(SMALL, **change), lambda *_: None)
        for change in (
            {"seed": 3},
            {"seed": 4},
            {"seed": 3, "views": ((1.0, 1),)},
            {"seed": 3, "views": ((0.0, 2), (1.0, 1))},
        )
    )
    assert not np.allclose(one, centred, atol=1e-3)
    assert all_three == pytest.approx((one + other + centred) / 3, abs=1e-5)


def test_a_view_spreads_the_cosines_of_the_teacher() -> None:
    """A third of a circle: the closer the mean comes to the origin, the further the rows lie apart."""
    angles = np.linspace(0, 2, 20)
    teacher = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    widths = [float((view @ view.T).min()) for share in (0.0, 0.5, 1.0) if (view := _view(teacher, share)) is not None]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] == pytest.approx(np.cos(2), abs=1e-5)


def test_without_a_teacher_there_is_no_view() -> None:
    assert _view(None, 0.5) is None
