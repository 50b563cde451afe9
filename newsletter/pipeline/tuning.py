"""`newsletter tune`: what each ranking signal is worth, by what this newsletter's own readers asked for.

feedback + letters -> Answer* (wanted and passed over, of one letter) -> scores, with all signals and without each
-> how often a wanted paper is above one passed over -> what is lost without the signal, and how sure that is

The papers of one letter were all seen, so that what nobody saw says nothing. What a reader said later than the letter,
or of its papers, is not in the profile that ranks them: a paper would else prove itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from newsletter.model import ArchivedPaper, Edition, Paper, Profile, Subscriber
from newsletter.pipeline.editions import edition_id, embed, embedder
from newsletter.pipeline.workspace import Workspace, readers
from newsletter.ranking import Corpus, Options
from newsletter.store import archive, editions, feedback

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from newsletter.ranking.features import Index
    from newsletter.ranking.fuse import Scores
    from newsletter.ranking.stage import Stage

FEWEST = (
    20  # answered letters below which nothing is told: the interval of a signal's worth would be wider than any worth
)
_WANTED = frozenset({"more", "save", "click"})
_ALL = Options()
_RESAMPLES = 1_000
_CHUNK = 256  # readers of one day that are scored at a time


@dataclass(frozen=True, slots=True)
class Answer:
    """One sent letter that its reader answered: the papers they asked for, and those they passed over or refused."""

    subscriber: str
    day: date
    wanted: frozenset[str]
    passed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal's worth: the share of rightly ordered pairs that is lost without it, and its 90 % interval."""

    name: str
    about: str
    worth: float
    low: float
    high: float

    @property
    def told_apart(self) -> bool:
        """Whether the worth can be told from none at all."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class Tuning:
    """What the readers' answers say. `right` is the share of pairs (wanted, passed over) that stand in that order.

    `signals` are empty where there are fewer than FEWEST answered letters; `unanswered` letters held no answer, or no
    paper that was passed over.
    """

    letters: int
    unanswered: int
    readers: int
    pairs: int
    right: float
    signals: tuple[Signal, ...]


@dataclass(frozen=True, slots=True)
class _Left:
    """A signal and how it is left out: of the stage, of the profile, or of the sum."""

    name: str
    about: str
    options: Options = _ALL
    blind: bool = False
    profile: Callable[[Profile], Profile] = lambda profile: profile
    part: str = ""


def _without(prefix: str) -> Options:
    """The options with every weight that begins with `prefix` at zero."""
    zero: dict[str, Any] = {f.name: 0.0 for f in fields(Options) if f.name.startswith(prefix)}
    return replace(_ALL, **zero)


_SIGNALS = (
    _Left("interests", "the reader's own words", profile=lambda p: replace(p, interests=())),
    _Left("likes", "liked and disliked papers", profile=lambda p: replace(p, likes=(), dislikes=())),
    _Left("authors", "followed authors", profile=lambda p: replace(p, follow_authors=())),
    _Left("keywords", "followed keywords", profile=lambda p: replace(p, follow_keywords=())),
    _Left("avoid", "what the reader does not want", profile=lambda p: replace(p, avoid=())),
    _Left("trending", "what everyone reads", profile=lambda p: replace(p, trending=0.0)),
    _Left("fresh", "the paper's age", part="fresh"),
    _Left("meaning", "likeness of embeddings", blind=True),
    _Left("words", "shared words and phrases", options=_without("sparse")),
)


def tune(workspace: Workspace, *, seed: int = 0) -> Tuning:
    """Rank every answered letter's papers anew with all signals and without each; nothing is changed or stored."""
    people = {reader.name: reader for reader in readers(workspace)}
    said = feedback.feedback(workspace.engine, people)
    sent = feedback.shown(workspace.engine, people)
    answers = [answer for letter in sent if (answer := _answer(letter, said.get(letter.subscriber, ())))]
    names, pairs = {answer.subscriber for answer in answers}, sum(len(a.wanted) * len(a.passed) for a in answers)
    told = Tuning(len(answers), len(sent) - len(answers), len(names), pairs, float("nan"), ())
    if len(answers) < FEWEST:
        return told
    rows: list[list[float]] = []
    for day in sorted({answer.day for answer in answers}):
        of_day = [answer for answer in answers if answer.day == day]
        profiles = [_as_of(people[answer.subscriber], answer, said[answer.subscriber]) for answer in of_day]
        rows += _rights(workspace, day, of_day, profiles)
    return replace(told, **_judged(rows, seed))


def _answer(letter: feedback.Shown, said: Sequence[feedback.Feedback]) -> Answer | None:
    """What the reader said of the letter's papers; None where that tells nothing of any two of them."""
    kinds: dict[str, set[str]] = {}
    for one in said:
        kinds.setdefault(one.paper, set()).add(one.kind)
    wanted = frozenset(p for p in letter.papers if kinds.get(p, set()) & _WANTED and "less" not in kinds[p])
    passed = frozenset(letter.papers) - wanted
    day = date.fromisoformat(letter.edition.partition("/")[2])
    return Answer(letter.subscriber, day, wanted, passed) if wanted and passed else None


def _as_of(reader: Subscriber, answer: Answer, said: Sequence[feedback.Feedback]) -> Profile:
    """The profile with what the reader had said before the letter's day, and nothing of the letter's own papers."""
    start = datetime.combine(answer.day, time.min, tzinfo=UTC)
    own = answer.wanted | answer.passed
    before = [one for one in said if one.at < start]
    likes = [*reader.profile.likes, *(one.paper for one in before if one.kind in ("more", "save"))]
    dislikes = [*reader.profile.dislikes, *(one.paper for one in before if one.kind == "less")]
    return replace(
        reader.profile,
        likes=tuple(dict.fromkeys(paper for paper in likes if paper not in own)),
        dislikes=tuple(dict.fromkeys(paper for paper in dislikes if paper not in own)),
    )


def _rights(
    workspace: Workspace, day: date, answers: Sequence[Answer], profiles: Sequence[Profile]
) -> list[list[float]]:
    """For each answer the share of its pairs ordered rightly: with all signals, then without each of _SIGNALS."""
    edition = editions.load_edition(workspace.engine, edition_id(day)) or Edition(edition_id(day), day, (), ())
    asked = archive.papers(workspace.engine, {i for a in answers for i in a.wanted | a.passed})
    mine = {paper.id: paper for paper in (*asked.values(), *edition.papers)}
    window = archive.window(workspace.engine, day, workspace.settings.themes.window_days)
    field = _field(workspace, mine, window, profiles)
    encode = embedder(workspace.settings.embedding.model, workspace.settings.data).encode
    place = {paper.id: i for i, paper in enumerate(field[0].papers)}
    at = [
        tuple([place[asked[i].id] for i in sorted(ids) if i in asked] for ids in (a.wanted, a.passed)) for a in answers
    ]
    columns = [
        [_right(row, *places) for row, places in zip(totals, at, strict=True)]
        for totals in _totals(field, edition, day, profiles, encode)
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def _field(
    workspace: Workspace, mine: Mapping[str, Paper], window: Sequence[ArchivedPaper], profiles: Sequence[Profile]
) -> tuple[Corpus, Corpus]:
    rated = archive.papers(workspace.engine, {i for p in profiles for i in (*p.likes, *p.dislikes)})
    known = {a.paper.id: a.paper for a in window} | {paper.id: paper for paper in rated.values()}
    own, rest = tuple(mine.values()), tuple(known.values())
    return Corpus(own, embed(workspace, own)), Corpus(rest, embed(workspace, rest))


def _totals(
    field: tuple[Corpus, Corpus], edition: Edition, day: date, profiles: Sequence[Profile], encode: Any
) -> Iterator[NDArray[np.float32]]:
    """Scores (profiles, papers) with all signals, then without each; what several share is prepared once."""
    seeing = _index(*field)
    blind = replace(seeing, vectors=seeing.vectors * 0)
    stages: dict[tuple[Options, bool], Stage] = {}
    for left in (_Left("all", ""), *_SIGNALS):
        key = (left.options, left.blind)
        if key not in stages:
            stages[key] = _stage(blind if left.blind else seeing, field, edition, day, left.options)
        yield _scored([left.profile(p) for p in profiles], stages[key], left, encode)


def _index(own: Corpus, rest: Corpus) -> Index:
    from newsletter.ranking.features import index

    return index(own, rest)


def _stage(known: Index, field: tuple[Corpus, Corpus], edition: Edition, day: date, options: Options) -> Stage:
    from newsletter.ranking.stage import prepare

    themes = {paper: theme.id for theme in edition.themes for paper in theme.papers}
    momentum = {theme.id: theme.momentum for theme in edition.themes}
    rows = known.rows(field[0].papers), known.rows(field[1].papers)
    return prepare(known, *rows, themes=themes, momentum=momentum, today=day, options=options)


def _scored(profiles: Sequence[Profile], stage: Stage, left: _Left, encode: Any) -> NDArray[np.float32]:
    import numpy as np

    from newsletter.ranking.fuse import score

    def blind(texts: Sequence[str]) -> NDArray[np.float32]:
        return np.asarray(encode(texts) * 0, dtype=np.float32)

    def total(scores: Scores) -> NDArray[np.float32]:
        return scores.total - scores.parts[left.part] if left.part else scores.total

    few = [profiles[start : start + _CHUNK] for start in range(0, len(profiles), _CHUNK)]
    return np.concatenate([total(score(some, stage, blind if left.blind else encode)) for some in few])


def _right(scores: NDArray[np.float32], wanted: Sequence[int], passed: Sequence[int]) -> float:
    """The share of pairs in which the wanted paper scores higher; a tie is half right (its ROC's area)."""
    import numpy as np

    if not wanted or not passed:
        return 0.5
    gap = scores[np.array(wanted)][:, None] - scores[np.array(passed)][None, :]
    return float(((gap > 0) + 0.5 * (gap == 0)).mean())


def _judged(rows: Sequence[Sequence[float]], seed: int) -> dict[str, Any]:
    """The shares of right pairs over all letters, each letter counting the same; intervals by the bootstrap."""
    import numpy as np

    right = np.array(rows)
    lost = right[:, :1] - right[:, 1:]
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, len(lost), (_RESAMPLES, len(lost)))
    low, high = np.percentile(lost[drawn].mean(axis=1), [5, 95], axis=0)
    found = [
        Signal(left.name, left.about, float(lost[:, k].mean()), float(low[k]), float(high[k]))
        for k, left in enumerate(_SIGNALS)
    ]
    return {"right": float(right[:, 0].mean()), "signals": tuple(sorted(found, key=lambda s: (-s.worth, s.name)))}
