"""The text part's typesetting: lines of at most 72 columns, as a terminal counts them. Pure."""

from __future__ import annotations

from functools import lru_cache
from unicodedata import category, east_asian_width

__all__ = ["WIDTH", "columns", "filled", "spark", "underlined"]

WIDTH = 72


def columns(text: str) -> int:
    """Columns that the text takes in a terminal: two for wide East Asian characters, none for marks on others."""
    if text.isascii():
        return len(text)
    return sum(0 if category(c) in ("Mn", "Me", "Cf") else 2 if east_asian_width(c) in "WF" else 1 for c in text)


@lru_cache(maxsize=32768)
def filled(text: str, indent: int = 0, first: int | None = None) -> str:
    """The text in lines of at most 72 columns, each indented; `first` where the first line starts, if elsewhere.

    A word longer than a line, such as a link, stays whole; text without blanks breaks between wide characters.
    """
    room, lines, line, used = WIDTH - indent, list[str](), list[str](), 0
    for word in _words(text, room):
        size = columns(word)
        if line and used + 1 + size > room:
            lines.append(" ".join(line))
            line, used = [], 0
        line.append(word)
        used += size + (1 if len(line) > 1 else 0)
    lines.append(" ".join(line))
    head = " " * (indent if first is None else first)
    return head + ("\n" + " " * indent).join(lines)


def _words(text: str, room: int) -> list[str]:
    """The words; those of wide characters in pieces that fit a line."""
    words = list[str]()
    for word in text.split(" "):
        if word.isascii() or columns(word) <= room:
            words.append(word)
        else:
            words += (word[n : n + room // 2] for n in range(0, len(word), room // 2))
    return words


def underlined(text: str, mark: str) -> str:
    """A heading and the line below it."""
    lines = filled(text)
    return f"{lines}\n{mark * min(WIDTH, max(map(columns, lines.splitlines())))}"


@lru_cache(maxsize=1024)
def spark(heights: tuple[int, ...]) -> str:
    """Heights from 2 to 16 as a line of blocks."""
    return "".join("▁▂▃▄▅▆▇█"[height // 2 - 1] for height in heights)
