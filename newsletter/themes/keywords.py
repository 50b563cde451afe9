"""Words that describe a theme: strong by c-TF-IDF, met together in the same papers, no two of one stem. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from newsletter.themes.fit import WORD, Topics
from newsletter.themes.phrases import singular

COUNT = 10
POOL = 80
COMMON = 0.1  # least share of a theme's papers that say a keyword, so that one paper's pet name is none


def keywords(
    weights: NDArray[np.float64], vocabulary: Sequence[str], presence: NDArray[np.bool_], count: int = COUNT
) -> tuple[str, ...]:
    """Up to `count` words, best first.

    weights: (w,) c-TF-IDF of one theme. vocabulary: (w,) words. presence: (papers, w), whether a paper has the word.
    """
    together = npmi(presence)
    pool = [int(i) for i in np.argsort(-weights, kind="stable") if weights[i] > 0]
    chosen: list[int] = []
    stems: set[str] = set()
    while pool and len(chosen) < count:
        best = max(pool, key=lambda i: (weights[i] / weights.max() + (together[i, chosen].mean() if chosen else 0), -i))
        pool.remove(best)
        if (stem := singular(vocabulary[best])) not in stems:
            chosen.append(best)
            stems.add(stem)
    return tuple(vocabulary[i] for i in chosen)


def npmi(presence: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(w, w) normalised pointwise mutual information of two words in one paper, -1 for never (Bouma, 2009)."""
    together = presence.T.astype(np.float64) @ presence.astype(np.float64) / max(1, len(presence))
    alone = np.diag(together)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.log(together / np.outer(alone, alone)) / -np.log(together)
    return np.where(together <= 0, -1.0, np.where(together >= 1, 1.0, values))


def describe(texts: Sequence[str], topics: Topics) -> list[tuple[str, ...]]:
    """Keywords of each group, best first, from its strongest words by c-TF-IDF."""
    from sklearn.feature_extraction.text import CountVectorizer

    pools = [np.argsort(-weights, kind="stable")[:POOL] for weights in topics.weights]
    if not pools:
        return []
    columns = np.unique(np.concatenate(pools))
    counter = CountVectorizer(vocabulary=[topics.vocabulary[i] for i in columns], binary=True, token_pattern=WORD)
    presence = counter.transform(texts).tocsc()
    out = []
    for group, (pool, weights) in enumerate(zip(pools, topics.weights, strict=True)):
        here = presence[:, np.searchsorted(columns, pool)].toarray().astype(bool)
        kept = _common(here[topics.labels == group])
        out.append(keywords(weights[pool][kept], [topics.vocabulary[i] for i in pool[kept]], here[:, kept]))
    return out


def _common(inside: NDArray[np.bool_]) -> NDArray[np.intp]:
    """The columns of words that enough of a theme's papers say; all of them where few are."""
    said = inside.sum(axis=0)
    common = np.flatnonzero(said >= max(min(2, len(inside)), COMMON * len(inside)))
    return common if len(common) >= COUNT else np.arange(inside.shape[1])
