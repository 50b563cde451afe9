"""Letter -> the plain values that both templates read: wording done, links checked, texts of links unique.

Everything of a paper that does not depend on the reader is made once per paper and language and kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import count
from urllib.parse import quote, quote_plus, urlsplit

from newsletter.letter.charts import momentum_bar, week_heights
from newsletter.letter.language import direction, long_date, messages, number, supported
from newsletter.letter.wording import clipped, counts, isolated, label, momentum, people, reasons
from newsletter.model import Entry, Letter, Paper, Section

__all__ = ["Card", "Group", "Imprint", "Link", "Links", "View", "paper_link", "paper_ref", "safe_url", "view"]

_SAID_BY_HEADING = {"trending": ("trending", "fresh"), "explore": ("explore",)}
_SAFE = "%/:=&?~#+!$,;'@()*[]"
_LONGEST_REF = 300  # in an address of a letter; of a thousand arXiv ids and DOIs none is near it
_SEARCHED = re.compile(r"\w[\w.'’-]*")


@dataclass(frozen=True, slots=True)
class Links:
    """Where the letter's own links lead; each empty where there is none, and the letter then leaves it out.

    `view` is the letter in the browser, `preferences` where interests are edited; `unsubscribe` may be a mailto.
    ``FEEDBACK/more/PAPER`` is where the reader says of a paper that they want more or less of it, or save it;
    FEEDBACK itself where they do so for the whole letter.
    """

    view: str = ""
    preferences: str = ""
    unsubscribe: str = ""
    pause: str = ""
    feedback: str = ""


@dataclass(frozen=True, slots=True)
class Imprint:
    """Who sends: the newsletter's title, its postal address, the address that a reader may write to."""

    title: str = "Trending papers"
    postal: str = ""
    contact: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A link and its text, which no other link of the letter has."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Ask:
    """A thing that a reader may say of a paper: ``more/PAPER``, its text, and its name for who listens."""

    path: str
    text: str
    name: str


@dataclass(frozen=True, slots=True)
class Picture:
    """The paper's thumbnail; `alt` stands in its place while pictures are blocked."""

    url: str
    alt: str


@dataclass(frozen=True, slots=True)
class Card:
    """One paper as a template shows it: public counts in words; `url` may be empty.

    `asks` are what its reader may say of it, below the letter's feedback address; none where its id is too long.
    """

    title: str
    url: str
    authors: str
    facts: tuple[str, ...]
    links: tuple[Link, ...]
    picture: Picture | None
    summary: str = ""
    reason: str = ""
    place: int = 0
    full: bool = False
    asks: tuple[Ask, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """A theme's section. `bar` is how far its momentum bar is filled, in percent: 50 is its usual pace.

    `weeks` are its papers per week as heights from 2 to 16 px, oldest first; empty where fewer than four are known.
    """

    label: str
    momentum: str
    trend: str
    bar: int
    weeks: tuple[int, ...]
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class View:
    """All that a template may name, under these names."""

    lang: str
    dir: str
    start: str
    end: str
    title: str
    date: str
    tally: str
    subject: str
    preheader: str
    name: str
    email: str
    top: tuple[Card, ...]
    groups: tuple[Group, ...]
    trending: tuple[Card, ...]
    explore: tuple[Card, ...]
    more: int
    hint: str
    links: Links
    postal: str
    contact: str


def view(letter: Letter, links: Links, imprint: Imprint) -> View:
    """Everything that the templates show of a letter."""
    language = supported(letter.language)
    rtl, taken, places = direction(language) == "rtl", set[str](), count(1)

    def cards(entries: Iterable[Entry]) -> tuple[Card, ...]:
        return tuple(_card(entry, next(places), language, taken, text_only=letter.text_only) for entry in entries)

    return View(
        lang=language,
        dir="rtl" if rtl else "ltr",
        start="right" if rtl else "left",
        end="left" if rtl else "right",
        title=imprint.title,
        date=long_date(letter.day, language),
        tally=_tally(letter, language),
        subject=letter.subject,
        preheader=letter.preheader,
        name=isolated(letter.display_name, language),
        email=letter.email,
        top=cards(letter.top),
        groups=tuple(_group(section, cards(section.entries), language) for section in letter.sections),
        trending=cards(letter.trending),
        explore=cards(letter.explore),
        more=letter.more,
        hint=letter.hint,
        links=Links(
            safe_url(links.view),
            safe_url(links.preferences),
            safe_url(links.unsubscribe),
            safe_url(links.pause),
            safe_url(links.feedback),
        ),
        postal=imprint.postal,
        contact=imprint.contact,
    )


def _tally(letter: Letter, language: str) -> str:
    shown = len(letter.top) + sum(len(s.entries) for s in letter.sections) + len(letter.trending) + len(letter.explore)
    total = max(letter.total, shown)
    form = messages(language).ngettext("{shown} of {total} paper", "{shown} of {total} papers", total)
    return form.format(shown=number(shown, language), total=number(total, language))


def _group(section: Section, cards: tuple[Card, ...], language: str) -> Group:
    theme, moves = section.theme, section.theme.momentum
    if theme.id == "more":
        return Group(label(theme, language), "", "", 0, (), cards)
    said = momentum(moves, language)
    return Group(
        label(theme, language), said, moves.trend, momentum_bar(moves.rate), week_heights(moves.history), cards
    )


def _card(entry: Entry, place: int, language: str, taken: set[str], *, text_only: bool) -> Card:
    """The paper's card with what is this reader's own; every link's text is new in the letter."""
    paper = entry.pick.paper
    card = _short(paper, entry.title, language) if entry.compact else _full(paper, entry.title, language)
    names = [card.title, *(link.text for link in card.links)]
    if not taken.isdisjoint(names):
        card = _renamed(card, taken)
        names = [card.title, *(link.text for link in card.links)]
    taken.update(names)
    said = _SAID_BY_HEADING.get(entry.pick.kind, ())
    given = [reason for reason in entry.pick.reasons if reason.kind not in said]
    why = reasons(given, language, 1 if entry.compact else 2)
    picture = None if text_only else card.picture
    return Card(
        card.title,
        card.url,
        card.authors,
        card.facts,
        card.links,
        picture,
        entry.summary,
        why,
        place,
        not entry.compact,
        card.asks,
    )


def _renamed(card: Card, taken: set[str]) -> Card:
    """Texts that are in use already, by papers of the same title or host, are counted up."""

    def fresh(text: str) -> str:
        return next(new for n in count(2) if (new := f"{text} ({n})") not in taken)

    title = fresh(card.title) if card.title in taken else card.title
    links = tuple(Link(fresh(link.text), link.url) if link.text in taken else link for link in card.links)
    asks = tuple(replace(ask, name=ask.name.replace(card.title, title)) for ask in card.asks)
    return replace(card, title=title, links=links, asks=asks)


@lru_cache(maxsize=8192)
def _full(paper: Paper, title: str, language: str) -> Card:
    picture, url = safe_url(paper.thumbnail), paper_link(paper)
    alt = messages(language).gettext("Picture from the paper")
    return Card(
        title=title,
        url=url,
        authors=people(paper.authors, language, 4),
        facts=counts(paper.upvotes, paper.comments, paper.stars, language),
        links=_links(paper, url, language) or _search(paper, title, url, language),
        picture=Picture(picture, alt) if picture.startswith("https:") else None,
        asks=_asks(paper, title, language),
    )


def _links(paper: Paper, page: str, language: str) -> tuple[Link, ...]:
    """PDF, code and project, each address once and none that the title leads to already."""
    gettext = messages(language).gettext
    offered = (
        (gettext("PDF {name}"), _name(paper, paper.pdf), safe_url(paper.pdf)),
        (gettext("Code {name}"), _place(paper.code), safe_url(paper.code)),
        (gettext("Project {name}"), _place(paper.project), safe_url(paper.project)),
    )
    first = {url: form.format(name=isolated(name, language)) for form, name, url in reversed(offered)}
    return tuple(Link(text, url) for url, text in reversed(first.items()) if url and url != page)


def _search(paper: Paper, title: str, page: str, language: str) -> tuple[Link, ...]:
    """For a paper that leads nowhere: a search for its title, which says that it is one."""
    words = _SEARCHED.findall("" if page or title == paper.id else title)[:30]  # * and ? would be wildcards there
    if not words:
        return ()
    form = messages(language).gettext("Search arXiv for “{title}”")
    asked = quote_plus(" ".join(words)[:200])
    text = form.format(title=isolated(clipped(title, 30), language))
    return (Link(text, safe_url(f"https://arxiv.org/search/?searchtype=title&query={asked}")),)


@lru_cache(maxsize=8192)
def _short(paper: Paper, title: str, language: str) -> Card:
    full = _full(paper, title, language)
    code = tuple(link for link in full.links if link.url == safe_url(paper.code))
    links = code or (() if full.url else full.links[:1])
    authors = people(paper.authors, language, 2)
    return replace(full, authors=authors, facts=full.facts[:1], links=links, picture=None, asks=())


def paper_link(paper: Paper) -> str:
    """The paper's own page: as its source says, else as its id says."""
    if url := safe_url(paper.url):
        return url
    scheme, _, rest = paper.id.partition(":")
    made = {"arxiv": "https://arxiv.org/abs/", "doi": "https://doi.org/"}.get(scheme)
    return safe_url(made + quote(rest, safe="/.")) if made else ""


def _asks(paper: Paper, title: str, language: str) -> tuple[Ask, ...]:
    """More, less, save, in the reader's language."""
    gettext, ref = messages(language).gettext, paper_ref(paper.id)
    texts = (("more", gettext("More like this")), ("less", gettext("Less like this")), ("save", gettext("Save")))
    form = gettext("{text}: {title}")
    made = (Ask(f"{kind}/{ref}", text, form.format(text=text, title=title)) for kind, text in texts)
    return tuple(made) if 0 < len(ref) <= _LONGEST_REF else ()


def paper_ref(paper: str) -> str:
    """The paper's id in an address. Slashes stand as they are, for proxies that refuse escaped ones, but where a
    browser would take ``..`` for a folder."""
    odd = any(part in ("", ".", "..") for part in paper.split("/"))
    return quote(paper, safe=":" if odd else "/:", errors="ignore")


def _name(paper: Paper, url: str) -> str:
    """What tells this paper's PDF from the others': its arXiv id, else where it lies."""
    return paper.id.removeprefix("arxiv:") if paper.id.startswith("arxiv:") else _place(url)


def _place(url: str) -> str:
    """``owner/name`` of a repository, else the host, without ``www.``."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    host = (parts.hostname or "").removeprefix("www.")
    path = [part for part in parts.path.split("/") if part]
    if host in ("github.com", "gitlab.com", "huggingface.co") and len(path) >= 2:
        return "/".join(path[:2])[:60]
    return host[:60]


@lru_cache(maxsize=32768)
def safe_url(url: str) -> str:
    """The URL with odd characters percent-encoded if a letter may link to it (http, https, mailto); else empty."""
    url = url.strip()
    if len(url) > 2000:  # longer ones are broken by clients, and no paper's address is
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https", "mailto") or any(ord(c) < 33 or ord(c) == 127 or c == "\\" for c in url):
        return ""
    if not (parts.hostname if parts.scheme != "mailto" else parts.path):
        return ""
    return quote(url, safe=_SAFE)
