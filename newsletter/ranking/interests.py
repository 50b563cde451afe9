"""How well papers match texts in a reader's own words: interests, and what they want to avoid.

A text is matched as a whole and sentence by sentence: people write "Stellar models. New evolutionary tracks, bolometric
corrections. Semi-analytic work should be weighted lower.", and a paper that answers one sentence answers the interest.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from newsletter.ranking.features import Floats, weigh, words
from newsletter.ranking.ground import Encode, Ground

_SENTENCE_END = re.compile(r"(?<=[.;!?])\s+|\n+")
_LESS = re.compile(
    r"\b(weighted lower|lower weight|less (relevant|interest\w*)|not (relevant|interest\w*)|irrelevant|except)\b",
    re.IGNORECASE,
)
_MOST_SENTENCES = 30
_FEWEST, _FULLEST = 2, 4.0  # texts to compare; times the middle length, beyond which a text counts no more


def sentences(text: str) -> tuple[str, ...]:
    """The text's sentences without those that say what matters less; the text itself if none is left."""
    wanted = [s.strip() for s in _SENTENCE_END.split(text) if s.strip() and not _LESS.search(s)]
    return tuple(dict.fromkeys(wanted[:_MOST_SENTENCES])) or (text.strip(),)


def pieces(text: str) -> tuple[str, ...]:
    """The things that an avoided text names: its sentences, or the items of a list such as ``bars, AGN, planets``."""
    parts = sentences(text)
    items = [i.strip() for i in text.split(",") if i.strip()]
    listed = len(parts) == 1 and len(items) > 2 and len(text.split()) <= 5 * len(items)
    return tuple(dict.fromkeys(items)) if listed else parts


def fullness(texts: Sequence[str]) -> list[float]:
    """How much more each of a reader's texts counts for saying more than the middle one, from 0.63 to 1.59.

    People write most about what they care about most: the cube root of the ratio of their words, without stop words and
    what the text puts last. 1 for texts of one length, and for a text alone.
    """
    if len(texts) < _FEWEST:
        return [1.0] * len(texts)
    lengths = np.array([_length(text) for text in texts])
    return [float(f) for f in np.cbrt(np.clip(lengths / np.median(lengths), 1 / _FULLEST, _FULLEST))]


@lru_cache(maxsize=4096)
def _length(text: str) -> int:
    """The words of a text without what it puts last."""
    return max(len(words(" ".join(sentences(text)))), 1)


def match(texts: Sequence[str], ground: Ground, encode: Encode, *, whole: float) -> Floats:
    """How well each paper of the day matches each text, in deviations from the usual match, (texts, n).

    The best sentence counts, and the whole text `whole` as much; with 0, the text is a list of things (`pieces`).
    """
    n = len(ground.day)
    if not texts or not n:
        return np.zeros((len(texts), n), np.float32)
    parts = [sentences(text) if whole else pieces(text) for text in texts]
    place = {s: i for i, s in enumerate(dict.fromkeys(s for p in parts for s in (*p, " ".join(p))))}
    raw = _raw(list(place), ground, encode)
    starts = np.cumsum([0, *(len(p) for p in parts[:-1])])
    best = np.maximum.reduceat(raw[[place[s] for p in parts for s in p]], starts, axis=0)
    best = (best + whole * raw[[place[" ".join(p)] for p in parts]]) / (1 + whole)
    mean, deviation = ground.usual
    return np.asarray((best - mean) / deviation, dtype=np.float32)


def _raw(texts: Sequence[str], ground: Ground, encode: Encode) -> Floats:
    """Dense cosine plus `sparse_texts` times word cosine of each text with each paper of the day, (texts, n)."""
    index = ground.index
    dense = np.nan_to_num(np.asarray(encode(texts), dtype=np.float32)).reshape(len(texts), -1)
    query = weigh(index.vocabulary.count(texts), ground.idf)
    shared = (query @ ground.sparse[ground.day].T).toarray()
    return np.asarray(dense @ index.vectors[ground.day].T + ground.options.sparse_texts * shared, dtype=np.float32)
