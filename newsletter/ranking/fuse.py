"""One score per reader and paper, as parts that sum to it.

How, and against what, in the suites' own figures (packaged embedding, one setting for all suites; higher is better but
for gold-reviewer's loss):

- Texts on one raw scale, not each standardised for itself: an early model's best raw dense cosine gave .6144 on
  silver-astro and .6101 on silver-vlm; standardised for each interest .5206 and .5993.
- (silver-astro, silver-vlm) as it stands .7094, .6469; dense alone .6670, .6435; words alone .6210, .5277; without
  the whole text .7106, .6445. The mean over interests alone .5659, .6613, the best one alone .7132, .6387:
  silver-vlm's interests overlap and like the mean, so that `others` is between. Avoided texts are subtracted where
  they match better than any wish: without .7088 on silver-astro, and .6999 against .7087 with the embedding before
  this one.
- What is told at length counts more (`fullness`): without it .6767, .6425. Of 24 shuffles of the same factors 2
  gained as much for the first reader and 8 for the second: some of it may be luck, hence only the cube root, and
  bounds.
- Tried for texts with earlier embeddings, from .6766, .6226, and left out: half a vector of the title beside the
  paper's -.0133, -.0067; half the best sentence of the abstract -.0197, -.0036; BM25 for the word cosine -.0162,
  -.0088; a title's words once more -.0026, -.0130; the share of the interest's words that the paper has -.0501,
  -.0209; feedback from the nearest archive papers +.0079 on silver-vlm and -.0090 on silver-astro. Stop words only
  move noise: scikit-learn's .6792, .6223, none at all .6852, .6198, each better in some fifths of the days and worse
  in others.
- Likes, (gold-reviewer, reviews, citeulike-cold): as it stands .2035, .3808, .6051; plain mean alone .2197, .3861,
  .5096; learned alone .1966, .2808, .6007; without words in the kernel .2056, .3812, .5971; without dense .2278,
  .3774, .5443; 1,500 papers for "any paper" .2035, .3808, .5984 (.6022 and .6028 by other draws, 2,000 .6030 by
  another).
- Feedback from the 40 papers nearest to the likes: without .2025, .3713, .6025; of 12 reviews 7 gain more than .002
  by it and 3 lose as much. Half as heavy .2035, .3783; 20 papers or 80 a little less (with the embedding before this
  one); fading with trust as the mean does .2048, .3794. A large library of many subjects is hurt by it (plain mean
  alone .5419 without), but the mean counts for nothing there.
- Tried for few likes and left out: the nearest like -.052 on reviews; vectors centred on the day -.007; words that
  several likes share -.002; latent semantic analysis of the archive beside both cosines -.008 (100 directions). Trust
  in n^2 / (n^2 + 100) rather than cubes .2110, .3692 against .2072, .3736 with the embedding before this one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from newsletter.model import Interest, Profile
from newsletter.ranking import signals
from newsletter.ranking.features import Floats, Rows
from newsletter.ranking.ground import Encode
from newsletter.ranking.interests import fullness, match
from newsletter.ranking.likes import Examples, Learned, learn
from newsletter.ranking.stage import Stage
from newsletter.ranking.values import HEAVIEST, LIGHTEST, Options

LIKES = -1
_LIKED = 4 / 3  # learned matches spread less than those of texts: brings 1.5 deviations to the cut-off of 2


@dataclass(frozen=True, slots=True)
class Claims:
    """What each reader's wishes say about each paper: rows sorted by `owner`, `wish` the place of the interest in the
    profile or LIKES, `values` (claims, n) standardised matches, `given` what they contribute to the score, `counts`
    whether without them it would be lower."""

    owner: Rows
    wish: Rows
    values: Floats
    given: Floats
    counts: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Scores:
    """Arrays (readers, n): `total` is the sum of `parts`; `relevance` is the best match, standardised; `removed` tells
    what an avoided text takes out."""

    profiles: Sequence[Profile]
    stage: Stage
    parts: Mapping[str, Floats]
    total: Floats
    relevance: Floats
    removed: NDArray[np.bool_]
    claims: Claims
    learned: Learned


def weight_of(interest: Interest) -> float:
    """What the interest counts for: 0 or below drops it, anything else is bounded."""
    if not interest.text.strip() or not interest.weight > 0:
        return 0.0
    return float(min(max(interest.weight, LIGHTEST), HEAVIEST))


def score(profiles: Sequence[Profile], stage: Stage, encode: Encode) -> Scores:
    """Score every paper of the day for every profile: no cut-off, no diversity, no exploration."""
    options, n = stage.options, len(stage.papers)
    learned = learn([examples(p, stage) for p in profiles], stage.ground)
    claims = _claims(profiles, learned, stage, encode)
    relevance = np.full((len(profiles), n), -np.inf, np.float32)
    np.maximum.at(relevance, claims.owner, claims.values)
    share = np.array([_share(p, stage) for p in profiles], np.float32).reshape(-1, 1)
    given = claims.given * (1 - share[claims.owner])
    kind = claims.wish == LIKES
    parts = {
        name: _gather(given, claims.owner, who, relevance) for name, who in (("interests", ~kind), ("likes", kind))
    }
    parts["authors"] = options.author * signals.followed([_by_author(p, stage) for p in profiles], n)
    parts["keywords"] = options.keyword * signals.followed(_by_keyword(profiles, stage), n)
    parts["trending"] = share * stage.trend
    parts["fresh"] = np.broadcast_to(options.fresh * stage.fresh, relevance.shape)
    taken = _avoided(profiles, stage, encode, claims)
    parts["avoid"] = -taken
    total: Floats = np.asarray(np.sum(list(parts.values()), axis=0), dtype=np.float32)
    return Scores(
        profiles, stage, parts, total, relevance, taken >= _most(options), replace(claims, given=given), learned
    )


def _gather(given: Floats, owner: Rows, chosen: NDArray[np.bool_], like: Floats) -> Floats:
    out = np.zeros_like(like)
    np.add.at(out, owner[chosen], given[chosen])
    return out


def _share(profile: Profile, stage: Stage) -> float:
    """How much of the score is the trend: all for who wishes nothing, and nothing where no source counts votes."""
    if not wishes(profile, stage):
        return 1.0
    return appetite(profile) if stage.voted else 0.0


def appetite(profile: Profile) -> float:
    """The reader's trending weight, from 0 to 1 whatever was written."""
    return min(max(profile.trending, 0.0), 1.0) if profile.trending == profile.trending else 0.0


def wishes(profile: Profile, stage: Stage) -> bool:
    """Whether the reader says anything about what they want; likes that nobody knows say nothing."""
    named = any(weight_of(interest) for interest in profile.interests)
    liked = any(paper in stage.ground.index.row for paper in profile.likes)
    return bool(named or liked or profile.follow_authors or profile.follow_keywords)


def examples(profile: Profile, stage: Stage) -> Examples:
    """The profile's likes and dislikes that the archive holds; the latest `likes_most` of them to learn from."""
    row = stage.ground.index.row
    rated = {row[i]: -1.0 for i in profile.dislikes if i in row} | {row[i]: 1.0 for i in profile.likes if i in row}
    kept = sorted(list(rated.items())[-stage.options.likes_most :])
    rows, labels = [r for r, _ in kept], [y for _, y in kept]
    return Examples(np.array(rows, np.int64), np.array(labels, np.float32), np.array(sorted(rated), np.int64))


def _claims(profiles: Sequence[Profile], learned: Learned, stage: Stage, encode: Encode) -> Claims:
    n, options = len(stage.papers), stage.options
    texts = {t: i for i, t in enumerate(dict.fromkeys(i.text for p in profiles for i in p.interests if weight_of(i)))}
    matched = match(list(texts), stage.ground, encode, whole=options.whole)
    owner, wish, values = [], [], []
    for r, profile in enumerate(profiles):
        named = [(k, i) for k, i in enumerate(profile.interests) if weight_of(i)]
        full = fullness([i.text for _, i in named])
        said = [(k, weight_of(i) * f, matched[texts[i.text]]) for (k, i), f in zip(named, full, strict=True)]
        if count := len(learned.examples[r].rows):
            said.append((LIKES, _LIKED * (count + 1) / (count + 2), learned.match[r]))
        for place, weight, row in said:
            owner.append(r)
            wish.append(place)
            values.append(np.where(row > 0, weight * row, row))
    owners, table = np.array(owner, np.int64), np.array(values, np.float32).reshape(len(owner), n)
    return Claims(owners, np.array(wish, np.int64), table, *_best_first(owners, table, options.others))


def _best_first(owner: Rows, values: Floats, others: float) -> tuple[Floats, NDArray[np.bool_]]:
    """Each claim's contribution to its reader's relevance, (best + `others` times the mean) / (1 + `others`).

    And whether the claim counts: without it the relevance would be lower.
    """
    if not len(owner):
        return values, values > 0
    starts = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
    sizes = np.diff(np.r_[starts, len(owner)])
    best = np.repeat(np.maximum.reduceat(values, starts, axis=0), sizes, axis=0)
    total = np.repeat(np.add.reduceat(values, starts, axis=0), sizes, axis=0)
    many = np.repeat(sizes, sizes)[:, None]
    leads = values >= best
    first = leads / np.repeat(np.add.reduceat(leads, starts, axis=0, dtype=np.float32), sizes, axis=0)
    given = (first * best + others * values / many) / (1 + others)
    return np.asarray(given, dtype=np.float32), (values > 0) & (leads | (values * many > total))


def _by_author(profile: Profile, stage: Stage) -> list[tuple[int, ...]]:
    return [stage.wrote.get(signals.author_key(name), ()) for name in profile.follow_authors]


def _by_keyword(profiles: Sequence[Profile], stage: Stage) -> list[list[tuple[int, ...]]]:
    found = {
        k: signals.mentioned(k, stage.texts, stage.words) for k in {k for p in profiles for k in p.follow_keywords}
    }
    return [[found[k] for k in p.follow_keywords] for p in profiles]


def _most(options: Options) -> float:
    return 2 * options.avoid_out


def _avoided(profiles: Sequence[Profile], stage: Stage, encode: Encode, claims: Claims) -> Floats:
    """What the avoided texts subtract, (readers, n): the sum over texts, at most what removes the paper."""
    options, n = stage.options, len(stage.papers)
    taken = np.zeros((len(profiles), n), np.float32)
    named = [(r, t) for r, p in enumerate(profiles) for t in dict.fromkeys(p.avoid) if t.strip()]
    if not named or not n:
        return taken
    texts = {t: i for i, t in enumerate(dict.fromkeys(t for _, t in named))}
    matched = match(list(texts), stage.ground, encode, whole=0)
    literal = signals.followed(
        [[signals.mentioned(t, stage.texts, stage.words)] if signals.is_phrase(t) else [] for t in texts], n
    )
    best = np.full((len(profiles), n), -np.inf, np.float32)
    np.maximum.at(best, claims.owner, claims.values)
    wanted = [{i.text for i in p.interests} for p in profiles]
    owner, which = np.array([r for r, _ in named]), np.array([texts[t] for _, t in named])
    against = best[owner]
    against[[t in wanted[r] for r, t in named]] = -np.inf  # an avoided text that is also an interest: avoiding wins
    part = signals.penalty(
        matched[which],
        literal[which],
        against,
        weight=options.avoid,
        start=options.avoid_from,
        out=options.avoid_out,
        most=_most(options),
    )
    np.add.at(taken, owner, part)
    return np.minimum(taken, _most(options))
