"""A name for every theme: the noun phrase of its own papers that says best what they share and others do not."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from newsletter.model import Paper
from newsletter.themes.phrases import alike, key, phrases_of, spelling
from newsletter.themes.place import Labels, Vectors
from newsletter.themes.words import ACADEMIC

Encode = Callable[[Sequence[str]], NDArray[np.float32]]
Key = tuple[str, ...]

TRIED = 40  # candidates of a theme whose vectors are compared with its centroid


@dataclass(frozen=True, slots=True)
class Candidate:
    """A phrase that may name a theme. score: the better the name, from about -1 to 2."""

    key: Key
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Said:
    """Which papers say a phrase, which say it in the title, and how it is spelled; by key."""

    papers: Mapping[Key, list[int]]
    titles: Mapping[Key, list[int]]
    forms: Mapping[Key, Counter[tuple[str, ...]]]


def read(papers: Sequence[Paper]) -> Said:
    """Every phrase of every paper that could be a name."""
    by_key: dict[Key, list[int]] = defaultdict(list)
    titles: dict[Key, list[int]] = defaultdict(list)
    forms: dict[Key, Counter[tuple[str, ...]]] = defaultdict(Counter)
    for row, paper in enumerate(papers):
        said, titled = phrases_of(paper)
        for phrase, count in said.items():
            if not _nameable(phrase.key, phrase.words):
                continue
            forms[phrase.key][phrase.words] += count
            if not by_key[phrase.key] or by_key[phrase.key][-1] != row:
                by_key[phrase.key].append(row)
                if phrase.key in titled:
                    titles[phrase.key].append(row)
    return Said(by_key, titles, forms)


def candidates(
    said: Said, labels: Labels, means: Vectors, encode: Encode | None, word_weights: Sequence[Mapping[str, float]]
) -> list[list[Candidate]]:
    """For each theme its candidates, best first."""
    sizes = np.bincount(labels[labels >= 0], minlength=len(means))
    support = [Counter[Key]() for _ in sizes]
    titled = [Counter[Key]() for _ in sizes]
    for source, target in ((said.papers, support), (said.titles, titled)):
        for phrase, rows in source.items():
            for theme, count in Counter(labels[rows].tolist()).items():
                if theme >= 0:
                    target[theme][phrase] = count
    out = []
    for theme, size in enumerate(sizes.tolist()):
        scored = {
            phrase: _binding(count, len(said.papers[phrase]), size, len(labels))
            + 0.5 * titled[theme][phrase] / size
            + 0.3 * _weight(phrase, word_weights[theme])
            for phrase, count in support[theme].items()
            if count >= min(2, size)
        }
        best = sorted(scored, key=lambda phrase: (-scored[phrase], phrase))[:TRIED]
        close = _closeness([" ".join(p) for p in best], means[theme], encode)
        out.append(
            sorted(
                (Candidate(p, spelling(said.forms[p]), scored[p] + c) for p, c in zip(best, close, strict=True)),
                key=lambda c: (-c.score, c.key),
            )
        )
    return out


def choose(options: Sequence[Sequence[Candidate]], taken: Sequence[str] = ()) -> list[str]:
    """One label for each theme, no two alike: the theme with the best candidate chooses first; "" if none is left."""
    used = [key(label.split()) for label in taken]
    labels = [""] * len(options)
    order = sorted(range(len(options)), key=lambda i: -options[i][0].score if options[i] else 0.0)
    for theme in order:
        for candidate in options[theme]:
            if not any(alike(candidate.key, other) for other in used):
                labels[theme] = candidate.text
                used.append(candidate.key)
                break
    return labels


def _binding(both: int, says: int, size: int, papers: int) -> float:
    """Normalised pointwise mutual information of saying the phrase and being in the theme (Bouma, 2009)."""
    joint = both / papers
    return float(np.log(joint / (says / papers * size / papers)) / -np.log(joint)) if joint < 1 else 1.0


def _weight(phrase: Key, weights: Mapping[str, float]) -> float:
    return float(np.mean([weights.get(word, 0.0) for word in phrase]))


def _closeness(texts: Sequence[str], mean: Vectors, encode: Encode | None) -> NDArray[np.float64]:
    if encode is None or not texts:
        return np.zeros(len(texts))
    return np.asarray(encode(texts) @ mean, dtype=np.float64)


def _nameable(phrase: Key, words: tuple[str, ...]) -> bool:
    """Two to four words (hyphens count) that neither begin nor end with a word of every abstract."""
    if not 2 <= len(phrase) <= 5 or len(words) > 4:
        return False
    first, last = words[0].lower(), words[-1].lower()
    return first not in ACADEMIC and last not in ACADEMIC and not phrase[-1].isdigit() and len(phrase[-1]) > 1
