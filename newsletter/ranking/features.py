"""Sparse features: words and two-word phrases of papers, counted once, weighted by the papers of the ground."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from newsletter.model import Paper
from newsletter.ranking.values import Corpus
from newsletter.text import paper_text

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import CountVectorizer

Rows = NDArray[np.int64]
Floats = NDArray[np.float32]
_WORD = re.compile(r"\b\w\w+\b")


def stem(word: str) -> str:
    """The S stemmer (Harman 1991): plural endings only, so that the word stays readable."""
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and not word.endswith(("eies", "aies")):
        return f"{word[:-3]}y"
    return word[:-1]


def surface(text: str) -> dict[str, str]:
    """Stemmed word -> the first form in which `text` writes it."""
    forms: dict[str, str] = {}
    for match in _WORD.finditer(text):
        forms.setdefault(stem(match[0].lower()), match[0])
    return forms


def terms(text: str) -> list[str]:
    """The words of `text`, lower case, stemmed, without stop words; then each two that follow each other."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    words = [stem(w) for w in _WORD.findall(text.lower()) if w not in ENGLISH_STOP_WORDS]
    return words + [f"{a} {b}" for a, b in pairwise(words)]


@dataclass(frozen=True, slots=True)
class Index:
    """Papers (each id once) with dense vectors (n, d) and term counts (n, terms); `row` finds a paper by its id."""

    papers: tuple[Paper, ...]
    row: Mapping[str, int]
    vectors: Floats
    counts: csr_matrix
    vectorizer: CountVectorizer

    def rows(self, papers: Sequence[Paper]) -> Rows:
        """The rows of `papers`, in their order."""
        return np.array([self.row[p.id] for p in papers], dtype=np.int64)


def index(*corpora: Corpus) -> Index:
    """Read every paper of `corpora` once; of an id that comes twice the first wins. A title's words count twice."""
    first: dict[str, tuple[Paper, Floats]] = {}
    for corpus in corpora:
        for paper, vector in zip(corpus.papers, corpus.vectors, strict=True):
            first.setdefault(paper.id, (paper, vector))
    papers = tuple(paper for paper, _ in first.values())
    vectors = np.array([vector for _, vector in first.values()], dtype=np.float32).reshape(len(papers), -1)
    row = {paper_id: i for i, paper_id in enumerate(first)}
    return Index(papers, row, np.nan_to_num(vectors), *_count([f"{p.title}. {paper_text(p)}" for p in papers]))


def _count(texts: Sequence[str]) -> tuple[csr_matrix, CountVectorizer]:
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import CountVectorizer

    # scikit-learn refuses an empty vocabulary: the extra text is there for papers without a single word
    vectorizer = CountVectorizer(analyzer=terms, dtype=np.float32)
    counts = vectorizer.fit_transform([*texts, "paper"])
    return csr_matrix(counts[:-1]), vectorizer


def rarity(counts: csr_matrix) -> Floats:
    """Smoothed inverse document frequency of each term (Robertson 2004): ln((1 + n) / (1 + papers with it)) + 1."""
    found = np.bincount(counts.indices, minlength=counts.shape[1])
    return np.asarray(np.log((1 + counts.shape[0]) / (1 + found)) + 1, dtype=np.float32)


def weigh(counts: csr_matrix, idf: Floats) -> csr_matrix:
    """TF-IDF with sublinear term frequency (1 + ln tf), rows of unit length; a row without terms stays zero."""
    from scipy.sparse import csr_matrix
    from sklearn.preprocessing import normalize

    weighted = counts.copy()
    weighted.data = (1 + np.log(np.maximum(weighted.data, 1))) * idf[weighted.indices]
    return csr_matrix(normalize(weighted, copy=False))
