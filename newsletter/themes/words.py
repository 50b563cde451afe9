"""Words that carry no subject in papers, from the lists beside this file."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from newsletter.text import function_words


def _lines(name: str) -> list[str]:
    text = (files("newsletter.themes") / "lists" / f"{name}.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if not line.startswith("#")]


def _listed(name: str) -> frozenset[str]:
    return frozenset(word for line in _lines(name) for word in line.split())


FUNCTION = function_words()
DETERMINERS = _listed("determiners")
ACADEMIC = _listed("academic")
WEAK = _listed("weak")
HEADS = _listed("heads")
FIELDS = frozenset(tuple(line.split()) for line in _lines("fields"))
_ENDS = HEADS | _listed("verbs")
_NAMING = frozenset(
    [
        "codes",
        "analysis",
        "benchmark",
        "benchmarks",
        "data",
        "dataset",
        "datasets",
        "model",
        "models",
        "system",
        "systems",
        "training",
    ]
)
_VERBS = ACADEMIC - _NAMING - {"evaluation", "test", "user", "type"}
_PARTICIPLE = re.compile(r"(?<![bfnps]e)ed$|ly$")
_ADVERB = re.compile(r"(?<!anoma)(?<!fami)(?<!assemb)ly$")
STOP_WORDS = frozenset(word for word in FUNCTION | ACADEMIC if word.isalpha() and len(word) > 1)


def nameable(words: tuple[str, ...]) -> bool:
    """Whether a phrase may name a theme by its first and last word: neither is a word of every abstract, nor a verb."""
    first, last = words[0].lower(), words[-1].lower()
    if first in WEAK or first in _VERBS or last in _ENDS or (last in ACADEMIC and last not in _NAMING):
        return False
    return last[-1].isalpha() and len(last) > 1 and not _PARTICIPLE.search(last) and not _ADVERB.search(first)


class Term(NamedTuple):
    """Of 100,000 arXiv papers, how many say a phrase, and how many of them in the title."""

    papers: int
    titles: int


@cache
def terms() -> dict[tuple[str, ...], Term]:
    """Noun phrases of arXiv papers by their keys (counted by benchmarks/themes_terms.py)."""
    rows = (line.split(" ") for line in _lines("terms"))
    return {tuple(words): Term(int(papers), int(titles)) for papers, titles, *words in rows}
