"""What everyone reads: votes relative to the day, and, before there are votes, what a paper's text predicts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np

from newsletter.model import Momentum, Paper
from newsletter.ranking.features import Floats, terms
from newsletter.ranking.votes import FACTS, LEVEL, OFFSET, WORDS
from newsletter.text import paper_text

_FEWEST = 20  # archive papers with votes below which nothing is learned from them
_RIDGE = 30.0
_USUAL_SPREAD = 0.7  # of ln(1 + votes) within a day; what is only predicted spreads less, and so counts for less
_USUAL_AGE = 2  # days from appearing to being listed


def attention(papers: Sequence[Paper]) -> Floats:
    """Votes and what counts like votes, per paper; NaN where the source told nothing, (n,)."""
    return np.array([_attention(p) for p in papers], np.float32)


def _attention(paper: Paper) -> float:
    told = [None if count is None or np.isnan(count) else max(float(count), 0.0) for count in _counts(paper)]
    if all(count is None for count in told):
        return float("nan")
    votes, comments, stars = (count or 0.0 for count in told)
    return votes + 0.1 * comments + 0.1 * float(np.sqrt(stars))


def _counts(paper: Paper) -> tuple[int | None, int | None, int | None]:
    return paper.upvotes, paper.comments, paper.stars


def facts(papers: Sequence[Paper], today: date | None) -> Floats:
    """What is known of papers before any vote, but their words: authors, days out, length, code, (n, 4)."""
    rows = [(np.log1p(len(p.authors)), -np.log1p(_age(p, today)), len(p.abstract) / 1000, bool(p.code)) for p in papers]
    return np.array(rows, np.float32).reshape(len(papers), 4)


def _age(paper: Paper, today: date | None) -> int:
    return min(max((today - paper.published).days, 0), 60) if today and paper.published else _USUAL_AGE


def expected(papers: Sequence[Paper], vectors: Floats, before: Sequence[Paper], known: Floats, today: date) -> Floats:
    """ln(1 + votes) that each paper may expect before it has any, (n,).

    What daily lists of half a year taught (`votes`), corrected by what the archive's own votes (papers `before`,
    their vectors `known`) say of like papers: ridge regression of the rest on the vectors.
    """
    guess = _taught(papers, today)
    attracted = attention(before)
    told = np.isfinite(attracted)
    if told.sum() < _FEWEST:
        return guess
    rest = np.log1p(attracted[told]) - _taught([p for p, t in zip(before, told, strict=True) if t], None)
    x, level = known[told], rest.mean()
    centre = x.mean(axis=0)
    x = x - centre
    weights = np.linalg.solve(x.T @ x + _RIDGE * np.eye(x.shape[1], dtype=np.float32), x.T @ (rest - level))
    return np.asarray(guess + level + (vectors - centre) @ weights, dtype=np.float32)


def _taught(papers: Sequence[Paper], today: date | None) -> Floats:
    words = [sum(WORDS.get(t, 0.0) for t in frozenset(terms(paper_text(p)))) for p in papers]
    return np.asarray(LEVEL + OFFSET + facts(papers, today) @ np.array(FACTS, np.float32) + words, dtype=np.float32)


def trend(day: Sequence[Paper], guess: Floats, momentum: Sequence[Momentum | None], *, theme: float = 0.2) -> Floats:
    """How much everyone reads each paper, in deviations from the day's mean, (n,).

    ln(1 + votes), and `guess` where a source told none, or nobody voted yet; and `theme` times the log of the rate at
    which the paper's theme surely grows. Mixing the guess into votes that are there was tried and lost: on days of
    about ten hours' votes 0.8834 Spearman without, 0.880 with, and precision@5 0.836 against 0.829.
    """
    if not len(day):
        return np.zeros(0, np.float32)
    votes = attention(day)
    voted = np.isfinite(votes) & (np.nanmax(votes, initial=0) > 0)
    level = np.where(voted, np.log1p(np.nan_to_num(votes)), guess)
    level = level + theme * np.array([np.log(max(m.low, 1.0)) if m else 0.0 for m in momentum], np.float32)
    return np.asarray((level - level.mean()) / max(float(level.std()), _USUAL_SPREAD), dtype=np.float32)
