"""Which papers say which phrases and words, and whether a phrase stands as a noun phrase of its own. Pure."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from newsletter.model import Paper
from newsletter.themes.phrases import LONGEST, READ, Key, Words, key, noun_end, runs, stems
from newsletter.themes.words import nameable, terms

WHOLE = 0.3  # share of a phrase's occurrences that begin, and that end, where a noun phrase does

_ADJECTIVE = re.compile(r"(ent|ant|ive|ous|ful|ble|ic|al|ed|ly|free|aware|wise|level|scale)$")


@dataclass(slots=True)
class Said:
    """What the papers say of one phrase: who says it, who in the title, how it is spelled, how often it is whole."""

    papers: list[int] = field(default_factory=list)
    titles: list[int] = field(default_factory=list)
    forms: Counter[Words] = field(default_factory=Counter)
    count: int = 0
    begins: int = 0
    ends: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """What papers say. `having`: {stem: the papers that have such a word}, as the bits of a number, first paper lowest:
    who has several words is one ``&`` away."""

    said: Mapping[Key, Said]
    having: Mapping[str, int]

    def with_words(self, stems: Iterable[str]) -> int:
        """The papers that have all of these words, as bits."""
        papers = -1
        for one in stems:
            papers &= self.having.get(one, 0)
        return papers


def read(papers: Sequence[Paper]) -> Reading:
    """Every phrase of two to four words that could be a name, with who says it, and who has which words."""
    found: dict[Key, Said] = defaultdict(Said)
    having: dict[str, int] = defaultdict(int)
    for row, paper in enumerate(papers):
        words: set[str] = set()
        for in_title, text in ((True, paper.title), (False, paper.abstract[:READ])):
            for run, follower in runs(text):
                _read_run(found, run, ends=noun_end(follower), row=row, in_title=in_title)
                words.update(run)
        for one in {one for word in words for one in stems(word)}:
            having[one] |= 1 << row
    return Reading(found, having)


def _read_run(found: dict[Key, Said], run: list[str], *, ends: bool, row: int, in_title: bool) -> None:
    for first in range(len(run)):
        for last in range(first, min(first + LONGEST, len(run))):
            words = tuple(run[first : last + 1])
            phrase = key(words)
            if not 2 <= len(phrase) <= LONGEST + 1 or not nameable(words):
                continue
            said = found[phrase]
            whole = ends and last == len(run) - 1
            said.forms[words] += 10 if whole else 1  # how it is spelled on its own, not before another noun
            said.count += 1
            said.begins += first == 0
            said.ends += whole
            for rows in (said.papers, said.titles) if in_title else (said.papers,):
                if not rows or rows[-1] != row:
                    rows.append(row)


def whole(phrase: Key, said: Said) -> bool:
    """Whether a phrase stands as a noun phrase of its own often enough, here or in arXiv papers."""
    if all(len(words) == 1 for words in said.forms):  # "Fine-Tuning" is a name, "Long-Context" is not
        return said.ends >= 0.6 * said.count and not _ADJECTIVE.search(phrase[-1]) and "".join(phrase).isalpha()
    return phrase in terms() or min(said.begins, said.ends) >= WHOLE * said.count
