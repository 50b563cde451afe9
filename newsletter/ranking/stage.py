"""What all readers of an edition share, prepared once: the ground, the trend, and look-ups of names and phrases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from newsletter.identity import identity_keys, title_key
from newsletter.model import Momentum, Paper
from newsletter.ranking import signals, trending
from newsletter.ranking.features import Floats, Index, Rows, surface, terms
from newsletter.ranking.ground import Ground, lay
from newsletter.ranking.values import Options
from newsletter.text import paper_text


@dataclass(frozen=True, slots=True)
class Reading:
    """A paper's terms from the rarest: `place` of each, and `phrases` as the paper writes them, in that order."""

    place: Mapping[str, int]
    phrases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """The day's `papers` (n) with everything about them that no reader changes.

    `texts` are folded for exact phrases, `words` finds papers by a word in them, `wrote` by author; `readings` are what
    each paper says; `keys` are all identities of each paper, `twin` is the place of the first paper with the same
    title, `theme` numbers the papers' themes (-1: none), `voted` tells whether any source counts votes, `alike` is how
    alike the papers are (n, n).
    """

    ground: Ground
    papers: tuple[Paper, ...]
    themes: tuple[str, ...]
    theme: Rows
    trend: Floats
    voted: bool
    fresh: Floats
    texts: tuple[str, ...]
    words: Mapping[str, tuple[int, ...]]
    wrote: Mapping[str, tuple[int, ...]]
    readings: tuple[Reading, ...]
    keys: tuple[frozenset[str], ...]
    twin: Rows
    alike: Floats

    @property
    def options(self) -> Options:
        """The setting in force."""
        return self.ground.options


def prepare(
    index: Index,
    day: Rows,
    archive: Rows,
    *,
    themes: Mapping[str, str],
    momentum: Mapping[str, Momentum],
    today: date,
    options: Options,
) -> Stage:
    """Prepare the day's papers (rows of `index`) against the archive's."""
    papers = tuple(index.papers[i] for i in day)
    named = tuple(themes.get(p.id, "") for p in papers)
    number = {name: i for i, name in enumerate(dict.fromkeys(n for n in named if n and n != "more"))}
    first: dict[str, int] = {}
    texts = signals.folded(papers)
    ground = lay(index, day, archive, options)
    return Stage(
        ground=ground,
        papers=papers,
        themes=named,
        theme=np.array([number.get(n, -1) for n in named], np.int64),
        trend=_trend(ground, today, [momentum.get(t) for t in named]),
        voted=bool(np.isfinite(trending.attention([index.papers[i] for i in ground.field])).any()),
        fresh=signals.freshness(papers, today),
        texts=texts,
        words=signals.places([frozenset(text.split()) for text in texts]),
        wrote=signals.wrote(papers),
        readings=tuple(_reading(paper_text(p), ground) for p in papers),
        keys=tuple(frozenset(identity_keys(p)) for p in papers),
        twin=np.array([first.setdefault(title_key(p.title), i) for i, p in enumerate(papers)], np.int64),
        alike=_alike(ground),
    )


def _reading(text: str, ground: Ground) -> Reading:
    column, idf, forms, lower = ground.index.vocabulary.columns, ground.idf, surface(text), text.lower()
    rarity = {term: float(idf[column[term]]) * (1 + (" " in term)) for term in terms(text)}
    written = {term: " ".join(forms[word] for word in term.split()) for term in rarity}
    rarest = sorted((t for t in rarity if written[t].lower() in lower), key=lambda t: (-rarity[t], t))
    return Reading({term: place for place, term in enumerate(rarest)}, tuple(written[term] for term in rarest))


def _trend(ground: Ground, today: date, momentum: Sequence[Momentum | None]) -> Floats:
    index, before = ground.index, ground.field[len(ground.day) :]
    papers, known = ([index.papers[i] for i in rows] for rows in (ground.day, before))
    guess = trending.expected(papers, index.vectors[ground.day], known, index.vectors[before], today)
    return trending.trend(papers, guess, momentum)


def _alike(ground: Ground) -> Floats:
    """Centred cosine between the day's papers, (n, n): in a stream that is all one topic, what differs within it."""
    vectors = ground.index.vectors[ground.day]
    centred = vectors - ground.index.vectors[ground.field].mean(axis=0) if len(vectors) else vectors
    length = np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
    return np.asarray((centred / length) @ (centred / length).T, dtype=np.float32)
