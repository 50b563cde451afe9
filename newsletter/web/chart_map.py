"""The theme map as numbers for SVG: where each paper and each label stands, which mark a theme has. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from newsletter.store.maps import Point, ThemeMap
from newsletter.text import readable

__all__ = ["COLOURS", "HEIGHT", "SHAPES", "WIDTH", "Drawing", "Label", "Mark", "draw"]

WIDTH, HEIGHT = 1000, 640  # of the picture, in its own units
COLOURS, SHAPES = 8, 4  # a theme is told by both, and by its name: nobody needs to see colours
_EDGE = 26
_LETTER, _LINE = 7.4, 20  # about what a letter of a label takes
_OUT = 0.005  # share of papers at each edge that the frame does not wait for


@dataclass(frozen=True, slots=True)
class Mark:
    """A paper on the picture; `today` tells that the edition brought it."""

    paper: str
    title: str
    theme: str
    x: float
    y: float
    today: bool


@dataclass(frozen=True, slots=True)
class Label:
    """A theme: `number` stands on small pictures, `text` on large ones where `room` says that there is room for it."""

    id: str
    number: int
    text: str
    papers: int
    colour: int
    shape: int
    x: float
    y: float
    room: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """The picture: marks, labels by size, and how many papers the window holds."""

    marks: tuple[Mark, ...]
    labels: tuple[Label, ...]
    total: int


def draw(drawn: ThemeMap, today: frozenset[str]) -> Drawing:
    """The picture of a map; `today` are the ids of the edition's own papers."""
    marks = _placed(drawn.points, today)
    looks = _looks([theme.id for theme in drawn.themes])
    found: list[Label] = []
    themes = sorted((t for t in drawn.themes if t.id in looks), key=lambda t: (-len(t.papers), t.label))
    taken: list[tuple[float, float, float]] = []
    for number, theme in enumerate(themes, 1):
        mine = [mark for mark in marks if mark.theme == theme.id]
        if not mine:
            continue
        text = readable(theme.label)
        half = len(text) * _LETTER / 2
        x = min(max(median(mark.x for mark in mine), half + 4), WIDTH - half - 4)
        y = median(mark.y for mark in mine)
        spot = _free(x, y, half, taken)
        if spot is not None:
            taken.append((x, spot, half))
        colour, shape = looks[theme.id]
        found.append(
            Label(
                theme.id, number, text, len(theme.papers), colour, shape, round(x, 1),
                round(y if spot is None else spot, 1), spot is not None,
            )
        )  # fmt: skip
    return Drawing(marks, tuple(found), drawn.total)


def _free(x: float, y: float, half: float, taken: Sequence[tuple[float, float, float]]) -> float | None:
    """A height near `y` where a label meets no other one, or None."""
    for shift in (0, -_LINE, _LINE, -2 * _LINE, 2 * _LINE):
        spot = y + shift
        if 14 <= spot <= HEIGHT - 8 and not any(
            abs(spot - other_y) < _LINE and abs(x - other_x) < half + other_half
            for other_x, other_y, other_half in taken
        ):
            return spot
    return None


def _looks(ids: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Colour and shape of each theme, by its id, to stay from day to day; no two alike while any is free."""
    looks: dict[str, tuple[int, int]] = {}
    taken: set[int] = set()
    for theme in sorted(one for one in ids if one != "more"):
        slot = int.from_bytes(hashlib.sha256(theme.encode()).digest()[:4], "big") % (COLOURS * SHAPES)
        for step in range(COLOURS * SHAPES):
            if (slot + step) % (COLOURS * SHAPES) not in taken:
                slot = (slot + step) % (COLOURS * SHAPES)
                break
        taken.add(slot)
        looks[theme] = slot % COLOURS, slot // COLOURS
    return looks


def _placed(points: Sequence[Point], today: frozenset[str]) -> tuple[Mark, ...]:
    """The points scaled into the picture, the edition's own last, so that they lie on top."""
    if not points:
        return ()
    (left, wide), (low, high) = _span([p.x for p in points]), _span([p.y for p in points])
    scale = min((WIDTH - 2 * _EDGE) / wide, (HEIGHT - 2 * _EDGE) / high) if wide and high else 0.0
    # a picture wider than the map: stretched a little, for the nearness of papers is no ruler
    across, down = (
        min((WIDTH - 2 * _EDGE) / (wide or 1), 1.5 * scale),
        min((HEIGHT - 2 * _EDGE) / (high or 1), 1.5 * scale),
    )
    marks = [
        Mark(
            p.paper, p.title, p.theme, _inside((p.x - left - wide / 2) * across, WIDTH),
            _inside((p.y - low - high / 2) * down, HEIGHT), p.paper in today,
        )
        for p in points
    ]  # fmt: skip
    return tuple(sorted(marks, key=lambda mark: mark.today))


def _span(values: Sequence[float]) -> tuple[float, float]:
    """Least value and width, the farthest few left out."""
    order = sorted(values)
    skip = int(len(order) * _OUT)
    least, most = order[skip], order[len(order) - 1 - skip]
    return least, most - least


def _inside(offset: float, size: int) -> float:
    return round(min(max(size / 2 + offset, 8), size - 8), 1)
