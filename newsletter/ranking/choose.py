"""From scores to picks: what is relevant, unlike each other, not seen before, and one open step outside."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from newsletter.model import Profile
from newsletter.ranking.features import Floats, Rows
from newsletter.ranking.fuse import Scores, appetite, wishes
from newsletter.ranking.stage import Stage
from newsletter.ranking.values import Options

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Choice:
    """Places of the chosen papers, (readers, slots) with -1 for none, by kind; and who could have been chosen.

    `seen` (readers, n) are papers that the reader had; `open` those neither seen, nor avoided, nor a twin;
    `relevant` those of them above the cut-off.
    """

    picks: Rows
    trending: Rows
    explore: Rows
    seen: Flags
    open: Flags
    relevant: Flags


def choose(scores: Scores, seen: Sequence[AbstractSet[str]]) -> Choice:
    """Choose at most ``profile.papers`` papers per reader."""
    profiles, stage, known = scores.profiles, scores.stage, _known(scores.stage, seen)
    papers = np.array([max(p.papers, 0) for p in profiles], np.int64)
    open_ = ~(scores.removed | known) & (stage.twin == np.arange(len(stage.papers)))
    relevant = open_ & _relevant(scores)
    explore = np.array(
        [min(max(p.explore, 0), n) if wishes(p, stage) else 0 for p, n in zip(profiles, papers, strict=True)], np.int64
    )
    apart = np.array([_apart(p, stage) for p in profiles], np.int64)
    picks = _diverse(scores.total, relevant, papers - np.minimum(explore, papers // 4), stage, papers)
    left = open_ & ~_marked(picks, open_)
    popular = np.where(left & ~relevant & (stage.trend >= 1), stage.trend, -np.inf)
    room = papers - (picks >= 0).sum(axis=1)
    trending = _highest(popular, np.minimum(apart, np.maximum(room - explore, 0)))
    left &= ~_marked(trending, open_)
    room -= (trending >= 0).sum(axis=1)
    outside = np.where(left & ~relevant & _elsewhere(picks, stage), scores.total, -np.inf)
    return Choice(picks, trending, _highest(outside, np.minimum(explore, room)), known, open_, relevant)


def _known(stage: Stage, seen: Sequence[AbstractSet[str]]) -> Flags:
    known = np.zeros((len(seen), len(stage.papers)), np.bool_)
    for i, ids in enumerate(seen):
        if ids:
            known[i] = [not keys.isdisjoint(ids) for keys in stage.keys]
    return known


def _relevant(scores: Scores) -> Flags:
    followed = (scores.parts["authors"] + scores.parts["keywords"]) > 0
    wishless = np.array([not wishes(p, scores.stage) for p in scores.profiles], np.bool_)[:, None]
    return np.asarray(
        (scores.relevance >= scores.stage.options.cut) | followed | (wishless & np.isfinite(scores.total))
    )


def _apart(profile: Profile, stage: Stage) -> int:
    """How many popular papers beyond the interests the reader's own trending weight asks for."""
    if not wishes(profile, stage) or not stage.options.trending_apart:
        return 0
    return min(stage.options.trending_apart, int(np.ceil(appetite(profile) * max(profile.papers, 0) / 2)))


def _diverse(total: Floats, relevant: Flags, slots: Rows, stage: Stage, papers: Rows) -> Rows:
    """Maximal marginal relevance (Carbonell and Goldstein 1998) with a cap per theme, for all readers at once.

    Each step takes the paper with the highest total less `diversity` times its likeness to the most alike paper taken,
    and less `theme_toll` if its theme has its share: for whom a theme is the interest, it may fill the letter, but not
    with papers that are only a little better than what else there is.
    """
    readers, n = total.shape
    most = int(slots.max(initial=0))
    picks = np.full((readers, most), -1, np.int64)
    likest = np.zeros((readers, n), np.float32)
    free, row = relevant.copy(), np.arange(readers)
    most_of_one = np.array([cap(int(p), stage.options) for p in papers], np.int64)[:, None]
    used = np.zeros((readers, int(stage.theme.max(initial=-1)) + 2), np.int64)
    for slot in range(min(most, n)):
        sated = (used >= most_of_one)[:, stage.theme] & (stage.theme >= 0)
        worth = total - stage.options.diversity * _scale(total) * likest - stage.options.theme_toll * sated
        worth = np.where(free & (slot < slots)[:, None], worth, -np.inf)
        best = worth.argmax(axis=1)
        taken = np.isfinite(worth[row, best])
        picks[taken, slot] = best[taken]
        free[row[taken], best[taken]] = False
        likest = np.where(taken[:, None], np.maximum(likest, stage.alike[best]), likest)
        theme = stage.theme[best]
        used[row[taken], theme[taken]] += 1
    return picks


def cap(papers: int, options: Options) -> int:
    """How many of a letter's `papers` one theme may have before the rest of it pays the toll."""
    return max(int(np.ceil(papers * options.theme_share)), 2)


def _scale(total: Floats) -> Floats:
    return np.asarray(np.maximum(total.std(axis=1, keepdims=True), 1e-6), dtype=np.float32)


def _marked(picks: Rows, like: Flags) -> Flags:
    marked = np.zeros_like(like)
    reader, slot = np.nonzero(picks >= 0)
    marked[reader, picks[reader, slot]] = True
    return marked


def _highest(worth: Floats, count: Rows) -> Rows:
    """Places of each reader's `count` highest finite values, (readers, most)."""
    most = min(int(count.max(initial=0)), worth.shape[1])
    order = np.argsort(-worth, axis=1, kind="stable")[:, :most]
    kept = (np.arange(most) < count[:, None]) & np.isfinite(np.take_along_axis(worth, order, axis=1))
    return np.asarray(np.where(kept, order, -1), dtype=np.int64)


def _elsewhere(picks: Rows, stage: Stage) -> Flags:
    """Papers of a theme that none of the reader's picks has; where themes are unknown, all."""
    used = np.zeros((len(picks), int(stage.theme.max(initial=-1)) + 2), np.bool_)
    reader, slot = np.nonzero(picks >= 0)
    used[reader, stage.theme[picks[reader, slot]]] = True
    used[:, -1] = False
    return ~used[:, stage.theme]
