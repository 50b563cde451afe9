"""Signals that need no learning: follows, literal avoids, freshness. Pure functions over all readers at once."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from functools import lru_cache

import numpy as np

from newsletter.model import Paper
from newsletter.ranking.features import Floats

_NOT_WORD = re.compile(r"[^\w+#]+")
_WORDS_OF_A_PHRASE = 4
_NEVER = "/"  # no folded text has it


def fold(text: str) -> str:
    """Lower-case words without accents or punctuation, one space apart: what "exact" compares."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join(_NOT_WORD.sub(" ", plain).split())


def author_key(name: str) -> str:
    """The same key for ``Jimmy Lin`` and ``Lin, Jimmy``."""
    last, comma, first = name.partition(",")
    return fold(f"{first} {last}" if comma else name)


def wrote(papers: Sequence[Paper]) -> dict[str, tuple[int, ...]]:
    """Author key -> places of the papers that they wrote."""
    return places([{author_key(a) for a in paper.authors} for paper in papers])


def places(having: Iterable[AbstractSet[str]]) -> dict[str, tuple[int, ...]]:
    """Each thing -> the places of those that have it, ascending."""
    found: dict[str, list[int]] = {}
    for i, things in enumerate(having):
        for thing in things:
            found.setdefault(thing, []).append(i)
    return {thing: tuple(at) for thing, at in found.items()}


def folded(papers: Sequence[Paper]) -> tuple[str, ...]:
    """Each paper's title and abstract as `mentioned` reads them."""
    return tuple(f" {fold(paper.title)} | {fold(paper.abstract)} " for paper in papers)


def mentioned(phrase: str, texts: Sequence[str], words: Mapping[str, tuple[int, ...]]) -> tuple[int, ...]:
    """Places of the `texts` (from `folded`) that have `phrase` word for word; `words` are where each word is."""
    needle = _needle(phrase)
    rarest = min((words.get(word, ()) for word in needle.split()), key=len)
    return tuple(i for i in rarest if needle in texts[i])


def mentions(text: str, phrase: str) -> bool:
    """Whether `text` (from `folded`) has `phrase` word for word."""
    return _needle(phrase) in text


@lru_cache(maxsize=65536)
def _needle(phrase: str) -> str:
    return f" {fold(phrase) or _NEVER} "


def is_phrase(text: str) -> bool:
    """Whether an avoided text is short enough to be meant literally."""
    return 0 < len(fold(text).split()) <= _WORDS_OF_A_PHRASE


def followed(found: Sequence[Sequence[tuple[int, ...]]], n: int) -> Floats:
    """1 where a paper has anything that a reader follows, (readers, n), from the places of each thing followed."""
    hits = np.zeros((len(found), n), np.float32)
    for i, things in enumerate(found):
        for places in things:
            hits[i, list(places)] = 1
    return hits


def freshness(papers: Sequence[Paper], today: date) -> Floats:
    """1 for a paper of today, halving every week; 0 where its date is unknown, (n,). A date to come counts as today."""
    ages = [(today - p.published).days if p.published else None for p in papers]
    return np.array([0.0 if a is None else 0.5 ** (max(a, 0) / 7) for a in ages], np.float32)


def penalty(
    matches: Floats, literal: Floats, best: Floats, *, weight: float, start: float, out: float, most: float
) -> Floats:
    """What each avoided text subtracts from each paper, (texts, n), from 0 to `most`, at which the paper is removed.

    Subtracts `weight` for every deviation by which the text matches better than its reader's `best` wish, and than
    `start`. Removes a paper that has the text word for word, and one that matches it above `out` and better than any
    wish.
    """
    removed = (literal > 0) | ((matches >= out) & (matches >= best))
    over = np.maximum(matches - np.maximum(best, start), 0)
    return np.where(removed, most, np.minimum(weight * over, most)).astype(np.float32)
