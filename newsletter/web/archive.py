"""Editions, their themes and charts, single themes and papers: pages for everyone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from newsletter.letter.view import paper_link
from newsletter.letter.wording import clipped
from newsletter.model import ArchivedPaper, KnownTheme, ThemeEvent
from newsletter.pipeline import Workspace
from newsletter.store import editions, shelf, vectors
from newsletter.text import readable
from newsletter.web import catalogue
from newsletter.web.chart_map import draw
from newsletter.web.charts import bars, weekly
from newsletter.web.desk import At, day_of
from newsletter.web.pages import page
from newsletter.web.public import PUBLIC, frozen_age, kept

router = APIRouter(dependencies=PUBLIC)
_MONTHS = 2  # shown where none is asked for
_LISTED = 300  # papers on a theme's page
_NEAR = 45  # days around a paper among which similar ones are looked for
_MOST = 4000  # of them
_SIMILAR = 6


@dataclass(frozen=True, slots=True)
class Told:
    """What happened to a theme on a day, in words; `other` leads to another theme."""

    day: date
    text: str
    other: str = ""
    label: str = ""


@router.get("/editions")
def list_editions(request: Request, desk: At, month: str = "") -> Response:
    """Editions by month, newest first; `month` is ``2025-05``."""
    days = shelf.edition_days(desk.workspace.engine)[::-1]
    months = {key: len(list(some)) for key, some in groupby(days, key=lambda day: f"{day:%Y-%m}")}
    if month and month not in months:
        raise HTTPException(404)
    shown = [month] if month else list(months)[:_MONTHS]
    wanted = [day for day in days if f"{day:%Y-%m}" in shown]
    found = shelf.editions_between(desk.workspace.engine, wanted[-1], wanted[0]) if wanted else []
    groups = groupby(map(catalogue.brief, found), key=lambda one: f"{one.day:%Y-%m}")
    by_month = [(key, list(some)) for key, some in groups]
    return kept(request, page(request, "editions", months=months, shown=shown, by_month=by_month, month_name=_month))


@router.get("/editions/{day}")
def show_edition(request: Request, desk: At, day: str) -> Response:
    """One edition: its themes with their papers, a chart, the map of its window."""
    moment = day_of(day)
    issue = catalogue.issue(desk.workspace, moment)
    if issue is None:
        raise HTTPException(404)
    chart = bars(issue.edition.themes, {one.id: one.label for one in issue.shelves})
    today = frozenset(paper.id for paper in issue.edition.papers)
    drawing = draw(issue.drawn, today) if issue.drawn else None
    window = desk.workspace.settings.themes.window_days
    answer = page(
        request, "edition", issue=issue, chart=chart, map=drawing, window=window, paper_path=catalogue.paper_path
    )
    return kept(request, answer, frozen_age(desk, moment))


@router.get("/themes")
def list_themes(request: Request, desk: At) -> Response:
    """Every theme of the newest window."""
    day, alive = catalogue.alive_themes(desk.workspace)
    window = desk.workspace.settings.themes.window_days
    return kept(request, page(request, "themes", day=day, alive=alive, window=window))


@router.get("/themes/{theme}")
def show_theme(request: Request, desk: At, theme: str) -> Response:
    """One theme: its papers by day, its weeks, what happened to it, its neighbours."""
    workspace = desk.workspace
    life = shelf.theme_life(workspace.engine, theme)
    if life is None:
        raise HTTPException(404)
    found = shelf.listed(workspace.engine, life.papers)
    newest = dict(list(found.items())[:_LISTED])
    _, alive = catalogue.alive_themes(workspace)
    values: dict[str, Any] = {
        "theme": life.theme, "label": clipped(readable(life.theme.label), 90),
        "keywords": list(map(readable, life.theme.keywords)), "papers": len(found), "more": len(found) - len(newest),
        "by_day": catalogue.newest_first(newest),
        "weeks": weekly((one.day for one in found.values()), life.theme.last_day),
        "now": next((one for one in alive if one.id == theme), None),
        "events": _told(workspace, theme), "neighbours": _neighbours(workspace, life.theme),
    }  # fmt: skip
    return kept(request, page(request, "theme", **values))


@router.get("/papers/{paper:path}")
def show_paper(request: Request, desk: At, paper: str) -> Response:
    """One paper; an older id or a version of it leads to the id that the archive uses."""
    archived = shelf.public_paper(desk.workspace.engine, paper)
    if archived is None:
        raise HTTPException(404)
    if archived.paper.id != paper:
        return RedirectResponse(desk.prefix + catalogue.paper_path(archived.paper.id), 301)
    held, theme = shelf.themes_of_paper(desk.workspace.engine, archived)
    answer = page(
        request, "paper", card=catalogue.card(archived.paper, authors=60), paper=archived.paper, day=archived.day,
        abstract=readable(archived.paper.abstract), held=held, theme=theme,
        theme_label=clipped(readable(theme.label), 90) if theme else "",
        similar=_similar(desk.workspace, archived, theme), data=_linked_data(desk, archived),
    )  # fmt: skip
    return kept(request, answer)


def _month(key: str) -> str:
    """``May 2025``."""
    return date.fromisoformat(f"{key}-01").strftime("%B %Y")


def _told(workspace: Workspace, theme: str) -> list[Told]:
    events = shelf.events_of(workspace.engine, theme)
    names = shelf.labels(workspace.engine, {one for event in events for one in (event.id, event.other) if one})
    return [told for event in events if (told := _in_words(event, theme, names)) is not None]


def _in_words(event: ThemeEvent, theme: str, names: Mapping[str, str]) -> Told | None:
    """The event from the theme's side; None for one that says nothing."""
    other = event.other if event.id == theme else event.id
    words = {
        ("born", True): "First seen", ("renamed", True): "Got its present name or one before it",
        ("split", True): "Split off from", ("split", False): "Another theme split off:",
        ("merged", True): "Became part of", ("merged", False): "Took in",
    }  # fmt: skip
    text = words.get((event.kind, event.id == theme))
    if text is None:
        return None
    return Told(event.day, text, other if other in names else "", clipped(readable(names.get(other, "")), 90))


def _neighbours(workspace: Workspace, theme: KnownTheme) -> list[tuple[str, str]]:
    """The themes alive whose centroids are nearest, nearest first: (id, label)."""
    import numpy as np

    mine = np.array(theme.centroid)
    others = [
        other
        for other in editions.known_themes(workspace.engine, date.max)
        if other.id != theme.id and other.model == theme.model and len(other.centroid) == len(mine)
    ]
    others.sort(key=lambda other: -float(np.dot(mine, np.array(other.centroid))))
    return [(other.id, clipped(readable(other.label), 90)) for other in others[:5]]


def _similar(workspace: Workspace, archived: ArchivedPaper, theme: KnownTheme | None) -> Sequence[catalogue.Card]:
    """The papers of the weeks around whose vectors are nearest, where the theme tells the model of the vectors."""
    import numpy as np

    if theme is None:
        return ()
    span = timedelta(days=_NEAR)
    near = shelf.papers_between(workspace.engine, archived.day - span, min(archived.day, date.max - span) + span)
    found = vectors.get_vectors(workspace.engine, theme.model, {archived.paper.id, *list(near)[:_MOST]})
    own = found.pop(archived.paper.id, None)
    if own is None or not found:
        return ()
    cosines = np.stack(list(found.values())) @ own
    names = list(found)
    best = [names[i] for i in np.argsort(-cosines, kind="stable")[:_SIMILAR].tolist()]
    papers = shelf.listed(workspace.engine, best)
    return [catalogue.card(papers[name].paper, authors=2) for name in best if name in papers]


def _linked_data(desk: At, archived: ArchivedPaper) -> dict[str, Any]:
    """schema.org's ScholarlyArticle (https://schema.org/ScholarlyArticle)."""
    paper = archived.paper
    data: dict[str, Any] = {
        "@context": "https://schema.org", "@type": "ScholarlyArticle",
        "@id": desk.absolute(catalogue.paper_path(paper.id)), "headline": readable(paper.title)[:300],
        "abstract": readable(paper.abstract),
        "author": [{"@type": "Person", "name": readable(author)} for author in paper.authors],
        "identifier": paper.id, "url": desk.absolute(catalogue.paper_path(paper.id)),
        "sameAs": paper_link(paper), "datePublished": paper.published.isoformat() if paper.published else "",
    }  # fmt: skip
    return {key: value for key, value in data.items() if value}
