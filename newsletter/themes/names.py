"""A name for every theme: the noun phrase of its own papers that says best what they share and others do not."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from newsletter.model import Paper
from newsletter.themes.fit import Topics
from newsletter.themes.phrases import LONGEST, READ, Key, Words, alike, key, noun_end, runs, spelling, title_case
from newsletter.themes.place import Labels, Vectors, unit
from newsletter.themes.words import nameable, terms

Encode = Callable[[Sequence[str]], NDArray[np.float32]]

_ADJECTIVE = re.compile(r"(ent|ant|ive|ous|ful|ble|ic|al|ed|ly|free|aware|wise|level|scale)$")

TRIED = 60  # candidates of a theme whose vectors are compared with its centroid
PART = 0.7  # share of a phrase's papers that say it within a longer one, from which the longer one is meant
PRIOR = 300  # papers' worth of belief in how often arXiv papers say a phrase
COMMON = 0.25  # share of the other papers, above which a phrase names nothing
SAID = 0.08  # least share of a group's papers that say its name
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
    words: Sequence[Sequence[str]],
    held: Sequence[str],
    fixed: Sequence[bool],
) -> list[str]:
    """A label for each group, no two alike.

    words: keywords of each group. held: the label that each group had, "" for new ones. fixed: whether it must stay;
    where it need not, it stays
    unless the best candidate is far better.
    """
    said = read(papers)
    options = [candidates(said, topics, g, means, encode) for g in range(len(means))]
    labels = ["" if not keep else text for text, keep in zip(held, fixed, strict=True)]
    for group, (text, options_here) in enumerate(zip(held, options, strict=True)):
        if text and not labels[group] and not outdone(text, options_here):
            labels[group] = text
    return choose(options, labels, words)


def outdone(text: str, options: Sequence[Candidate]) -> bool:
    """Whether a held label is no candidate any more, or its score is less than four fifths of the best one's."""
    own = [c.score for c in options if c.key == key(text.split())]
    return bool(options) and (not own or own[0] < options[0].score * 0.8)


def choose(options: Sequence[Sequence[Candidate]], labels: Sequence[str], words: Sequence[Sequence[str]]) -> list[str]:
    """`labels` with the empty ones filled: the group with the best candidate chooses first, none is like another.

    Where no phrase is left, the group's first two keywords stand in.
    """
    out = list(labels)
    used = [key(text.split()) for text in labels if text]
    order = sorted(range(len(options)), key=lambda i: -options[i][0].score if options[i] else 0.0)
    for group in order:
        if out[group]:
            continue
        free = (c for c in options[group] if not any(alike(c.key, other) for other in used))
        chosen = next(free, _stand_in(words[group], group))
        out[group] = chosen.text
        used.append(chosen.key)
    return out


def _stand_in(words: Sequence[str], group: int) -> Candidate:
    text = " ".join(title_case(word) for word in words[:2]) or f"Theme {group + 1}"
    return Candidate((*key(text.split()), str(group)), text, 0.0)


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
            whole = ends and last == len(run) - 1
            said.forms[words] += 10 if whole else 1  # how it is spelled on its own, not before another noun
            said.count += 1
            said.begins += first == 0
            said.ends += whole
            for rows in (said.papers, said.titles) if in_title else (said.papers,):
                if not rows or rows[-1] != row:
                    rows.append(row)


def candidates(
    said: Mapping[Key, Said], topics: Topics, group: int, means: Vectors, encode: Encode | None
) -> list[Candidate]:
    """Names for a group, best first.

    A score is the sum of: how much saying it tells of the group; the cosine to the centroid, both without what all
    groups share; the share of titles beyond that elsewhere; half the c-TF-IDF of its words; a little for known terms.
    """
    size = int((topics.labels == group).sum())
    informs = _informing(said, topics.labels, group, size, support=2) or _informing(said, topics.labels, group, size)
    ranked = sorted(informs, key=lambda phrase: (-informs[phrase], phrase))[:TRIED]
    best = _outermost(ranked, said, topics.labels == group)
    if not best:
        return []
    texts = [spelling(said[phrase].forms) for phrase in best]
    close = _closeness(texts, means[group], means.mean(axis=0), encode)
    weights = topics.weights[group] / topics.weights[group].max()
    strong = {topics.vocabulary[i]: float(weights[i]) for i in np.flatnonzero(weights > 0).tolist()}
    found = []
    for phrase, text, cosine in zip(best, texts, close.tolist(), strict=True):
        titles = topics.labels[said[phrase].titles] == group
        titled = float(titles.sum()) / size - float((~titles).sum()) / max(1, len(topics.labels) - size)
        score = informs[phrase] + cosine + titled
        score += 0.5 * float(np.mean([strong.get(word, 0.0) for word in phrase])) + 0.15 * (phrase in terms())
        found.append(Candidate(phrase, text, score))
    return sorted(found, key=lambda c: (-c.score, c.key))


def _informing(said: Mapping[Key, Said], labels: Labels, group: int, size: int, support: int = 1) -> dict[Key, float]:
    """Phrases of the group by how much they tell of it; none that is common in the other papers too."""
    out, others = {}, max(1, len(labels) - size)
    for phrase, one in said.items():
        if len(one.papers) < support or not _whole(phrase, one):
            continue
        inside = int((labels[one.papers] == group).sum())
        if inside >= max(support, SAID * size) and (len(one.papers) - inside) / others <= COMMON:
            out[phrase] = _informs(inside, size, len(one.papers), len(labels), phrase)
    return out


def _closeness(texts: Sequence[str], mean: Vectors, everything: Vectors, encode: Encode | None) -> NDArray[np.float64]:
    if encode is None:
        return np.zeros(len(texts))
    return np.asarray(unit(encode(texts) - everything) @ unit((mean - everything)[None])[0], dtype=np.float64)


def _outermost(phrases: Sequence[Key], said: Mapping[Key, Said], inside: NDArray[np.bool_]) -> list[Key]:
    """The phrases that are not mostly said as part of a longer one ("neighbor search" of "nearest neighbor search")."""
    says = {phrase: int(inside[said[phrase].papers].sum()) for phrase in phrases}

    def part(short: Key, long: Key) -> bool:
        starts = range(len(long) - len(short) + 1) if len(short) < len(long) else range(0)
        return any(long[i : i + len(short)] == short for i in starts) and says[long] >= PART * says[short]

    return [phrase for phrase in phrases if not any(part(phrase, other) for other in phrases)]


def _whole(phrase: Key, said: Said) -> bool:
    """Whether a phrase stands as a noun phrase of its own often enough, here or in arXiv papers."""
    if all(len(words) == 1 for words in said.forms):  # "Fine-Tuning" is a name, "Long-Context" is not
        return said.ends >= 0.6 * said.count and not _ADJECTIVE.search(phrase[-1]) and "".join(phrase).isalpha()
    return phrase in terms() or min(said.begins, said.ends) >= WHOLE * said.count


def _informs(inside: int, size: int, says: int, papers: int, phrase: Key) -> float:
    """sqrt(p) log(p / q) / 2: p the share of the group's papers that say it, q the share of all, with arXiv's as prior.

    Pointwise Kullback-Leibler divergence (Tomokiyo and Hurst, A language model approach to keyphrase extraction, 2003)
    with the root of p for p: what every second paper here says must not beat what a third of these alone say.
    """
    share = inside / size
    anyway = (says + PRIOR * terms().get(phrase, 0.0) + 1) / (papers + PRIOR + 1)
    return float(np.sqrt(share) * np.log(share / anyway) / 2)


__all__ = ["Candidate", "Encode", "Labels", "Said", "candidates", "choose", "label", "outdone", "read"]
