"""What a person types into the search box, read so that nothing is an error. Pure.

    words            all of them, in any order            retrieval reranking
    "a phrase"       one after the other                  "mixture of experts"
    prefix*          words that begin so (3 letters)      quantiz*
    -not             none of these                        -medical -"computer vision"
    author:Name      among the authors                    author:Lin author:"Jimmy Lin"

Hyphens and other signs inside a word make a phrase of it, as they do in the index.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from newsletter.text import tidy

__all__ = ["LONGEST", "MOST", "Query", "Term", "parse"]

LONGEST = 1000  # characters that are read; nobody types more, and a pasted abstract needs no more
MOST = 24  # terms that are looked for
SHORTEST = 3  # letters of a beginning: fewer begin half of all words, and take seconds to find
_TERM = re.compile(
    r"""(?P<minus>-)?(?P<author>(?:authors?|au):\s*)?(?:"(?P<phrase>[^"]*)(?:"|$)|(?P<word>[^\s"]+))""", re.IGNORECASE
)
_QUOTES = str.maketrans("“”„«»", '"""""')


@dataclass(frozen=True, slots=True)
class Term:
    """Words that must stand one after the other; the last may be the beginning of one. `text` is as typed."""

    text: str
    words: tuple[str, ...]
    prefix: bool = False
    author: bool = False
    minus: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """Papers that hold every term of `wanted` and none of `unwanted`; without wanted ones it finds nothing."""

    wanted: tuple[Term, ...] = ()
    unwanted: tuple[Term, ...] = ()


def parse(text: str) -> Query:
    """The terms of a query, the first MOST of them; what holds no letter and no digit is passed over."""
    line = tidy(text[:LONGEST].translate(_QUOTES))
    terms = [term for match in _TERM.finditer(line) if (term := _term(match)) is not None][:MOST]
    return Query(tuple(t for t in terms if not t.minus), tuple(t for t in terms if t.minus))


def _term(match: re.Match[str]) -> Term | None:
    typed = match["phrase"] if match["word"] is None else match["word"]
    bare = typed.rstrip("*")
    words = _words(bare)
    if not words or typed == "AND":
        return None
    prefix = match["word"] is not None and bare != typed and bare[-1].isalnum() and len(words[-1]) >= SHORTEST
    return Term(bare, words, prefix, match["author"] is not None, match["minus"] is not None)


def _words(text: str) -> tuple[str, ...]:
    """Runs of letters and digits, in lower case, without accents."""
    bare = (c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return tuple("".join(c if c.isalnum() else " " for c in bare).lower().split())
