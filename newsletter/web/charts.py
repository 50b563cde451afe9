"""Small charts as numbers for SVG: sparklines, weekly bars, bars of themes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from newsletter.letter.charts import whole_weeks
from newsletter.model import Theme

__all__ = ["Bar", "Weeks", "bars", "spark", "weekly"]

_WEEKS = 26  # at most in a theme's chart: half a year


@dataclass(frozen=True, slots=True)
class Bar:
    """A theme's bar; `width` in percent of the longest."""

    id: str
    label: str
    papers: int
    width: float


@dataclass(frozen=True, slots=True)
class Weeks:
    """Papers a week, oldest first: (first day, papers, x in %, height in %); `step` is a bar's room in %."""

    bars: tuple[tuple[date, int, float, float], ...]
    step: float
    most: int


def bars(themes: Iterable[Theme], label: Mapping[str, str]) -> tuple[Bar, ...]:
    """One bar a theme, as long as it has papers."""
    given = [(theme.id, label[theme.id], len(theme.papers)) for theme in themes]
    most = max((papers for _, _, papers in given), default=1)
    return tuple(Bar(key, name, papers, round(100 * papers / most, 1)) for key, name, papers in given)


def spark(history: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """(papers, height from 1 to 16) of the last ten whole weeks, oldest first; empty for fewer than three."""
    weeks = whole_weeks(history, 10)
    most = max(weeks, default=0)
    return tuple((papers, max(1, round(16 * papers / most))) for papers in weeks) if most and len(weeks) > 2 else ()


def weekly(days: Iterable[date], until: date) -> Weeks:
    """Papers by week up to and with `until`, from the first paper on, at most half a year."""
    given = list(days)
    if not given:
        return Weeks((), 0, 0)
    count = min(_WEEKS, (until - min(given)).days // 7 + 1)
    papers = [0] * count
    for day in given:
        back = (until - day).days // 7
        if 0 <= back < count:
            papers[count - 1 - back] += 1
    most, step = max(papers) or 1, 100 / count
    firsts = (until - timedelta(days=7 * (count - n) - 1) for n in range(count))
    made = (
        (day, n, round(i * step, 2), round(100 * n / most, 1))
        for i, (day, n) in enumerate(zip(firsts, papers, strict=True))
    )
    return Weeks(tuple(made), round(step, 2), most)
