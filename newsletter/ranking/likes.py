"""Learning from liked and disliked papers: one Gaussian process for all readers over the ground's background.

Background papers carry label 0 with a large noise, liked papers 1, disliked -1 (Rasmussen and Williams 2006, ch. 2,
least-squares classification in 6.5). With a few likes the posterior mean is nearly their mean similarity, less what
any paper has in common with them; with many it is a linear classifier on dense and sparse features side by
side. The background is solved once for everybody, so that a reader costs one small system.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from newsletter.ranking.features import Floats, Rows
from newsletter.ranking.ground import Ground, standardise


@dataclass(frozen=True, slots=True)
class Examples:
    """One reader's rated papers: rows of the index, and +1 for a like, -1 for a dislike."""

    rows: Rows
    labels: Floats


@dataclass(frozen=True, slots=True)
class Anchors:
    """Every paper that any reader rated. `place` finds an index row; `field` is (field, rated): the kernel between
    them once the background is known; `background` (m, rated) and `solved` (m, rated) are what that takes away."""

    rows: Rows
    field: Floats
    background: Floats
    solved: Floats

    def place(self, rows: Rows) -> Rows:
        """Where the index `rows` stand among the anchors."""
        return np.searchsorted(self.rows, rows)


def anchor(examples: Sequence[Examples], ground: Ground) -> Anchors:
    """Solve the background for every rated paper at once."""
    from scipy.linalg import cho_solve

    rows = np.unique(np.concatenate([e.rows for e in examples])) if examples else np.zeros(0, np.int64)
    background = ground.kernel(ground.background, rows)
    solved = cho_solve((ground.factor, True), background, check_finite=False) if background.size else background
    field = ground.kernel(ground.field, rows) - ground.near @ solved
    return Anchors(rows, field, background, np.asarray(solved, dtype=np.float32))


@dataclass(frozen=True, slots=True)
class Learned:
    """What each reader's examples taught: `examples`, their `coefficients`, and `match` (readers, field), the
    standardised posterior mean of each paper of the field."""

    examples: tuple[Examples, ...]
    coefficients: tuple[Floats, ...]
    anchors: Anchors
    match: Floats

    def nearest(self, reader: int, paper: int) -> int:
        """The index row of the like that adds most to the match of the field's `paper`."""
        example = self.examples[reader]
        added = self.anchors.field[paper, self.anchors.place(example.rows)] * self.coefficients[reader]
        return int(example.rows[int(np.where(example.labels > 0, added, -np.inf).argmax())])


def learn(examples: Sequence[Examples], ground: Ground) -> Learned:
    """Fit every reader's model and apply it to the field."""
    anchors = anchor(examples, ground)
    coefficients = tuple(_fit(example, anchors, ground) for example in examples)
    raw = np.zeros((len(examples), len(ground.field)), np.float32)
    for i, (example, said) in enumerate(zip(examples, coefficients, strict=True)):
        if len(said):
            raw[i] = anchors.field[:, anchors.place(example.rows)] @ said
    return Learned(tuple(examples), coefficients, anchors, standardise(raw))


def _fit(example: Examples, anchors: Anchors, ground: Ground) -> Floats:
    """How much each of the reader's rated papers speaks: the posterior's coefficients, (rated,)."""
    at = anchors.place(example.rows)
    own = ground.kernel(example.rows, example.rows) - anchors.background[:, at].T @ anchors.solved[:, at]
    own[np.diag_indices(len(at))] += ground.options.noise_like
    return np.asarray(np.linalg.solve(own, example.labels), dtype=np.float32)
