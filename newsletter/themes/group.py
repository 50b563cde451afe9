"""The window's papers to groups with numbers that live on: BERTopic's proposal, yesterday's themes, outliers placed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from newsletter.themes.carry import Change, carry
from newsletter.themes.fit import SMALL, Topics, can_tell, fit, least_size
from newsletter.themes.place import (
    NOWHERE,
    Labels,
    Vectors,
    centroids,
    compact,
    dissolve,
    floor,
    loosen,
    nearest,
    place,
    sharpen,
    unit,
)

SAMPLE = 8000  # papers that BERTopic learns on; the others go to the nearest centroid
LOOSE = 0.65  # of the median group's coherence, below which a group is leftovers
LOOSE_SMALL = 0.75  # the same in a small window, whose clustering leaves nothing out by itself
FLOOR = 0.5  # of the median cosine of clustered papers to their centroids, below which a paper fits nowhere
FLOOR_SMALL = 0.7  # the same in a small window


@dataclass(frozen=True, slots=True)
class Grouped:
    """topics: groups of all papers. numbers[g]: the known theme that group g is, or a number past them: new.

    changes: what happened, in terms of those numbers.
    """

    topics: Topics
    numbers: tuple[int, ...]
    changes: tuple[Change, ...]


def group(texts: Sequence[str], vectors: Vectors, before: Labels, known: int, *, seed: int) -> Grouped:
    """Groups of papers. texts, vectors (n, d) and before (n,) go together; before is the known theme, -1 for none.

    Papers without a vector (a row of zeros) fit nowhere. Fewer than three papers make no group.
    """
    rows = _sample(np.flatnonzero(vectors.any(axis=1)), seed)
    labels = np.full(len(texts), NOWHERE, dtype=np.int64)
    if len(rows) < 3 or not can_tell([texts[i] for i in rows.tolist()]):
        return Grouped(Topics(labels, (), np.zeros((0, 0))), (), ())
    some, own = vectors[rows], before[rows]
    shared = some.mean(axis=0)
    apart = unit(some - shared)
    happened: list[Change] = []
    numbers: list[int] = []
    bounds: list[float] = []

    def settle(found: Labels) -> Labels:
        least = least_size(len(rows))
        loose, low = (LOOSE, FLOOR) if len(rows) >= SMALL else (LOOSE_SMALL, FLOOR_SMALL)
        core = loosen(some, dissolve(compact(found), least), loose)
        bounds.append(floor(apart, core, low))
        fresh = sharpen(apart, core, bounds[0])
        carried = carry(fresh, own, some, known, least)
        happened.extend(carried.changes)
        numbers.extend(np.unique(carried.labels[carried.labels >= 0]).tolist())
        return place(apart, compact(carried.labels), bounds[0])

    topics = fit([texts[i] for i in rows.tolist()], some, settle, seed=seed)
    labels[rows] = topics.labels
    rest = np.setdiff1d(np.flatnonzero(vectors.any(axis=1)), rows)
    if len(rest) and numbers:
        means = centroids(apart, topics.labels, len(numbers))
        labels[rest] = nearest(unit(vectors[rest] - shared), means, bounds[0])
        held = {number: g for g, number in enumerate(numbers)}
        stay = np.array([held.get(int(b), NOWHERE) for b in before[rest]], dtype=np.int64)
        labels[rest] = np.where(stay >= 0, stay, labels[rest])
    living = set(numbers)
    changes = tuple(c for c in happened if c.kind == "merged" or c.group in living)
    return Grouped(Topics(labels, topics.vocabulary, topics.weights), tuple(numbers), changes)


def _sample(rows: Labels, seed: int) -> Labels:
    if len(rows) <= SAMPLE:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, SAMPLE, replace=False))
