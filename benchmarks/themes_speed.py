"""Themes, cold start and scale: seconds of imports, seconds of work, peak memory.

usage: python benchmarks/themes_speed.py text ../shared/digests         2025-03-13's text digest, 60 days of archive
       python benchmarks/themes_speed.py corpus ../shared/corpus 50000  that many papers as one window
"""

from __future__ import annotations

import time

START = time.perf_counter()

import gzip  # noqa: E402  the clock starts before the imports
import json  # noqa: E402
import resource  # noqa: E402
import sys  # noqa: E402
from datetime import date, timedelta  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402

from newsletter.embedding import load  # noqa: E402
from newsletter.model import ArchivedPaper, Paper  # noqa: E402
from newsletter.sources import read_path  # noqa: E402
from newsletter.text import paper_text  # noqa: E402
from newsletter.themes import learn  # noqa: E402
from newsletter.themes.fit import load_bertopic  # noqa: E402

DAY = date(2025, 3, 13)


def text_window(folder: Path) -> list[ArchivedPaper]:
    """The text digest of the day on top of 60 days of the daily papers lists."""
    found: dict[str, ArchivedPaper] = {}
    paths = [*sorted((folder / "huggingface").glob("*.json.gz")), folder / "text" / "2025-03-13.txt"]
    for path in paths:
        for digest in read_path(path, day=None, today=date(2026, 1, 1)):
            if DAY - timedelta(days=60) < digest.day <= DAY:
                for paper in digest.papers:
                    found.setdefault(paper.id, ArchivedPaper(paper, digest.day))
    return list(found.values())


def corpus_window(folder: Path, count: int) -> list[ArchivedPaper]:
    window: list[ArchivedPaper] = []
    for path in sorted(folder.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                paper = Paper(f"title:{len(window)}", row["title"], row["abstract"])
                window.append(ArchivedPaper(paper, DAY - timedelta(days=len(window) % 60)))
                if len(window) == count:
                    return window
    return window


def main() -> None:
    kind, folder = sys.argv[1], Path(sys.argv[2])
    window = text_window(folder) if kind == "text" else corpus_window(folder, int(sys.argv[3]))
    read = time.perf_counter()
    load_bertopic()
    import hdbscan  # noqa: F401  what learn imports besides, timed apart
    import sklearn.feature_extraction.text  # noqa: F401
    import umap  # noqa: F401

    imported = time.perf_counter()
    model = load("packaged")
    vectors = model.encode([paper_text(archived.paper) for archived in window])
    embedded, before = time.perf_counter(), time.process_time()
    learned = learn(window, np.asarray(vectors), DAY, (), model=model.name, seed=1, window_days=60, encode=model.encode)
    end, used = time.perf_counter(), time.process_time()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    today = sum(len(theme.papers) for theme in learned.themes)
    print(f"{len(window)} papers, {len(learned.known)} themes, {today} papers of the day, peak {memory:.2f} GiB")
    print(f"read {read - START:.1f} s, imports {imported - read:.1f} s, embed {embedded - imported:.1f} s, ", end="")
    print(f"themes {end - embedded:.1f} s, all {end - START:.1f} s; processor: {used - before:.1f} s of {used:.1f} s")


if __name__ == "__main__":
    main()
