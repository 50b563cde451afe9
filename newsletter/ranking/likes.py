"""Learning from liked and disliked papers, for all readers over one shared background.

Two models side by side. The plain one: mean likeness to the liked papers. The learned one: a Gaussian process in which
background papers carry label 0 with a large noise, liked papers 1 and disliked ones -1 (Rasmussen and Williams 2006,
chapters 2 and 6.5): a classifier on dense and sparse features side by side, which discounts what any paper has in
common with the liked ones. The background is solved once for everybody, so that a reader costs one small system.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from newsletter.ranking.features import Floats, Rows
from newsletter.ranking.ground import Anchors, Ground, standardise

_BLOCK = 1000  # papers


@dataclass(frozen=True, slots=True)
class Examples:
    """One reader's rated papers to learn from: rows of the index, ascending, and +1 for a like, -1 for a dislike.

    `rated` are the rows of all that the reader rated, also of what is left out because there is too much.
    """

    rows: Rows
    labels: Floats
    rated: Rows


@dataclass(frozen=True, slots=True)
class Learned:
    """What each reader's examples taught: their `places` among the anchors with the learned `coefficients`, and the
    standardised `match` (readers, n).
    """

    examples: tuple[Examples, ...]
    places: tuple[Rows, ...]
    coefficients: tuple[Floats, ...]
    anchors: Anchors
    match: Floats

    def nearest(self, reader: int, paper: int) -> int:
        """The index row of the like that adds most to the match of the day's `paper`."""
        example, anchors, at = self.examples[reader], self.anchors, self.places[reader]
        share = trust(example)
        added = (share * self.coefficients[reader]) * anchors.kernel[paper, at]
        added += ((1 - share) / max(len(at), 1)) * (anchors.dense[paper, at] + anchors.shared[paper, at])
        added[example.labels < 0] = -np.inf
        return int(example.rows[added.argmax()])


def trust(example: Examples) -> float:
    """How far the learned model is trusted over the plain mean: half with ten examples, a ninth with five."""
    return len(example.rows) ** 3 / (len(example.rows) ** 3 + 1000)


def learn(examples: Sequence[Examples], ground: Ground) -> Learned:
    """Fit every reader's models and apply them to the day."""
    rows = np.unique(np.concatenate([e.rows for e in examples])) if examples else np.zeros(0, np.int64)
    anchors = ground.anchors(rows)
    places = tuple(anchors.place(example.rows) for example in examples)
    coefficients = tuple(
        _fit(e, ground.among(anchors, at), ground.options.noise_like) for e, at in zip(examples, places, strict=True)
    )
    return Learned(
        tuple(examples), places, coefficients, anchors, _blend(examples, places, coefficients, anchors, ground)
    )


def _fit(example: Examples, own: Floats, noise: float) -> Floats:
    """How much each of the reader's rated papers, of kernel `own`, speaks: the posterior's coefficients, (rated,)."""
    own[np.diag_indices(len(own))] += noise
    return np.asarray(np.linalg.solve(own, example.labels), dtype=np.float32)


def _blend(
    examples: Sequence[Examples],
    places: Sequence[Rows],
    coefficients: Sequence[Floats],
    anchors: Anchors,
    ground: Ground,
) -> Floats:
    """Learned and plain match of the day's papers, mixed by `trust`, (readers, n); 0 for a reader without examples.

    Both in standard deviations among the papers that the reader did not rate: a library imported into a small archive
    would else make itself the usual.
    """
    others = ~_rated(examples, ground)
    signs = [e.labels / np.float32(max(len(e.labels), 1)) for e in examples]
    learned = standardise(_weighted(places, coefficients, anchors.kernel), others)
    means = (standardise(_weighted(places, signs, cosine), others) for cosine in (anchors.dense, anchors.shared))
    plain = standardise(np.sum(list(means), axis=0, dtype=np.float32), others)
    liked = np.array([bool((e.labels > 0).any()) for e in examples], np.bool_)
    if liked.any() and ground.options.feedback:
        plain[liked] += ground.options.feedback * _feedback(plain[liked], others[liked], ground)
        plain = standardise(plain, others)
    share = np.array([trust(e) for e in examples], np.float32)[:, None]
    return np.asarray((share * learned + (1 - share) * plain)[:, : len(ground.day)], dtype=np.float32)


def _feedback(plain: Floats, others: NDArray[np.bool_], ground: Ground) -> Floats:
    """Likeness to the papers that `plain` puts first, standardised, (readers, field).

    Pseudo-relevance feedback (Ruthven and Lalmas 2003, section 3.5): a few likes do not hold all the words of their
    subject, the papers nearest to them hold more. Each of these counts by how near it is.
    """
    from scipy.sparse import csr_matrix

    readers, papers = plain.shape
    count = min(ground.options.feedback_papers, papers)
    known = np.where(others, plain, 0)
    nearest = np.argpartition(known, papers - count, axis=1)[:, papers - count :]
    weights = np.maximum(np.take_along_axis(known, nearest, axis=1), 0)
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-6)
    table = csr_matrix((weights.ravel(), nearest.ravel(), np.arange(readers + 1) * count), shape=plain.shape)
    dense, shared = np.zeros_like(plain), np.zeros_like(plain)
    for begin in range(0, papers, _BLOCK):
        block = slice(begin, begin + _BLOCK)
        to_dense, to_shared = ground.field_to(block)
        dense[:, block], shared[:, block] = table @ to_dense, table @ to_shared
    return standardise(standardise(dense, others) + standardise(shared, others), others)


def _rated(examples: Sequence[Examples], ground: Ground) -> NDArray[np.bool_]:
    """Which papers of the field each reader rated, (readers, field)."""
    place = np.full(len(ground.index.papers), -1)
    place[ground.field] = np.arange(len(ground.field))
    rated = np.zeros((len(examples), len(ground.field)), np.bool_)
    for i, example in enumerate(examples):
        at = place[example.rated]
        rated[i, at[at >= 0]] = True
    return rated


def _weighted(places: Sequence[Rows], weights: Sequence[Floats], values: Floats) -> Floats:
    """Each reader's sum of `weights` times the columns of `values` (field, anchors) at `places`, (readers, field)."""
    from scipy.sparse import csr_matrix

    data, columns = (
        np.concatenate([*weights, np.zeros(0, np.float32)]),
        np.concatenate([*places, np.zeros(0, np.int64)]),
    )
    ends = np.cumsum([0, *map(len, places)])
    table = csr_matrix((data, columns, ends), shape=(len(places), values.shape[1]))
    return np.asarray(table @ values.T, dtype=np.float32)
