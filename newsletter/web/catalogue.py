"""The archive as everyone may see it: editions, themes and papers, as pages, feeds and the API show them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from newsletter.letter.summary import summarise
from newsletter.letter.view import paper_link, paper_ref, safe_url
from newsletter.letter.wording import clipped, counts, label, momentum, people
from newsletter.model import ArchivedPaper, Edition, Momentum, Paper
from newsletter.pipeline import Workspace, edition_id
from newsletter.store import editions, maps, shelf
from newsletter.text import readable
from newsletter.web.charts import spark

__all__ = [
    "Alive", "Brief", "Card", "Issue", "Shelf", "alive_themes", "brief", "card", "issue", "newest_first", "paper_path",
    "summary_of",
]  # fmt: skip

FULL = 120  # papers of an edition up to which each one's summary is shown; more make a page that nobody reads
_TOP = 4


@dataclass(frozen=True, slots=True)
class Card:
    """A paper in a list. `links` lead away: (text, checked address)."""

    id: str
    path: str
    title: str
    authors: str
    facts: tuple[str, ...]
    links: tuple[tuple[str, str], ...]
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Shelf:
    """A theme of an edition with its papers; `moves` is its momentum in words, `weeks` its sparkline."""

    id: str
    label: str
    keywords: tuple[str, ...]
    trend: str
    moves: str
    weeks: tuple[tuple[int, int], ...]
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Issue:
    """An edition as its page shows it, between the one before and the next."""

    edition: Edition
    shelves: tuple[Shelf, ...]
    drawn: maps.ThemeMap | None
    before: date | None
    after: date | None


@dataclass(frozen=True, slots=True)
class Brief:
    """An edition in a list: how many papers and themes, and its largest themes' names."""

    day: date
    papers: int
    themes: int
    top: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Alive:
    """A theme of the newest window; `papers` are all that it has there, `week` those of the last seven days."""

    id: str
    label: str
    keywords: tuple[str, ...]
    papers: tuple[str, ...]
    week: int
    momentum: Momentum | None
    moves: str
    weeks: tuple[tuple[int, int], ...]


def paper_path(paper: str) -> str:
    """Where a paper's page is, behind the prefix."""
    return "/papers/" + paper_ref(paper)


def card(paper: Paper, *, summary: str = "", authors: int = 4) -> Card:
    """A paper as lists show it."""
    offered = (("Paper", paper_link(paper)), ("PDF", paper.pdf), ("Code", paper.code), ("Project", paper.project))
    links: dict[str, str] = {}
    for text, url in offered:
        if checked := safe_url(url):
            links.setdefault(checked, text)
    return Card(
        paper.id, paper_path(paper.id), readable(paper.title) or paper.id, people(paper.authors, "en", authors),
        counts(paper.upvotes, paper.comments, paper.stars, "en"),
        tuple((text, url) for url, text in links.items()), summary,
    )  # fmt: skip


def brief(edition: Edition) -> Brief:
    """The edition in a line."""
    named = [theme for theme in edition.themes if theme.id != "more"]
    return Brief(edition.day, len(edition.papers), len(named), tuple(label(t, "en") for t in named[:_TOP]))


def issue(workspace: Workspace, day: date) -> Issue | None:
    """The edition of a day, or None."""
    edition = editions.load_edition(workspace.engine, edition_id(day))
    if edition is None:
        return None
    days = shelf.edition_days(workspace.engine)
    drawn = maps.load_map(workspace.engine, edition.id)
    written: Mapping[str, str] = drawn.summaries if drawn else {}
    return Issue(
        edition, _shelves(edition, written), drawn,
        max((d for d in days if d < day), default=None), min((d for d in days if d > day), default=None),
    )  # fmt: skip


def _shelves(edition: Edition, written: Mapping[str, str]) -> tuple[Shelf, ...]:
    """Every paper of the edition once, those that no theme holds under a heading of their own."""
    papers = {paper.id: paper for paper in edition.papers}
    full = len(papers) <= FULL

    def cards(ids: Iterable[str]) -> tuple[Card, ...]:
        return tuple(
            card(papers[i], summary=summary_of(papers[i], written) if full else "") for i in ids if i in papers
        )

    made = [
        Shelf(
            theme.id, label(theme, "en"), tuple(map(readable, theme.keywords)), theme.momentum.trend,
            "" if theme.id == "more" else momentum(theme.momentum, "en"), spark(theme.momentum.history),
            cards(theme.papers),
        )
        for theme in edition.themes
    ]  # fmt: skip
    placed = {paper for theme in edition.themes for paper in theme.papers}
    if rest := [paper.id for paper in edition.papers if paper.id not in placed]:
        made.append(Shelf("other", "Other papers" if made else "Papers", (), "", "", (), cards(rest)))
    return tuple(one for one in made if one.cards)


def summary_of(paper: Paper, written: Mapping[str, str] | None = None) -> str:
    """The paper's summary: as it was made with the edition, else made now."""
    known = (written or {}).get(paper.id)
    return summarise(paper.title, paper.abstract) if known is None else known


def alive_themes(workspace: Workspace) -> tuple[date | None, tuple[Alive, ...]]:
    """The day of the newest edition's themes and all themes that had papers in its window, largest first."""
    days = shelf.edition_days(workspace.engine)
    known = editions.known_themes(workspace.engine, date.max)
    if not days or not known:
        return (days[-1] if days else None), ()
    day = max(theme.last_day for theme in known)
    span = workspace.settings.themes.window_days
    seen = shelf.papers_between(workspace.engine, day - timedelta(days=span - 1), day)
    drawn = maps.load_map(workspace.engine, edition_id(day))
    moving = {theme.id: theme.momentum for theme in drawn.themes} if drawn else {}
    made = (_alive(t.id, t.label, t.keywords, t.papers, moving.get(t.id), seen, day, span) for t in known)
    return day, tuple(sorted(made, key=lambda one: (-len(one.papers), one.label)))


def _alive(  # noqa: PLR0917  a row's columns
    key: str, name: str, keywords: Sequence[str], papers: Sequence[str], moves: Momentum | None,
    seen: Mapping[str, date], day: date, span: int,
) -> Alive:  # fmt: skip
    wanted = frozenset(papers)
    mine = [paper for paper in seen if paper in wanted]  # newest first, as `seen` is
    per_day = Counter((day - seen[paper]).days for paper in mine)
    oldest = max(((day - one).days for one in seen.values()), default=0)
    history = tuple(per_day[back] for back in range(min(span, oldest + 1) - 1, -1, -1))
    return Alive(
        key, clipped(readable(name), 90), tuple(map(readable, keywords)), tuple(mine),
        sum(per_day[back] for back in range(7)), moves, momentum(moves, "en") if moves else "", spark(history),
    )  # fmt: skip


def newest_first(found: Mapping[str, ArchivedPaper]) -> dict[date, list[Card]]:
    """Cards by the day on which the archive first saw them."""
    by_day: dict[date, list[Card]] = {}
    for archived in found.values():
        by_day.setdefault(archived.day, []).append(card(archived.paper, authors=3))
    return by_day
