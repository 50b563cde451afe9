"""Extractive summaries: the sentences of an abstract that say what was done and what was found.

The analysis of an abstract is the same for every reader and is kept; only the nearness to the words that matched a
reader's interest is added per letter.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

from newsletter.model import Paper
from newsletter.text import readable

__all__ = ["Analyses", "Sentence", "analysed", "remember", "sentences", "summarise"]

_LONGEST = 420  # characters of a sentence that a letter shows; longer ones are lists or unsplit text
_SHORTEST = 25
_READ = 6000  # characters of an abstract: pysbd takes seconds on tens of thousands of hostile ones
_PREFERRED = 260
_WORD = re.compile(r"\w[\w-]{2,}")
_STOP = re.compile(
    r"""the|and|for|with|that|this|from|are|can|our|its|their|which|such|into|has|have|been|was|were|than|more|most|also|
    not|but|these|those|they|then|when|where|while|via|using|based|over|under|between|both|each|other|how|what|paper|
    work|methods?|approach|models?|results|show|new|novel|propose|proposed""",
    re.VERBOSE,
)
_DONE = re.compile(
    r"""\b(?:we|this\ (?:paper|work|study|article|report|survey|letter|thesis)|in\ this\ (?:paper|work|study)|
    the\ authors)\b
    (?:\W+\w+){0,4}?\W+
    (?:propos|introduc|present|develop|describ|design|build|built|creat|construct|releas|formulat|devis|establish|offer|
    contribut|open-sourc|review|survey|(?P<mild>stud|investigat|explor|examin|address|train|analy[sz]|reproduc|evaluat|
    benchmark))""",
    re.IGNORECASE | re.VERBOSE,
)
_FOUND = re.compile(
    r"""\b(?:we|results?|experiments?|evaluations?|analys[ei]s|findings?|it|method|approach|model|framework|
    benchmarks?|studies)\b
    (?:\W+\w+){0,6}?\W+
    (?:show|find|found|demonstrat|reveal|outperform|achiev|improv|surpass|prov(?:e|es|ed)\b|observ|reach|exceed|reduc|
    yield|indicat|suggest|confirm|discover|attain|obtain|speed|match)""",
    re.IGNORECASE | re.VERBOSE,
)
_FIGURE = re.compile(r"\d+(?:\.\d+)?\s?(?:%|×|x\b|times|percent|points?)|state[- ]of[- ]the[- ]art", re.IGNORECASE)
_NOISE = re.compile(
    r"""https?://|supplementary|equal\ contribution|will\ be\ (?:made|released|open)
    |\b(?:code|data(?:sets?)?|models?|demo|project\ page|weights|checkpoints)\b.{0,60}\b(?:available|released|
    open-sourced)\b
    |\breleas\w+\ (?:\w+\ ){0,3}(?:code|data|models?|weights)\b
    |^(?:project|code|data|demo|github|website|page|homepage)\b.{0,20}:
    |\b(?:lay(?:s|ing)?\ the\ (?:groundwork|foundation)|pav(?:es?|ing)\ the\ way|future\ (?:research|work|
    directions?))\b""",
    re.IGNORECASE | re.VERBOSE,
)
# sentences that lean on the one before
_DANGLING = re.compile(
    r"""^\W*(?:(?:however|moreover|furthermore|additionally|besides|thus|therefore|hence|consequently|in\ addition|
    in\ contrast|also|we\ (?:additionally|also|further)|for\ example|for\ instance|but|yet|and|or|
    then|finally|second|third|secondly|lastly|nevertheless|instead|meanwhile|as\ a\ result|it|they|its|their|these|
    this(?!\ (?:paper|work|study|article|report|survey)))\b|
    (?:\d|[ivx]+|[a-d])\)|(?-i:[a-z])|.{0,60}\b(?:therefore|thus|hence)\b)""",
    re.VERBOSE | re.IGNORECASE,
)
# openings that lean on the sentence before, when the rest stands alone
_OPENING = re.compile(
    r"""^(?:specifically|moreover|furthermore|additionally|finally|besides|in\ addition|to\ this\ end|consequently|
    thus|hence|therefore|in\ this\ (?:paper|work|study|report)|in\ particular|overall|notably|first
    |(?:to|based\ on|motivated\ by|inspired\ by|building\ on|guided\ by|given|with|for|in\ light\ of)\b[^,]{0,50}
    \b(?:this|these|that|above|such)\b[^,]{0,40}),\s+(?=\w)""",
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One complete sentence of an abstract: how much it says by itself, of what kind, and its words (folded)."""

    place: int
    text: str
    worth: float
    done: bool
    found: bool
    words: frozenset[str]


Analyses = Mapping[tuple[str, str], tuple[Sentence, ...]]
_ELSEWHERE: dict[tuple[str, str], tuple[Sentence, ...]] = {}


def analysed(papers: Iterable[Paper]) -> Analyses:
    """The papers' sentences by title and abstract; half a second for a day's, which other processes can `remember`."""
    return {(paper.title, paper.abstract): sentences(paper.title, paper.abstract) for paper in papers}


def remember(found: Analyses) -> None:
    """Take over what another process has `analysed`."""
    _ELSEWHERE.update(found)


def summarise(title: str, abstract: str, *, matched: Collection[str] = (), count: int = 2) -> str:
    """At most `count` whole sentences of the abstract, in its order; empty where it has none worth showing.

    `matched` are the words of the paper that met the reader's interest: sentences that hold them are preferred.
    """
    return _summary(title, abstract, frozenset(map(str.casefold, matched)), count)


@lru_cache(maxsize=32768)
def _summary(title: str, abstract: str, wanted: frozenset[str], count: int) -> str:
    candidates = sentences(title, abstract)
    if not candidates:
        return ""
    chosen = _choose(candidates, count, lambda s: s.worth + 0.5 * min(2, len(wanted & s.words)))
    return " ".join(sentence.text for sentence in chosen)


def _choose(candidates: tuple[Sentence, ...], count: int, worth: Callable[[Sentence], float]) -> list[Sentence]:
    """The best sentence; then the best that adds the other half of the story, done or found."""
    first = max(candidates, key=lambda s: (worth(s), -s.place))
    chosen = [first]
    while len(chosen) < count:
        rest = [s for s in candidates if s not in chosen]
        if not rest:
            break
        found = any(s.found and not s.done for s in chosen)
        chosen.append(
            max(rest, key=lambda s: (worth(s) + 0.8 * (s.done if found else s.found and not s.done), -s.place))
        )
        if len(chosen[-1].text) + len(chosen[0].text) > 2 * _LONGEST:
            chosen.pop()
            break
    return sorted(chosen, key=lambda s: s.place)


@lru_cache(maxsize=8192)
def sentences(title: str, abstract: str) -> tuple[Sentence, ...]:
    """The abstract's sentences that can stand alone, each with its worth for a summary, in order."""
    known = _ELSEWHERE.get((title, abstract))
    return _sentences(title, abstract) if known is None else known


def _sentences(title: str, abstract: str) -> tuple[Sentence, ...]:
    text = readable(abstract)[:_READ]
    if not text:
        return ()
    about = _words(readable(title))
    parts = [part for part in _split(text) if part]
    rated = [_rate(place, part, len(parts), about) for place, part in enumerate(parts)]
    whole = [s for s in rated if s is not None]
    first = next((s.place for s in whole if s.done), -1)
    return tuple(replace(s, worth=s.worth + 0.5) if s.place == first else s for s in whole)


def _rate(place: int, text: str, total: int, about: frozenset[str]) -> Sentence | None:
    """How much a sentence says by itself; None for one that is no sentence, or too long to show whole."""
    bare = _OPENING.sub("", text)
    if bare != text:
        text = bare[0].upper() + bare[1:]
    if not _SHORTEST <= len(text) <= _LONGEST or text[-1] not in ".!?。！？؟…":
        return None
    words = _words(text)
    noise = bool(_NOISE.search(text))
    doing = None if noise else _DONE.search(text)
    done, found = doing is not None, not noise and bool(_FOUND.search(text))
    worth = (
        (0.0 if doing is None else 0.9 if doing["mild"] else 1.7) + 1.2 * found + (0.4 if _FIGURE.search(text) else 0.0)
    )
    worth += 1.2 * len(words & about) / (len(about) or 1)
    worth += 0.3 if place + 2 >= total > 2 else 0.0  # results stand last
    worth -= 0.6 if place == 0 and total > 2 and not done else 0.0  # the first sentence sets the scene
    worth -= 2.0 if noise else 0.0
    worth -= 0.9 if _DANGLING.match(text) else 0.0
    worth -= 0.004 * max(0, len(text) - _PREFERRED)
    return Sentence(place, text, worth, done, found and not done, words)


def _words(text: str) -> frozenset[str]:
    return frozenset(word for word in map(str.casefold, _WORD.findall(text)) if not _STOP.fullmatch(word))


def _split(text: str) -> list[str]:
    return [str(part).strip() for part in _segmenter().segment(text)]


@cache
def _segmenter() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its regular expressions hold escapes that Python warns of while compiling
        import pysbd

        return pysbd.Segmenter(language="en", clean=False)
