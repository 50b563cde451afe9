"""The vocabulary, grown on the corpus: its words, pairs of words that belong together, and pieces for the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import log

from newsletter.embedding.tokens import Tokenizer, words_of

__all__ = ["Counts", "count", "grow"]

_PAIR_FLOOR = 12  # papers; a rarer pair has too few examples to learn from
_COMMON_SHARE = 0.25  # a word in more papers than this binds nothing to its neighbour
_PRUNE_AT = 6_000_000  # pairs in memory
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"

_FUNCTION_WORDS = """
    of and to in for we with that is on by as this are an from be which our can it these not or at have has using
    show also their such two more its than between both however while but into been was were where over how only they
    may each when through new other first all one the there those some most if so no do does did will would
"""
_UNBOUND = frozenset(_FUNCTION_WORDS.split())

Counts = tuple[Counter[str], Counter[tuple[str, str]], int]


def count(texts: Iterable[str]) -> Counts:
    """In how many texts each word and each pair of neighbouring words stands, and the number of texts."""
    words, pairs, texts_read = Counter[str](), Counter[tuple[str, str]](), 0
    for text in texts:
        found = words_of(text)
        words.update(set(found))
        pairs.update(set(pairwise(found)))
        texts_read += 1
        if len(pairs) > _PRUNE_AT:
            pairs = Counter({pair: n for pair, n in pairs.items() if n > 2})
    return words, pairs, texts_read


def grow(
    counts: Counts, general: Sequence[str], *, size: int, pair_share: float, piece_share: float
) -> tuple[str, ...]:
    """At most `size` tokens, of three kinds; single letters are always there, so that any word has pieces.

    The corpus's most frequent words; pieces and words of `general`, by how much of the other words they spell; and
    pairs, by frequency times pointwise mutual information (Church and Hanks 1990).
    """
    words = counts[0]
    ranked = [word for word, _ in sorted(words.items(), key=lambda item: (-item[1], item[0])) if _is_word(word)]
    letters = [*_LETTERS, *(f"##{letter}" for letter in _LETTERS)]
    bound = _bound_pairs(counts)[: int(size * pair_share)]
    spare = int(size * piece_share)
    base = list(dict.fromkeys([*ranked[: max(0, size - spare - len(bound) - len(letters))], *letters]))
    pieces = _spelling(words, ranked[len(base) - len(letters) :], base, general)[:spare]
    return tuple(dict.fromkeys([*base, *pieces, *bound]))[:size]


def _is_word(word: str) -> bool:
    return len(word) > 1 and not (word.isdigit() and len(word) > 4)


def _spelling(words: Counter[str], rest: Sequence[str], base: Sequence[str], general: Sequence[str]) -> list[str]:
    """Tokens of `general` outside `base`, by how many texts need them to spell the words in `rest`."""
    useful = [token for token in general if " " not in token and token.removeprefix("##").isalnum() and len(token) > 2]
    tokenizer = Tokenizer(tuple(dict.fromkeys([*base, *useful])))
    needed = Counter[int]()
    for word in rest:
        for number in tokenizer.ids(word):
            needed[number] += words[word]
    ordered = sorted(needed.items(), key=lambda item: (-item[1], item[0]))
    return [tokenizer.vocabulary[number] for number, _ in ordered if number >= len(base)]


def _bound_pairs(counts: Counts) -> list[str]:
    words, pairs, texts = counts
    common = {word for word, n in words.items() if n > texts * _COMMON_SHARE}
    scored = []
    for (left, right), n in pairs.items():
        if n < _PAIR_FLOOR or not (_binds(left, common) and _binds(right, common)):
            continue
        score = n * log(n * texts / (words[left] * words[right]))
        if score > 0:
            scored.append((-score, f"{left} {right}"))
    return [pair for _, pair in sorted(scored)]


def _binds(word: str, common: set[str]) -> bool:
    return len(word) > 1 and not word.isdigit() and word not in common and word not in _UNBOUND
