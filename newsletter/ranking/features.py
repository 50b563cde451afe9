"""Sparse features: words and two-word phrases of papers, counted once, weighted by the papers of the ground."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from newsletter.model import Paper
from newsletter.ranking.values import Corpus
from newsletter.text import function_words, paper_text

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Rows = NDArray[np.int64]
Floats = NDArray[np.float32]
_WORD = re.compile(r"\b\w\w+\b")
# words by which abstracts and interests speak of themselves, and adverbs and quantities that do tell papers apart
_SPEAKING = {
    "amount", "call", "describe", "detail", "find", "found", "full", "interest", "keep", "made", "move", "name", "part",
    "put", "show", "side", "system", "take", "top",
}  # fmt: skip
_TELLING = {
    "automatically", "billion", "common", "directly", "effectively", "efficiently", "fully", "highly", "jointly",
    "million", "near", "second", "significantly", "simultaneously", "substantially", "use", "used", "uses", "using",
    "widely", "zero",
}  # fmt: skip


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


@cache
def _empty_words() -> frozenset[str]:
    return (function_words() | _SPEAKING) - _TELLING


def words(text: str) -> list[str]:
    """The words of `text`, lower case, stemmed, without stop words."""
    empty = _empty_words()
    return [stem(w) for w in _WORD.findall(text.lower()) if w not in empty]


def terms(text: str) -> list[str]:
    """The words of `text`; then each two that follow each other."""
    found = words(text)
    return found + [f"{a} {b}" for a, b in pairwise(found)]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The terms of some texts, each with its column. Ours, because importing scikit-learn takes most of a second."""

    columns: Mapping[str, int]

    def count(self, texts: Iterable[str]) -> csr_matrix:
        """How often each text has each term, (texts, terms); terms that are not in the vocabulary do not count."""
        return self.matrix([Counter(terms(text)) for text in texts])

    def matrix(self, counted: Sequence[Counter[str]]) -> csr_matrix:
        """Counted terms as sparse rows."""
        from scipy.sparse import csr_matrix

        rows = [{self.columns[t]: n for t, n in row.items() if t in self.columns} for row in counted]
        columns = np.array([column for row in rows for column in row], dtype=np.int32)
        values = np.array([n for row in rows for n in row.values()], dtype=np.float32)
        ends = np.cumsum([0, *map(len, rows)])
        found = csr_matrix((values, columns, ends), shape=(len(rows), len(self.columns)))
        found.sort_indices()
        return found


@dataclass(frozen=True, slots=True)
class Index:
    """Papers (each id once) with dense vectors (n, d) and term counts (n, terms); `row` finds a paper by its id."""

    papers: tuple[Paper, ...]
    row: Mapping[str, int]
    vectors: Floats
    counts: csr_matrix
    vocabulary: Vocabulary

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


def _count(texts: Sequence[str]) -> tuple[csr_matrix, Vocabulary]:
    counted = [Counter(terms(text)) for text in texts]
    found = sorted(set().union(*counted)) or [""]  # a matrix has at least one column
    vocabulary = Vocabulary({term: column for column, term in enumerate(found)})
    return vocabulary.matrix(counted), vocabulary


def rarity(counts: csr_matrix) -> Floats:
    """Smoothed inverse document frequency of each term (Robertson 2004): ln((1 + n) / (1 + papers with it)) + 1."""
    found = np.bincount(counts.indices, minlength=counts.shape[1])
    return np.asarray(np.log((1 + counts.shape[0]) / (1 + found)) + 1, dtype=np.float32)


def weigh(counts: csr_matrix, idf: Floats) -> csr_matrix:
    """TF-IDF with sublinear term frequency (1 + ln tf), rows of unit length; a row without terms stays zero."""
    weighted = counts.copy()
    weighted.data = (1 + np.log(np.maximum(weighted.data, 1))) * idf[weighted.indices]
    lengths = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    weighted.data /= np.repeat(np.maximum(lengths, np.finfo(np.float32).tiny), np.diff(weighted.indptr))
    return weighted
