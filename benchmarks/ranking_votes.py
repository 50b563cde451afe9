"""Fit what a paper's words, authors and age tell about its votes, from digests with counts.

usage: python benchmarks/ranking_votes.py FOLDER_OF_HUGGINGFACE_DIGESTS > newsletter/ranking/votes.py
Ridge regression of ln(1 + upvotes), less its day's mean; the words that explain most are kept and fitted again.
"""

from __future__ import annotations

import sys
from collections import Counter
from datetime import date
from pathlib import Path

import numpy as np

from newsletter.model import Paper
from newsletter.ranking.features import terms
from newsletter.ranking.trending import facts
from newsletter.sources import read_path
from newsletter.text import paper_text

_RIDGE, _KEPT, _LEAST = 300.0, 600, 10


def main(folder: Path) -> None:
    days = [(d.day, p) for d in read_path(folder, day=None, today=date(2025, 6, 30)) for p in d.papers]
    voted = [(day, p) for day, p in days if p.upvotes is not None and p.abstract]
    y = np.log1p([float(p.upvotes or 0) for _, p in voted])
    at = np.array([day.toordinal() for day, _ in voted])
    level = y.mean()
    for day in np.unique(at):
        y[at == day] -= y[at == day].mean()
    known = np.vstack([facts([p], day) for day, p in voted])
    words = [_words(p) for _, p in voted]
    counts = Counter(w for ws in words for w in ws)
    vocabulary = sorted(w for w, n in counts.items() if n >= _LEAST)
    weights, table = _fit(words, vocabulary, known, y)
    strength = np.abs(weights[: len(vocabulary)]) * table[:, : len(vocabulary)].std(axis=0)
    kept = sorted(vocabulary[i] for i in np.argsort(-strength)[:_KEPT])
    weights, table = _fit(words, kept, known, y)
    _print(kept, weights, table.mean(axis=0), float(level), len(voted))


def _words(paper: Paper) -> frozenset[str]:
    return frozenset(t for t in terms(paper_text(paper)) if " " not in t and t.isalpha())


def _fit(words, vocabulary, known, y):
    table = np.hstack([np.array([[w in ws for w in vocabulary] for ws in words], float), known])
    x = table - table.mean(axis=0)
    return np.linalg.solve(x.T @ x + _RIDGE * np.eye(x.shape[1]), x.T @ (y - y.mean())), table


def _print(kept, weights, means, level, papers) -> None:
    by = "written by benchmarks/ranking_votes.py"
    print(f'"""What {papers:,} papers of daily lists taught about votes; {by}."""')
    print("\nLEVEL =", round(level, 3), " # mean of ln(1 + upvotes)")
    n = len(kept)
    print("OFFSET =", round(-float(weights @ means), 3), " # so that the average paper gets 0")
    print("FACTS =", tuple(round(float(w), 4) for w in weights[n:]))
    print("# fmt: off\nWORDS = {")
    line = "   "
    for word, weight in zip(kept, weights[:n], strict=True):
        item = f' "{word}": {round(float(weight), 3)},'
        if len(line) + len(item) > 118:
            print(line)
            line = "   "
        line += item
    print(line + "\n}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
