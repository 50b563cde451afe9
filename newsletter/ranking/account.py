"""The arithmetic of one paper for one reader, told as reasons."""

from __future__ import annotations

from functools import lru_cache
from itertools import islice

import numpy as np

from newsletter.model import Paper, Reason, ReasonKind
from newsletter.ranking.choose import Choice, cap
from newsletter.ranking.features import terms
from newsletter.ranking.fuse import LIKES, Scores
from newsletter.ranking.signals import author_key, mentions
from newsletter.ranking.stage import Stage
from newsletter.text import paper_text

_WORDS = 4
_LEAST = 0.05  # a smaller share of the score is no reason worth reading
_Found = tuple[float, ReasonKind, str, tuple[str, ...]]  # what a reason adds to the score, its kind, what and words


def reasons(reader: int, paper: int, scores: Scores) -> tuple[Reason, ...]:
    """The positive parts of the score as reasons, largest first; shares are of the sum of the positive parts."""
    found = [*_wishes(reader, paper, scores), *_follows(reader, paper, scores)]
    if (trending := float(scores.parts["trending"][reader, paper])) > 0:
        found.append((trending, "trending", _crowd(scores.stage.papers[paper]), ()))
    if (fresh := float(scores.parts["fresh"][reader, paper])) > 0:
        found.append((fresh, "fresh", "", ()))
    whole = sum([amount for amount, *_ in found if amount > 0])
    told = [
        Reason(kind, what, round(amount / whole, 4), words)
        for amount, kind, what, words in found
        if amount > 0 and amount >= _LEAST * whole
    ]
    return tuple(sorted(told, key=lambda r: -r.share))


def _wishes(reader: int, paper: int, scores: Scores) -> list[_Found]:
    stage, profile, claims = scores.stage, scores.profiles[reader], scores.claims
    found: list[_Found] = []
    for k in range(*claims.owner.searchsorted((reader, reader + 1))):
        if not claims.counts[k, paper]:
            continue
        given = float(claims.given[k, paper])
        if claims.wish[k] == LIKES:
            liked = stage.ground.index.papers[scores.learned.nearest(reader, paper)]
            found.append((given, "like", liked.title, shared_words(paper_text(liked), paper, stage)))
        else:
            text = profile.interests[claims.wish[k]].text
            found.append((given, "interest", text, shared_words(text, paper, stage)))
    return found


def _follows(reader: int, paper: int, scores: Scores) -> list[_Found]:
    stage, profile = scores.stage, scores.profiles[reader]
    found: list[_Found] = []
    if (given := float(scores.parts["authors"][reader, paper])) > 0:
        wrote = (name for name in profile.follow_authors if paper in stage.wrote.get(author_key(name), ()))
        found += [(given, "author", name, ()) for name in islice(wrote, 1)]
    if (given := float(scores.parts["keywords"][reader, paper])) > 0:
        named = (name for name in profile.follow_keywords if mentions(stage.texts[paper], name))
        found += [(given, "keyword", name, ()) for name in islice(named, 1)]
    return found


def _crowd(paper: Paper) -> str:
    """The public counts that there are, in words."""
    counts = (("upvote", paper.upvotes), ("comment", paper.comments), ("star", paper.stars))
    return ", ".join(f"{n:,.0f} {name}{'' if n == 1 else 's'}" for name, n in counts if n is not None and n > 0)


def shared_words(text: str, paper: int, stage: Stage) -> tuple[str, ...]:
    """Words and two-word phrases that `text` shares with the day's `paper`, as the paper writes them, rarest first."""
    reading, told, said = stage.readings[paper], list[str](), ""
    for place in sorted([reading.place[term] for term in _terms(text) & reading.place.keys()]):
        phrase = reading.phrases[place]
        if phrase.lower() not in said:
            told.append(phrase)
            said += f"\n{phrase.lower()}"
            if len(told) == _WORDS:
                break
    return tuple(told)


def matches(reader: int, paper: int, scores: Scores) -> dict[str, float]:
    """How well the paper matches each interest, and the likes, in standard deviations from the average paper."""
    profile = scores.profiles[reader]
    claims = scores.claims
    names = {k: i.text for k, i in enumerate(profile.interests)} | {LIKES: "papers like those you liked"}
    owned = range(*np.searchsorted(claims.owner, [reader, reader + 1]))
    return {names[int(claims.wish[k])]: float(claims.values[k, paper]) for k in owned}


def why_not(paper: int, scores: Scores, choice: Choice) -> tuple[str, ...]:
    """Why the reader (the only one scored) does not get the paper: what bars it, or else the contest it lost."""
    stage = scores.stage
    found: list[str] = []
    if choice.seen[0, paper]:
        found.append("you were sent it before")
    if scores.removed[0, paper]:
        found.append("it matches what you avoid")
    if stage.twin[paper] != paper:
        found.append(f"it is the same as {stage.papers[stage.twin[paper]].id}")
    relevance, cut = float(scores.relevance[0, paper]), stage.options.cut
    if not found and not choice.relevant[0, paper]:
        found.append(f"its best match of {relevance:.2f} is {cut - relevance:.2f} below the cut-off of {cut:.2f}")
    return tuple(found) or (_contest(paper, scores, choice),)


def _contest(paper: int, scores: Scores, choice: Choice) -> str:
    stage, profile = scores.stage, scores.profiles[0]
    chosen = [int(p) for p in choice.picks[0] if p >= 0]
    theme = [p for p in chosen if stage.theme[p] == stage.theme[paper] >= 0]
    lower = [p for p in chosen if scores.total[0, p] < scores.total[0, paper]]
    if len(theme) >= cap(profile.papers, stage.options) and not set(lower) <= set(theme):
        return f"its theme already has {len(theme)} places, and it is not {stage.options.theme_toll:g} above the others"
    if lower:
        like = max(chosen, key=lambda p: float(stage.alike[paper, p]))
        return f"it is too much like {stage.papers[like].id}, which is in the letter"
    return f"{len(chosen)} papers score higher, and the letter holds at most {profile.papers}"


@lru_cache(maxsize=4096)
def _terms(text: str) -> frozenset[str]:
    return frozenset(terms(text))
