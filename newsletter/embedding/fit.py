"""The optimisation: token vectors such that a paper's parts find each other, and papers lie as the teacher has them.

Two losses on the unit sums of token vectors, minimised together by Adam (Kingma and Ba 2015) with a cosine schedule:

    contrast   in-batch softmax (van den Oord et al. 2018): a title finds its own abstract among the batch's, and an
               abstract's first half its second half, in both directions
    likeness   mean squared difference between the papers' cosines and the teacher's cosines

Gradients are written out, so training needs numpy and scipy alone. Deterministic for a seed and a number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Parts", "Recipe", "contrast", "fit", "likeness"]

Floats = NDArray[np.float32]

_ATTRACTED = (([0], [1, 2]), ([1], [2]))  # parts that belong together: title and abstract, half and half


@dataclass(frozen=True)
class Recipe:
    """The settings of one training run; by default the packaged model's (the tries are in docs/embedding.md)."""

    dimensions: int = 256
    tokens: int = 30_750  # with a scale each, 8.0 MB
    pair_share: float = 0.235  # of the tokens that are pairs of words
    piece_share: float = 0.1  # of the tokens that are pieces and common words kept for texts from elsewhere
    steps: int = 180
    # (share of its mean that is taken off the teacher's vectors, runs that imitate these), all averaged
    views: tuple[tuple[float, int], ...] = ((0.0, 5), (0.5, 1), (1.0, 2))
    batch: int = 1024
    taught: int = 512  # papers of a batch that the teacher has read
    rate: float = 0.02
    sharpness: float = 12.0  # inverse temperature of the contrast
    dropped: float = 0.2  # share of a text's distinct tokens that a step does not see
    likeness: float = 70.0  # weight of the second loss
    frequent: float = 1e-3  # a of a / (a + p(token)), the initial weight of a token (SIF, Arora et al. 2017)
    seed: int = 0


@dataclass(frozen=True)
class Parts:
    """Papers as weighted token counts, and the teacher's view of them.

    `rows`: scipy CSR (3 n, tokens); rows 3i, 3i+1, 3i+2 are paper i's title and the halves of its abstract.
    `teacher`: float32 (m, k) unit rows, m <= n: what the teacher says of the first m papers; None without a teacher.
    """

    rows: Any
    teacher: Floats | None

    @property
    def papers(self) -> int:
        return int(self.rows.shape[0] // 3)


def fit(parts: Parts, start: Floats, recipe: Recipe, report: Callable[[int, float, float], None]) -> Floats:
    """Token vectors (tokens, dimensions): the mean of all runs from one start; `report` hears step and losses.

    A mean of weights forgets what single runs made of their batches (model soups, Wortsman et al. 2022); runs that
    imitate other views of the teacher err in other ways, so that their mean is better than that of as many alike.
    """
    found = [
        _descend(replace(parts, teacher=_view(parts.teacher, share)), start, replace(recipe, seed=seed), report)
        for share, runs in recipe.views
        for seed in range(recipe.seed, recipe.seed + runs)
    ]
    return np.asarray(np.mean(found, axis=0), np.float32)


def _view(teacher: Floats | None, share: float) -> Floats | None:
    """Unit rows less `share` of their mean, of length 1: the more is taken off, the further their cosines spread."""
    return None if teacher is None else _unit(teacher - share * teacher.mean(axis=0))[0]


def _descend(parts: Parts, start: Floats, recipe: Recipe, report: Callable[[int, float, float], None]) -> Floats:
    rng = np.random.default_rng(recipe.seed)
    vectors = start.astype(np.float32).copy()
    moments = np.zeros_like(vectors), np.zeros_like(vectors)
    for step, (chosen, taught) in enumerate(_batches(parts, recipe, rng)):
        sparse = parts.rows[(3 * chosen[None, :] + np.arange(3)[:, None]).ravel()]
        sparse.data *= rng.random(len(sparse.data)) >= recipe.dropped
        wanted = None if parts.teacher is None else parts.teacher[chosen[:taught]]
        gradient, losses = _gradient(sparse, wanted, vectors, recipe)
        _adam(vectors, gradient, moments, step, _rate(step, recipe))
        if step % 30 == 0 or step == recipe.steps - 1:
            report(step, *losses)
    return vectors


def contrast(left: Floats, right: Floats, sharpness: float) -> tuple[float, Floats, Floats]:
    """The symmetric in-batch softmax loss of unit rows (n, d) that belong together, and its gradients to both."""
    logits = sharpness * (left @ right.T)
    n = len(logits)
    rows, columns = _log_softmax(logits, 1), _log_softmax(logits, 0)
    loss = -float(np.trace(rows) + np.trace(columns)) / (2 * n)
    slope = np.exp(rows, out=rows) + np.exp(columns, out=columns)
    slope[np.diag_indices(n)] -= 2
    slope *= sharpness / (2 * n)
    return loss, slope @ right, slope.T @ left


def likeness(rows: Floats, wanted: Floats) -> tuple[float, Floats]:
    """Mean squared difference of the cosines of unit `rows` (n, d) and of unit `wanted` (n, k), and its gradient."""
    difference = rows @ rows.T - wanted @ wanted.T
    np.fill_diagonal(difference, 0)
    count = max(1, difference.size - len(rows))
    return float(np.square(difference).sum() / count), (4 / count) * (difference @ rows)


def _gradient(
    sparse: Any, wanted: Floats | None, vectors: Floats, recipe: Recipe
) -> tuple[Floats, tuple[float, float]]:
    """The gradient to the token vectors, and the losses; `sparse` holds all titles, all first halves, all second."""
    sums = np.asarray(sparse @ vectors, np.float32).reshape(3, sparse.shape[0] // 3, -1)
    slopes = np.zeros_like(sums)
    near = like = 0.0
    for left, right in _ATTRACTED:
        unit, other = _unit(sums[left].sum(axis=0)), _unit(sums[right].sum(axis=0))
        loss, to_left, to_right = contrast(unit[0], other[0], recipe.sharpness)
        near += loss / len(_ATTRACTED)
        slopes[left] += _through_unit(to_left, *unit) / len(_ATTRACTED)
        slopes[right] += _through_unit(to_right, *other) / len(_ATTRACTED)
    if wanted is not None and len(wanted):
        unit = _unit(sums[:, : len(wanted)].sum(axis=0))
        like, slope = likeness(unit[0], wanted)
        slopes[:, : len(wanted)] += recipe.likeness * _through_unit(slope, *unit)
    return np.asarray(sparse.T @ slopes.reshape(sparse.shape[0], -1), np.float32), (near, like)


def _batches(parts: Parts, recipe: Recipe, rng: np.random.Generator) -> Iterator[tuple[NDArray[np.intp], int]]:
    """Per step the papers of the batch, those that the teacher knows first, and how many these are."""
    known = 0 if parts.teacher is None else len(parts.teacher)
    batch = min(recipe.batch, parts.papers)
    taught = min(known, batch if known == parts.papers else recipe.taught)
    others = _endless(np.arange(known, parts.papers), rng)
    pupils = _endless(np.arange(known), rng)
    for _ in range(recipe.steps):
        yield np.concatenate([_take(pupils, taught), _take(others, batch - taught)]), taught


def _endless(numbers: NDArray[np.intp], rng: np.random.Generator) -> Iterator[np.intp]:
    while len(numbers):
        yield from rng.permutation(numbers)


def _take(stream: Iterator[np.intp], count: int) -> NDArray[np.intp]:
    return np.fromiter(islice(stream, count), np.intp)


def _rate(step: int, recipe: Recipe) -> float:
    warm = min(1.0, (step + 1) / 20)
    return recipe.rate * warm * (0.5 + 0.5 * float(np.cos(np.pi * step / recipe.steps)))


def _adam(vectors: Floats, gradient: Floats, moments: tuple[Floats, Floats], step: int, rate: float) -> None:
    first, second = 0.9, 0.99
    mean, spread = moments
    mean *= first
    mean += (1 - first) * gradient
    spread *= second
    np.square(gradient, out=gradient)
    gradient *= 1 - second
    spread += gradient
    np.sqrt(spread / (1 - second ** (step + 1)), out=gradient)
    gradient += 1e-8
    np.divide(mean, gradient, out=gradient)
    gradient *= rate / (1 - first ** (step + 1))
    vectors -= gradient


def _unit(rows: Floats) -> tuple[Floats, Floats]:
    lengths = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
    return rows / lengths, lengths


def _through_unit(slope: Floats, rows: Floats, lengths: Floats) -> Floats:
    return np.asarray((slope - (slope * rows).sum(axis=1, keepdims=True) * rows) / lengths, np.float32)


def _log_softmax(logits: Floats, axis: int) -> Floats:
    shifted = logits - logits.max(axis=axis, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True)), logits.dtype)
