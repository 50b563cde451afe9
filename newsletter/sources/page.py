"""The page dump: a web page saved as text. Header lines, a date without a year, then title and abstract in turn."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date

from newsletter.model import Paper
from newsletter.sources.reading import Reading, Unreadable, collect, paper

FORMAT = "page"
_HEAD = 10  # paragraphs among which the date is looked for
_TITLE_MAX = 300  # titles in real dumps have 16 to 137 characters, abstracts 1,379 and more
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATE = re.compile(r"^([A-Za-z]{3})[a-z]*\.? (\d{1,2})(?:,? (\d{4}))?$")
_HEADER = re.compile(r"^(?:new|subscribe|by\s?AK\b.*|get trending papers in your email inbox!?)$", re.IGNORECASE)
_SENTENCE = re.compile(r"[.…][\"'”’)\]]*$")  # titles end in "?" and "!" too often


def looks_like(document: str) -> bool:
    """True for text whose first paragraphs hold a date line, or that has a title followed by prose."""
    paragraphs = _paragraphs(document)
    if any(_DATE.match(p) for p in paragraphs[:_HEAD]):
        return True
    body = _body(paragraphs)
    return len(body) >= 2 and len(body[0]) <= _TITLE_MAX < len(body[1])


def read(document: str, today: date) -> Reading:
    """The papers of a page dump. Its day is the date line's: with no year, the most recent such day up to `today`.

    A title is known by its place and its length: prose follows it. A title that is followed by another title has no
    abstract and is refused; long prose where a title should stand is refused too; the pairs after them stay in step.
    """
    paragraphs = _paragraphs(document)
    day = next((_day(p, today) for p in paragraphs[:_HEAD] if _DATE.match(p)), None)
    return collect(FORMAT, _pairs(_body(paragraphs)), _item, day=day)


def _item(pair: tuple[str, str]) -> Paper | Unreadable:
    title, abstract = pair
    if not title:
        return Unreadable("there is text where a title should stand", abstract[:80])
    return paper(ids=(), title=title, abstract=abstract, source=FORMAT)


def _paragraphs(document: str) -> list[str]:
    return [" ".join(p.split()) for p in re.split(r"\n\s*\n", document.replace("\r\n", "\n")) if p.strip()]


def _body(paragraphs: Sequence[str]) -> Sequence[str]:
    dated = [i for i, p in enumerate(paragraphs[:_HEAD]) if _DATE.match(p)]
    start = dated[0] + 1 if dated else 0
    while start < len(paragraphs) and _HEADER.match(paragraphs[start]):
        start += 1
    return paragraphs[start:]


def _pairs(body: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(title, abstract), with an empty one where the other stands alone."""
    at = 0
    while at < len(body):
        here, after = body[at], body[at + 1] if at + 1 < len(body) else ""
        if len(here) > _TITLE_MAX:
            yield "", here
            at += 1
        elif len(after) > _TITLE_MAX or _SENTENCE.search(after):
            yield here, after
            at += 2
        else:
            yield here, ""
            at += 1


def _day(line: str, today: date) -> date | None:
    match = _DATE.match(line)
    month = match[1].lower() if match else ""
    if not match or month not in _MONTHS:
        return None
    years = [int(match[3])] if match[3] else range(today.year, today.year - 9, -1)  # nine years hold a 29 February
    for year in years:
        try:
            day = date(year, _MONTHS.index(month) + 1, int(match[2]))
        except ValueError:
            continue
        if match[3] or day <= today:
            return day
    return None
