"""CSL JSON (https://docs.citationstyles.org): Zotero's and Mendeley's export, and what citation tools pass on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from newsletter.sources.bibliography.entry import Entry, full_day

FORMAT = "csl-json"


def read(text: str) -> list[Entry] | str:
    """Every item in its order; a string says why there is no list of items."""
    try:
        value = json.loads(text)
    except RecursionError:
        return "its JSON is nested too deeply"
    except ValueError as error:
        return f"its JSON is broken or cut off ({error})"
    items = value.get("items", [value]) if isinstance(value, dict) else value
    if not isinstance(items, list) or not any(_is_item(item) for item in items):
        return "it is empty" if items == [] else "its JSON is not CSL JSON"
    return [_entry(item) if isinstance(item, dict) else Entry(broken="it is no map of fields") for item in items]


def _is_item(item: Any) -> bool:
    return isinstance(item, dict) and "title" in item and ("type" in item or "itemType" in item)


def _entry(item: Mapping[str, Any]) -> Entry:
    def field(*names: str) -> str:
        return next((str(item[name]) for name in names if isinstance(item.get(name), str | int)), "")

    return Entry(
        title=field("title"),
        abstract=field("abstract", "abstractNote"),
        authors=tuple(_name(author) for author in _list(item.get("author")) or _list(item.get("creators"))),
        doi=field("DOI", "doi"),
        url=field("URL", "url"),
        ids=(field("archiveID", "archive_location"),),
        notes=tuple(field(name) for name in ("number", "note", "extra", "container-title", "publisher", "archive")),
        day=_day(item.get("issued")),
    )


def _list(value: Any) -> list[Any]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _name(author: Mapping[str, Any]) -> str:
    names = ("given", "firstName", "non-dropping-particle", "family", "lastName", "literal", "name")
    return " ".join(str(author[key]) for key in names if author.get(key))


def _day(issued: Any) -> Any:
    parts = issued.get("date-parts") if isinstance(issued, dict) else None
    return full_day(parts[0]) if isinstance(parts, list) and parts and isinstance(parts[0], list) else None
