"""Phrases that may name a theme, each with a score: what its papers say, others do not, and papers put into titles."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from newsletter.model import Paper
from newsletter.themes.fit import Topics
from newsletter.themes.phrases import Key, key, spelling, stem
from newsletter.themes.place import Labels, Vectors, unit
from newsletter.themes.reading import Reading, read, whole
from newsletter.themes.words import FIELDS, Term, terms

Encode = Callable[[Sequence[str]], NDArray[np.float32]]

PAPERS = 3000  # that are read for names; of more, every second, third and so on
TRIED = 60  # candidates of a theme whose vectors are compared with its papers
PART = 0.7  # share of a phrase's papers that say it within a longer one, from which the longer one is meant
PRIOR = 300  # papers' worth of belief in how often arXiv papers say a phrase
COMMON = 0.25  # share of the other papers, above which a phrase names nothing
SAID = 0.08  # least share of a group's papers that have all words of its name
IN_TITLE = 0.1  # share of a phrase's papers that have it in the title: what it is for most phrases
TITLES = 15  # papers' worth of belief in that
UNKNOWN = Term(0, 0)
_FIELDS = frozenset(key(name) for name in FIELDS)

_CODE = re.compile(r"(?=[\w.]*\d)(?!\b[1-6]D\b)\b[\w.]+")  # a word with a digit: a product's name, not a subject


@dataclass(frozen=True, slots=True)
class Candidate:
    """A phrase that may name a theme, the better the higher its score."""

    key: Key
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Ground:
    """What names are chosen from: the phrases, and for each group how many of its papers say each of them.

    labels: the groups of the papers that were read. sizes: papers of each group among them. members: the same papers
    as bits. apart: their vectors without `shared`, what all have in common.
    """

    reading: Reading
    labels: Labels
    sizes: tuple[int, ...]
    members: tuple[int, ...]
    support: tuple[Mapping[Key, int], ...]
    apart: Vectors
    shared: Vectors


def survey(papers: Sequence[Paper], vectors: Vectors, labels: Labels, groups: int) -> Ground:
    """Reads the papers, at most `PAPERS` of them. vectors (n, d) and labels (n,) go with them."""
    step = -(-len(papers) // PAPERS) or 1
    reading, some = read(papers[::step]), labels[::step]
    support: tuple[dict[Key, int], ...] = tuple({} for _ in range(groups))
    for phrase, one in reading.said.items():
        if whole(phrase, one):
            for group, count in Counter(some[one.papers].tolist()).items():
                if group >= 0:
                    support[group][phrase] = count
    members = tuple(sum(1 << row for row in np.flatnonzero(some == group).tolist()) for group in range(groups))
    sizes = tuple(np.bincount(some[some >= 0], minlength=groups).tolist())
    shared = vectors[::step].mean(axis=0)
    return Ground(reading, some, sizes, members, support, unit(vectors[::step] - shared), shared)


def candidates(ground: Ground, topics: Topics, group: int, encode: Encode | None) -> list[Candidate]:
    """Names for a group, best first.

    A score sums how much it tells of the group that a paper says the phrase, or has its words; how well the phrase
    finds the group's papers by its vector; how often titles have it, here rather than elsewhere and anywhere rather
    than in abstracts alone; and the c-TF-IDF of its words. The name of a whole field counts less. The weights were
    set on labels judged by hand.
    """
    tells = _telling(ground, group, 2) or _telling(ground, group, 1)  # papers that share no words: one speaks for all
    best = _outermost(sorted(tells, key=lambda phrase: (-tells[phrase], phrase))[:TRIED], ground.support[group])
    if not best:
        return []
    texts = [spelling(ground.reading.said[phrase].forms) for phrase in best]
    weights = topics.weights[group] / topics.weights[group].max()
    strong = {topics.vocabulary[i]: float(weights[i]) for i in np.flatnonzero(weights > 0).tolist()}
    found = []
    for phrase, text, finds in zip(best, texts, _finding(ground, group, texts, encode).tolist(), strict=True):
        score = tells[phrase] + finds + 0.6 * _titled(ground, phrase, group) + 0.3 * _naming(ground, phrase)
        score += 0.4 * float(np.mean([strong.get(word, 0.0) for word in phrase]))
        score -= 0.15 * (ground.support[group][phrase] == 1) + 0.5 * (phrase in _FIELDS) + bool(_CODE.search(text))
        found.append(Candidate(phrase, text, score))
    return sorted(found, key=lambda c: (-c.score, c.key))


def _telling(ground: Ground, group: int, least: int) -> dict[Key, float]:
    """Phrases that may name the group, by how much saying them, and having their words, tells; none common elsewhere.

    least: papers of the group that have a phrase's words.

    In a small group hardly two papers put a thing in the same words: that it has "filter" and "pruning" counts too.
    """
    size, papers = ground.sizes[group], len(ground.labels)
    out = {}
    for phrase, inside in ground.support[group].items():
        says = len(ground.reading.said[phrase].papers)
        having = ground.reading.with_words(stem(part) for part in phrase)
        within = (having & ground.members[group]).bit_count()
        if within >= max(least, SAID * size) and says - inside <= COMMON * max(1, papers - size):
            said = _informs(inside, size, says, papers, phrase)
            out[phrase] = 0.5 * said + 0.6 * _informs(within, size, having.bit_count(), papers, phrase)
    return out


def _informs(inside: int, size: int, says: int, papers: int, phrase: Key) -> float:
    """sqrt(p) log(p / q) / 2: p the share of the group's papers that say it, q the share of all, with arXiv's as prior.

    Pointwise Kullback-Leibler divergence (Tomokiyo and Hurst, A language model approach to keyphrase extraction, 2003)
    with the root of p for p: what every second paper here says must not beat what a third of these alone say.
    """
    share = inside / size
    anyway = (says + PRIOR * terms().get(phrase, UNKNOWN).papers / 100_000 + 1) / (papers + PRIOR + 1)
    return float(np.sqrt(share) * np.log(share / anyway) / 2)


def _titled(ground: Ground, phrase: Key, group: int) -> float:
    """The share of the group's titles that say it beyond the share of the others'."""
    inside = ground.labels[ground.reading.said[phrase].titles] == group
    size = ground.sizes[group]
    return float(inside.sum()) / size - float((~inside).sum()) / max(1, len(ground.labels) - size)


def _naming(ground: Ground, phrase: Key) -> float:
    """log2 of how much more often than most phrases it stands in the title of a paper that says it, from -2.5 to 2.

    People name their subject in the title and their means in the abstract: 43 % of the arXiv papers that say "neural
    architecture search" have it there, 1 % of those that say "human annotators".
    """
    known, here = terms().get(phrase, UNKNOWN), ground.reading.said[phrase]
    titles = known.titles + len(here.titles) + TITLES * IN_TITLE
    return float(np.clip(np.log2(titles / (known.papers + len(here.papers) + TITLES) / IN_TITLE), -2.5, 2))


def _finding(ground: Ground, group: int, texts: Sequence[str], encode: Encode | None) -> NDArray[np.float64]:
    """How well each text finds the group: 1.4 of the average precision of its papers among all, by cosine to the text
    (Manning et al. 2008, section 8.4), and 0.4 of the cosine to their mean, both without what all papers share."""
    if encode is None:
        return np.zeros(len(texts))
    asked = unit(encode(texts) - ground.shared)
    mine = ground.labels == group
    hits = mine[np.argsort(-(asked @ ground.apart.T), axis=1, kind="stable")]
    precision = (np.cumsum(hits, axis=1) / np.arange(1, len(mine) + 1) * hits).sum(axis=1) / max(1, int(mine.sum()))
    cosines = asked @ unit(ground.apart[mine].mean(axis=0, keepdims=True))[0]
    return np.asarray(1.4 * precision + 0.4 * cosines, dtype=np.float64)


def _outermost(phrases: Sequence[Key], says: Mapping[Key, int]) -> list[Key]:
    """The phrases that are not mostly said as part of a longer one ("neighbor search" of "nearest neighbor search").

    What one paper says is no such longer one: its words are that paper's own.
    """

    def part(short: Key, long: Key) -> bool:
        starts = range(len(long) - len(short) + 1) if len(short) < len(long) and says[long] > 1 else range(0)
        return any(long[i : i + len(short)] == short for i in starts) and says[long] >= PART * says[short]

    return [phrase for phrase in phrases if not any(part(phrase, other) for other in phrases)]
