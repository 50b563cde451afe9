"""The window's papers to the day's themes.

window, vectors -> fit (BERTopic) -> place (outliers) -> match (known themes) -> names, keywords, momentum -> Learned
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import NDArray

from newsletter.errors import NewsletterError
from newsletter.model import ArchivedPaper, KnownTheme, Paper, Theme, ThemeEvent
from newsletter.text import paper_text
from newsletter.themes import keywords, match, names
from newsletter.themes.fit import Topics, fit, least_size
from newsletter.themes.momentum import momentum
from newsletter.themes.names import Encode
from newsletter.themes.phrases import plain
from newsletter.themes.place import NOWHERE, Labels, Vectors, centroids, compact, dissolve, floor, place, unit

MORE = "more"
READ = 20_000  # characters of an abstract that count words


@dataclass(frozen=True, slots=True)
class Learned:
    """A day's themes and what tomorrow must know.

    `themes` hold the papers of the day, largest first, every paper in one; the last may be the section of id "more" for
    papers that fit nowhere. `assignment` is {paper id: theme id} for the whole window.
    """

    themes: tuple[Theme, ...]
    known: tuple[KnownTheme, ...]
    events: tuple[ThemeEvent, ...]
    assignment: Mapping[str, str] = field(default_factory=dict)


def learn(
    window: Sequence[ArchivedPaper],
    vectors: NDArray[np.float32],
    day: date,
    known: Sequence[KnownTheme],
    *,
    model: str,
    seed: int,
    window_days: int,
    encode: Encode | None = None,
) -> Learned:
    """Themes of `day`, learned on the window, with the ids and labels of the known themes that live on.

    vectors: (n, d), row i embeds window[i] in the space of `model`; `encode` embeds phrases in the same space, and
    without it names are chosen by words alone. Deterministic in its arguments. Raises NewsletterError where vectors
    do not fit the window or are not finite.
    """
    rows = checked(vectors, len(window), model)
    papers = [archived.paper for archived in window]
    topics = group(papers, rows, seed=seed)
    count = int(topics.labels.max(initial=NOWHERE)) + 1
    means = centroids(rows, topics.labels, count)
    members = [frozenset(papers[i].id for i in np.flatnonzero(topics.labels == g).tolist()) for g in range(count)]
    same = _same(members, means, known, {p.id for p in papers}, model)
    words = describe(papers, topics)
    labels = label(papers, topics, means, encode, {g: known[k].label for g, k in same.items()})
    ids = [known[same[g]].id if g in same else _new_id(day, members[g]) for g in range(count)]
    remembered = tuple(
        KnownTheme(
            id=ids[g], label=labels[g], keywords=words[g], papers=tuple(sorted(members[g])),
            centroid=tuple(means[g].tolist()), model=model, last_day=day,
            first_day=known[same[g]].first_day if g in same else day,
            labelled=known[same[g]].labelled if g in same else day,
        )
        for g in range(count)
    )  # fmt: skip
    events = tuple(ThemeEvent(day, "born", ids[g]) for g in range(count) if g not in same)
    themes = edition_themes(window, rows, topics.labels, means, remembered, day=day, window_days=window_days)
    assignment = {p.id: ids[g] if g >= 0 else MORE for p, g in zip(papers, topics.labels.tolist(), strict=True)}
    return Learned(themes, remembered, events, assignment)


def checked(vectors: NDArray[np.floating], papers: int, model: str) -> Vectors:
    """Unit rows, one for each paper, all finite; NewsletterError otherwise."""
    rows = np.asarray(vectors, dtype=np.float32)
    if rows.ndim != 2 or len(rows) != papers:
        raise NewsletterError(
            "cannot learn themes from vectors of", which=f"model {model!r}",
            why=f"{papers} papers came with an array of shape {rows.shape}", do="Embed the window again",
        )  # fmt: skip
    if broken := int((~np.isfinite(rows).all(axis=1)).sum()):
        raise NewsletterError(
            "cannot learn themes from vectors of", which=f"model {model!r}",
            why=f"{broken} of {papers} hold NaN or infinite numbers, so the model is broken",
            do="Install or train the embedding model again, then embed the archive anew",
        )  # fmt: skip
    return unit(rows)


def group(papers: Sequence[Paper], vectors: Vectors, *, seed: int) -> Topics:
    """Groups of the papers and their words. Fewer than two papers make no group."""
    nothing = np.full(len(papers), NOWHERE, dtype=np.int64)
    if len(papers) < 2:
        return Topics(nothing, (), np.zeros((0, 0)))

    def settle(found: Labels) -> Labels:
        kept = dissolve(compact(found), least_size(len(papers)))
        return place(vectors, kept, floor(vectors, kept, 0.02))

    return fit([_text(paper) for paper in papers], vectors, settle, seed=seed)


def describe(papers: Sequence[Paper], topics: Topics) -> list[tuple[str, ...]]:
    """Keywords of each group, best first."""
    from sklearn.feature_extraction.text import CountVectorizer

    out = []
    for weights in topics.weights:
        pool = np.argsort(-weights, kind="stable")[: keywords.POOL]
        words = [topics.vocabulary[i] for i in pool]
        counts = CountVectorizer(vocabulary=words, binary=True).transform([_text(p) for p in papers])
        out.append(keywords.keywords(weights[pool], words, counts.toarray().astype(bool)))
    return out


def label(
    papers: Sequence[Paper], topics: Topics, means: Vectors, encode: Encode | None, kept: Mapping[int, str]
) -> list[str]:
    """A label for each group; those of `kept` stay."""
    weights = [
        {topics.vocabulary[i]: row[i] / row.max() for i in np.argsort(-row)[:100] if row[i] > 0}
        for row in topics.weights
    ]
    options = names.candidates(names.read(papers), topics.labels, means, encode, weights)
    fresh = [group for group in range(len(means)) if group not in kept]
    chosen = names.choose([options[g] for g in fresh], list(kept.values()))
    return [kept[g] if g in kept else chosen[fresh.index(g)] or "Theme" for g in range(len(means))]


def edition_themes(
    window: Sequence[ArchivedPaper],
    vectors: Vectors,
    labels: Labels,
    means: Vectors,
    known: Sequence[KnownTheme],
    *,
    day: date,
    window_days: int,
) -> tuple[Theme, ...]:
    """The themes that hold papers of the day, largest first, "more" last."""
    today = np.array([archived.day == day for archived in window], dtype=bool)
    ages = np.array([min(max((day - archived.day).days, 0), window_days - 1) for archived in window], dtype=np.int64)
    volume = np.bincount(ages, minlength=window_days)[::-1].tolist()
    themes = []
    for g, theme in enumerate(known):
        rows = np.flatnonzero(today & (labels == g))
        rows = rows[np.argsort(-(vectors[rows] @ means[g]), kind="stable")]
        history = np.bincount(ages[labels == g], minlength=window_days)[::-1].tolist()
        ids = tuple(window[i].paper.id for i in rows.tolist())
        if ids:
            themes.append(Theme(theme.id, theme.label, theme.keywords, ids, momentum(history, volume)))
    themes.sort(key=lambda theme: (-len(theme.papers), theme.label))
    rest = tuple(window[i].paper.id for i in np.flatnonzero(today & (labels < 0)).tolist())
    if rest:
        history = np.bincount(ages[labels < 0], minlength=window_days)[::-1].tolist()
        themes.append(Theme(MORE, "More papers" if themes else "Papers", (), rest, momentum(history, volume)))
    return tuple(themes)


def _same(
    members: Sequence[frozenset[str]], means: Vectors, known: Sequence[KnownTheme], here: set[str], model: str
) -> dict[int, int]:
    comparable = [theme.model == model and len(theme.centroid) == means.shape[1] for theme in known]
    theirs = np.array(
        [theme.centroid if ok else [0.0] * means.shape[1] for theme, ok in zip(known, comparable, strict=True)]
    ).reshape(len(known), means.shape[1])
    before = [frozenset(theme.papers) & here for theme in known]
    seen = frozenset[str]().union(*before)
    return match.pair(match.likeness([m & seen for m in members], means, before, unit(theirs)))


def _new_id(day: date, members: frozenset[str]) -> str:
    text = day.isoformat() + "\n" + "\n".join(sorted(members))
    return "t" + hashlib.sha256(text.encode()).hexdigest()[:10]


def _text(paper: Paper) -> str:
    return plain(paper_text(paper)[:READ])


__all__ = ["MORE", "Learned", "learn"]
