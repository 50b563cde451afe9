"""Whether a sentence that a model wrote may stand in a letter: whole, plain, and about this paper. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from newsletter.text import readable

__all__ = ["UnfitError", "fit", "grounded"]

_SHORTEST, _LONGEST = 25, 320  # characters
_MARKUP = re.compile(r"</?[a-z!]|&#?\w+;|\]\(|\*\*|__|`|[{}\\|#]|^\s*(?:[-*•>]|\d+[.)])\s", re.IGNORECASE)
# mail programs make links of bare domains, too
_LINK = re.compile(r"://|\bwww\.|@|\b(?:javascript|mailto|data):|\w\.[a-z]{2,}\b", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_WORD = re.compile(r"[^\W\d_]+")
# Share of a sentence's longer words that the paper must hold. Of 238 summaries that Hugging Face's model wrote of its
# daily papers, 237 pass by their own abstract, and 2 by another's.
_OURS = 0.6
_STEM = 5  # letters that two forms of a word have in common


class UnfitError(Exception):
    """What the model wrote cannot be shown, and why."""


def fit(value: object, *, longest: int = _LONGEST) -> str:
    """The sentence as one readable line; raises UnfitError where it is none, or holds markup or a link."""
    if not isinstance(value, str):
        raise UnfitError("it is no text")
    if len(value) > 10 * longest:
        raise UnfitError("it is far too long")
    text = readable(value)
    if not _SHORTEST <= len(text) <= longest:
        raise UnfitError(f"it has {len(text)} characters")
    if _MARKUP.search(value) or _MARKUP.search(text):
        raise UnfitError("it holds markup")
    if _LINK.search(text):
        raise UnfitError("it holds a link")
    if text[-1] not in ".!?。！？؟" or text.endswith("..") or text.split()[0].islower():
        raise UnfitError("it is no whole sentence")
    return text


def grounded(sentences: Iterable[str], source: str) -> None:
    """Raises UnfitError where a number is not the paper's, or too few words are: invention, or another's words."""
    known = readable(source)
    stems = _stems(known)
    numbers = set(_NUMBER.findall(known))
    for text in sentences:
        if made_up := [number for number in _NUMBER.findall(text) if number not in numbers]:
            raise UnfitError(f"the paper does not say {made_up[0]}")
        words = _stems(text)
        if len(words & stems) < _OURS * len(words):
            raise UnfitError("it is not about this paper")


def _stems(text: str) -> set[str]:
    """The beginnings of longer words; of scripts that write no blanks, every two characters."""
    words = _WORD.findall(text)
    stems = {word[:_STEM].casefold() for word in words if len(word) > 3 and word.lower() != word.upper()}
    unspaced = [word for word in words if word.lower() == word.upper()]
    return stems | {word[n : n + 2] for word in unspaced for n in range(max(1, len(word) - 1))}
