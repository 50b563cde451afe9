"""What the public pages read: editions by day, a theme's life, a paper and where it was. Nothing of any reader."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from newsletter.model import ArchivedPaper, Edition, KnownTheme, ThemeEvent
from newsletter.store.archive import archived_papers
from newsletter.store.connection import batches, reading
from newsletter.store.editions import as_theme
from newsletter.store.freezing import thaw_edition
from newsletter.store.reconcile import UNLISTED
from newsletter.store.tables import EDITIONS, PAPERS, THEME_EVENTS, THEMES
from newsletter.store.vectors import paper_numbers

__all__ = [
    "Life", "edition_days", "editions_between", "events_of", "labels", "listed", "papers_between", "public_paper",
    "theme_life", "themes_of_paper",
]  # fmt: skip

_STEP = 7  # days between the days of a theme's life that are read: a window is far longer, so no paper is missed
_LATE = 7  # days after which a paper that came late is in no edition (newsletter.pipeline.editions)


@dataclass(frozen=True, slots=True)
class Life:
    """A theme as its last day left it, and the papers that were in it, but for those now in another one."""

    theme: KnownTheme
    papers: frozenset[str]


def edition_days(engine: Engine) -> list[date]:
    """The days that have an edition, oldest first."""
    with reading(engine) as connection:
        return list(connection.execute(sa.select(EDITIONS.c.day).order_by(EDITIONS.c.day)).scalars())


def editions_between(engine: Engine, since: date, until: date) -> list[Edition]:
    """The editions of these days and those between, newest first."""
    query = sa.select(EDITIONS.c.body).where(EDITIONS.c.day.between(since, until)).order_by(EDITIONS.c.day.desc())
    with reading(engine) as connection:
        return [thaw_edition(body) for body in connection.execute(query).scalars()]


def public_paper(engine: Engine, name: str) -> ArchivedPaper | None:
    """The paper that an id, arXiv id, URL, DOI or title names, if a digest has listed it."""
    with reading(engine) as connection:
        numbers = paper_numbers(connection, [name])
        found = list(archived_papers(connection, sorted(set(numbers.values()))).values())
    return next((one for one in found if one.day < UNLISTED[0]), None)


def listed(engine: Engine, ids: Collection[str]) -> dict[str, ArchivedPaper]:
    """The papers of these ids that digests have listed, newest first."""
    found: list[ArchivedPaper] = []
    with reading(engine) as connection:
        for some in batches(ids):
            query = sa.select(PAPERS.c.number).where(PAPERS.c.id.in_(some), PAPERS.c.first_day < UNLISTED[0])
            found += archived_papers(connection, list(connection.execute(query).scalars())).values()
    return {one.paper.id: one for one in sorted(found, key=lambda one: (-one.day.toordinal(), one.paper.title))}


def papers_between(engine: Engine, since: date, until: date) -> dict[str, date]:
    """The ids of the papers first seen on these days and those between, with the day, newest first."""
    query = sa.select(PAPERS.c.id, PAPERS.c.first_day).where(PAPERS.c.first_day.between(since, until))
    with reading(engine) as connection:
        rows = connection.execute(query.order_by(PAPERS.c.first_day.desc(), PAPERS.c.number.desc()))
        return {row[0]: row[1] for row in rows}


def theme_life(engine: Engine, theme_id: str) -> Life | None:
    """The theme's life, or None for one that never was."""
    mine = THEMES.c.id == theme_id
    with reading(engine) as connection:
        days = list(connection.execute(sa.select(THEMES.c.day).where(mine).order_by(THEMES.c.day.desc())).scalars())
        if not days:
            return None
        rows = connection.execute(sa.select(THEMES.c.papers).where(mine, THEMES.c.day.in_(_spread(days)))).scalars()
        papers = frozenset(paper for some in rows for paper in some)
        newest = sa.select(sa.func.max(THEMES.c.day)).scalar_subquery()
        others = connection.execute(sa.select(THEMES.c.papers).where(THEMES.c.day == newest, ~mine)).scalars()
        papers = papers.difference(*others)
        last = connection.execute(sa.select(*THEMES.c).where(mine, THEMES.c.day == days[0])).one()
    return Life(as_theme(last), papers)


def events_of(engine: Engine, theme_id: str) -> tuple[ThemeEvent, ...]:
    """What happened to the theme, newest first; splits and merges of others with it too."""
    mine = sa.or_(THEME_EVENTS.c.id == theme_id, THEME_EVENTS.c.other == theme_id)
    query = sa.select(*THEME_EVENTS.c).where(mine).order_by(THEME_EVENTS.c.day.desc(), THEME_EVENTS.c.position)
    with reading(engine) as connection:
        return tuple(ThemeEvent(row.day, row.kind, row.id, row.other) for row in connection.execute(query))


def labels(engine: Engine, ids: Collection[str]) -> dict[str, str]:
    """The newest label of each theme."""
    query = sa.select(THEMES.c.id, THEMES.c.label).where(THEMES.c.id.in_(sorted(ids))).order_by(THEMES.c.day)
    with reading(engine) as connection:
        return {row[0]: row[1] for row in connection.execute(query)}


def themes_of_paper(engine: Engine, archived: ArchivedPaper) -> tuple[list[Edition], KnownTheme | None]:
    """The editions that the paper was in, oldest first, and the theme in which the newest day had it."""
    near = reversed(editions_between(engine, archived.day, archived.day + timedelta(days=_LATE)))
    held = [edition for edition in near if any(paper.id == archived.paper.id for paper in edition.papers)]
    days = sa.select(THEMES.c.day).where(THEMES.c.day >= archived.day).distinct().order_by(THEMES.c.day.desc())
    with reading(engine) as connection:
        candidates = _theme_rows(connection, list(connection.execute(days).scalars()), archived.paper.id)
    return held, candidates


def _theme_rows(connection: Connection, days: Sequence[date], paper: str) -> KnownTheme | None:
    for day in _spread(days)[:10]:
        rows = connection.execute(sa.select(THEMES.c.id, THEMES.c.papers).where(THEMES.c.day == day)).all()
        for row in rows:
            if paper in row.papers:
                mine = sa.select(*THEMES.c).where(THEMES.c.day == day, THEMES.c.id == row.id)
                return as_theme(connection.execute(mine).one())
    return None


def _spread(days: Sequence[date]) -> list[date]:
    """The newest day, every seventh and the last of `days`, which go from new to old."""
    chosen = [*days[::_STEP], *days[-1:]]
    return list(dict.fromkeys(chosen))
