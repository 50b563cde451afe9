"""The day's edition: its papers, embedded and grouped into themes on the rolling window, then frozen."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from newsletter import embedding, themes
from newsletter.errors import DigestError
from newsletter.model import Edition, KnownTheme, Paper
from newsletter.pipeline import writing
from newsletter.pipeline.mapping import draw_map
from newsletter.pipeline.workspace import Workspace
from newsletter.store import archive, editions, ledger, maps, vectors
from newsletter.text import paper_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

log = structlog.get_logger()
_LATE = 7  # days back among which papers that came after their edition had gone out are gathered


def edition_id(day: date) -> str:
    """``daily/2025-03-13``."""
    return f"daily/{day.isoformat()}"


def edition_day(workspace: Workspace, day: date | None) -> date:
    """`day`, or the newest day of the archive; raises DigestError where the archive is empty."""
    if day is not None:
        return day
    known = archive.days(workspace.engine)
    if not known:
        raise DigestError(
            "There is no edition yet", why="the archive is empty", do="Read a digest first: newsletter fetch"
        )
    return max(known)


def prepare(workspace: Workspace, day: date) -> Edition:
    """The edition of `day`: the saved one if it has the same papers or planned letters, else learned anew."""
    papers = _papers(workspace, day)
    saved = editions.load_edition(workspace.engine, edition_id(day))
    if saved is not None and ({p.id for p in saved.papers} == {p.id for p in papers} or _frozen(workspace, saved)):
        return saved
    if not papers:
        return Edition(edition_id(day), day, (), ())
    learned = _learn(workspace, day, papers)
    writing.summarise(workspace, papers)
    edition = Edition(edition_id(day), day, tuple(papers), learned.themes)
    editions.save_edition(workspace.engine, edition)
    editions.save_themes(workspace.engine, day, learned.known, learned.events)
    _keep_map(workspace, edition, learned.known)
    log.info("edition prepared", edition=edition.id, papers=len(papers), themes=len(edition.themes))
    return edition


def gather(workspace: Workspace, edition: Edition, days: Collection[date]) -> Edition:
    """The edition with the papers of the editions of `days` before it too, all under the themes of its own day."""
    earlier = [saved for day in sorted(days) if day < edition.day and (saved := _edition_of(workspace, day))]
    if not earlier:
        return edition
    papers = {paper.id: paper for one in (*earlier, edition) for paper in one.papers}
    span = workspace.settings.themes.window_days
    window = archive.window(workspace.engine, edition.day, span)
    rows = embed(workspace, [archived.paper for archived in window])
    model = embedder(workspace.settings.embedding.model, workspace.settings.data).name
    remembered = editions.known_themes(workspace.engine, edition.day + timedelta(days=1))
    known = [theme for theme in remembered if theme.model == model]  # centroids of another model say nothing
    placed = themes.gathered_themes(window, rows, known, papers, day=edition.day, window_days=span)
    return replace(edition, papers=tuple(papers.values()), themes=placed)


def embed(workspace: Workspace, papers: Sequence[Paper]) -> NDArray[np.float32]:
    """The papers' vectors (n, d) in the configured model, from the archive where it has them."""
    import numpy as np

    model = embedder(workspace.settings.embedding.model, workspace.settings.data)
    known = vectors.get_vectors(workspace.engine, model.name, [paper.id for paper in papers])
    missing = [paper for paper in papers if paper.id not in known]
    if missing:
        made = model.encode([paper_text(paper) for paper in missing])
        vectors.put_vectors(workspace.engine, model.name, [paper.id for paper in missing], made)
        known |= {paper.id: row for paper, row in zip(missing, made, strict=True)}
    if not papers:
        return np.zeros((0, model.dimensions), dtype=np.float32)
    return np.stack([known[paper.id] for paper in papers])


@cache
def embedder(model: str, data: Path) -> embedding.Embedder:
    """The embedding model of that name, loaded once."""
    return embedding.load(model, data=data)


def write_theme_map(workspace: Workspace, edition: Edition, path: Path) -> None:
    """An interactive map of the edition's window as one offline HTML file."""
    window = archive.window(workspace.engine, edition.day, workspace.settings.themes.window_days)
    known = editions.known_themes(workspace.engine, edition.day + timedelta(days=1))
    themes.write_map(
        path, window, embed(workspace, [a.paper for a in window]), known, seed=workspace.settings.themes.seed
    )


def _learn(workspace: Workspace, day: date, papers: Iterable[Paper]) -> themes.Learned:
    settings = workspace.settings.themes
    window = archive.window(workspace.engine, day, settings.window_days)
    # a paper that came late counts as the day's own: it is this edition that brings it
    own = {paper.id for paper in papers}
    window = [replace(a, day=day) if a.paper.id in own else a for a in window]
    model = embedder(workspace.settings.embedding.model, workspace.settings.data)
    before = editions.known_themes(workspace.engine, day)
    learned = themes.learn(
        window, embed(workspace, [a.paper for a in window]), day, before,
        model=model.name, seed=settings.seed, window_days=settings.window_days, encode=model.encode,
    )  # fmt: skip
    return writing.named(workspace, learned, before, {a.paper.id: a.paper for a in window}, day)


def _keep_map(workspace: Workspace, edition: Edition, known: Sequence[KnownTheme]) -> None:
    """For the edition's public page, where there is one; it takes a few seconds."""
    web, settings = workspace.settings.web, workspace.settings.themes
    if web is None or not web.archive:
        return
    window = archive.window(workspace.engine, edition.day, settings.window_days)
    drawn = draw_map(
        edition, window, embed(workspace, [a.paper for a in window]), known,
        maps.map_before(workspace.engine, edition.day), seed=settings.seed, window_days=settings.window_days,
    )  # fmt: skip
    maps.save_map(workspace.engine, drawn)


def _papers(workspace: Workspace, day: date) -> list[Paper]:
    """The papers first seen on `day`, then those that came for an earlier day after its edition was frozen."""
    ids = [edition_id(day - timedelta(days=back)) for back in range(_LATE, 0, -1)]
    before = [edition for one in ids if (edition := editions.load_edition(workspace.engine, one))]
    printed = {paper.id for edition in before for paper in edition.papers}
    late = [
        paper
        for edition in before
        if _frozen(workspace, edition)
        for paper in archive.papers_of_day(workspace.engine, edition.day)
    ]
    return [*archive.papers_of_day(workspace.engine, day), *(paper for paper in late if paper.id not in printed)]


def _frozen(workspace: Workspace, edition: Edition) -> bool:
    return ledger.counts(workspace.engine, edition.id)["total"] > 0


def _edition_of(workspace: Workspace, day: date) -> Edition | None:
    """A saved edition, or the day's papers without themes where none was prepared."""
    saved = editions.load_edition(workspace.engine, edition_id(day))
    if saved is not None:
        return saved
    papers = archive.papers_of_day(workspace.engine, day)
    return Edition(edition_id(day), day, tuple(papers), ()) if papers else None
