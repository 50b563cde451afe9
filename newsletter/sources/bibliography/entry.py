"""What every bibliography has: entries whose ids stand in many places, and titles with markup of many kinds."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from newsletter.identity import arxiv_id, canonical_id, doi_id
from newsletter.model import Paper
from newsletter.sources.reading import ABSTRACT_MAX, TITLE_MAX, Reading, Unreadable, collect, link, text, texts
from newsletter.text import readable

SOURCE = "likes"
# what Zotero and publishers write into titles and abstracts: <i>, <span class="nocase">, <jats:p>
_TAG = re.compile(r"</?(?:i|b|em|strong|sub|sup|sc|span|p|div|br|(?:jats|mml):[A-Za-z-]+)(?:\s[^<>]*)?/?>")
_AFTER_ARXIV = re.compile(r"arxiv:\s+", re.IGNORECASE)
_PUNCTUATION = ".,;:()[]{}<>\"'"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as its format writes it, text still with its markup.

    `ids` are the fields that hold an id and nothing else, best first; `notes` those in which one may stand among other
    words. `broken` says why the entry could not be read at all.
    """

    title: str = ""
    abstract: str = ""
    authors: tuple[str, ...] = ()
    doi: str = ""
    url: str = ""
    ids: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    day: date | None = None
    broken: str = ""


def gather(format_: str, entries: Iterable[Entry]) -> Reading:
    """The papers of `entries`; what is none is refused with its number and title, and a paper counts once."""
    return collect(format_, entries, _paper)


def _paper(entry: Entry) -> Paper | Unreadable:
    title = plain(entry.title)
    if entry.broken:
        return Unreadable(entry.broken, title[:80])
    if not title:
        return Unreadable("it has no title")
    if len(title) > TITLE_MAX:
        return Unreadable(f"its title has {len(title):,} characters, more than {TITLE_MAX:,}", title[:80])
    candidates = tuple(text(field) for field in (*entry.ids, entry.doi, entry.url))
    noted = tuple(id_ for note in entry.notes for id_ in _ids_in(note))
    doi = next((found for field in (entry.doi, *candidates) if (found := doi_id(text(field)))), "")
    name = canonical_id(*candidates, *noted, title=title)
    return Paper(
        name,
        title,
        plain(entry.abstract)[:ABSTRACT_MAX],
        authors=texts([plain(author) for author in entry.authors]),
        url=link(entry.url) or address(name),
        published=entry.day,
        source=SOURCE,
        doi=doi.removeprefix("doi:"),
    )


def address(name: str) -> str:
    """Where a paper of this canonical id can be read; empty for one known by its title alone."""
    kind, _, rest = name.partition(":")
    return {"arxiv": f"https://arxiv.org/abs/{rest}", "doi": f"https://doi.org/{rest}"}.get(kind, "")


def plain(markup: str) -> str:
    """Readable text of LaTeX, BibTeX braces, HTML tags and entities."""
    bare = html.unescape(_TAG.sub("", markup)) if "<" in markup or "&" in markup else markup
    return text(readable(bare).replace("{", "").replace("}", ""))


def _ids_in(note: str) -> Iterator[str]:
    """arXiv ids that a note names as such: ``arXiv:2405.19504 [cs]``, an address; never a bare number."""
    for word in _AFTER_ARXIV.sub("arXiv:", note).split():
        bare = word.strip(_PUNCTUATION)
        if "arxiv" in bare.lower() and (found := arxiv_id(bare)):
            yield found


def full_day(parts: Iterable[object]) -> date | None:
    """The day of (year, month, day); None where one is missing or impossible."""
    try:
        year, month, day = (int(str(part)) for part in parts)
        return date(year, month, day)
    except ValueError:
        return None
