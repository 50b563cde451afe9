"""arXiv's API: Atom answers (https://info.arxiv.org/help/api/user-manual.html), and which query asks for a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

from newsletter.model import Paper
from newsletter.sources.reading import Reading, Unreadable, collect, day_of, paper

FORMAT = "arxiv"
_ATOM = "{http://www.w3.org/2005/Atom}"
_ARXIV = "{http://arxiv.org/schemas/atom}"
_SEARCH = "{http://a9.com/-/spec/opensearch/1.1/}"
_EASTERN = ZoneInfo("America/New_York")
# Mail day (ISO weekday) -> days back to the opening and the closing of the submissions that were announced the evening
# before, both at 14:00 Eastern: https://info.arxiv.org/help/availability.html. Nothing is announced on Friday and
# Saturday evenings.
_BATCHES = {1: (4, 3), 2: (4, 1), 3: (2, 1), 4: (2, 1), 5: (2, 1)}


def recognises(root: Element) -> bool:
    """An Atom feed whose own id is an arXiv API query."""
    return root.tag == f"{_ATOM}feed" and "arxiv.org/api" in (root.findtext(f"{_ATOM}id") or "")


def read(root: Element) -> Reading:
    """The papers of an API answer; its day is the day of the answer. An error entry is refused with arXiv's words."""
    return collect(FORMAT, root.iterfind(f"{_ATOM}entry"), _item, day=day_of(root.findtext(f"{_ATOM}updated")))


def total(root: Element) -> int:
    """How many papers the whole query has, of which the answer is one page."""
    told = root.findtext(f"{_SEARCH}totalResults") or ""
    return int(told) if told.isascii() and told.isdigit() and len(told) < 12 else 0


def submission_window(day: date) -> tuple[datetime, datetime] | None:
    """The submissions (from, until, in UTC) that arXiv announced on the evening before `day`; None on weekends.

    arXiv announces at 20:00 Eastern, Sunday to Thursday, so a morning letter carries the batch of the evening before.
    On a few holidays it skips an evening; fetching that day once more, later, gives the papers it announced late.
    """
    if (back := _BATCHES.get(day.isoweekday())) is None:
        return None
    start, end = (datetime.combine(day - timedelta(days=n), time(14), tzinfo=_EASTERN).astimezone(UTC) for n in back)
    return start, end


def query(categories: Sequence[str], window: tuple[datetime, datetime]) -> str:
    """The `search_query` for papers of any of the categories submitted in the window (first minute in, last out)."""
    start, end = window[0], window[1] - timedelta(minutes=1)
    within = " OR ".join(f"cat:{category}" for category in categories)
    return f"({within}) AND submittedDate:[{start:%Y%m%d%H%M} TO {end:%Y%m%d%H%M}]"


def _item(entry: Element) -> Paper | Unreadable:
    address = entry.findtext(f"{_ATOM}id") or ""
    if "/api/errors" in address:
        return Unreadable(f"arXiv answered with an error: {(entry.findtext(f'{_ATOM}summary') or '').strip()[:200]}")
    links = {(e.get("title") or e.get("rel") or ""): e.get("href") for e in entry.iterfind(f"{_ATOM}link")}
    return paper(
        ids=(address,),
        title=entry.findtext(f"{_ATOM}title"),
        abstract=entry.findtext(f"{_ATOM}summary"),
        doi=entry.findtext(f"{_ARXIV}doi"),
        authors=[e.text for e in entry.iterfind(f"{_ATOM}author/{_ATOM}name")],
        url=links.get("alternate") or address,
        published=day_of(entry.findtext(f"{_ATOM}published")),
        source=FORMAT,
        pdf=links.get("pdf"),
        categories=[e.get("term") for e in entry.iterfind(f"{_ATOM}category")],
    )
