"""A name for every theme: the noun phrase of its own papers that says best what they share and others do not."""

from __future__ import annotations

from collections.abc import Sequence

from newsletter.model import Paper
from newsletter.themes.candidates import Candidate, Encode, candidates, survey
from newsletter.themes.fit import Topics
from newsletter.themes.phrases import alike, key, title_case
from newsletter.themes.place import Vectors

OUTDONE = 0.9  # of the best candidate's score, below which a label that may change does


def label(
    papers: Sequence[Paper],
    vectors: Vectors,
    topics: Topics,
    encode: Encode | None,
    *,
    words: Sequence[Sequence[str]],
    held: Sequence[str],
    fixed: Sequence[bool],
) -> list[str]:
    """A label for each group, no two alike.

    vectors: (n, d), one a paper. words: keywords of each group. held: the label that each group had, "" for new ones.
    fixed: whether it must stay; where it need not, it stays unless the best candidate is better by far.
    """
    if not words:
        return []
    ground = survey(papers, vectors, topics.labels, len(words))
    options = [candidates(ground, topics, g, encode) for g in range(len(words))]
    labels = ["" if not keep else text for text, keep in zip(held, fixed, strict=True)]
    for group, (text, options_here) in enumerate(zip(held, options, strict=True)):
        if text and not labels[group] and options_here and not outdone(text, options_here):
            labels[group] = text
    return choose(options, labels, words, held)


def outdone(text: str, options: Sequence[Candidate]) -> bool:
    """Whether a held label is none of the candidates (there are some) any more, or far below the best one."""
    own = [c.score for c in options if c.key == key(text.split())]
    return not own or own[0] < OUTDONE * options[0].score


def choose(
    options: Sequence[Sequence[Candidate]], labels: Sequence[str], words: Sequence[Sequence[str]], held: Sequence[str]
) -> list[str]:
    """`labels` with the empty ones filled: of all candidates left the best is given out first, none is like another.

    Where no phrase is left, the held label stays if it is still free, else two of the group's keywords stand in.
    """
    out = list(labels)
    used = [key(text.split()) for text in labels if text]
    offers = sorted(((c, group) for group, some in enumerate(options) for c in some), key=lambda o: (-o[0].score, o[1]))
    for candidate, group in offers:
        if not out[group] and not any(alike(candidate.key, other) for other in used):
            out[group] = candidate.text
            used.append(candidate.key)
    for group, (text, before) in enumerate(zip(out, held, strict=True)):
        mine = key(before.split())
        free = before and not any(alike(mine, other) for other in used)
        out[group] = text or (before if free else _stand_in(words[group], group, out))
        used.append(key(out[group].split()))
    return out


def _stand_in(words: Sequence[str], group: int, taken: Sequence[str]) -> str:
    pairs = (" ".join(title_case(word) for word in words[at : at + 2]) for at in range(len(words)))
    return next((pair for pair in pairs if pair not in taken), f"Theme {group + 1}")
