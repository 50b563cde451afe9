"""The window's papers to the day's themes.

window, vectors, known -> group (BERTopic; known themes live on; outliers placed) -> keywords, labels, ids -> known
known, window -> edition (the day's papers by theme, momentum) -> Learned
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
from newsletter.themes.candidates import Encode
from newsletter.themes.edition import MORE, edition_themes
from newsletter.themes.group import Grouped, group
from newsletter.themes.keywords import describe
from newsletter.themes.names import label
from newsletter.themes.phrases import plain
from newsletter.themes.place import NOWHERE, Labels, Vectors, centroids, unit

READ = 20_000  # characters of title and abstract that count words
KEPT = 10  # days from one change of a label to the next, at least


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
    texts = [readable(paper) for paper in papers]
    grouped = group(texts, rows, _before(papers, known), len(known), seed=seed)
    labels = grouped.topics.labels
    remembered, renamed = _remember(papers, texts, rows, grouped, known, day=day, model=model, encode=encode)
    events = (*_events(grouped, known, remembered, day), *renamed)
    themes = edition_themes(window, rows, labels, remembered, day=day, window_days=window_days)
    ids = [*(theme.id for theme in remembered), MORE]
    assignment = {paper.id: ids[g] for paper, g in zip(papers, labels.tolist(), strict=True)}
    return Learned(themes, remembered, events, assignment)


def evaluate_papers(
    papers: Sequence[Paper], vectors: NDArray[np.float32], *, model: str, seed: int, encode: Encode | None = None
) -> list[dict[str, object]]:
    """One ``{"id", "theme", "label", "keywords"}`` for each paper, in order, as a day of these papers would be learned.

    theme is None for papers that fit nowhere. vectors: (n, d), row i embeds papers[i].
    """
    day = date(2000, 1, 1)  # any: a window of one day
    window = [ArchivedPaper(paper, day) for paper in papers]
    learned = learn(window, vectors, day, (), model=model, seed=seed, window_days=1, encode=encode)
    themes = {theme.id: theme for theme in learned.known}
    return [_result(paper, themes.get(learned.assignment[paper.id])) for paper in papers]


def _result(paper: Paper, theme: KnownTheme | None) -> dict[str, object]:
    if theme is None:
        return {"id": paper.id, "theme": None, "label": "", "keywords": []}
    return {"id": paper.id, "theme": theme.id, "label": theme.label, "keywords": list(theme.keywords)}


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


def readable(paper: Paper) -> str:
    """What words are counted in: title and abstract, without LaTeX, of sane length."""
    return plain(paper_text(paper)[:READ])


def _before(papers: Sequence[Paper], known: Sequence[KnownTheme]) -> Labels:
    theme_of = {paper: number for number, theme in enumerate(known) for paper in theme.papers}
    return np.array([theme_of.get(paper.id, NOWHERE) for paper in papers], dtype=np.int64)


def _remember(
    papers: Sequence[Paper],
    texts: Sequence[str],
    vectors: Vectors,
    grouped: Grouped,
    known: Sequence[KnownTheme],
    *,
    day: date,
    model: str,
    encode: Encode | None,
) -> tuple[tuple[KnownTheme, ...], list[ThemeEvent]]:
    """The themes as tomorrow will know them, one for each group, and those that got another label."""
    means = centroids(vectors, grouped.topics.labels, len(grouped.numbers))
    words = describe(texts, grouped.topics)
    old = [known[number] if number < len(known) else None for number in grouped.numbers]
    held = [theme.label if theme else "" for theme in old]
    fixed = [theme is not None and _settled(theme, day) for theme in old]
    labels = label(papers, vectors, grouped.topics, encode, words=words, held=held, fixed=fixed)
    themes, renamed = [], []
    for g, theme in enumerate(old):
        members = tuple(sorted(papers[i].id for i in np.flatnonzero(grouped.topics.labels == g).tolist()))
        kept = theme is not None and theme.label == labels[g]
        themes.append(
            KnownTheme(
                id=theme.id if theme else _new_id(day, members), label=labels[g], keywords=words[g], papers=members,
                centroid=tuple(means[g].tolist()), model=model, last_day=day,
                first_day=theme.first_day if theme else day, labelled=theme.labelled if theme and kept else day,
            )
        )  # fmt: skip
        if theme and not kept:
            renamed.append(ThemeEvent(day, "renamed", theme.id))
    return tuple(themes), renamed


def _settled(theme: KnownTheme, day: date) -> bool:
    """Whether a label must stay: it was changed of late. A theme's first may give way before: few papers named it."""
    return theme.labelled > theme.first_day and (day - theme.labelled).days < KEPT


def _events(
    grouped: Grouped, known: Sequence[KnownTheme], remembered: Sequence[KnownTheme], day: date
) -> list[ThemeEvent]:
    ids = {number: theme.id for number, theme in enumerate(known)}
    ids.update((number, theme.id) for number, theme in zip(grouped.numbers, remembered, strict=True))
    return [ThemeEvent(day, c.kind, ids[c.group], ids.get(c.other, "")) for c in grouped.changes]


def _new_id(day: date, members: Sequence[str]) -> str:
    return "t" + hashlib.sha256("\n".join((day.isoformat(), *members)).encode("utf-8", "replace")).hexdigest()[:10]
