"""Phrases as papers say them: two to four words from raw titles and abstracts, hyphens and acronyms intact. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from newsletter.themes.words import DETERMINERS, FUNCTION

Key = tuple[str, ...]
Words = tuple[str, ...]

READ = 4000  # characters of an abstract that are read for phrases
LONGEST = 4  # words

_MATH = re.compile(r"\$[^$]*\$|\\\(.*?\\\)|\\\[.*?\\\]")
_COMMAND = re.compile(r"\\[a-zA-Z]+\*?(?:\[[^\]]*\])?")
_LINK = re.compile(r"https?://\S+|www\.\S+|\S+@\S+")
_TOKEN = re.compile(r"[^\W_](?:[\w+'’./-]*[\w+])?|[^\w\s{}]|_")
_INFLECTION = re.compile(r"(?:ings?|ed|ers?|ors?|ions?|ives?|als?)$")
_POSSESSIVE = re.compile(r"['’]s?$")


def plain(text: str) -> str:
    """Text without formulas, LaTeX commands and links; a formula leaves a break that no phrase crosses."""
    return _COMMAND.sub(" ", _MATH.sub(" ; ", _LINK.sub(" ; ", text))).replace("{", "").replace("}", "")


def runs(text: str) -> Iterator[tuple[list[str], str]]:
    """Stretches of words that no punctuation and no function word interrupts, each with what follows in lower case."""
    run: list[str] = []
    for token in (*_TOKEN.findall(plain(text)), "."):
        word = _POSSESSIVE.sub("", token)
        lower = word.lower()
        if not word or not word[0].isalnum() or lower in FUNCTION:
            if run:
                yield run, lower
            run = []
        else:
            run.append(word)
            if token != word:  # "Newton's method": the possessive ends a phrase, the next may begin
                yield run, "'s"
                run = []


def noun_end(follower: str) -> bool:
    """Whether what follows a run tells that it ended in a noun: a verb would have a determiner after it."""
    return follower not in DETERMINERS


@lru_cache(maxsize=100_000)
def singular(word: str) -> str:
    """A rough singular of an English word in lower case, for comparing, never for showing."""
    if len(word) <= 3 or word.endswith(("ss", "us", "is", "as")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word in ("caches", "niches"):
        return word[:-1]
    if word.endswith(("ches", "shes", "sses", "xes", "zes")):
        return word[:-2]
    return word.removesuffix("s")


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """What the forms of a word have in common, from its singular: ``prun`` of pruning and pruned. Never shown."""
    for _ in range(2):
        cut = _INFLECTION.sub("", word)
        word = cut if len(cut) >= 4 else word
    return word.removesuffix("e") if len(word) > 4 else word


@lru_cache(maxsize=100_000)
def _parts(word: str) -> Key:
    return tuple(singular(part) for part in re.split(r"[-/]", word.lower()) if part)


@lru_cache(maxsize=100_000)
def stems(word: str) -> Key:
    """The stems of a word's parts: two of ``KV-cache``."""
    return tuple(stem(part) for part in _parts(word))


def key(words: Iterable[str]) -> Key:
    """What two spellings of a phrase have in common: lower case, hyphens as spaces, singular."""
    return tuple(part for word in words for part in _parts(word))


def spelling(forms: Counter[Words]) -> str:
    """The commonest way to write a phrase, in title case: small letters rise, other capitals stay as they are.

    The plural, where it is not rare: a theme is about agents, not about an agent.
    """
    words, count = max(forms.items(), key=lambda item: (item[1], item[0]))
    plural = {w: n for w, n in forms.items() if w[-1].endswith("s") and singular(w[-1].lower()) == words[-1].lower()}
    if plural and sum(plural.values()) >= count / 2:
        words = max(plural.items(), key=lambda item: (item[1], item[0]))[0]
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
