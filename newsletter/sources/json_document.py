"""JSON answers and JSON Lines: find the list of papers whatever wraps it, and the reader that knows each item."""

from __future__ import annotations

import ast
import json
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Protocol

from newsletter.model import Paper
from newsletter.sources import huggingface, json_lines, semantic_scholar
from newsletter.sources.reading import Reading, Unreadable, collect, day_of

LITERAL_MAX = 1_000_000  # characters; the longest real item has about 20,000
_LISTS = ("data", "papers", "recommendedPapers", "dailyPapers", "results", "items")


class _Reader(Protocol):
    """A module that knows one format's items."""

    FORMAT: str

    def recognises(self, item: Mapping[str, Any], /) -> bool: ...
    def read(self, item: Mapping[str, Any], /) -> Paper | Unreadable: ...


_READERS: tuple[_Reader, ...] = (huggingface, semantic_scholar, json_lines)


def read(document: str) -> Reading | str:
    """The papers of one JSON value or of JSON Lines; a string says why there is no list of papers to read."""
    try:
        value = json.loads(document)
    except RecursionError:
        return "its JSON is nested too deeply"
    except ValueError as error:
        lines = _lines(document) if document.lstrip().startswith("{") else []
        return _read_items(lines, None) if lines else f"its JSON is broken or cut off ({error})"
    return _read_value(value)


def _read_value(value: Any) -> Reading | str:
    if isinstance(value, list):
        return _read_items(value, None)
    if not isinstance(value, dict):
        return "its JSON holds no papers"
    if (items := next((value[k] for k in _LISTS if isinstance(value.get(k), list)), None)) is not None:
        return _read_items(items, day_of(value.get("date")))
    if any(reader.recognises(value) for reader in _READERS):
        return _read_items([value], None)
    return f"its JSON object holds no list of papers (its keys: {_keys(value)})"


def _read_items(items: list[Any], day: date | None) -> Reading:
    opened = [_open(item) for item in items]
    formats = Counter(reader.FORMAT for item in opened for reader in _READERS if _suits(reader, item))
    name = formats.most_common(1)[0][0] if formats else json_lines.FORMAT
    return collect(name, opened, _read_item, day=day or huggingface.day(opened))


def _read_item(item: Any) -> Paper | Unreadable:
    if isinstance(item, Unreadable):
        return item
    if not isinstance(item, dict):
        return Unreadable(f"it is {'null' if item is None else 'not an object'}")
    for reader in _READERS:
        if reader.recognises(item):
            return reader.read(item)
    return Unreadable(f"it is not a paper (its keys: {_keys(item)})")


def _suits(reader: _Reader, item: Any) -> bool:
    return isinstance(item, dict) and reader.recognises(item)


def _open(item: Any) -> Any:
    """A string item is an object written as JSON or, as the 2024-12 answers have it, as a Python literal."""
    if not isinstance(item, str):
        return item
    if len(item) > LITERAL_MAX:
        return Unreadable(f"it is a string of {len(item):,} characters, more than {LITERAL_MAX:,}")
    try:
        return json.loads(item)
    except (ValueError, RecursionError):
        pass
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "\d" in a stranger's string is theirs to mend
            return ast.literal_eval(item.lstrip())
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return Unreadable("it is a string that is neither JSON nor a Python literal", item[:40])


def _lines(document: str) -> list[Any]:
    """The values of JSON Lines, with what is wrong in place of a broken line; empty where no line is an object."""
    values = list(_parsed(document))
    return values if any(isinstance(value, dict) for value in values) else []


def _parsed(document: str) -> Iterator[Any]:
    for number, line in enumerate(document.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            yield json.loads(line)
        except (ValueError, RecursionError):
            yield Unreadable(f"line {number} is broken or cut off JSON")


def _keys(value: Mapping[str, Any]) -> str:
    return ", ".join(str(key)[:20] for key in list(value)[:5]) or "none"
