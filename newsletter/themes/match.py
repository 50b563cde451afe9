"""Which of today's groups is which known theme. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from newsletter.themes.place import Vectors

SAME = 0.5  # of the mean of shared papers and centroids' cosine, below which two groups are two themes


def likeness(
    members: Sequence[frozenset[str]], means: Vectors, known: Sequence[frozenset[str]], known_means: Vectors
) -> NDArray[np.float64]:
    """(groups, known): how much a group and a known theme are one: the mean of the Jaccard index of their papers in
    both windows and their centroids' cosine. A known theme without a comparable centroid (a row of zeros) counts by
    papers alone."""
    shared = np.array([[jaccard(a, b) for b in known] for a in members]).reshape(len(members), len(known))
    cosines = np.clip(means @ known_means.T, 0, 1) if len(members) and len(known) else np.zeros(shared.shape)
    comparable = np.linalg.norm(known_means, axis=1) > 0
    return np.where(comparable[None, :], (shared + cosines) / 2, shared).astype(np.float64)


def jaccard(a: frozenset[str], b: frozenset[str]) -> float:
    """Size of the intersection over size of the union; 0 for two empty sets."""
    return len(a & b) / len(a | b) if a or b else 0.0


def pair(scores: NDArray[np.float64], least: float = SAME) -> dict[int, int]:
    """{row: column} of the assignment with the greatest total, without pairs under `least` (Kuhn, 1955)."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(-scores)
    return {int(r): int(c) for r, c in zip(rows, columns, strict=True) if scores[r, c] >= least}
