"""A theme's small charts as numbers: papers by whole week, their heights, how full its momentum bar is. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

__all__ = ["momentum_bar", "week_heights", "whole_weeks"]


def whole_weeks(history: Sequence[int], most: int) -> tuple[int, ...]:
    """The papers of each of the last `most` whole weeks of `history` (papers a day, oldest first), oldest first."""
    ends = range(len(history), 6, -7)[:most]
    return tuple(sum(history[end - 7 : end]) for end in reversed(ends))


@lru_cache(maxsize=1024)
def week_heights(history: tuple[int, ...]) -> tuple[int, ...]:
    """The last eight whole weeks as even heights from 2 to 16, the highest week 16; empty for fewer than four."""
    weeks = whole_weeks(history, 8)
    most = max(weeks, default=0)
    return tuple(2 * max(1, round(8 * papers / most)) for papers in weeks) if most and len(weeks) > 3 else ()


def momentum_bar(rate: float) -> int:
    """How far the bar is filled, in percent: half at the usual pace (`rate` 1); the whole is never reached."""
    rate = max(0.0, rate)
    return min(95, max(5, round(100 * rate / (1 + rate))))
