"""Atom feeds (RFC 4287), the sitemap (sitemaps.org), robots.txt (RFC 9309).

The XML is made by templates with autoescape: feedgen, the library for it, brings lxml for a page of text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from urllib.parse import quote, urlsplit

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import PlainTextResponse

from newsletter.letter.language import long_date
from newsletter.letter.wording import clipped
from newsletter.pipeline import edition_id
from newsletter.store import editions, shelf
from newsletter.text import readable
from newsletter.web import catalogue
from newsletter.web.desk import At, Desk
from newsletter.web.pages import render
from newsletter.web.public import PUBLIC, kept

__all__ = ["SITEMAP", "router"]

router = APIRouter()
SITEMAP = 50_000  # addresses in one sitemap, by its protocol
_ENTRIES = 10
_PAPERS = 50  # of a theme
_NUMBER = re.compile("[0-9]{0,8}")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, production 2
_TOKENS = ("/p/", "/u/", "/l/", "/f/", "/data/", "/confirm/", "/admin", "/test", "/health", "/metrics")


@dataclass(frozen=True, slots=True)
class Item:
    """An entry of a feed; `html` is a fragment, escaped once for HTML."""

    id: str
    title: str
    path: str
    updated: datetime
    html: str
    authors: tuple[str, ...] = ()


@router.get("/feed.atom", dependencies=PUBLIC)
def edition_feed(request: Request, desk: At) -> Response:
    """The newest editions, each with its themes and papers."""
    items = []
    for day in shelf.edition_days(desk.workspace.engine)[: -_ENTRIES - 1 : -1]:
        issue = catalogue.issue(desk.workspace, day)
        if issue is not None:
            html = render(desk, "feed_edition", issue=issue)
            path = f"/editions/{day.isoformat()}"
            items.append(Item(_tag(desk, day, edition_id(day)), long_date(day, "en"), path, _noon(day), html))
    settings = desk.workspace.settings
    return _feed(request, desk, settings.title, _tag(desk, None, "editions"), "/feed.atom", "/editions", items)


@router.get("/themes/{theme}/feed.atom", dependencies=PUBLIC)
def theme_feed(request: Request, desk: At, theme: str) -> Response:
    """The newest papers of a theme."""
    life = shelf.theme_life(desk.workspace.engine, theme)
    if life is None:
        raise HTTPException(404)
    found = list(shelf.listed(desk.workspace.engine, life.papers).values())[:_PAPERS]
    items = []
    for one in found:
        made = catalogue.card(one.paper, summary=catalogue.summary_of(one.paper))
        html = render(desk, "feed_paper", card=made)
        people = tuple(readable(name) for name in one.paper.authors)
        items.append(Item(_tag(desk, one.day, one.paper.id), made.title, made.path, _noon(one.day), html, people))
    title = f"{clipped(readable(life.theme.label), 90)} – {desk.workspace.settings.title}"
    home = f"/themes/{theme}"
    return _feed(
        request, desk, title, _tag(desk, life.theme.first_day, f"theme/{theme}"), f"{home}/feed.atom", home, items
    )


@router.get("/sitemap.xml", dependencies=PUBLIC)
def sitemap(request: Request, desk: At, page: str = "") -> Response:
    """Every public page; above 50,000 an index of sitemaps."""
    places = _places(desk)
    parts = [places[start : start + SITEMAP] for start in range(0, len(places), SITEMAP)] or [[]]
    number = int(page or 1) if _NUMBER.fullmatch(page) else 0
    if not 1 <= number <= len(parts):
        raise HTTPException(404)
    if len(parts) > 1 and not page:
        addresses = [(f"/sitemap.xml?page={one}", None) for one in range(1, len(parts) + 1)]
        return _xml(
            request, render(desk, "sitemap", kind="index", places=_absolute(desk, addresses)), "application/xml"
        )
    chosen = parts[number - 1]
    return _xml(request, render(desk, "sitemap", kind="pages", places=_absolute(desk, chosen)), "application/xml")


@router.get("/robots.txt")
def robots(request: Request, desk: At) -> Response:
    """Nothing that needs a token is for robots; the archive is where it is public."""
    lines = ["User-agent: *", *(f"Disallow: {desk.prefix}{path}" for path in _TOKENS)]
    if desk.web.archive:
        lines += [f"Disallow: {desk.prefix}/search", f"Sitemap: {desk.absolute('/sitemap.xml')}"]
    else:
        lines = ["User-agent: *", "Disallow: /"]
    return kept(request, PlainTextResponse("\n".join(lines) + "\n"))


def _places(desk: Desk) -> list[tuple[str, date | None]]:
    """(path, day of the last change where it is known) of every public page."""
    engine = desk.workspace.engine
    days = shelf.edition_days(engine)
    newest = days[-1] if days else None
    fixed: list[tuple[str, date | None]] = [("/", newest), ("/editions", newest), ("/themes", newest)]
    shown = [(f"/editions/{day.isoformat()}", day) for day in reversed(days)]
    themes = [(f"/themes/{theme.id}", theme.last_day) for theme in editions.known_themes(engine, date.max)]
    papers = shelf.papers_between(engine, date.min, date(9999, 12, 30))
    return [*fixed, *shown, *themes, *((catalogue.paper_path(paper), day) for paper, day in papers.items())]


def _absolute(desk: Desk, places: Sequence[tuple[str, date | None]]) -> list[tuple[str, str]]:
    return [(desk.absolute(path), day.isoformat() if day else "") for path, day in places]


def _feed(  # noqa: PLR0917  a feed's head
    request: Request, desk: Desk, title: str, key: str, path: str, home: str, items: Sequence[Item]
) -> Response:
    updated = max((item.updated for item in items), default=datetime(1970, 1, 1, tzinfo=UTC))
    entries = [(item, desk.absolute(item.path)) for item in items]
    text = render(
        desk, "feed", heading=title, key=key, here=desk.absolute(path), home=desk.absolute(home), updated=updated,
        entries=entries,
    )  # fmt: skip
    return _xml(request, text, "application/atom+xml")


def _xml(request: Request, text: str, kind: str) -> Response:
    clean = _NOT_XML.sub("", text).encode("utf-8", "replace")
    return kept(request, Response(clean, media_type=kind))


def _noon(day: date) -> datetime:
    """An edition's moment in a feed: its day is known, the hour is each reader's own."""
    return datetime.combine(day, time(12), UTC)


def _tag(desk: Desk, day: date | None, what: str) -> str:
    """A tag URI (RFC 4151): the same for ever, wherever the pages move."""
    host = urlsplit(desk.workspace.settings.base_url).hostname or "localhost"
    return f"tag:{host},{day.isoformat() if day else '2025'}:{quote(what, safe='/:.-')}"
