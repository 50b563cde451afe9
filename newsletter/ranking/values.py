"""The frozen values that ranking takes and gives; importing them loads nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from newsletter.model import Paper, Pick, Reason

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


LIGHTEST, HEAVIEST = 0.25, 4.0  # what an interest's weight is bounded to


@dataclass(frozen=True, slots=True)
class Corpus:
    """Papers with their vectors: row i of `vectors` (n, d), unit rows, belongs to ``papers[i]``."""

    papers: tuple[Paper, ...]
    vectors: NDArray[np.float32] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Options:
    """The one setting of the ranking, for every reader and every suite; the figures behind it stand in `fuse.py`.

    sparse_texts, sparse_papers: weight of the word cosine beside the dense cosine, text to paper and paper to paper;
    whole: weight of a whole interest beside its best sentence; others: weight of the mean over a reader's wishes
    beside the best one; background: at most so many archive papers stand for "any paper"; noise_background,
    noise_like: how far a background paper, or a liked one, may miss its label (variances); likes_most: the
    latest so many are learned from; feedback: weight of likeness to the `feedback_papers` nearest to a reader's likes
    beside likeness to the likes themselves; avoid: what is subtracted per deviation by which an avoided text matches
    better than any wish and than avoid_from; avoid_out: where that removes the paper;
    author, keyword: what a follow adds; fresh: what a paper of today has over an old one;
    cut: best match below which a paper is no pick; diversity: weight of likeness in MMR (0: none);
    theme_share: the largest share of a letter from one theme, but for papers that are by more than theme_toll the
    better ones; trending_apart: at most so many beyond the interests.
    """

    sparse_texts: float = 2.0
    sparse_papers: float = 1.0
    whole: float = 1.0
    others: float = 0.3
    background: int = 2000
    noise_background: float = 10.0
    noise_like: float = 1.0
    likes_most: int = 500
    feedback: float = 1.0
    feedback_papers: int = 40
    avoid: float = 1.0
    avoid_from: float = 1.0
    avoid_out: float = 3.0
    author: float = 2.0
    keyword: float = 1.0
    fresh: float = 0.1
    cut: float = 2.0
    diversity: float = 0.25
    theme_share: float = 0.4
    theme_toll: float = 1.0
    trending_apart: int = 3
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Explanation:
    """The whole sum for one paper and one reader, chosen or not.

    `parts` sum to `score`; `queries` are what each interest and the likes gave; `why_not` is empty for a pick.
    """

    paper: Paper
    score: float
    parts: Mapping[str, float]
    queries: Mapping[str, float]
    reasons: tuple[Reason, ...]
    pick: Pick | None
    why_not: tuple[str, ...]
