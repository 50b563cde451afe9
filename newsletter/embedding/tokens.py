"""Text to token numbers: whole words, pairs of words, and pieces of the words that the vocabulary does not hold.

Pure, and free of third parties: a dictionary look-up a word is several times faster than a general tokenizer
(figures in docs/embedding.md), and pairs of words need no second pass over the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise

__all__ = ["Tokenizer", "words_of"]

MAX_CHARACTERS = (
    20_000  # an abstract has about 1,300; what is longer is a document, and its start says what it is about
)
_LONGEST_WORD = 60  # longer runs of letters are encoded data, not words
_WORD = re.compile(r"[^\W_]+")
_REMEMBERED = 200_000  # words whose pieces are kept; past that (a flood of odd strings) pieces are worked out again


def words_of(text: str) -> list[str]:
    """The words of a text in order: runs of letters and digits in lower case, accents taken off."""
    text = text[:MAX_CHARACTERS].lower()
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return _WORD.findall(text)


class Tokenizer:
    """Token numbers are places in `vocabulary`: ``word``, ``word word`` (a pair), ``##piece`` (inside a word)."""

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self.vocabulary = tuple(vocabulary)
        self._index = {token: number for number, token in enumerate(self.vocabulary)}
        self._pairs = {tuple(token.split(" ")): number for token, number in self._index.items() if " " in token}
        self._known: dict[str, tuple[int, ...]] = {token: (number,) for token, number in self._index.items()}

    def ids(self, text: str) -> list[int]:
        """Token numbers of a text: every word's (or its pieces'), then every pair's. Empty where nothing is known."""
        words = words_of(text)
        known = self._known
        found: list[int] = []
        for word in words:
            tokens = known.get(word)
            found.extend(self._learn(word) if tokens is None else tokens)
        if self._pairs:
            found.extend(number for pair in pairwise(words) if (number := self._pairs.get(pair)) is not None)
        return found

    def _learn(self, word: str) -> tuple[int, ...]:
        tokens = self._pieces(word)
        if len(self._known) < _REMEMBERED:
            self._known[word] = tokens
        return tokens

    def _pieces(self, word: str) -> tuple[int, ...]:
        """Longest known piece first, from the left (WordPiece, Wu et al. 2016); a number is no sum of its digits."""
        if word.isdigit() or len(word) > _LONGEST_WORD:
            return ()
        found: list[int] = []
        start = 0
        while start < len(word):
            for end in range(len(word), start, -1):
                number = self._index.get(("##" if start else "") + word[start:end])
                if number is not None:
                    found.append(number)
                    start = end
                    break
            else:
                start += 1  # a letter of a script that the vocabulary does not hold
        return tuple(found)
