"""RIS, as Zotero, Mendeley, EndNote and publishers write it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from newsletter.sources.bibliography.entry import Entry, full_day

FORMAT = "ris"
_START = re.compile(r"^(?=TY {1,2}- )", re.MULTILINE)
_END = "ER  - "
_NOTES = ("note", "notes", "number", "journal_name", "alternate_title3", "secondary_title", "publisher", "urls")


def read(text: str) -> list[Entry]:
    """Every record in its order. Each is read by itself: rispy joins records whose end is missing."""
    import rispy

    entries: list[Entry] = []
    for record in _START.split(text.replace("\nTY - ", "\nTY  - "))[1:]:
        try:
            found = rispy.loads(f"{record.rstrip()}\n{_END}\n", skip_unknown_tags=True)
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            found, why = [], f" ({type(error).__name__})"
        else:
            why = ""
        entries.append(_entry(found[0]) if found else Entry(broken=f"its RIS is broken{why}"))
    return entries


def _entry(record: Mapping[str, Any]) -> Entry:
    urls = [str(url) for url in record.get("urls", ())]
    written = record.get("date") or record.get("publication_year") or record.get("year") or ""
    return Entry(
        title=str(record.get("title") or record.get("primary_title") or ""),
        abstract=str(record.get("abstract") or record.get("notes_abstract") or ""),
        authors=tuple(_name(name) for name in record.get("authors") or record.get("first_authors") or ()),
        doi=str(record.get("doi", "")),
        url=urls[0] if urls else "",
        ids=tuple(urls),
        notes=tuple(str(value) for name in _NOTES for value in _values(record.get(name))),
        day=full_day(re.split(r"[/-]", str(written).strip("/"))[:3]),
    )


def _values(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _name(name: str) -> str:
    """``Lovelace, Ada`` as ``Ada Lovelace``."""
    last, comma, first = name.partition(",")
    return f"{first.strip()} {last.strip()}" if comma else name
