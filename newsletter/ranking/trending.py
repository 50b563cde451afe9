"""What everyone reads: votes relative to the day, and, before there are votes, what a paper's text predicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from newsletter.model import Momentum, Paper
from newsletter.ranking.features import Floats, words
from newsletter.ranking.votes import FACTS, LEVEL, OFFSET, WORDS
from newsletter.text import paper_text

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_FEWEST = 20  # archive papers with votes below which nothing is learned from them
# how much papers that are alike, or share all authors, vary together, in variances of a single paper: chosen on half a
# year of daily lists (each day predicted from the 60 before) and on the suite; without the second the days of the lists
# have a Spearman of .329 rather than .376, and the suite's days .396 rather than .407
_ALIKE, _SHARED = 0.03, 0.3
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
    their vectors `known`) say of papers that are alike or share authors: a Gaussian process over the rest.
    """
    guess = _taught(papers, today)
    attracted = attention(before)
    counted = np.isfinite(attracted)
    if counted.sum() < _FEWEST or not attracted[counted].any():
        return guess
    voted = [p for p, c in zip(before, counted, strict=True) if c]
    rest = np.log1p(attracted[counted]) - _taught(voted, None)
    centre = known[counted].mean(axis=0)
    x, together = known[counted] - centre, _together([*voted, *papers])
    own = _ALIKE * x @ x.T + _SHARED * together[: len(voted), : len(voted)].toarray()
    across = _ALIKE * (vectors - centre) @ x.T + _SHARED * together[len(voted) :, : len(voted)].toarray()
    own[np.diag_indices(len(own))] += 1
    return np.asarray(guess + rest.mean() + across @ np.linalg.solve(own, rest - rest.mean()), dtype=np.float32)


def _together(papers: Sequence[Paper]) -> csr_matrix:
    """The share of authors that papers have in common: the cosine of their lists of authors, (papers, papers)."""
    from scipy.sparse import csr_matrix

    number: dict[str, int] = {}
    authors = [[number.setdefault(name, len(number)) for name in dict.fromkeys(p.authors)] for p in papers]
    columns = np.array([a for some in authors for a in some], np.int64)
    values = np.array([len(some) ** -0.5 for some in authors for _ in some], np.float32)
    ends = np.cumsum([0, *map(len, authors)])
    wrote = csr_matrix((values, columns, ends), shape=(len(papers), max(len(number), 1)))
    return wrote @ wrote.T


def _taught(papers: Sequence[Paper], today: date | None) -> Floats:
    said = [sum(n * WORDS.get(word, 0.0) for word, n in told(paper_text(p)).items()) for p in papers]
    return np.asarray(LEVEL + OFFSET + facts(papers, today) @ np.array(FACTS, np.float32) + said, dtype=np.float32)


def told(text: str) -> dict[str, float]:
    """How much each of the text's words counts for its votes: 1 + ln(how often), over the root of their number."""
    counted = Counter(word for word in words(text) if word.isalpha())
    return {word: (1 + float(np.log(n))) / len(counted) ** 0.5 for word, n in counted.items()}


def trend(day: Sequence[Paper], guess: Floats, momentum: Sequence[Momentum | None], *, theme: float = 0.2) -> Floats:
    """How much everyone reads each paper, in deviations from the day's mean, (n,).

    ln(1 + votes), and `guess` where a source told none, or nobody voted yet; and `theme` times the log of the rate at
    which the paper's theme surely grows. Mixing the guess into votes that are there was tried and lost: on days of
    about ten hours' votes precision@5 is 0.8364 without, 0.8327 or less with it, whatever the share.
    """
    if not len(day):
        return np.zeros(0, np.float32)
    votes = attention(day)
    voted = np.isfinite(votes) & (np.nanmax(votes, initial=0) > 0)
    level = np.where(voted, np.log1p(np.nan_to_num(votes)), guess)
    level = level + theme * np.array([np.log(max(m.low, 1.0)) if m else 0.0 for m in momentum], np.float32)
    return np.asarray((level - level.mean()) / max(float(level.std()), _USUAL_SPREAD), dtype=np.float32)
