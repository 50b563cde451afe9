"""The map of an edition's window, made while the edition is: a page must not wait for UMAP."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from newsletter import themes
from newsletter.letter.summary import summarise
from newsletter.model import ArchivedPaper, Edition, KnownTheme
from newsletter.store import maps
from newsletter.text import readable
from newsletter.themes.map import arranged

__all__ = ["MOST", "draw_map"]

MOST = 2000  # papers on a map; more can be neither seen nor drawn as vectors in a page of sane size


def draw_map(
    edition: Edition, window: Sequence[ArchivedPaper], vectors: NDArray[np.float32], known: Sequence[KnownTheme],
    before: maps.ThemeMap | None, *, seed: int, window_days: int,
) -> maps.ThemeMap:  # fmt: skip
    """The window's papers, or MOST of them, each near where it was on the map `before`, and all themes' momentum.

    vectors: (n, d), row i embeds window[i]; `known` are the themes as the edition's day left them.
    """
    rows = _shown(edition, window)
    shown = [window[i] for i in rows]
    places = {} if before is None else {point.paper: (point.x, point.y) for point in before.points}
    found = arranged(vectors[rows], [a.paper.id for a in shown], places, seed=seed)
    theme_of = {paper: theme.id for theme in known for paper in theme.papers}
    points = tuple(
        maps.Point(
            a.paper.id, readable(a.paper.title), theme_of.get(a.paper.id, ""), a.day, round(float(x), 3),
            round(float(y), 3),
        )
        for a, (x, y) in zip(shown, found, strict=True)
    )  # fmt: skip
    everything = [archived.paper.id for archived in window]
    alive = themes.gathered_themes(window, vectors, known, everything, day=edition.day, window_days=window_days)
    summaries = {paper.id: summarise(paper.title, paper.abstract) for paper in edition.papers}
    return maps.ThemeMap(edition.id, edition.day, len(window), points, alive, summaries)


def _shown(edition: Edition, window: Sequence[ArchivedPaper]) -> list[int]:
    """Rows of the window: the edition's own papers first, then the others by a lot that is the same every day."""
    if len(window) <= MOST:
        return list(range(len(window)))
    own = {paper.id for paper in edition.papers}

    def lot(row: int) -> tuple[bool, bytes]:
        paper = window[row].paper.id
        return paper not in own, hashlib.sha256(paper.encode("utf-8", "replace")).digest()

    return sorted(sorted(range(len(window)), key=lot)[:MOST])
