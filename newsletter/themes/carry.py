"""How yesterday's themes live on in today's window: a fresh clustering proposes, the known themes decide. Pure.

A paper keeps its theme unless a fresh group suits it far better. A theme lives while enough of its papers are in the
window. A fresh group that is no known theme is born if it is worth telling apart; a known theme that the clustering no
longer finds merges into the one that has taken its papers in, if it is no longer worth telling apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from newsletter.themes.place import NOWHERE, Labels, Vectors, centroids, unit

SAME = 0.3  # likeness below which a fresh group is not the known theme
SPLIT = 0.8  # worth from which a group is told apart; all worths in units of the papers' spread about their centroids
MERGE = 0.7  # worth below which a theme that the clustering lost is told apart no longer
MOVE = 1.0  # worth from which a paper leaves its theme


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to group `group`; `other` is the one it split from or merged into, -1 for none."""

    kind: Literal["born", "split", "merged"]
    group: int
    other: int = NOWHERE


@dataclass(frozen=True, slots=True)
class Carried:
    """labels: (n,) groups, the known themes by their number, new ones numbered on from there, -1 for none."""

    labels: Labels
    changes: tuple[Change, ...]


def carry(fresh: Labels, before: Labels, vectors: Vectors, known: int, least: int) -> Carried:
    """Today's groups, with yesterday's where they live on.

    fresh: (n,) groups of today's clustering, -1 for outliers. before: (n,) the known theme of each paper, 0 to
    known - 1, -1 for new papers and those that fitted nowhere. least: papers that make a theme; it dies below half.
    """
    labels = _alive(before, least)
    same = pair(fresh, labels, vectors, known)
    labels = _found(labels, set(same.values()), least)
    changes = list(_merged(labels, fresh, same, vectors))
    for change in changes:
        labels = np.where(labels == change.group, change.other, labels)
    labels, born = _born(labels, fresh, same, vectors, known=known, least=least)
    labels = _moved(labels, fresh, same, vectors)
    return Carried(_alive(labels, least), (*changes, *born))


def pair(fresh: Labels, before: Labels, vectors: Vectors, known: int) -> dict[int, int]:
    """{fresh group: known theme} of the assignment with the greatest total likeness (Kuhn, 1955), none under `SAME`.

    Likeness is the mean of the Jaccard index of the papers that were there before and the centroids' cosine.
    """
    from scipy.optimize import linear_sum_assignment

    groups = int(fresh.max(initial=NOWHERE)) + 1
    old = before >= 0
    table = np.zeros((groups, known))
    both = old & (fresh >= 0)
    np.add.at(table, (fresh[both], before[both]), 1)
    sizes = np.bincount(fresh[both], minlength=groups)[:, None] + np.bincount(before[old], minlength=known)[None, :]
    shared = table / np.maximum(sizes - table, 1)
    likeness = (shared + centroids(vectors, fresh, groups) @ centroids(vectors, before, known).T) / 2
    likeness = np.where(table > 0, likeness, 0.0)
    rows, columns = linear_sum_assignment(-likeness)
    return {int(r): int(c) for r, c in zip(rows, columns, strict=True) if likeness[r, c] >= SAME}


def worth(vectors: Vectors, inside: NDArray[np.bool_], rest: NDArray[np.bool_]) -> float:
    """How much better the papers `inside` suit each other than those of `rest`: the mean difference of their cosines to
    the two centroids, their own without themselves, so that a small group gains nothing from being small."""
    own, total = vectors[inside].astype(np.float64), vectors[inside].sum(axis=0, dtype=np.float64)
    with_others = np.einsum("ij,ij->i", own, unit(total - own))
    return float((with_others - own @ unit(vectors[rest].sum(axis=0, keepdims=True))[0]).mean())


def spread(vectors: Vectors, labels: Labels) -> float:
    """Standard deviation of the cosines of papers to their own centroids, the unit of every worth."""
    placed = labels >= 0
    if not placed.any():
        return 1.0
    means = centroids(vectors, labels, int(labels.max()) + 1)
    return float(np.einsum("ij,ij->i", vectors[placed], means[labels[placed]]).std()) or 1.0


def _alive(labels: Labels, least: int) -> Labels:
    sizes = np.bincount(labels[labels >= 0], minlength=1)
    return np.where(np.isin(labels, np.flatnonzero(sizes < max(2, (least + 1) // 2))), NOWHERE, labels)


def _found(labels: Labels, matched: set[int], least: int) -> Labels:
    """Without the themes that are small and that the clustering no longer finds."""
    sizes = np.bincount(labels[labels >= 0], minlength=1)
    faded = [theme for theme in np.flatnonzero(sizes < least).tolist() if theme not in matched]
    return np.where(np.isin(labels, faded), NOWHERE, labels)


def _merged(labels: Labels, fresh: Labels, same: dict[int, int], vectors: Vectors) -> Iterator[Change]:
    """Themes that no fresh group matches, whose papers mostly are in a group that matches another, hardly different."""
    unit_worth = spread(vectors, labels)
    for theme in sorted(set(labels[labels >= 0].tolist()) - set(same.values())):
        groups = fresh[labels == theme]
        host = int(np.bincount(groups[groups >= 0], minlength=1).argmax())
        if host in same and (groups == host).mean() > 0.5:
            other = same[host]
            if worth(vectors, labels == theme, labels == other) < MERGE * unit_worth:
                yield Change("merged", theme, other)


def _born(
    labels: Labels, fresh: Labels, same: dict[int, int], vectors: Vectors, *, known: int, least: int
) -> tuple[Labels, list[Change]]:
    """Fresh groups that are no known theme and worth telling apart from the theme their papers are in or nearest to."""
    changes: list[Change] = []
    unit_worth = spread(vectors, fresh)
    labels = labels.copy()
    for group in sorted(set(range(int(fresh.max(initial=NOWHERE)) + 1)) - set(same)):
        parent, inside = _parent(labels, fresh == group, vectors)
        rest = (labels == parent) & ~inside
        if inside.sum() < least or (rest.any() and worth(vectors, inside, rest) < SPLIT * unit_worth):
            continue
        number = known + len(changes)
        split = parent >= 0 and (labels[inside] == parent).mean() > 0.5
        labels[inside] = number
        changes.append(Change("split", number, parent) if split else Change("born", number))
    return labels, changes


def _parent(labels: Labels, inside: NDArray[np.bool_], vectors: Vectors) -> tuple[int, NDArray[np.bool_]]:
    """The theme to tell a group apart from, and those of the group that may leave: in no theme, or in that one.

    It is the theme that most of the group's papers are in, else the one whose centroid is nearest to the group's.
    """
    count = int(labels.max(initial=NOWHERE)) + 1
    if not count:
        return NOWHERE, inside
    held = np.bincount(labels[inside & (labels >= 0)], minlength=count)
    parent = int(held.argmax())
    if held[parent] * 2 <= inside.sum():
        parent = int((centroids(vectors, labels, count) @ vectors[inside].mean(axis=0)).argmax())
    return parent, inside & ((labels == NOWHERE) | (labels == parent))


def _moved(labels: Labels, fresh: Labels, same: dict[int, int], vectors: Vectors) -> Labels:
    """Papers in a fresh group that is another known theme go there if they suit it far better."""
    if not same or labels.max(initial=NOWHERE) < 0:
        return labels
    means = centroids(vectors, labels, int(labels.max()) + 1)
    target = np.array([same.get(g, NOWHERE) for g in range(int(fresh.max()) + 1)] + [NOWHERE])[fresh]
    rows = np.flatnonzero((labels >= 0) & (target >= 0) & (target != labels))
    gain = np.einsum("ij,ij->i", vectors[rows], means[target[rows]] - means[labels[rows]])
    rows = rows[gain >= MOVE * spread(vectors, labels)]
    out = labels.copy()
    out[rows] = target[rows]
    return out
