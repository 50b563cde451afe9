"""From profiles to picks: one line per stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date

import numpy as np

from newsletter.model import Momentum, Pick, PickKind, Profile, Reason
from newsletter.ranking.account import matches, reasons, why_not
from newsletter.ranking.choose import Choice, choose
from newsletter.ranking.features import index
from newsletter.ranking.fuse import Scores, score
from newsletter.ranking.ground import Encode
from newsletter.ranking.stage import prepare
from newsletter.ranking.values import Corpus, Explanation, Options

_CHUNK = 512  # readers at a time: the arrays of a chunk stay around 100 MB whatever the number of readers


def rank(
    profiles: Sequence[Profile],
    day: Corpus,
    archive: Corpus,
    *,
    encode: Encode,
    themes: Mapping[str, str],
    momentum: Mapping[str, Momentum],
    seen: Sequence[AbstractSet[str]],
    today: date,
    options: Options,
) -> list[tuple[Pick, ...]]:
    """See `newsletter.ranking.rank`."""
    if not day.papers:
        return [() for _ in profiles]
    known = index(day, archive)
    rows = known.rows(day.papers), known.rows(archive.papers)
    stage = prepare(known, *rows, themes=themes, momentum=momentum, today=today, options=options)
    picks: list[tuple[Pick, ...]] = []
    for start in range(0, len(profiles), _CHUNK):
        few = profiles[start : start + _CHUNK]
        scores = score(few, stage, encode)
        choice = choose(scores, seen[start : start + _CHUNK])
        picks += [_picks(i, choice, scores) for i in range(len(few))]
    return picks


def _picks(reader: int, choice: Choice, scores: Scores) -> tuple[Pick, ...]:
    kinds: tuple[tuple[PickKind, np.ndarray], ...] = (
        ("pick", choice.picks[reader]),
        ("trending", choice.trending[reader]),
        ("explore", choice.explore[reader]),
    )
    made = [_pick(reader, int(p), kind, scores) for kind, places in kinds for p in places if p >= 0]
    return tuple(sorted(made, key=lambda pick: (-pick.score, pick.paper.id)))


def _pick(reader: int, paper: int, kind: PickKind, scores: Scores) -> Pick:
    parts = {name: float(values[reader, paper]) for name, values in scores.parts.items() if values[reader, paper]}
    stage, told = scores.stage, reasons(reader, paper, scores)
    if kind == "explore":
        told = (Reason("explore", stage.themes[paper], 0.0), *told)
    return Pick(stage.papers[paper], stage.themes[paper], sum(parts.values()), parts, told, kind)


def explain(
    profile: Profile,
    paper_id: str,
    day: Corpus,
    archive: Corpus,
    *,
    encode: Encode,
    themes: Mapping[str, str],
    momentum: Mapping[str, Momentum],
    seen: AbstractSet[str],
    today: date,
    options: Options,
) -> Explanation | None:
    """See `newsletter.ranking.explain`."""
    known = index(day, archive)
    place = {p.id: i for i, p in enumerate(day.papers)}.get(paper_id)
    if place is None:
        return None
    rows = known.rows(day.papers), known.rows(archive.papers)
    stage = prepare(known, *rows, themes=themes, momentum=momentum, today=today, options=options)
    scores = score([profile], stage, encode)
    choice = choose(scores, [seen])
    picks = {pick.paper.id: pick for pick in _picks(0, choice, scores)}
    return Explanation(
        paper=stage.papers[place],
        score=sum(float(values[0, place]) for values in scores.parts.values()),
        parts={name: float(values[0, place]) for name, values in scores.parts.items()},
        queries=matches(0, place, scores),
        reasons=reasons(0, place, scores),
        pick=picks.get(paper_id),
        why_not=() if paper_id in picks else why_not(place, scores, choice),
    )
