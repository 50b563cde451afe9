"""How well papers match texts in a reader's own words: interests, and what they want to avoid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from newsletter.ranking.features import Floats, weigh
from newsletter.ranking.ground import Encode, Ground, standardise

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


@dataclass(frozen=True, slots=True)
class Queries:
    """Distinct texts as both kinds of features: `dense` (q, d) unit rows, `sparse` (q, terms) unit rows."""

    texts: tuple[str, ...]
    dense: Floats
    sparse: csr_matrix

    def at(self, rows: Sequence[int]) -> Queries:
        """The queries at `rows`, in that order."""
        chosen = np.asarray(rows, dtype=np.int64)
        return Queries(tuple(self.texts[i] for i in rows), self.dense[chosen], self.sparse[chosen])


def read(texts: Sequence[str], ground: Ground, encode: Encode) -> Queries:
    """Read `texts` once: encode them, and weigh their words by the ground's rarity."""
    if not texts:
        width = ground.index.vectors.shape[1]
        return Queries((), np.zeros((0, width), np.float32), ground.sparse[:0])
    dense = np.nan_to_num(np.asarray(encode(list(texts)), dtype=np.float32)).reshape(len(texts), -1)
    return Queries(tuple(texts), dense, weigh(ground.index.vectorizer.transform(texts).tocsr(), ground.idf))


def match(queries: Queries, ground: Ground) -> Floats:
    """Standardised match of each query with each paper of the field, (q, field): dense and word similarity, summed.

    Pseudo-relevance feedback (Rocchio 1971) adds the similarity to the archive papers that match best: it finds the
    words of the field that the reader did not write.
    """
    index, options = ground.index, ground.options
    if not len(queries.texts) or not len(ground.field):
        return np.zeros((len(queries.texts), len(ground.field)), np.float32)
    dense = queries.dense @ index.vectors[ground.field].T
    shared = (queries.sparse @ ground.sparse[ground.field].T).toarray()
    first = standardise(dense) + options.sparse * standardise(shared)
    if not options.feedback:
        return standardise(first)
    return standardise(first + options.feedback * standardise(_feedback(first, ground)))


def _feedback(first: Floats, ground: Ground) -> Floats:
    """Mean kernel of each paper of the field to each query's nearest background papers, (q, field)."""
    from scipy.sparse import csr_matrix

    place = np.full(len(ground.index.papers), -1)
    place[ground.field] = np.arange(len(ground.field))
    known = first[:, place[ground.background]]
    k = min(ground.options.nearest, known.shape[1])
    top = np.argpartition(-known, k - 1, axis=1)[:, :k]
    rows = np.repeat(np.arange(len(first)), k)
    chosen = csr_matrix((np.full(rows.size, 1 / k, np.float32), (rows, top.ravel())), shape=known.shape)
    return np.asarray(chosen @ ground.near.T, dtype=np.float32)
