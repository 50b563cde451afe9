"""The ground that every reader's scores stand on: the day's papers, and archive papers that stand for "any paper"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from newsletter.ranking.features import Floats, Index, Rows, rarity, weigh
from newsletter.ranking.values import Options

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Encode = Callable[[Sequence[str]], Floats]


@dataclass(frozen=True)
class Ground:
    """Arrays shared by all readers of one edition.

    Rows of `index`: `day` (n), `field` = day then archive papers (f), the population by which every signal is
    standardised, `background` (m) a sample of the field. `sparse` are all rows' TF-IDF; the rarity `idf` of a word is
    the day's and archive's.
    """

    index: Index
    day: Rows
    background: Rows
    field: Rows
    idf: Floats
    sparse: csr_matrix
    options: Options

    def kernel(self, a: Rows, b: Rows) -> Floats:
        """Similarity of papers `a` to papers `b`: dense cosine and word cosine side by side, (len(a), len(b))."""
        dense = self.index.vectors[a] @ self.index.vectors[b].T
        shared = (self.sparse[a] @ self.sparse[b].T).toarray()
        return np.asarray(dense + self.options.sparse_kernel * shared, dtype=np.float32)

    @cached_property
    def near(self) -> Floats:
        """Similarity of the field to the background, (f, m)."""
        return self.kernel(self.field, self.background)

    @cached_property
    def factor(self) -> Floats:
        """Cholesky factor of the background's similarities with their noise, (m, m), lower."""
        own = self.kernel(self.background, self.background)
        own[np.diag_indices(len(own))] += self.options.noise_background
        return np.asarray(np.linalg.cholesky(own), dtype=np.float32)


def lay(index: Index, day: Rows, archive: Rows, options: Options) -> Ground:
    """Prepare what does not depend on readers. `archive` may hold `day`'s papers: each counts once."""
    rest = np.setdiff1d(archive, day)
    rng = np.random.default_rng(options.seed)
    known = rng.choice(rest, min(len(rest), options.background), replace=False)
    field = np.concatenate([day, known])
    background = rng.choice(field, min(len(field), options.background), replace=False)
    idf = rarity(index.counts[np.concatenate([day, rest])])
    return Ground(index, day, background, field, idf, weigh(index.counts, idf), options)


def standardise(values: Floats, least: float = 1e-6) -> Floats:
    """Each row in standard deviations from its mean over the field; `least` is the smallest deviation believed."""
    if not values.shape[-1]:
        return values
    centred = values - values.mean(axis=-1, keepdims=True)
    return np.asarray(centred / np.maximum(values.std(axis=-1, keepdims=True), least), dtype=np.float32)
