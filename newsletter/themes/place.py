"""Where each paper belongs, by geometry alone: centroids, outliers, the floor below which it fits nowhere. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Labels = NDArray[np.int64]

NOWHERE = -1
NOISE = 1e-5  # what is left of two equal unit rows in float32 is below 1e-6


def unit(rows: NDArray[np.floating]) -> Vectors:
    """Rows scaled to length one; a row of zeros, or of rounding errors alone (texts that are all alike), is zero."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.where(norms > NOISE, rows / np.maximum(norms, NOISE), 0).astype(np.float32)


def centre(vectors: Vectors) -> Vectors:
    """Unit rows with the mean of all removed: what tells these papers apart, and not what they share."""
    return unit(vectors - vectors.mean(axis=0, keepdims=True)) if len(vectors) else vectors


def centroids(vectors: Vectors, labels: Labels, count: int) -> Vectors:
    """(count, d) unit means of the papers labelled 0 to count - 1; an empty group has a row of zeros."""
    sums = np.zeros((count, vectors.shape[1]), dtype=np.float64)
    placed = labels >= 0
    np.add.at(sums, labels[placed], vectors[placed])
    return unit(sums)


def compact(labels: Labels) -> Labels:
    """The same groups numbered from 0 without gaps, in order of their old numbers."""
    _, numbers = np.unique(labels[labels >= 0], return_inverse=True)
    out = np.full(len(labels), NOWHERE, dtype=np.int64)
    out[labels >= 0] = numbers
    return out


def dissolve(labels: Labels, least: int) -> Labels:
    """Groups of fewer than `least` papers become outliers."""
    sizes = np.bincount(labels[labels >= 0], minlength=1)
    small = np.flatnonzero(sizes < least)
    return compact(np.where(np.isin(labels, small), NOWHERE, labels))


def coherence(vectors: Vectors, labels: Labels) -> NDArray[np.float64]:
    """For each group the mean cosine of its papers to the centroid of its other papers."""
    own, cosines = _with_others(vectors, labels)
    count = int(labels.max(initial=NOWHERE)) + 1
    return np.bincount(own, weights=cosines, minlength=count) / np.maximum(np.bincount(own, minlength=count), 1)


def _with_others(vectors: Vectors, labels: Labels) -> tuple[Labels, NDArray[np.float64]]:
    """The groups of the placed papers, and their cosines to the centroids of those groups' other papers."""
    placed = labels >= 0
    rows, own = vectors[placed].astype(np.float64), labels[placed]
    sums = np.zeros((int(labels.max(initial=NOWHERE)) + 1, vectors.shape[1]))
    np.add.at(sums, own, rows)
    return own, np.einsum("ij,ij->i", rows, unit(sums[own] - rows))


def loosen(vectors: Vectors, labels: Labels, share: float) -> Labels:
    """Groups whose coherence is below `share` of the median group's become outliers: leftovers, not a theme."""
    if labels.max(initial=NOWHERE) < 0:
        return labels
    tight = coherence(vectors, labels)
    return compact(np.where(np.isin(labels, np.flatnonzero(tight < share * np.median(tight))), NOWHERE, labels))


def floor(vectors: Vectors, labels: Labels, share: float) -> float:
    """`share` of the median cosine of placed papers to the centroid of their group's other papers; 1 without any."""
    _, cosines = _with_others(vectors, labels)
    return share * float(np.median(cosines)) if len(cosines) else 1.0


def sharpen(vectors: Vectors, labels: Labels, least: float, *, rounds: int = 8) -> Labels:
    """Every paper to the nearest centroid if its cosine to it is `least` or more, again and again (Lloyd, 1982)."""
    for _ in range(rounds):
        labels = compact(nearest(vectors, centroids(vectors, labels, int(labels.max(initial=NOWHERE)) + 1), least))
    return labels


def place(vectors: Vectors, labels: Labels, least: float, *, rounds: int = 2) -> Labels:
    """Outliers go to the nearest centroid if their cosine to it is `least` or more; centroids follow their papers.

    The papers that the clustering placed stay where they are. Each round starts from the outliers anew.
    """
    placed = labels
    for _ in range(rounds):
        if placed.max(initial=NOWHERE) < 0:
            return placed
        means = centroids(vectors, placed, int(placed.max()) + 1)
        placed = np.where(labels >= 0, labels, nearest(vectors, means, least))
    return placed


def nearest(vectors: Vectors, means: Vectors, least: float) -> Labels:
    """The row of `means` nearest to each vector by cosine, `NOWHERE` where that is below `least`."""
    if not len(means):
        return np.full(len(vectors), NOWHERE, dtype=np.int64)
    cosines = vectors @ means.T
    return np.where(cosines.max(axis=1) >= least, cosines.argmax(axis=1), NOWHERE)
