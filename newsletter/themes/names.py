"""A name for every theme: the noun phrase of its own papers that says best what they share and others do not."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from newsletter.model import Paper
from newsletter.themes.fit import Topics
from newsletter.themes.phrases import LONGEST, READ, Key, Words, alike, key, noun_end, runs, spelling
from newsletter.themes.place import Labels, Vectors
from newsletter.themes.words import nameable

Encode = Callable[[Sequence[str]], NDArray[np.float32]]

TRIED = 60  # candidates of a theme whose vectors are compared with its centroid
WHOLE = 0.3  # share of a phrase's occurrences that begin, and that end, where a noun phrase does


@dataclass(slots=True)
class Said:
    """What the papers say of one phrase: who says it, who in the title, how it is spelled, how often it is whole."""

    papers: list[int] = field(default_factory=list)
    titles: list[int] = field(default_factory=list)
    forms: Counter[Words] = field(default_factory=Counter)
    count: int = 0
    begins: int = 0
    ends: int = 0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A phrase that may name a theme, the better the higher its score."""

    key: Key
    text: str
    score: float


def label(
    papers: Sequence[Paper],
    topics: Topics,
    means: Vectors,
    encode: Encode | None,
    *,
    held: Sequence[str],
    fixed: Sequence[bool],
) -> list[str]:
    """A label for each group, no two alike.

    held: the label that each group had, "" for new ones. fixed: whether it must stay; where it need not, it stays
    unless the best candidate is far better.
    """
    said = read(papers)
    options = [candidates(said, topics, group, means[group], encode) for group in range(len(means))]
    labels = ["" if not keep else text for text, keep in zip(held, fixed, strict=True)]
    for group, (text, options_here) in enumerate(zip(held, options, strict=True)):
        if text and not labels[group] and not outdone(text, options_here):
            labels[group] = text
    return choose(options, labels)


def outdone(text: str, options: Sequence[Candidate]) -> bool:
    """Whether a held label is no candidate any more, or its score is less than two thirds of the best one's."""
    own = [c.score for c in options if c.key == key(text.split())]
    return bool(options) and (not own or own[0] < options[0].score * 2 / 3)


def choose(options: Sequence[Sequence[Candidate]], labels: Sequence[str]) -> list[str]:
    """`labels` with the empty ones filled: the group with the best candidate chooses first, none is like another."""
    out = list(labels)
    used = [key(text.split()) for text in labels if text]
    order = sorted(range(len(options)), key=lambda i: -options[i][0].score if options[i] else 0.0)
    for group in order:
        if out[group]:
            continue
        free = (c for c in options[group] if not any(alike(c.key, other) for other in used))
        chosen = next(free, Candidate((f"theme {group}",), f"Theme {group + 1}", 0.0))
        out[group] = chosen.text
        used.append(chosen.key)
    return out


def read(papers: Sequence[Paper]) -> dict[Key, Said]:
    """Every phrase of two to four words that could be a name, with who says it."""
    found: dict[Key, Said] = defaultdict(Said)
    for row, paper in enumerate(papers):
        for in_title, text in ((True, paper.title), (False, paper.abstract[:READ])):
            for run, follower in runs(text):
                _read_run(found, run, ends=noun_end(follower), row=row, in_title=in_title)
    return found


def _read_run(found: dict[Key, Said], run: list[str], *, ends: bool, row: int, in_title: bool) -> None:
    for first in range(len(run)):
        for last in range(first, min(first + LONGEST, len(run))):
            words = tuple(run[first : last + 1])
            phrase = key(words)
            if not 2 <= len(phrase) <= LONGEST + 1 or not nameable(words):
                continue
            said = found[phrase]
            said.forms[words] += 1
            said.count += 1
            said.begins += first == 0
            said.ends += ends and last == len(run) - 1
            for rows in (said.papers, said.titles) if in_title else (said.papers,):
                if not rows or rows[-1] != row:
                    rows.append(row)


def candidates(
    said: Mapping[Key, Said], topics: Topics, group: int, mean: Vectors, encode: Encode | None
) -> list[Candidate]:
    """Names for a group, best first."""
    weights = topics.weights[group]
    strong = {topics.vocabulary[i]: weights[i] / weights.max() for i in np.argsort(-weights)[:100] if weights[i] > 0}
    size = int((topics.labels == group).sum())
    rated = {}
    for phrase, one in said.items():
        inside = sum(topics.labels[one.papers] == group)
        if inside >= min(2, size) and min(one.begins, one.ends) >= WHOLE * one.count:
            titled = sum(topics.labels[one.titles] == group)
            rated[phrase] = _fitness(inside, len(one.papers), size, len(topics.labels)) + 0.5 * titled / size
            rated[phrase] += 0.3 * float(np.mean([strong.get(word, 0.0) for word in phrase]))
    best = sorted(rated, key=lambda phrase: (-rated[phrase], phrase))[:TRIED]
    texts = [spelling(said[phrase].forms) for phrase in best]
    close = np.zeros(len(best)) if encode is None or not best else encode(texts) @ mean
    found = [Candidate(p, t, rated[p] + float(c)) for p, t, c in zip(best, texts, close, strict=True)]
    return sorted(found, key=lambda c: (-c.score, c.key))


def _fitness(both: int, says: int, size: int, papers: int) -> float:
    """Normalised pointwise mutual information of saying the phrase and being in the theme (Bouma, 2009)."""
    joint = both / papers
    return float(np.log(joint / (says / papers * size / papers)) / -np.log(joint)) if joint < 1 else 1.0


__all__ = ["Candidate", "Encode", "Labels", "Said", "candidates", "choose", "label", "outdone", "read"]
