"""Time and memory of ranking many readers on one day, with every signal in use.

usage: python benchmarks/ranking.py [--readers 1000 10000] [--papers 100] [--archive 1000]
Prints one JSON line per number of readers. The aim: 10,000 readers x 100 papers under 20 s on two cores and 1 GB, and
linear in readers. Papers are made up from a vocabulary with Zipf's frequencies.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from datetime import date, timedelta

import numpy as np

from newsletter.embedding import load
from newsletter.model import Interest, Momentum, Paper, Profile
from newsletter.ranking import Corpus, rank
from newsletter.text import paper_text

_TODAY = date(2025, 3, 13)
_VOCABULARY = 20_000


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--readers", type=int, nargs="+", default=[1_000, 10_000])
    options.add_argument("--papers", type=int, default=100)
    options.add_argument("--archive", type=int, default=1_000)
    options.add_argument("--here", action="store_true", help="measure in this process")
    asked = options.parse_args()
    for readers in asked.readers:
        if asked.here:
            print(json.dumps(measure(readers, asked.papers, asked.archive)))
        else:  # a process of its own each, so that the peak memory is that number's
            given = ["--here", "--readers", readers, "--papers", asked.papers, "--archive", asked.archive]
            subprocess.run([sys.executable, __file__, *map(str, given)], check=True)


def measure(readers: int, papers: int, archive: int) -> dict[str, float]:
    rng, embedder = np.random.default_rng(0), load()
    made = [_paper(rng, i) for i in range(archive + papers)]
    corpus = Corpus(tuple(made), embedder.encode([paper_text(p) for p in made]))
    day = Corpus(corpus.papers[archive:], corpus.vectors[archive:])
    themes = {p.id: f"t{i % 12}" for i, p in enumerate(made)}
    momentum = {f"t{i}": Momentum("steady", 1, 0.9, 1.1 + i / 10) for i in range(12)}
    profiles = [_profile(rng, made) for _ in range(readers)]
    seen = [frozenset(p.id for p in rng.choice(made, 20)) for _ in range(readers)]
    start, used = time.perf_counter(), time.process_time()
    given = {"encode": embedder.encode, "themes": themes, "momentum": momentum, "seen": seen, "today": _TODAY}
    picks = rank(profiles, day, corpus, **given)
    return {
        "readers": readers,
        "papers": papers,
        "archive": archive,
        "seconds": round(time.perf_counter() - start, 2),
        "processor_seconds": round(time.process_time() - used, 2),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "picks": sum(map(len, picks)),
    }


def _words(rng: np.random.Generator, n: int) -> str:
    return " ".join(f"w{i}x" for i in np.minimum(rng.zipf(1.3, n), _VOCABULARY))


def _paper(rng: np.random.Generator, i: int) -> Paper:
    authors = tuple(f"Author {k}" for k in rng.integers(0, 3_000, 5))
    published = _TODAY - timedelta(days=int(rng.integers(0, 60)))
    upvotes = int(rng.integers(0, 200))
    return Paper(f"arxiv:2503.{i:05d}", _words(rng, 9), _words(rng, 160), authors, published=published, upvotes=upvotes)


def _profile(rng: np.random.Generator, papers: list[Paper]) -> Profile:
    return Profile(
        interests=tuple(Interest(_words(rng, 6), float(rng.uniform(0.5, 2))) for _ in range(4)),
        avoid=(_words(rng, 4), _words(rng, 8)),
        likes=tuple(p.id for p in rng.choice(papers, 15, replace=False)),
        dislikes=tuple(p.id for p in rng.choice(papers, 3, replace=False)),
        follow_authors=tuple(f"Author {k}" for k in rng.integers(0, 3_000, 3)),
        follow_keywords=(_words(rng, 1),),
    )


if __name__ == "__main__":
    main()
