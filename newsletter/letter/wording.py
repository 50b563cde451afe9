"""What the letter says in words, in the reader's language: reasons, people, counts, momentum.

Reasons arrive as data, computed from the score's own arithmetic; nothing is claimed here that did not count there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from newsletter.letter.language import direction, messages, number
from newsletter.model import Momentum, Reason, Theme
from newsletter.text import readable

__all__ = ["clipped", "counts", "label", "momentum", "people", "reason", "reasons"]

_TRIVIAL = 0.1  # share of the score below which a reason is not worth a reader's time
_TRAILING = re.compile(
    r"(?:\s(?:an?|and|as|at|by|for|from|in|into|is|of|on|or|over|the|through|to|towards|under|using|via|with)\W*)+$",
    re.IGNORECASE,
)


def clipped(text: str, room: int) -> str:
    """The text, or as many whole words of it as fit into `room` characters with an ellipsis."""
    if len(text) <= room:
        return text
    head = text[: room - 1]
    if not text[room - 1].isspace() and " " in head.strip():
        head = head.rsplit(" ", 1)[0]
    return _TRAILING.sub("", head).rstrip(" ,:;–—-.") + "…"


def isolated(text: str, language: str) -> str:
    """Text of another script set into a right-to-left sentence keeps its own order (Unicode UAX 9, FSI and PDI)."""
    return f"\u2068{text}\u2069" if text and direction(language) == "rtl" else text


@lru_cache(maxsize=8192)
def people(authors: tuple[str, ...], language: str, most: int) -> str:
    """``Ada Lovelace, Alan Turing and 12 more``: at most `most` names, all of them where one more would fit."""
    names = [name for name in (clipped(readable(author), 60) for author in authors) if name]
    if len(names) <= most + 1:
        return ", ".join(names)
    rest = len(names) - most
    say = messages(language)
    form = say.ngettext("{names} and {count} more", "{names} and {count} more", rest)
    return form.format(names=", ".join(names[:most]), count=number(rest, language))


@lru_cache(maxsize=8192)
def counts(upvotes: int | None, comments: int | None, stars: int | None, language: str) -> tuple[str, ...]:
    """What the public thinks of a paper, where it is known and not zero."""
    say = messages(language)
    known = (
        (upvotes, say.ngettext("{count} upvote", "{count} upvotes", upvotes or 0)),
        (comments, say.ngettext("{count} comment", "{count} comments", comments or 0)),
        (stars, say.ngettext("{count} star", "{count} stars", stars or 0)),
    )
    return tuple(text.format(count=number(value, language)) for value, text in known if value and value > 0)


def reasons(given: Sequence[Reason], language: str, most: int) -> str:
    """The weightiest reasons, the heaviest first, as one line."""
    if len(given) == 1:
        return reason(given[0], language)
    told = sorted((r for r in given if r.share >= _TRIVIAL), key=lambda r: -r.share) or list(given[:1])
    return " · ".join(dict.fromkeys(reason(r, language) for r in told[:most]))


@lru_cache(maxsize=16384)
def reason(given: Reason, language: str) -> str:
    """One reason in words."""
    gettext = messages(language).gettext
    what = isolated(clipped(readable(given.what), 70), language)
    words = isolated(", ".join(_as_told(clipped(readable(word), 30), what) for word in given.words[:3]), language)
    known = {
        "interest": gettext("Matches “{what}”: {words}") if words else gettext("Matches “{what}”"),
        "like": gettext("Close to “{what}”, which you liked"),
        "author": gettext("By {what}, whom you follow"),
        "keyword": gettext("Mentions {what}, which you follow"),
        "trending": gettext("Widely read"),
        "fresh": gettext("Brand new"),
        "explore": gettext("A step outside your interests"),
    }
    return known[given.kind].format(what=what, words=words)


def _as_told(word: str, what: str) -> str:
    """A word of a title without the title's capital, where the reader writes it small."""
    return word.lower() if word.istitle() and word.lower() in what else word


def label(theme: Theme, language: str) -> str:
    """The theme's name; the section of papers without a theme has one in every language."""
    return messages(language).gettext("More papers") if theme.id == "more" else clipped(readable(theme.label), 90)


@lru_cache(maxsize=4096)
def momentum(moves: Momentum, language: str) -> str:
    """How a theme moves, in a few words."""
    gettext = messages(language).gettext
    if moves.trend == "new":
        return gettext("new theme")
    if moves.trend == "rising":
        return gettext("rising, {rate} times its usual pace").format(rate=number(moves.rate, language))
    return gettext("steady")
