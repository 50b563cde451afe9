"""Themes over consecutive days: how many papers keep their theme, how often labels change, and what the editor sees.

usage: python benchmarks/themes_stream.py ../shared/digests/huggingface [--first 2025-02-26] [--days 41] [--list DAY]...
"""

from __future__ import annotations

import argparse
import time
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from newsletter.embedding import load
from newsletter.model import ArchivedPaper
from newsletter.sources import read_path
from newsletter.text import paper_text
from newsletter.themes import MORE, Learned, learn

WINDOW = 60


def archive(path: Path) -> list[ArchivedPaper]:
    """Every paper once, with its first day, oldest first."""
    first: dict[str, ArchivedPaper] = {}
    digests = sorted(read_path(path, day=None, today=date(2026, 1, 1)), key=lambda digest: digest.day)
    for digest in digests:
        for paper in digest.papers:
            first.setdefault(paper.id, ArchivedPaper(paper, digest.day))
    return sorted(first.values(), key=lambda archived: archived.day)


def show(learned: Learned, window: list[ArchivedPaper], day: date) -> None:
    title = {archived.paper.id: archived.paper.title for archived in window}
    print(f"\n{day}: {len(window)} papers in the window, {len(learned.known)} themes")
    for theme in learned.themes:
        print(f"  {theme.label}  [{', '.join(theme.keywords[:6])}]  {theme.momentum.trend}")
        for paper in theme.papers:
            print(f"      {title[paper]}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("path", type=Path)
    options.add_argument("--first", type=date.fromisoformat, default=date(2025, 2, 26))
    options.add_argument("--days", type=int, default=41)
    options.add_argument("--list", type=date.fromisoformat, action="append", default=[])
    given = options.parse_args()
    papers, model = archive(given.path), load("packaged")
    vectors = model.encode([paper_text(archived.paper) for archived in papers])
    days = sorted({archived.day for archived in papers if archived.day >= given.first})[: given.days]
    before: Learned | None = None
    kept: list[float] = []
    theme_days = renamed = 0
    seconds = []
    for day in days:
        rows = [i for i, a in enumerate(papers) if day - timedelta(days=WINDOW) < a.day <= day]
        window = [papers[i] for i in rows]
        start = time.perf_counter()
        known = before.known if before else ()
        learned = learn(
            window, vectors[rows], day, known, model=model.name, seed=1, window_days=WINDOW, encode=model.encode
        )
        seconds.append(time.perf_counter() - start)
        if before:
            both = learned.assignment.keys() & before.assignment.keys()
            kept.append(float(np.mean([learned.assignment[i] == before.assignment[i] for i in both])))
            labels = {theme.id: theme.label for theme in before.known}
            again = [theme for theme in learned.known if theme.id in labels]
            theme_days += len(again)
            renamed += sum(theme.label != labels[theme.id] for theme in again)
        if day in given.list:
            show(learned, window, day)
        more = sum(theme == MORE for theme in learned.assignment.values()) / len(window)
        print(
            f"{day} papers {len(window)} themes {len(learned.known)} more {more:.1%}",
            *(f"kept {k:.3f}" for k in kept[-1:]),
        )
        before = learned
    print(
        f"\npapers that keep their theme: mean {np.mean(kept):.4f}, worst day {min(kept):.4f}; "
        f"label changes per theme in ten days {10 * renamed / theme_days:.2f}; seconds a day {np.mean(seconds[1:]):.1f}"
    )


if __name__ == "__main__":
    main()
