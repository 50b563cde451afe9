"""Phrases as papers say them: two to four words from raw titles and abstracts, hyphens and acronyms intact. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from newsletter.model import Paper
from newsletter.themes.words import FUNCTION

READ = 4000  # characters of an abstract that are read for phrases
LONGEST = 4  # words

_MATH = re.compile(r"\$[^$]*\$|\\\(.*?\\\)|\\\[.*?\\\]")
_COMMAND = re.compile(r"\\[a-zA-Z]+\*?(?:\[[^\]]*\])?")
_LINK = re.compile(r"https?://\S+|www\.\S+|\S+@\S+")
_TOKEN = re.compile(r"[^\W_](?:[\w+'’./-]*[\w+])?|[^\w\s{}]|_")
_WORD = re.compile(r"[^\W\d_]")
_POSSESSIVE = re.compile(r"['’]s?$")


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase in one paper: `key` is equal for its spellings (case, hyphens, plural), `words` as written."""

    key: tuple[str, ...]
    words: tuple[str, ...]


def plain(text: str) -> str:
    """Text without formulas, LaTeX commands and links; a formula leaves a break that no phrase crosses."""
    return _COMMAND.sub(" ", _MATH.sub(" ; ", _LINK.sub(" ; ", text))).replace("{", "").replace("}", "")


def runs(text: str) -> Iterator[list[str]]:
    """Stretches of words that no punctuation and no function word interrupts."""
    run: list[str] = []
    for token in _TOKEN.findall(plain(text)):
        word = _POSSESSIVE.sub("", token)
        if not word or not word[0].isalnum() or word.lower() in FUNCTION:
            if run:
                yield run
            run = []
        elif token != word:  # "Newton's method": the possessive ends a phrase, the next may begin
            yield [*run, word]
            run = []
        else:
            run.append(word)
    if run:
        yield run


def singular(word: str) -> str:
    """A rough singular of an English word in lower case, for comparing, never for showing."""
    if len(word) <= 3 or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "sses", "xes", "zes")):
        return word[:-2]
    return word.removesuffix("s")


def key(words: Iterable[str]) -> tuple[str, ...]:
    """What two spellings of a phrase have in common: lower case, hyphens as spaces, singular."""
    return tuple(singular(part) for word in words for part in re.split(r"[-/]", word.lower()) if part)


def phrases(text: str) -> Iterator[Phrase]:
    """Every stretch of one to four words inside a run, as often as it stands there."""
    for run in runs(text):
        for start in range(len(run)):
            for end in range(start + 1, min(start + LONGEST, len(run)) + 1):
                words = tuple(run[start:end])
                if any(_WORD.search(word) for word in words):
                    yield Phrase(key(words), words)


def phrases_of(paper: Paper) -> tuple[Counter[Phrase], frozenset[tuple[str, ...]]]:
    """How often a paper says each phrase, and the keys that stand in its title."""
    titled = list(phrases(paper.title))
    said = Counter(titled)
    said.update(phrases(paper.abstract[:READ]))
    return said, frozenset(phrase.key for phrase in titled)


def spelling(forms: Counter[tuple[str, ...]]) -> str:
    """The commonest way to write a phrase, in title case: small letters rise, other capitals stay as they are."""
    words, _ = max(forms.items(), key=lambda item: (item[1], item[0]))
    return " ".join(title_case(word) for word in words)


def title_case(word: str) -> str:
    """``retrieval-augmented`` to ``Retrieval-Augmented``; ``mRNA``, ``3D`` and ``LoRA`` stay."""
    return "-".join(_capital(part, first=i == 0) for i, part in enumerate(word.split("-")))


def _capital(part: str, *, first: bool) -> str:
    if not part or part != part.lower() or (not first and part in FUNCTION):
        return part
    return part[0].upper() + part[1:]


def alike(a: Sequence[str], b: Sequence[str]) -> bool:
    """Whether one phrase's words are all among the other's, so that side by side they would not be told apart."""
    return set(a) <= set(b) or set(b) <= set(a)
