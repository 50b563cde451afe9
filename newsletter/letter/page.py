"""The HTML of a letter as facts that rules can judge: elements, links, and pieces of text with how they look inline."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser

__all__ = ["Element", "Look", "Page", "Piece", "contrast", "read_page"]

_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
)
_OPTIONAL = frozenset(
    ("p", "li", "td", "th", "tr", "tbody", "thead", "option", "dt", "dd")
)  # their end tags may be left out
_COLOURS = {
    "white": "#ffffff",
    "black": "#000000",
    "silver": "#c0c0c0",
    "gray": "#808080",
    "grey": "#808080",
    "red": "#ff0000",
}
_SIZE = {"h1": 32.0, "h2": 24.0, "h3": 18.7, "small": 13.3}


@dataclass(frozen=True, slots=True)
class Look:
    """What inline styles and attributes say of a place, inherited ones included; sizes in px."""

    colour: str = "#000000"
    ground: str = "#ffffff"
    size: float = 16.0
    line: float = 0.0
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Element:
    """An element with its attributes, inline style and look; `text` is all that stands in it, white space folded."""

    tag: str
    attributes: dict[str, str]
    style: dict[str, str]
    look: Look
    text: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of visible or hidden text with its look."""

    text: str
    look: Look


@dataclass(frozen=True, slots=True)
class Page:
    """A letter's HTML: elements and pieces of text in document order, its style sheets, and what was badly nested."""

    elements: Sequence[Element]
    pieces: Sequence[Piece]
    css: str
    broken: Sequence[str]

    def all(self, *tags: str) -> list[Element]:
        """The elements of these tags, in document order."""
        return [element for element in self.elements if element.tag in tags]


def read_page(html: str) -> Page:
    """The facts of an HTML document; never fails, as browsers do not."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return Page(
        reader.elements,
        reader.pieces,
        "".join(reader.css),
        reader.broken + [f"<{o.tag}> is never closed" for o in reader.left()],
    )


@dataclass(slots=True)
class _Open:
    tag: str
    look: Look
    place: int
    words: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self.pieces: list[Piece] = []
        self.css: list[str] = []
        self.broken: list[str] = []
        self._open: list[_Open] = []

    def left(self) -> list[_Open]:
        return [opened for opened in self._open if opened.tag not in _OPTIONAL]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        style = _declarations(attributes.get("style", ""))
        look = _look(tag, attributes, style, self._open[-1].look if self._open else Look())
        if tag not in _VOID:
            self._open.append(_Open(tag, look, len(self.elements)))
        self.elements.append(Element(tag, attributes, style, look))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open[-1].tag in _OPTIONAL and self._open[-1].tag != tag:
            self._close()
        if self._open and self._open[-1].tag == tag:
            self._close()
        elif tag not in _VOID and tag != "p":
            self.broken.append(f"</{tag}> closes nothing")
            if tag in [opened.tag for opened in self._open]:
                while self._open[-1].tag != tag:
                    self._close()
                self._close()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self._close()

    def handle_data(self, data: str) -> None:
        inside = self._open[-1].tag if self._open else ""
        if inside == "style":
            self.css.append(data)
        elif words := " ".join(data.split()):
            for opened in self._open:
                opened.words.append(words)
            if inside not in ("title", "script"):
                self.pieces.append(Piece(words, self._open[-1].look if self._open else Look()))

    def _close(self) -> None:
        closed = self._open.pop()
        self.elements[closed.place] = replace(self.elements[closed.place], text=" ".join(closed.words))


def _declarations(style: str) -> dict[str, str]:
    pairs = (part.partition(":") for part in style.split(";"))
    return {name.strip().lower(): value.strip() for name, colon, value in pairs if colon}


def _look(tag: str, attributes: dict[str, str], style: dict[str, str], around: Look) -> Look:
    """The look of an element within another; what cannot be understood is as around it."""
    size = _pixels(style.get("font-size", ""), around.size) or (
        0.0 if "font-size" in style else _SIZE.get(tag, around.size)
    )
    line = style.get("line-height", "")
    ground = style.get("background-color") or style.get("background") or attributes.get("bgcolor", "")
    hidden = style.get("display", "").startswith("none") or style.get("visibility", "").startswith("hidden")
    return Look(
        colour=_hex(style.get("color", "")) or around.colour,
        ground=_hex(ground) or around.ground,
        size=size,
        line=(_pixels(line, size) or float(line) * size if re.fullmatch(r"[\d.]+", line) else _pixels(line, size))
        or around.line,
        hidden=around.hidden or hidden or "hidden" in attributes,
    )


def _pixels(value: str, em: float) -> float:
    """A length in px; 0 where it is none."""
    found = re.match(r"([\d.]+)(px|em|rem|pt|%)", value)
    if not found:
        return 0.0
    scale = {"px": 1.0, "em": em, "rem": 16.0, "pt": 4 / 3, "%": em / 100}[found[2]]
    return float(found[1]) * scale


def _hex(value: str) -> str:
    """``#rrggbb`` of a colour as mail writes them; empty for what is none."""
    value = _COLOURS.get(value.lower(), value.lower())
    if found := re.match(r"#([0-9a-f]{6})\b", value):
        return f"#{found[1]}"
    if found := re.match(r"#([0-9a-f])([0-9a-f])([0-9a-f])\b", value):
        return "#" + "".join(digit * 2 for digit in found.groups())
    if found := re.match(r"rgb\(\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*\)", value):
        return "#" + "".join(f"{min(255, int(part)):02x}" for part in found.groups())
    return ""


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two ``#rrggbb`` colours, 1 to 21 (WCAG 2.2, relative luminance)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = (int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5))
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
