"""The frozen values that ranking takes and gives; importing them loads nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from newsletter.model import Paper, Pick, Reason

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Corpus:
    """Papers with their vectors: row i of `vectors` (n, d), unit rows, belongs to ``papers[i]``."""

    papers: tuple[Paper, ...]
    vectors: NDArray[np.float32] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Options:
    """The one setting of the ranking for every reader and every suite; figures stand in docs beside `fuse.py`.

    sparse: weight of word similarity beside dense similarity, as standardised sums (interests);
    sparse_kernel: the same between papers, as cosines (likes, feedback);
    feedback, nearest: weight and number of the archive's nearest papers that sharpen an interest text;
    best: how much a paper's best interest outweighs its others: the power of the norm over them;
    background: at most so many archive papers stand for "any paper"; noise_background, noise_like: how far a
    background paper, or a liked one, may miss its label (variances of the Gaussian process);
    avoid: how much of an avoided text's match is subtracted; avoid_from, avoid_out: where that starts, and where the
    paper is removed (standard deviations above the archive's mean);
    author, keyword: what a follow adds; fresh: what a paper of today has over an old one;
    cut: relevance below which a paper is no pick; diversity: MMR's weight of difference (0: none);
    theme_share: the largest share of a letter from one theme; trending_apart: at most so many beyond the interests.
    """

    sparse: float = 1.0
    sparse_kernel: float = 2.0
    feedback: float = 1.0
    nearest: int = 30
    best: float = 3.0
    background: int = 1500
    noise_background: float = 10.0
    noise_like: float = 0.3
    likes_most: int = 500
    avoid: float = 0.25
    avoid_from: float = 1.0
    avoid_out: float = 3.0
    author: float = 2.0
    keyword: float = 1.0
    fresh: float = 0.1
    cut: float = 1.0
    diversity: float = 0.25
    theme_share: float = 0.4
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
