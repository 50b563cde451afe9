"""The size budget: what a letter gives up, step by step, so that mail programs show all of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from newsletter.model import Entry, Letter, Section

__all__ = ["LIMIT", "first_step", "next_step", "shrunk", "steps"]

LIMIT = 90_000  # bytes of HTML; Gmail clips a letter at 102,400, and forwarding adds to it

# bytes of markup around a compact card's summary, around the rest of it, around all cards
_SUMMARY, _CARD, _FRAME = 62, 540, 10_000
_SAID = 3 * 160  # bytes of markup around the three links by which a reader rates one of the best papers
_SEARCH = 90  # bytes of markup by which a search for the title is more than a linked title
# bytes of a theme's heading with a bar, or with a sparkline
_BAR, _SPARKLINE = 800, 1_850


def steps(letter: Letter) -> int:
    """How many steps `shrunk` can take: each paper below the best loses its summary, then its place."""
    return 2 * len(_below(letter))


def first_step(letter: Letter, feedback: str = "") -> int:
    """The step to begin with: 0 for a letter that should fit, else one whose HTML should just do so.

    `feedback` is what the addresses begin with under which the best papers are rated; empty where they are not.
    """
    entries = [*letter.top, *_below(letter)]
    text = sum(_words(e) + len(e.summary.encode()) for e in entries)
    markup = _FRAME + (_CARD + _SUMMARY) * len(entries) + sum(_headings(letter).values())
    if feedback:
        rated = [entry for entry in entries if not entry.compact]
        markup += sum(_SAID + 3 * (len(feedback) + len(e.pick.paper.id) + len(e.title.encode())) for e in rated)
    return next_step(letter, 0, markup + text - LIMIT)


def next_step(letter: Letter, step: int, excess: int) -> int:
    """The step after `step` that should save `excess` bytes of HTML, estimated from what leaves the letter."""
    below, order, headings = _below(letter), _least_first(letter), _headings(letter)
    while excess > 0 and step < 2 * len(order):
        place = order[step % len(order)]
        entry = below[place]
        if step < len(order):
            excess -= len(entry.summary.encode()) + _SUMMARY
        else:
            excess -= _words(entry) + _CARD + headings.get(place, 0)
        step += 1
    return step


def _words(entry: Entry) -> int:
    """Bytes of the title, and of where it leads or the search for it."""
    paper, title = entry.pick.paper, len(entry.title.encode())
    leads = paper.url or paper.pdf or not paper.id.startswith("title:")
    return title + (len(paper.url.encode()) if leads else title + _SEARCH)


def _headings(letter: Letter) -> dict[int, int]:
    """Bytes of each theme's heading, by the place of its first entry, with which it goes."""
    sizes, place = dict[int, int](), 0
    for section in letter.sections:
        sizes[place] = _SPARKLINE if len(section.theme.momentum.history) >= 28 else _BAR
        place += len(section.entries)
    return sizes


def shrunk(letter: Letter, step: int) -> Letter:
    """The letter after `step` concessions, from the end upwards; what left the letter is counted in `more`.

    First the summaries of compact cards go, then the cards; what is trending and the step outside outlast the themes,
    and the best papers stay as they are.
    """
    below = _below(letter)
    bare = min(step, len(below))
    gone = max(0, step - len(below))
    order = _least_first(letter)
    mute, out = frozenset(order[:bare]), frozenset(order[:gone])

    def kept(entries: Iterable[Entry], start: int) -> tuple[Entry, ...]:
        numbered = enumerate(entries, start)
        return tuple(replace(e, summary="") if n in mute else e for n, e in numbered if n not in out)

    sections, start = [], 0
    for section in letter.sections:
        if entries := kept(section.entries, start):
            sections.append(Section(section.theme, entries))
        start += len(section.entries)
    trending = kept(letter.trending, start)
    explore = kept(letter.explore, start + len(letter.trending))
    return replace(letter, sections=tuple(sections), trending=trending, explore=explore, more=letter.more + gone)


def _below(letter: Letter) -> Sequence[Entry]:
    return [*(e for s in letter.sections for e in s.entries), *letter.trending, *letter.explore]


def _least_first(letter: Letter) -> list[int]:
    """Places of the entries below the best, in the order in which they give way."""
    themed = sum(len(s.entries) for s in letter.sections)
    end = themed + len(letter.trending)
    return [
        *range(themed - 1, -1, -1),
        *range(end - 1, themed - 1, -1),
        *range(end + len(letter.explore) - 1, end - 1, -1),
    ]
