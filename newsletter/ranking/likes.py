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

from newsletter.ranking.features import Floats, Rows
from newsletter.ranking.ground import Anchors, Ground, standardise


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
    """What each reader's examples taught: their `coefficients`, and the standardised `match` (readers, n)."""

    examples: tuple[Examples, ...]
    coefficients: tuple[Floats, ...]
    anchors: Anchors
    match: Floats

    def nearest(self, reader: int, paper: int) -> int:
        """The index row of the like that adds most to the match of the day's `paper`."""
        example, at = self.examples[reader], self.anchors.place(self.examples[reader].rows)
        learned = self.anchors.kernel[paper, at] * self.coefficients[reader]
        plain = self.anchors.dense[paper, at] + self.anchors.shared[paper, at]
        share = trust(example)
        added = share * learned + (1 - share) * plain / max(len(at), 1)
        return int(example.rows[int(np.where(example.labels > 0, added, -np.inf).argmax())])


def trust(example: Examples) -> float:
    """How far the learned model is trusted over the plain mean: half with ten examples, 0.2 with five."""
    return len(example.rows) ** 2 / (len(example.rows) ** 2 + 100)


def learn(examples: Sequence[Examples], ground: Ground) -> Learned:
    """Fit every reader's models and apply them to the day."""
    rows = np.unique(np.concatenate([e.rows for e in examples])) if examples else np.zeros(0, np.int64)
    anchors = ground.anchors(rows)
    coefficients = tuple(_fit(example, anchors, ground.options.noise_like) for example in examples)
    match = np.zeros((len(examples), len(ground.day)), np.float32)
    for i, (example, said) in enumerate(zip(examples, coefficients, strict=True)):
        if len(said):
            match[i] = _blend(example, said, anchors, ground)
    return Learned(tuple(examples), coefficients, anchors, match)


def _fit(example: Examples, anchors: Anchors, noise: float) -> Floats:
    """How much each of the reader's rated papers speaks: the posterior's coefficients, (rated,)."""
    own = anchors.among(anchors.place(example.rows))
    own[np.diag_indices(len(own))] += noise
    return np.asarray(np.linalg.solve(own, example.labels), dtype=np.float32)


def _blend(example: Examples, said: Floats, anchors: Anchors, ground: Ground) -> Floats:
    """Learned and plain match of the day's papers, mixed by `trust`, (n,).

    Both in standard deviations among the papers that the reader did not rate: a library imported into a small archive
    would else make itself the usual.
    """
    at = anchors.place(example.rows)
    signs, others = example.labels / len(at), ~np.isin(ground.field, example.rated)
    learned = standardise(anchors.kernel[:, at] @ said, others)
    means = (np.asarray(cosine[:, at] @ signs, dtype=np.float32) for cosine in (anchors.dense, anchors.shared))
    plain = standardise(np.sum([standardise(mean, others) for mean in means], axis=0, dtype=np.float32), others)
    share = trust(example)
    return np.asarray((share * learned + (1 - share) * plain)[: len(ground.day)], dtype=np.float32)
