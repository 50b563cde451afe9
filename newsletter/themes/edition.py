"""The themes as the day's edition shows them: its own papers by theme, with momentum. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

import numpy as np

from newsletter.model import ArchivedPaper, KnownTheme, Theme
from newsletter.themes.momentum import momentum
from newsletter.themes.place import Labels, Vectors

MORE = "more"


def edition_themes(
    window: Sequence[ArchivedPaper],
    vectors: Vectors,
    labels: Labels,
    known: Sequence[KnownTheme],
    *,
    day: date,
    window_days: int,
    shown: Collection[str] | None = None,
) -> tuple[Theme, ...]:
    """The themes that hold papers of the day, largest first, "more" last; in each, nearest to the centroid first.

    labels: (n,) the row of `known` that each paper of the window belongs to, -1 for none. Histories reach back to the
    window's first paper, at most `window_days`. shown: ids of the papers to
    place, where they are others than the day's.
    """
    mine_today = [a.day == day if shown is None else a.paper.id in shown for a in window]
    today = np.array(mine_today, dtype=bool)
    # a young archive has no empty weeks behind it: its history starts with its first paper
    days = min(window_days, max(((day - archived.day).days + 1 for archived in window), default=1))
    ages = np.array([min(max((day - archived.day).days, 0), days - 1) for archived in window], dtype=np.int64)
    volume = _per_day(ages, days)
    themes = []
    for row, theme in enumerate(known):
        mine = np.flatnonzero(today & (labels == row))
        if len(mine):
            mine = mine[np.argsort(-(vectors[mine] @ np.array(theme.centroid)), kind="stable")]
            moves = momentum(_per_day(ages[labels == row], days), volume)
            themes.append(Theme(theme.id, theme.label, theme.keywords, _ids(window, mine), moves))
    themes.sort(key=lambda theme: (-len(theme.papers), theme.label))
    rest = np.flatnonzero(today & (labels < 0))
    if len(rest):
        moves = momentum(_per_day(ages[labels < 0], days), volume)
        themes.append(Theme(MORE, "More papers" if themes else "Papers", (), _ids(window, rest), moves))
    return tuple(themes)


def gathered_themes(
    window: Sequence[ArchivedPaper],
    vectors: Vectors,
    known: Sequence[KnownTheme],
    papers: Collection[str],
    *,
    day: date,
    window_days: int,
) -> tuple[Theme, ...]:
    """The themes of `day` with those of their papers that `papers` names, whichever day of the window they are of.

    For letters that gather several days: `known` are the themes as they were remembered on `day`.
    """
    row_of = {paper: row for row, theme in enumerate(known) for paper in theme.papers}
    labels = np.array([row_of.get(archived.paper.id, -1) for archived in window], dtype=np.int64)
    return edition_themes(window, vectors, labels, known, day=day, window_days=window_days, shown=frozenset(papers))


def _per_day(ages: Labels, days: int) -> list[int]:
    counts: list[int] = np.bincount(ages, minlength=days)[::-1].tolist()
    return counts


def _ids(window: Sequence[ArchivedPaper], rows: Labels) -> tuple[str, ...]:
    return tuple(window[i].paper.id for i in rows.tolist())
