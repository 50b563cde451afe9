"""Where each value, key and comment of a document stands in its text, told by the parser's marks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from newsletter.settings.reading import composed

__all__ = ["Comment", "Entry", "Layout", "LayoutError", "Part", "layout"]

_PROPERTIES = re.compile(r"(?:[&!]\S*[ \t]*(?:#[^\n]*)?\s*)*")  # an anchor and a tag before a value
_ALIAS = re.compile(r"\s*\*[^\s,\[\]{}]+")
_COMMENT = re.compile(r"(?<![^\s,\[\]{}:\x00-])#[^\r\n]*")
_NEXT = re.compile(r"\s*,")
_COLON = re.compile(r"\s*:")


class LayoutError(Exception):
    """The text is laid out in a way that this module does not follow."""


@dataclass(frozen=True, slots=True)
class Part:
    """A value: where its own text starts and ends, without comments below it. An absent value is empty."""

    kind: Literal["map", "list", "scalar"]
    start: int
    end: int
    flow: bool = False
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A key with its value, or an item: `start` is its key, its dash, or in brackets itself.

    The value stands `after` the colon or the dash; `comma` follows it in brackets, -1 where none does.
    """

    name: str
    start: int
    after: int
    value: Part
    comma: int = -1

    @property
    def end(self) -> int:
        return max(self.after, self.value.end)

    @property
    def item(self) -> bool:
        """Whether this is an item of a list, not a key with its value."""
        return self.after - self.start <= 1


@dataclass(frozen=True, slots=True)
class Comment:
    """From ``#`` to the end of its line; `alone` where nothing stands before it."""

    start: int
    text: str
    alone: bool


@dataclass(frozen=True)
class Layout:
    """A text that ends in a line end. In `mask`, as long as the text, scalars are NUL and comments are blank."""

    text: str
    mask: str
    comments: tuple[Comment, ...]
    root: Part | None

    @cached_property
    def eol(self) -> str:
        end = self.text.find("\n")
        return "\r\n" if end > 0 and self.text[end - 1] == "\r" else "\n"

    def line(self, place: int) -> int:
        """Where the line of `place` starts."""
        return self.text.rfind("\n", 0, place) + 1

    def below(self, place: int) -> int:
        """Where the next line starts."""
        return self.text.index("\n", place) + 1

    def stop(self, place: int) -> int:
        """Where the line of `place` stops, before its line end."""
        end = self.text.index("\n", place)
        return end - 1 if end > place and self.text[end - 1] == "\r" else end

    def rest(self, place: int) -> str:
        """What follows in the line but comments and blanks."""
        return self.mask[place : self.below(place)].strip()

    def indent(self, entry: Entry, *, dashes: bool = False) -> str:
        """The blanks before the entry in its line. Raises LayoutError for anything else there, but for `dashes`."""
        before = self.text[self.line(entry.start) : entry.start]
        if before.strip(" -" if dashes else " "):
            raise LayoutError
        return " " * len(before)

    def within(self, start: int, end: int) -> list[Comment]:
        return [one for one in self.comments if start <= one.start < end]


def layout(text: str) -> Layout:
    """The layout of a text that ends in a line end; `root` is None where there are comments alone.

    Raises LayoutError, and ValueError for a text that is not YAML.
    """
    blank = all(not line.strip() or line.lstrip().startswith("#") for line in text.splitlines())
    root = None if blank else composed(text)
    mask = list(text)
    for start, end in _scalars(text, root, set()):
        mask[start:end] = ["\x00" if char not in "\r\n" else char for char in text[start:end]]
    hidden = "".join(mask)
    comments = tuple(
        Comment(found.start(), found[0], not hidden[hidden.rfind("\n", 0, found.start()) + 1 : found.start()].strip())
        for found in _COMMENT.finditer(hidden)
    )
    for one in comments:
        end = one.start + len(one.text)
        mask[one.start : end] = " " * len(one.text)
    hidden = "".join(mask)
    return Layout(text, hidden, comments, None if root is None else _part(text, hidden, root, 0))


def _scalars(text: str, node: Any, seen: set[int]) -> Iterator[tuple[int, int]]:
    """From where to where the text of scalars goes; a block scalar's starts below the line of its ``|``."""
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    if node.id == "scalar":
        start = _after_properties(text, node.start_mark.index)
        if node.style in ("|", ">"):
            start = text.find("\n", start) + 1
        yield start, max(start, node.end_mark.index)
    for child in node.value if node.id != "scalar" else ():
        for one in child if isinstance(child, tuple) else (child,):
            yield from _scalars(text, one, seen)


def _part(text: str, mask: str, node: Any, floor: int) -> Part:
    """The value that starts at `floor` or behind it; one that starts before is an alias, atomic here."""
    start, end = node.start_mark.index, node.end_mark.index
    if start < floor:
        found = _ALIAS.match(mask, floor)
        if found is None:
            raise LayoutError
        return Part("scalar", found.end() - len(found[0].lstrip()), found.end())
    if node.id == "scalar":
        if start == end:
            return Part("scalar", floor, floor)
        return Part("scalar", start, len(text[:end].rstrip()) if node.style in ("|", ">") else end)
    inside = _after_properties(text, start) + bool(node.flow_style)
    make = _pairs if node.id == "mapping" else _items
    entries = tuple(make(text, mask, node, inside))
    if not node.flow_style and entries:
        end = entries[-1].end
    return Part("map" if node.id == "mapping" else "list", start, end, bool(node.flow_style), entries)


def _pairs(text: str, mask: str, node: Any, floor: int) -> Iterator[Entry]:
    for key, value in node.value:
        colon = _COLON.match(mask, key.end_mark.index)
        if key.start_mark.index < floor or colon is None:
            raise LayoutError
        part = _part(text, mask, value, colon.end())
        comma = _comma(mask, node, part.end)
        floor = max(part.end, comma + 1)
        yield Entry(str(key.value), key.start_mark.index, colon.end(), part, comma)


def _items(text: str, mask: str, node: Any, floor: int) -> Iterator[Entry]:
    for item in node.value:
        dash = -1 if node.flow_style else mask.index("-", floor)
        part = _part(text, mask, item, floor if dash < 0 else dash + 1)
        comma = _comma(mask, node, part.end)
        floor = max(part.end, comma + 1)
        yield Entry("", part.start if dash < 0 else dash, part.start if dash < 0 else dash + 1, part, comma)


def _comma(mask: str, node: Any, start: int) -> int:
    """The comma behind an entry in brackets."""
    found = _NEXT.match(mask, start, node.end_mark.index) if node.flow_style else None
    return found.end() - 1 if found else -1


def _after_properties(text: str, start: int) -> int:
    found = _PROPERTIES.match(text, start)
    return start if found is None else found.end()
