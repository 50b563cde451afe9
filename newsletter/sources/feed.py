"""Feeds: RSS 1.0 (RDF), RSS 0.9x and 2.0, Atom. arXiv's own feeds among them, with their marks on title and text."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import date
from typing import Literal
from xml.etree.ElementTree import Element

from newsletter.identity import arxiv_id, doi_id
from newsletter.model import Paper
from newsletter.sources.reading import Reading, Unreadable, collect, day_of, paper, text

FORMAT = "feed"
Accept = Literal["identified", "all"]

_ROOTS = {"rss", "RDF", "feed"}
# Only known markup is taken out: "$x<y$" in an abstract is mathematics, not a tag.
_MARKUP = re.compile(
    r"</?(?:a|abbr|b|blockquote|br|code|div|em|font|h[1-6]|hr|i|img|jats:\w+|li|ol|p|pre|small|span|strong|sub|sup"
    r"|table|tbody|td|tr|tt|u|ul)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_INLINE = re.compile(r"</?(?:a|abbr|b|code|em|font|i|small|span|strong|sub|sup|tt|u)(?:\s[^<>]*)?/?>", re.IGNORECASE)
# Until 2024 titles end in "(arXiv:1805.08875v1 [hep-ex] UPDATED)"; since then texts begin with
# "arXiv:2503.01234v2 Announce Type: replace Abstract: ".
_OLD_MARK = re.compile(r"\.?\s*\((arXiv:\S+) \[([\w.-]+)\]\s*([A-Z -]*)\)$")
_NEW_MARK = re.compile(r"^(arXiv:\S+)\s+Announce Type:\s*([\w-]+)\s*(?:Abstract:\s*)?", re.IGNORECASE)
_DOI_IN_PATH = re.compile(r"/(10\.\d{4,9}/[^?#\s]+?)(?:v\d+)?(?:\.(?:full|abstract|pdf))?(?:[?#].*)?$")
_PARENTHESES = re.compile(r"\s*\([^()]*\)")


def recognises(root: Element) -> bool:
    return local(root.tag) in _ROOTS


def read(root: Element, *, accept: Accept = "identified", replacements: bool = True) -> Reading:
    """The papers of a feed. Its day is the channel's date, else its newest item's.

    accept: "identified" takes only items with an arXiv id or a DOI in link, id or identifier, because most feeds of
    the world are not papers; "all" takes every item with a title and a text.
    replacements: False refuses what arXiv marks as a new version of an older paper.
    """
    items = [e for e in root.iter() if local(e.tag) in {"item", "entry"}]
    return collect(FORMAT, items, lambda e: _item(e, accept, replacements), day=_day(root, items))


def local(tag: object) -> str:
    """A tag without its namespace: feeds of one kind come in several."""
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _item(entry: Element, accept: Accept, replacements: bool) -> Paper | Unreadable:
    title, marks = _title(entry)
    abstract, announced = _abstract(entry)
    addresses = _addresses(entry)
    ids = [marks[0], announced[0], *addresses]
    arxiv = next(filter(None, map(arxiv_id, ids)), "")
    doi = next(filter(None, map(_doi, addresses)), "")
    if accept == "identified" and not arxiv and not doi:
        return Unreadable("it has no arXiv id and no DOI, so nothing says that it is a paper", title[:80])
    if not replacements and (announced[1].startswith("replace") or "UPDATED" in marks[2]):
        return Unreadable("it is a new version of an older paper", title[:80])
    return paper(
        ids=(arxiv,),
        title=title,
        abstract=abstract,
        doi=doi,
        authors=_authors(entry, split=bool(arxiv)),
        url=next((a for a in addresses if a.startswith("http")), ""),
        published=_date(entry, ("published", "pubDate", "date", "publicationDate", "updated")),
        source=FORMAT,
        pdf=f"https://arxiv.org/pdf/{arxiv.removeprefix('arxiv:')}" if arxiv else "",
        categories=[marks[1], *_categories(entry)],
    )


def _title(entry: Element) -> tuple[str, tuple[str, str, str]]:
    element = _child(entry, "title")
    title = text(html.unescape("".join(element.itertext()))) if element is not None else ""
    match = _OLD_MARK.search(title)
    return (title[: match.start()], (match[1], match[2], match[3])) if match else (title, ("", "", ""))


def _abstract(entry: Element) -> tuple[str, tuple[str, str]]:
    """The longest of the item's texts, without markup and without arXiv's mark, which comes beside it."""
    found = [plain(e) for name in ("summary", "description", "encoded", "content") for e in _children(entry, name)]
    told = max(found, key=len, default="")
    match = _NEW_MARK.match(told)
    return (told[match.end() :], (match[1], match[2].lower())) if match else (told, ("", ""))


def plain(element: Element) -> str:
    """The readable text of an element that holds text, escaped HTML or XHTML."""
    written = "".join(element.itertext())
    return text(html.unescape(_MARKUP.sub(" ", _INLINE.sub("", written))))


def _addresses(entry: Element) -> list[str]:
    """Links and identifiers of an item, best first: link, then guid or id, dc:identifier, prism:doi, rdf:about."""
    links = [e.get("href") or e.text for e in _children(entry, "link") if e.get("rel", "alternate") == "alternate"]
    names = ("guid", "id", "identifier", "doi")
    about = [value for key, value in entry.attrib.items() if local(key) == "about"]
    written = [*links, *(e.text for name in names for e in _children(entry, name)), *about]
    return [address for value in written if (address := text(value))]


def _doi(address: str) -> str:
    if found := doi_id(address):
        return found.removeprefix("doi:")
    match = _DOI_IN_PATH.search(address) if address.startswith("http") else None
    return match[1] if match else ""


def _authors(entry: Element, *, split: bool) -> list[str]:
    """Names from Atom persons and from dc:creator; arXiv puts all of them in one, with affiliations in parentheses."""
    persons = [text(name.text) for e in _children(entry, "author") for name in _children(e, "name")]
    creators = [plain(e) for name in ("creator", "author") for e in _children(entry, name) if not len(e)]
    names = persons or creators
    if split:
        return [part for name in names for part in _PARENTHESES.sub("", name).split(", ")]
    return [part for name in names for part in name.split(";")]


def _categories(entry: Element) -> list[str]:
    return [text(e.get("term") or e.text) for e in _children(entry, "category")]


def _day(root: Element, items: list[Element]) -> date | None:
    channel = _child(root, "channel")
    head = root if channel is None else channel
    names = ("pubDate", "lastBuildDate", "date", "updated")
    if (day := _date(head, names)) is not None:
        return day
    return max((d for e in items if (d := _date(e, ("published", *names)))), default=None)


def _date(entry: Element, names: tuple[str, ...]) -> date | None:
    return next((d for name in names for e in _children(entry, name) if (d := day_of(e.text))), None)


def _child(entry: Element, name: str) -> Element | None:
    return next(_children(entry, name), None)


def _children(entry: Element, name: str) -> Iterator[Element]:
    return (e for e in entry if local(e.tag) == name)
