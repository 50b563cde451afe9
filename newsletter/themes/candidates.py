"""Phrases that may name a theme, each with a score: what its papers say, others do not, and lies near its centroid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from newsletter.model import Paper
from newsletter.themes.fit import Topics
from newsletter.themes.phrases import Key, spelling
from newsletter.themes.place import Labels, Vectors, unit
from newsletter.themes.reading import Said, read, whole
from newsletter.themes.words import terms

Encode = Callable[[Sequence[str]], NDArray[np.float32]]

PAPERS = 3000  # that are read for names; of more, every second, third and so on
TRIED = 60  # candidates of a theme whose vectors are compared with its centroid
PART = 0.7  # share of a phrase's papers that say it within a longer one, from which the longer one is meant
PRIOR = 300  # papers' worth of belief in how often arXiv papers say a phrase
COMMON = 0.25  # share of the other papers, above which a phrase names nothing
FEW = 5  # candidates that two papers say, below which those of one count too
SAID = 0.08  # least share of a group's papers that say its name


@dataclass(frozen=True, slots=True)
class Candidate:
    """A phrase that may name a theme, the better the higher its score."""

    key: Key
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Ground:
    """What names are chosen from: the phrases, and for each group how many of its papers say each of them.

    labels: the groups of the papers that were read. sizes: papers of each group among them.
    """

    said: Mapping[Key, Said]
    labels: Labels
    sizes: tuple[int, ...]
    support: tuple[Mapping[Key, int], ...]


def survey(papers: Sequence[Paper], labels: Labels, groups: int) -> Ground:
    """Reads the papers, at most `PAPERS` of them."""
    step = -(-len(papers) // PAPERS) or 1
    said, some = read(papers[::step]), labels[::step]
    support: tuple[dict[Key, int], ...] = tuple({} for _ in range(groups))
    for phrase, one in said.items():
        if whole(phrase, one):
            for group, count in Counter(some[one.papers].tolist()).items():
                if group >= 0:
                    support[group][phrase] = count
    return Ground(said, some, tuple(np.bincount(some[some >= 0], minlength=groups).tolist()), support)


def candidates(ground: Ground, topics: Topics, group: int, means: Vectors, encode: Encode | None) -> list[Candidate]:
    """Names for a group, best first.

    A score is the sum of: how much saying it tells of the group; the cosine to the centroid, both without what all
    groups share; the share of titles beyond that elsewhere; half the c-TF-IDF of its words; a little for known terms.
    """
    informs = _informing(ground, group, least=2)
    if len(informs) < FEW:  # others may take them: what one paper says is better than two keywords
        informs = _informing(ground, group, least=1) | informs
    best = _outermost(sorted(informs, key=lambda phrase: (-informs[phrase], phrase))[:TRIED], ground.support[group])
    if not best:
        return []
    texts = [spelling(ground.said[phrase].forms) for phrase in best]
    close = _closeness(texts, means[group], means.mean(axis=0), encode)
    weights = topics.weights[group] / topics.weights[group].max()
    strong = {topics.vocabulary[i]: float(weights[i]) for i in np.flatnonzero(weights > 0).tolist()}
    found = []
    for phrase, text, cosine in zip(best, texts, close.tolist(), strict=True):
        words = float(np.mean([strong.get(word, 0.0) for word in phrase]))
        score = informs[phrase] + cosine + _titled(ground, phrase, group) + 0.5 * words + 0.15 * (phrase in terms())
        found.append(Candidate(phrase, text, score))
    return sorted(found, key=lambda c: (-c.score, c.key))


def _informing(ground: Ground, group: int, least: int) -> dict[Key, float]:
    """Phrases that `least` papers of the group say, by how much that tells; none that is common elsewhere too."""
    size, papers = ground.sizes[group], len(ground.labels)
    out = {}
    for phrase, inside in ground.support[group].items():
        says = len(ground.said[phrase].papers)
        if inside >= max(least, SAID * size) and says - inside <= COMMON * max(1, papers - size):
            out[phrase] = _informs(inside, size, says, papers, phrase)
    return out


def _informs(inside: int, size: int, says: int, papers: int, phrase: Key) -> float:
    """sqrt(p) log(p / q) / 2: p the share of the group's papers that say it, q the share of all, with arXiv's as prior.

    Pointwise Kullback-Leibler divergence (Tomokiyo and Hurst, A language model approach to keyphrase extraction, 2003)
    with the root of p for p: what every second paper here says must not beat what a third of these alone say.
    """
    share = inside / size
    anyway = (says + PRIOR * terms().get(phrase, 0.0) + 1) / (papers + PRIOR + 1)
    return float(np.sqrt(share) * np.log(share / anyway) / 2)


def _titled(ground: Ground, phrase: Key, group: int) -> float:
    """The share of the group's titles that say it beyond the share of the others'."""
    inside = ground.labels[ground.said[phrase].titles] == group
    size = ground.sizes[group]
    return float(inside.sum()) / size - float((~inside).sum()) / max(1, len(ground.labels) - size)


def _closeness(texts: Sequence[str], mean: Vectors, everything: Vectors, encode: Encode | None) -> NDArray[np.float64]:
    if encode is None:
        return np.zeros(len(texts))
    return np.asarray(unit(encode(texts) - everything) @ unit((mean - everything)[None])[0], dtype=np.float64)


def _outermost(phrases: Sequence[Key], says: Mapping[Key, int]) -> list[Key]:
    """The phrases that are not mostly said as part of a longer one ("neighbor search" of "nearest neighbor search")."""

    def part(short: Key, long: Key) -> bool:
        starts = range(len(long) - len(short) + 1) if len(short) < len(long) else range(0)
        return any(long[i : i + len(short)] == short for i in starts) and says[long] >= PART * says[short]

    return [phrase for phrase in phrases if not any(part(phrase, other) for other in phrases)]
