"""What everyone reads: votes relative to the day, and, before there are votes, what a paper's text predicts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from newsletter.model import Momentum, Paper
from newsletter.ranking.features import Floats

_FEWEST = 20  # archive papers with votes below which nothing is learned from them


def attention(papers: Sequence[Paper]) -> Floats:
    """Votes and what counts like votes, per paper; NaN where the source told nothing, (n,)."""
    return np.array([_attention(p) for p in papers], np.float32)


def _attention(paper: Paper) -> float:
    told = [None if count is None or np.isnan(count) else max(float(count), 0.0) for count in _counts(paper)]
    if all(count is None for count in told):
        return float("nan")
    votes, comments, stars = (count or 0.0 for count in told)
    return votes + 0.5 * comments + 0.1 * float(np.sqrt(stars))


def _counts(paper: Paper) -> tuple[int | None, int | None, int | None]:
    return paper.upvotes, paper.comments, paper.stars


def traits(papers: Sequence[Paper], vectors: Floats) -> Floats:
    """What is known of a paper before any vote, (n, d + 4): its vector, authors, code, length, colon in the title."""
    facts = [(np.log1p(len(p.authors)), bool(p.code), np.log1p(len(p.abstract)) / 5, ":" in p.title) for p in papers]
    return np.hstack([vectors, np.array(facts, np.float32).reshape(len(papers), 4)])


def expected(day: Floats, archive: Floats, votes: Floats, *, ridge: float = 10.0) -> Floats:
    """ln(1 + votes) that the archive's own votes predict from traits, by ridge regression, (n,)."""
    seen = np.isfinite(votes)
    if seen.sum() < _FEWEST:
        return np.zeros(len(day), np.float32)
    y, x = np.log1p(votes[seen]), archive[seen]
    centre, level = x.mean(axis=0), y.mean()
    x = x - centre
    coefficients = np.linalg.solve(x.T @ x + ridge * np.eye(x.shape[1], dtype=np.float32), x.T @ (y - level))
    return np.asarray(level + (day - centre) @ coefficients, dtype=np.float32)


def trend(
    day: Sequence[Paper],
    guess: Floats,
    momentum: Sequence[Momentum | None],
    *,
    prior: float = 0.3,
    theme: float = 0.2,
) -> Floats:
    """How much everyone reads each paper, in deviations from the day's mean, (n,).

    ln(1 + votes + `prior` times the votes expected before any): a gamma prior on a Poisson rate, which votes outweigh
    as they come.
    """
    if not len(day):
        return np.zeros(0, np.float32)
    votes = np.nan_to_num(attention(day))
    level = np.log1p(votes + prior * np.expm1(np.clip(guess, 0, 10)))
    level = level + theme * np.array([np.log(max(m.low, 1.0)) if m else 0.0 for m in momentum], np.float32)
    spread = float(level.std())
    if spread < 1e-6:
        return np.zeros(len(day), np.float32)
    return np.asarray((level - level.mean()) / spread, dtype=np.float32)
